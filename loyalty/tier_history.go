package loyalty

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/tiers"
)

// TierHistoryEntry is one line of a member's tier history. It never changes.
type TierHistoryEntry struct {
	ID id.TierMove
	// At is when it came about, RecordedAt when that was posted.
	At         time.Time
	RecordedAt time.Time
	// From is nil for the first one; a line that only tells of the tier's end leads to the same tier.
	From *tiers.Tier
	To   tiers.Tier
	// ValidUntil is until when the tier is valid; nil: without end.
	ValidUntil *time.Time
	Reason     tiers.Reason
	// Sentence says why, for people to read.
	Sentence string
}

// IsNode marks the line as one of the API's nodes.
func (TierHistoryEntry) IsNode() {}

type (
	// TierHistoryConnection is a page of a member's tier history.
	TierHistoryConnection = page.Connection[*TierHistoryEntry]
	// TierHistoryEdge is a line of a tier history in a page.
	TierHistoryEdge = page.Edge[*TierHistoryEntry]
)

const tierHistoryPages = "tierHistory"

// TierHistories returns a page of the tier histories of those of the members that the caller may see, newest first: what is posted.
// What the clock has done and nobody has posted is in Standings alone. For everybody who has signed in.
func (s *Service) TierHistories(ctx context.Context, wanted []id.Member, first *int, after *string) (map[id.Member]*TierHistoryConnection, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(tierHistoryPages, first, after)
	if err != nil {
		return nil, err
	}
	var before int64
	if arguments.After != "" {
		if before, err = strconv.ParseInt(arguments.After, 10, 64); err != nil || before <= 0 {
			return nil, problem.BadUserInput("after is not a cursor of this list")
		}
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, err
	}
	histories := make(map[id.Member]*TierHistoryConnection, len(wanted))
	err = s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		visible := seen.filter(wanted)
		moves, err := selectHistories(ctx, tx, visible, before, arguments.Size+1)
		if err != nil {
			return err
		}
		byMember := make(map[id.Member][]*TierHistoryEntry, len(visible))
		for i := range moves {
			byMember[moves[i].Member] = append(byMember[moves[i].Member], book.told(&moves[i]))
		}
		for _, member := range visible {
			histories[member] = page.New(tierHistoryPages, arguments, byMember[member],
				func(entry *TierHistoryEntry) string { return strconv.FormatInt(entry.ID.Sequence, 10) },
				func(ctx context.Context) (int, error) { return countMoves(ctx, s.db, member) })
		}
		return nil
	})
	return histories, err
}

// TierHistoryEntry returns a line of a tier history by its id; nil for one that does not exist or that the caller may not see. For
// everybody who has signed in.
func (s *Service) TierHistoryEntry(ctx context.Context, wanted id.TierMove) (*TierHistoryEntry, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil || !seen.of(wanted.Member) {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	moves, err := selectHistories(ctx, s.db, []id.Member{wanted.Member}, wanted.Sequence+1, 1)
	if err != nil || len(moves) == 0 || moves[0].Sequence != wanted.Sequence {
		return nil, err
	}
	return book.told(&moves[0]), nil
}

// told puts a move into words.
func (b *rulebook) told(moved *move) *TierHistoryEntry {
	named := func(wanted id.Tier) tiers.Tier {
		tier, _ := b.status.Tier(moved.LadderVersion, wanted)
		return tier
	}
	entry := &TierHistoryEntry{
		ID: id.TierMove{Member: moved.Member, Sequence: moved.Sequence}, At: moved.At, RecordedAt: moved.RecordedAt, To: named(moved.Held),
		ValidUntil: moved.ValidUntil, Reason: moved.Reason,
	}
	if moved.From != nil {
		from := named(*moved.From)
		entry.From = &from
	}
	entry.Sentence = b.sentence(moved, entry, named)
	return entry
}

func (b *rulebook) sentence(moved *move, entry *TierHistoryEntry, named func(id.Tier) tiers.Tier) string {
	day := func(at *time.Time) string { return at.In(b.zone).Format(time.DateOnly) }
	to, earned := entry.To.Name, entry.To.Name
	if moved.Earned != nil {
		earned = named(*moved.Earned).Name
	}
	above := ""
	if earned != to {
		above = fmt.Sprintf("; %s, given by our team, stays", to)
	}
	switch moved.Reason {
	case tiers.Enrolled:
		return "Joined with " + to
	case tiers.Reached:
		if moved.Coming != nil {
			return fmt.Sprintf("Reached %s, which begins on %s", named(*moved.Coming).Name, day(moved.ComingAt))
		}
		return "Reached " + earned + above
	case tiers.Started:
		return earned + " began" + above
	case tiers.LadderChanged:
		if entry.From != nil && entry.From.ID != entry.To.ID {
			return fmt.Sprintf("The tiers changed: %s instead of %s", to, entry.From.Name)
		}
		if moved.Coming != nil {
			return fmt.Sprintf("The tiers changed: %s begins on %s", named(*moved.Coming).Name, day(moved.ComingAt))
		}
		return "The tiers changed" + above
	case tiers.Protected:
		return fmt.Sprintf("%s is kept until %s, although the points no longer reach it", earned, day(moved.ValidUntil))
	case tiers.Requalified:
		return "Earned " + earned + " for another period" + above
	case tiers.Kept:
		return earned + " is kept: nobody is lowered" + above
	case tiers.Lapsed:
		return fmt.Sprintf("The points did not reach the tier again when it ran out: %s", earned) + above
	case tiers.FloorSet:
		return fmt.Sprintf("%s given by our team until %s", named(*moved.Floor).Name, day(moved.FloorUntil))
	case tiers.FloorCleared:
		return "What our team had given was taken back: " + to
	case tiers.FloorEnded:
		return "What our team had given ended: " + to
	}
	return string(moved.Reason)
}
