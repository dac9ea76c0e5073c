package importer

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// people are the members that a file of purchases names.
type people struct {
	known map[string]id.Member
	// refused is why somebody is no member.
	refused map[string]string
}

// people finds the members of the book and, if told so, enrolls those that are unknown: they joined when they first
// bought something.
func (i *Importer) people(ctx context.Context, named *book, rejectUnknown bool, into *notes) (*people, error) {
	found := &people{known: make(map[string]id.Member, len(named.members)), refused: map[string]string{}}
	names := slices.Sorted(maps.Keys(named.members))
	total := int64(len(names))
	for some := range slices.Chunk(names, batch) {
		unknown, err := i.find(ctx, some, found)
		if err != nil {
			return nil, err
		}
		if rejectUnknown {
			for _, name := range unknown {
				found.refused[name] = problem.At(problem.UnknownMember, nil, "There is no member %s.", name).Error()
			}
		} else if err := i.enroll(ctx, named, unknown, found, into); err != nil {
			return nil, err
		}
		i.Progress(Enrolling, int64(len(found.known)+len(found.refused)), total)
	}
	return found, nil
}

// find notes which of the names are members and returns the others.
func (i *Importer) find(ctx context.Context, names []string, into *people) ([]string, error) {
	refs := make([]loyalty.MemberRef, len(names))
	for at := range names {
		refs[at].ExternalID = &names[at]
	}
	members, err := i.Service.FindMembers(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("find members: %w", err)
	}
	var unknown []string
	for at, name := range names {
		if members[at] == (id.Member{}) {
			unknown = append(unknown, name)
		} else {
			into.known[name] = members[at]
		}
	}
	return unknown, nil
}

func (i *Importer) enroll(ctx context.Context, named *book, names []string, into *people, tell *notes) error {
	if len(names) == 0 {
		return nil
	}
	inputs := make([]loyalty.EnrollMemberInput, len(names))
	for at := range names {
		key, err := idempotency.Hash([]string{"import purchases", names[at]})
		if err != nil {
			return err
		}
		inputs[at] = loyalty.EnrollMemberInput{ExternalID: &names[at], IdempotencyKey: key.String()}
		if joined := named.members[names[at]]; !joined.IsZero() {
			inputs[at].JoinedAt = &joined
		}
	}
	enrollments, err := i.Service.Enroll(ctx, inputs)
	if err != nil {
		return fmt.Errorf("enroll members: %w", err)
	}
	for at, name := range names {
		if problems := enrollments[at].UserErrors; len(problems) > 0 {
			into.refused[name] = problem.Problems(problems).Error()
			tell.Members.Rejected++
			continue
		}
		into.known[name] = enrollments[at].Member.ID
		tell.Members.Enrolled++
	}
	return nil
}

// count adds up what the members own now.
func (i *Importer) count(ctx context.Context, named *people) (Points, error) {
	owned := Points{Members: len(named.known)}
	members := slices.Collect(maps.Values(named.known))
	for some := range slices.Chunk(members, loyalty.MaximumBatch) {
		balances, err := i.Service.Balances(ctx, some, nil)
		if err != nil {
			return Points{}, fmt.Errorf("read balances: %w", err)
		}
		for _, balance := range balances {
			owned.Left += balance.Available + balance.Pending + balance.Held - balance.Debt
		}
	}
	return owned, nil
}
