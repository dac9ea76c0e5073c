package referral

import (
	"context"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// maximumHousehold bounds the members of one household.
const maximumHousehold = 20

// Household is members who live together: that they share a phone, a device, a card or a mailbox is no signal between them. How
// fast they refer, or that two look like one person, still is.
type Household struct {
	ID        id.Household `db:"id"`
	Note      string       `db:"note"`
	AllowedAt time.Time    `db:"allowed_at"`
	AllowedBy string       `db:"allowed_by"`
	// EndedAt is since when it does not count any more; nil: it counts.
	EndedAt *time.Time `db:"ended_at"`
	EndedBy *string    `db:"ended_by"`
	// Members are in the order of their ids.
	Members []id.Member `db:"-"`
}

// IsNode marks the household as one of the API's nodes.
func (Household) IsNode() {}

// The list of households.
type (
	// HouseholdConnection is a page of households.
	HouseholdConnection = page.Connection[*Household]
	// HouseholdEdge is a household in a page.
	HouseholdEdge = page.Edge[*Household]
)

// AllowHousehold says that members live together, and why that is believed. Referrals between them that wait for nothing but what
// they share go on. For support and admins, but not who is one of them.
//
// Problems: INVALID_HOUSEHOLD, UNKNOWN_MEMBER, SELF_APPROVAL, REASON_REQUIRED for a note that is missing or too long.
func (s *Service) AllowHousehold(ctx context.Context, members []id.Member, note string) (*Household, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	members = slices.Clone(members)
	slices.SortFunc(members, id.Compare)
	if distinct := len(slices.Compact(slices.Clone(members))); distinct != len(members) || distinct < 2 || distinct > maximumHousehold {
		return nil, problem.At(problem.InvalidHousehold, []string{"memberIds"}, "A household has 2 to %d members, each of them once.", maximumHousehold)
	}
	if !loyalty.Within(note, loyalty.MaximumReason) {
		return nil, problem.At(problem.ReasonRequired, []string{"note"}, "Say why in 1 to %d characters.", loyalty.MaximumReason)
	}
	own, err := s.loyalty.Viewer(ctx)
	if err != nil {
		return nil, err
	}
	if own != nil && slices.Contains(members, own.ID) {
		return nil, problem.At(problem.SelfApproval, []string{"memberIds"}, "Somebody else decides about your own household.")
	}
	made := &Household{ID: id.New[id.Household](), Note: note, AllowedBy: caller.Caller, Members: members}
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		made.AllowedAt = tx.Now
		people, err := selectPeople(ctx, tx, members)
		if err != nil {
			return err
		}
		if len(people) != len(members) {
			return problem.At(problem.UnknownMember, []string{"memberIds"}, "Not all of these are members.")
		}
		if err := insertHousehold(ctx, tx, made); err != nil {
			return err
		}
		if err := touchBetween(ctx, tx, members); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "allowHousehold", Object: made.ID.String(), After: map[string]any{
			"members": members, "note": note,
		}})
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// EndHousehold makes what the members of a household share a signal again; what was rewarded stays so. Ending it again changes
// nothing. For support and admins. Problems: UNKNOWN_HOUSEHOLD.
func (s *Service) EndHousehold(ctx context.Context, wanted id.Household) (*Household, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	var ended *Household
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		changed, err := endHousehold(ctx, tx, wanted, caller.Caller)
		if err != nil {
			return err
		}
		found, err := selectHouseholds(ctx, tx, []id.Household{wanted})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return problem.At(problem.UnknownHousehold, []string{"householdId"}, "There is no such household.")
		}
		ended = found[0]
		if !changed {
			return nil
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "endHousehold", Object: wanted.String(), Before: map[string]any{"ended": false}, After: map[string]any{"ended": true},
		})
	})
	if err != nil {
		return nil, err
	}
	return ended, nil
}

// Household returns a household by its id, nil if there is none or the caller may not see it. For support and admins.
func (s *Service) Household(ctx context.Context, wanted id.Household) (*Household, error) {
	caller, err := actor.Require(ctx)
	if err != nil || !caller.Has(actor.Support, actor.Admin) {
		return nil, err
	}
	found, err := selectHouseholds(ctx, s.db, []id.Household{wanted})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

const householdPages = "household"

// Households lists households, those that ended too, newest first. For support and admins.
func (s *Service) Households(ctx context.Context, first *int, after *string) (*HouseholdConnection, error) {
	if _, err := actor.Require(ctx, actor.Support, actor.Admin); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(householdPages, first, after)
	if err != nil {
		return nil, err
	}
	last := id.ParseHousehold(arguments.After)
	if arguments.After != "" && last == (id.Household{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	list, err := listHouseholds(ctx, s.db, last, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	return page.New(householdPages, arguments, list,
		func(one *Household) string { return one.ID.String() },
		func(ctx context.Context) (int, error) { return countHouseholds(ctx, s.db) }), nil
}
