package loyalty

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/tiers"
)

// Program is all settings of the program, with the policies in force.
type Program struct {
	program.Program
	ReturnPolicy lots.ReturnPolicy
	Expiry       ExpiryPolicy
	TierPolicy   TierPolicy
	// LadderVersion rises with each change of the tiers.
	LadderVersion int
	// AdjustmentCaps are support's first; a role that is not in them has none.
	AdjustmentCaps []AdjustmentCap
	// Referral is what inviting is worth to those who join now; nil: nothing.
	Referral *ReferralPolicy
}

// CostPerPoint is what a point costs the program, nil if that was not said.
func (p *Program) CostPerPoint() *value.Money {
	if p.CostMinor == nil {
		return nil
	}
	return &value.Money{Minor: *p.CostMinor, Currency: p.Currency}
}

// settings are what can be changed, as the audit keeps them.
func (p *Program) settings() map[string]any {
	return map[string]any{
		"name": p.Name, "defaultLocale": p.DefaultLocale, "costPerPoint": p.CostMinor, "returnPolicy": p.ReturnPolicy,
		"expiry": p.Expiry.said(), "tierPolicy": p.TierPolicy.said(), "adjustmentCaps": p.AdjustmentCaps, "referral": p.Referral.said(), "care": p.Care,
	}
}

func newProgram(settings program.Program, versions policies, caps []AdjustmentCap) *Program {
	expiry, returns := versions.terms.InForce()
	return &Program{
		Program: settings, ReturnPolicy: returns, Expiry: policyOf(expiry), TierPolicy: tierPolicyOf(versions.status.Policy()),
		LadderVersion:  versions.status.Ladder().Version,
		AdjustmentCaps: append([]AdjustmentCap{}, caps...), Referral: inForce(versions.referrals, settings.Currency),
	}
}

// programReaders may read how the program counts.
var programReaders = []actor.Grant{actor.Member, actor.Organizer, actor.Marketer, actor.Support, actor.Admin, actor.ProgramRead}

// Program returns the settings of the program. For every role and ProgramRead.
func (s *Service) Program(ctx context.Context) (*Program, error) {
	if _, err := actor.Require(ctx, programReaders...); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return newProgram(book.Program, policies{terms: book.terms, status: book.status, referrals: book.referrals}, book.caps), nil
}

// ProgramEdit is what changes of the program; what is nil stays.
type ProgramEdit struct {
	Name          *string
	DefaultLocale *string
	CostPerPoint  *value.MoneyInput
	// ForgetCost leaves unsaid what a point costs.
	ForgetCost   bool
	ReturnPolicy *lots.ReturnPolicy
	Expiry       *ExpiryPolicy
	TierPolicy   *TierPolicyInput
	// AdjustmentCaps are all that there shall be; empty: none.
	AdjustmentCaps []AdjustmentCap
	Referral       *ReferralPolicyInput
	// EndReferral makes inviting worth nothing to those who join from then on.
	EndReferral bool
	Care        *CarePolicyEdit
}

// UpdateProgram changes settings of the program, and returns all of them. A new policy holds for what is recorded from then on:
// points that were given before keep the expiry that they have, nobody is idle sooner than counted from now, tiers keep the end that
// they have until they are decided about next, and who joined before is rewarded by the referral policy of that time. For admins.
//
// Problems: INVALID_NAME, INVALID_LOCALE, INVALID_AMOUNT, CURRENCY_MISMATCH, INVALID_POLICY, INVALID_POINTS.
func (s *Service) UpdateProgram(ctx context.Context, edit ProgramEdit) (*Program, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return nil, err
	}
	var after *Program
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := program.Change(ctx, tx, s.db.Now); err != nil {
			return err
		}
		before, policies, err := readProgram(ctx, tx)
		if err != nil {
			return err
		}
		if after, err = edit.apply(before, tx.Now); err != nil {
			return err
		}
		if err := writeTierPolicy(ctx, tx, before, after, policies.status); err != nil {
			return err
		}
		return writeProgram(ctx, tx, caller, before, after, policies)
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// policies are all versions of what has versions.
type policies struct {
	terms     ledger.Terms
	status    tiers.Terms
	referrals []referralPolicyRow
}

// readProgram reads the settings past what is compiled: the transaction may yet fail that has counted the revision up.
func readProgram(ctx context.Context, tx *postgres.Tx) (*Program, policies, error) {
	settings, err := program.Load(ctx, tx)
	if err != nil {
		return nil, policies{}, err
	}
	zone, err := settings.Zone()
	if err != nil {
		return nil, policies{}, err
	}
	var read policies
	if read.terms, err = TermsTx(ctx, tx, zone); err != nil {
		return nil, policies{}, err
	}
	if read.status, err = TiersTx(ctx, tx, zone); err != nil {
		return nil, policies{}, err
	}
	if read.referrals, err = selectReferralPolicies(ctx, tx); err != nil {
		return nil, policies{}, err
	}
	caps, err := selectCaps(ctx, tx)
	return newProgram(settings, read, caps), read, err
}

