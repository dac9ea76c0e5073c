package loyalty

import (
	"context"
	"fmt"
	"slices"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/ledger"
)

// record takes facts into the books in one transaction and answers each in order. prepare makes them once the rulebook
// is known and cannot change.
func (s *Service) record(ctx context.Context, inputs int, prepare func(context.Context, *postgres.Tx, *rulebook) ([]*fact, error)) ([]Recorded, error) {
	if inputs == 0 || inputs > MaximumBatch {
		return nil, problem.At(problem.TooManyPurchases, nil, "Send 1 to %d at once.", MaximumBatch)
	}
	var answers []Recorded
	err := s.db.InTx(ctx, func(tx *postgres.Tx) (err error) {
		answers, err = s.recordTx(ctx, tx, prepare)
		return err
	})
	return answers, err
}

func (s *Service) recordTx(ctx context.Context, tx *postgres.Tx, prepare func(context.Context, *postgres.Tx, *rulebook) ([]*fact, error)) ([]Recorded, error) {
	book, err := s.share(ctx, tx)
	if err != nil {
		return nil, err
	}
	facts, err := prepare(ctx, tx, book)
	if err != nil {
		return nil, err
	}
	if err := claimActivities(ctx, tx, facts); err != nil {
		return nil, fmt.Errorf("claim keys: %w", err)
	}
	if err := decide(ctx, tx, book, facts); err != nil {
		return nil, err
	}
	if err := keepWaiting(ctx, tx, facts); err != nil {
		return nil, err
	}
	if err := applyWaiting(ctx, tx, book, facts); err != nil {
		return nil, err
	}
	return answer(ctx, tx, book, facts)
}

// answer completes the answers; replays are read back as they were recorded.
func answer(ctx context.Context, tx *postgres.Tx, book *rulebook, facts []*fact) ([]Recorded, error) {
	var replayed []id.Activity
	for _, one := range facts {
		if one.first != nil && len(one.problems) == 0 {
			replayed = append(replayed, *one.first)
		}
	}
	slices.SortFunc(replayed, compareActivities)
	earlier, err := readBack(ctx, tx, book, slices.Compact(replayed))
	if err != nil {
		return nil, fmt.Errorf("read back what was recorded: %w", err)
	}
	answers := make([]Recorded, len(facts))
	for i, one := range facts {
		first := false
		answers[i] = one.recorded
		answers[i].Waiting = one.waits()
		answers[i].MemberID, answers[i].Replayed = one.member, &first
		if one.twin != nil && len(one.problems) == 0 {
			// The twin stands before this one and has its answer.
			answers[i], one.problems = one.twin.recorded, one.twin.problems
			answers[i].Waiting = one.twin.waits()
			answers[i].MemberID = one.member
		}
		if one.first != nil {
			answers[i] = earlier[*one.first].first()
			answers[i].MemberID = one.member
		}
		if one.first != nil || one.twin != nil || one.waited {
			again := true
			answers[i].Replayed = &again
		}
		if len(one.problems) > 0 {
			answers[i] = Recorded{UserErrors: one.problems}
		}
		if answers[i].Entries == nil {
			answers[i].Entries = []*ledger.Entry{}
		}
	}
	return answers, nil
}

// first is the answer as it was when the fact was recorded, without what was posted for it since.
func (r Recorded) first() Recorded {
	r.Entries = slices.DeleteFunc(r.Entries, func(entry *ledger.Entry) bool { return entry.OperationID != nil })
	return r
}

// readBack reads facts with everything that was posted for them.
func readBack(ctx context.Context, tx *postgres.Tx, book *rulebook, wanted []id.Activity) (map[id.Activity]Recorded, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	activities, err := selectActivities(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	entries, err := ledger.EntriesOfActivitiesTx(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	evaluations, err := selectEvaluations(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	recorded := make(map[id.Activity]Recorded, len(wanted))
	for _, activity := range activities {
		activity.Currency = book.Currency
		recorded[activity.ID()] = Recorded{Activity: activity, Evaluation: evaluations[activity.ID()], MemberID: activity.Member}
	}
	for _, entry := range entries {
		caused := id.Activity{Member: entry.Member, Sequence: *entry.ActivitySequence}
		one := recorded[caused]
		one.Entries = append(one.Entries, entry)
		recorded[caused] = one
	}
	return recorded, nil
}
