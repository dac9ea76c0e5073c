package loyalty

import (
	"context"
	"time"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// Bounds of the names of facts, in characters.
const maximumSource = 100

// fact is a purchase, return or activity on its way into the books: normalized, and refused as soon as it has problems.
type fact struct {
	kind       string
	source     string
	externalID string
	occurredAt time.Time
	member     id.Member
	// total is nil for a fact that is not about money, and for a return until it is known what came back.
	total *int64
	// paid is the part of total that was paid with points, if it was said.
	paid       *int64
	lines      []purchaseLine
	attributes value.Attributes
	// returning is set for a return.
	returning *returning

	problems problem.Problems
	key      uuid.UUID
	hash     uuid.UUID
	// claimed tells that this transaction has taken the fact's key.
	claimed bool
	// first is, of a replay, the fact as it was recorded.
	first *id.Activity
	// waited tells of a return that waits that it was told before.
	waited bool
	// twin is the same fact earlier in the slice.
	twin *fact

	recorded Recorded
}

// ClubSource is under what the club tells who came to its events. Nobody else tells anything under it.
const ClubSource = "club"

// from says who tells the fact.
func (f *fact) from(caller actor.Actor) {
	if f.source == ClubSource && !caller.Internal() {
		f.problems.Add(problem.InvalidSource, []string{"source"}, "The source %s is the program's own.", ClubSource)
	}
}

// open tells whether the fact is still to be decided.
func (f *fact) open() bool {
	return len(f.problems) == 0 && f.first == nil && f.twin == nil && !f.waits()
}

// waits tells whether the fact is a return that waits for its purchase.
func (f *fact) waits() bool { return f.returning != nil && f.returning.waits }

// newFact checks what all facts have in common.
func newFact(kind, source, externalID string, occurredAt time.Time, book *rulebook, now time.Time) *fact {
	made := &fact{
		kind: kind, source: source, externalID: externalID, attributes: value.Attributes{},
		occurredAt: occurredAt.UTC().Truncate(time.Microsecond),
	}
	if !Within(source, maximumSource) {
		made.problems.Add(problem.InvalidSource, []string{"source"}, "A source has 1 to %d characters.", maximumSource)
	}
	if !Within(externalID, maximumExternalID) {
		made.problems.Add(problem.InvalidSource, []string{"externalId"}, "An external id has 1 to %d characters.", maximumExternalID)
	}
	if made.occurredAt.After(now.Add(futureTolerance)) {
		made.problems.Add(problem.OccurredInFuture, []string{"occurredAt"}, "This lies more than 5 minutes in the future.")
	}
	if book.StartsAt != nil && made.occurredAt.Before(*book.StartsAt) {
		made.problems.Add(problem.BeforeProgramStart, []string{"occurredAt"}, "The program started later, at %s.",
			book.StartsAt.Format(time.RFC3339))
	}
	return made
}

// of says whose fact it is; the zero id is nobody's.
func (f *fact) of(member id.Member) {
	if member == (id.Member{}) {
		f.problems = append(f.problems, unknownMember("member"))
	}
	f.member = member
}

// identify computes the fact's key and the hash of its input.
func (f *fact) identify() error {
	var err error
	if f.key, err = activityKey(f.source, f.externalID); err != nil {
		return err
	}
	input := map[string]any{
		"type": f.kind, "member": f.member.String(), "occurredAt": f.occurredAt, "attributes": f.attributes,
	}
	if f.total != nil {
		input["total"] = *f.total
	}
	if f.paid != nil {
		input["paidWithPoints"] = *f.paid
	}
	if len(f.lines) > 0 {
		input["lines"] = f.lines
	}
	if f.returning != nil {
		input["returning"] = f.returning.normalized()
	}
	f.hash, err = idempotency.Hash(input)
	return err
}

// activityKey is under what (source, externalID) is found.
func activityKey(source, externalID string) (uuid.UUID, error) {
	return idempotency.Hash([]string{source, externalID})
}

// claimActivities takes the facts' keys, in order. A key that is taken makes the fact a replay, or a problem.
func claimActivities(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	byKey := make(map[uuid.UUID]*fact, len(facts))
	var twins []*fact
	for _, one := range facts {
		if len(one.problems) > 0 {
			continue
		}
		if err := one.identify(); err != nil {
			return err
		}
		if first, ok := byKey[one.key]; ok {
			one.twin = first
			twins = append(twins, one)
			continue
		}
		byKey[one.key] = one
	}
	claimed, err := insertActivityKeys(ctx, tx, byKey)
	if err != nil {
		return err
	}
	var taken []uuid.UUID
	for key, one := range byKey {
		if one.claimed = claimed[key]; !one.claimed {
			taken = append(taken, key)
		}
	}
	earlier, err := selectActivityKeys(ctx, tx, taken)
	if err != nil {
		return err
	}
	known := make(map[uuid.UUID]activityKeyRow, len(earlier))
	for _, row := range earlier {
		known[row.Hash] = row
		byKey[row.Hash].replay(row)
	}
	for _, one := range twins {
		if row, ok := known[one.key]; ok {
			// Both were recorded before; it matters nothing what the other one says.
			one.twin = nil
			one.replay(row)
			continue
		}
		one.compare(one.twin.member, one.twin.hash)
	}
	return nil
}

// replay makes the fact the replay of the one that has its key.
func (f *fact) replay(row activityKeyRow) {
	if row.Sequence == nil {
		// A return has the key, which waits and is nobody's yet.
		f.waited = true
		f.compare(f.member, row.InputHash)
		return
	}
	f.compare(row.Member, row.InputHash)
	f.first = &id.Activity{Member: row.Member, Sequence: *row.Sequence}
}

// compare adds a problem if the fact is not the one that took its key.
func (f *fact) compare(member id.Member, hash uuid.UUID) {
	switch {
	case f.member != member:
		f.problems.Add(problem.AlreadyClaimed, []string{"externalId"}, "This was recorded for another member.")
	case f.hash != hash:
		f.problems.Add(problem.IdempotencyKeyReused, []string{"externalId"},
			"This source and external id were used before with other input.")
	}
}