// apply checks the edit and returns the settings that it makes of those before.
func (e ProgramEdit) apply(before *Program, now time.Time) (*Program, error) {
	var problems problem.Problems
	after := *before
	if e.Name != nil {
		after.Name = strings.TrimSpace(*e.Name)
		if !Within(*e.Name, maximumName) {
			problems.Add(problem.InvalidName, []string{"name"}, "A name has 1 to %d characters.", maximumName)
		}
	}
	if e.DefaultLocale != nil {
		tag, err := language.Parse(*e.DefaultLocale)
		if err != nil || tag == language.Und || len(*e.DefaultLocale) > maximumLocale {
			problems.Add(problem.InvalidLocale, []string{"defaultLocale"}, "Write the locale as a BCP 47 tag, e.g. en-GB.")
		}
		after.DefaultLocale = tag.String()
	}
	if e.ForgetCost {
		after.CostMinor = nil
	}
	if e.CostPerPoint != nil {
		cost := money(&problems, &rulebook{Program: before.Program}, *e.CostPerPoint, "costPerPoint")
		if cost < 0 {
			problems.Add(problem.InvalidAmount, []string{"costPerPoint", "amount"}, "A point costs nothing or more.")
		}
		after.CostMinor = &cost
	}
	if e.ReturnPolicy != nil {
		after.ReturnPolicy = *e.ReturnPolicy
	}
	if e.Expiry != nil {
		e.Expiry.check(&problems, now)
		after.Expiry = *e.Expiry
	}
	if e.TierPolicy != nil {
		after.TierPolicy = e.TierPolicy.policy(&problems)
	}
	if e.AdjustmentCaps != nil {
		checkCaps(&problems, e.AdjustmentCaps)
		after.AdjustmentCaps = slices.Clone(e.AdjustmentCaps)
		slices.SortFunc(after.AdjustmentCaps, func(a, b AdjustmentCap) int { return strings.Compare(string(b.Role), string(a.Role)) })
	}
	if e.EndReferral {
		after.Referral = nil
	}
	if e.Referral != nil {
		// What says the same is no other version.
		if wanted := e.Referral.policy(&problems, before.Program); !reflect.DeepEqual(wanted.said(), before.Referral.said()) {
			after.Referral = wanted
		}
	}
	if e.Care != nil {
		after.Care = e.Care.apply(&problems, before.Care)
	}
	return &after, problems.Err()
}

// writeTierPolicy keeps the policy of tiers if it differs.
func writeTierPolicy(ctx context.Context, tx *postgres.Tx, before, after *Program, status tiers.Terms) error {
	if reflect.DeepEqual(before.TierPolicy, after.TierPolicy) {
		return nil
	}
	since, err := newSince(ctx, tx, status.Policy().Since)
	if err != nil {
		return err
	}
	return insertTierPolicy(ctx, tx, since, after.TierPolicy)
}

// writeProgram keeps what differs.
func writeProgram(ctx context.Context, tx *postgres.Tx, caller actor.Actor, before, after *Program, versions policies) error {
	was, is := before.settings(), after.settings()
	for setting := range was {
		if reflect.DeepEqual(was[setting], is[setting]) {
			delete(was, setting)
			delete(is, setting)
		}
	}
	if len(is) == 0 {
		return nil
	}
	if err := program.Write(ctx, tx, after.Program); err != nil {
		return err
	}
	if _, differ := is["adjustmentCaps"]; differ {
		if err := replaceCaps(ctx, tx, after.AdjustmentCaps); err != nil {
			return err
		}
	}
	if _, differs := is["referral"]; differs {
		row := after.Referral.next(versions.referrals, tx.Now)
		if err := insertReferralPolicy(ctx, tx, row); err != nil {
			return err
		}
		after.Referral = row.policy(after.Currency)
	}
	_, expiryDiffers := is["expiry"]
	_, returnsDiffer := is["returnPolicy"]
	if expiryDiffers || returnsDiffer {
		last, _ := versions.terms.InForce()
		row := policyRow{Version: len(versions.terms.Expiry), Since: tx.Now, Return: after.ReturnPolicy, ExpiryPolicy: after.Expiry}
		// A clock that was set back does not change the order of policies.
		if row.Since.Before(last.Since) {
			row.Since = last.Since
		}
		// Where clocks differ, something may have been recorded later than now under the policies of before.
		recorded, err := selectRecordedUntil(ctx, tx)
		if err != nil {
			return err
		}
		if recorded != nil && !row.Since.After(*recorded) {
			row.Since = recorded.Add(time.Microsecond)
		}
		if err := insertPolicy(ctx, tx, row); err != nil {
			return err
		}
	}
	return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "updateProgram", Object: "program", Before: was, After: is})
}
