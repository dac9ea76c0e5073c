package loyalty

import (
	"context"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/tiers"
)

// SetTierFloorInput gives a tier by hand, or takes it back.
type SetTierFloorInput struct {
	MemberID id.Member
	// TierID is nil to take back what was given.
	TierID *id.Tier
	// Until is when it ends; it goes with a tier.
	Until  *time.Time
	Reason string
}

// SetTierFloor gives the member a tier by hand until an instant: it does not fall below it before, and can rise above it. What the
// member earns goes on beneath it, and is what it has when the floor ends. A floor replaces the one before; without a tier, that
// one ends now. For support and admins.
//
// Problems: UNKNOWN_MEMBER, INVALID_TIERS, INVALID_DATE, REASON_REQUIRED.
func (s *Service) SetTierFloor(ctx context.Context, input SetTierFloorInput) (*Member, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	var changed *Member
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		found, err := selectMembers(ctx, tx, []id.Member{input.MemberID})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return unknownMember("memberId")
		}
		changed = &found[0]
		floor, err := input.floor(posting.book.ladder, tx.Now)
		if err != nil {
			return err
		}
		if err := posting.Open(ctx, []id.Member{changed.ID}); err != nil {
			return err
		}
		before := posting.standings.standing(changed.ID)
		after := before.SetFloor(floor, posting.Instant(changed.ID))
		if after.Same(before) {
			return posting.Write(ctx)
		}
		reason, now := tiers.FloorSet, posting.Next(changed.ID)
		if floor == nil {
			reason = tiers.FloorCleared
		}
		posting.standings.move(changed.ID, before.Tier, after, reason, now, now)
		if err := posting.Write(ctx); err != nil {
			return err
		}
		said := floorState(after.Floor)
		said["reason"] = input.Reason
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "setTierFloor", Object: changed.ID.String(), Before: floorState(before.Floor), After: said,
		})
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// floor is what the input gives, nil for nothing.
func (i SetTierFloorInput) floor(ladder tiers.Ladder, now time.Time) (*tiers.Floor, error) {
	var problems problem.Problems
	var floor *tiers.Floor
	if !Within(i.Reason, MaximumReason) {
		problems.Add(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", MaximumReason)
	}
	switch {
	case i.TierID == nil && i.Until != nil:
		problems.Add(problem.InvalidDate, []string{"until"}, "Without a tier, nothing has an end.")
	case i.TierID == nil:
	case i.Until == nil, !i.Until.After(now), i.Until.After(now.AddDate(maximumWait, 0, 0)):
		problems.Add(problem.InvalidDate, []string{"until"}, "Say until when the tier is given: in the future, at most %d years ahead.", maximumWait)
	default:
		floor = &tiers.Floor{Until: i.Until.UTC().Truncate(time.Microsecond)}
	}
	if i.TierID != nil {
		tier, ok := ladder.Tier(*i.TierID)
		if !ok || tier.Rank == 0 {
			problems.Add(problem.InvalidTiers, []string{"tierId"}, "There is no such tier above %q, which everybody has.", ladder.Base().Name)
		}
		if floor != nil {
			floor.Tier = tier
		}
	}
	return floor, problems.Err()
}

// floorState is what the audit keeps of a floor.
func floorState(floor *tiers.Floor) map[string]any {
	if floor == nil {
		return map[string]any{"tier": nil}
	}
	return map[string]any{"tier": floor.Tier.ID, "until": floor.Until}
}
