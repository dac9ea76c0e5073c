package tiers

import (
	"fmt"
	"time"

	"regulars/internal/id"
)

// Record is a standing as it is stored.
type Record struct {
	// Held is the tier that is held; Earned is the one that was earned, where that is another one.
	Held       id.Tier    `db:"to_tier_id"`
	Earned     *id.Tier   `db:"earned_tier_id"`
	ValidUntil *time.Time `db:"valid_until"`
	GraceUntil *time.Time `db:"grace_until"`
	Coming     *id.Tier   `db:"coming_tier_id"`
	ComingAt   *time.Time `db:"coming_at"`
	Floor      *id.Tier   `db:"floor_tier_id"`
	FloorUntil *time.Time `db:"floor_until"`
	// LadderVersion is up to which version changes of the ladder are decided.
	LadderVersion int `db:"ladder_version"`
}

// Record is the standing as it is stored.
func (s Standing) Record() Record {
	stored := Record{Held: s.Tier.ID, ValidUntil: s.ValidUntil, GraceUntil: s.GraceUntil, LadderVersion: s.LadderVersion}
	if s.Earned.ID != s.Tier.ID {
		stored.Earned = &s.Earned.ID
	}
	if s.Coming != nil {
		stored.Coming, stored.ComingAt = &s.Coming.Tier.ID, &s.Coming.At
	}
	if s.Floor != nil {
		stored.Floor, stored.FloorUntil = &s.Floor.Tier.ID, &s.Floor.Until
	}
	return stored
}

// Standing reads a standing as it was stored, held since then, of a member that joined then. It is an error if the ladder never
// had one of its tiers.
func (t Terms) Standing(stored Record, since, joined time.Time) (Standing, error) {
	var missing error
	tier := func(wanted id.Tier) Tier {
		found, ok := t.Tier(stored.LadderVersion, wanted)
		if !ok && missing == nil {
			missing = fmt.Errorf("the ladder never had the tier %s", wanted)
		}
		return found
	}
	s := Standing{
		Tier: tier(stored.Held), Since: since, ValidUntil: stored.ValidUntil, GraceUntil: stored.GraceUntil,
		LadderVersion: stored.LadderVersion, Joined: joined,
	}
	s.Earned = s.Tier
	if stored.Earned != nil {
		s.Earned = tier(*stored.Earned)
	}
	if stored.Coming != nil && stored.ComingAt != nil {
		s.Coming = &Coming{Tier: tier(*stored.Coming), At: *stored.ComingAt}
	}
	if stored.Floor != nil && stored.FloorUntil != nil {
		s.Floor = &Floor{Tier: tier(*stored.Floor), Until: *stored.FloorUntil}
	}
	return s, missing
}
