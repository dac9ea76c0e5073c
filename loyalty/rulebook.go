package loyalty

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// rulebook is what facts are judged by: the program's settings, its ladder and its published rules, at one revision.
type rulebook struct {
	program.Program
	zone *time.Location
	// ladder is the newest of ladders, which are all versions, oldest first.
	ladder  tiers.Ladder
	ladders []tiers.Ladder
	policy  tiers.Policy
	rules   *rules.Set
	// terms are the program's policies of points, caps how many a day somebody of a role moves by hand.
	terms ledger.Terms
	caps  []AdjustmentCap
	// referrals are all versions of the referral policy, oldest first.
	referrals []referralPolicyRow
	// known is until when anything counts that was recorded; nil: all of it.
	known *time.Time
}

// at is the rulebook for what was known at t.
func (b *rulebook) at(t time.Time) *rulebook {
	then := *b
	then.known, then.terms = &t, b.terms.At(t)
	then.ladders = slices.DeleteFunc(slices.Clone(b.ladders), func(one tiers.Ladder) bool { return one.Version > 1 && one.CreatedAt.After(t) })
	then.ladder = then.ladders[len(then.ladders)-1]
	return &then
}

// matures says from when points can be spent that a version of a rule awards for a fact, nil: once they are confirmed; and
// when they lapse, nil: never, or not known before that.
func (b *rulebook) matures(rule id.Rule, version int, occurredAt, recordedAt time.Time) (available, expires *time.Time) {
	activated := &occurredAt
	by, _ := b.rules.Version(rule, version)
	switch {
	case by.UntilConfirmed:
		activated = nil
	case by.Pending != nil:
		at := by.Pending.After(occurredAt, b.zone)
		activated = &at
	}
	expires = b.lapses(by, occurredAt, recordedAt, activated)
	if activated == nil {
		return nil, expires
	}
	// Nothing can be spent before it is known.
	if activated.Before(recordedAt) {
		activated = &recordedAt
	}
	return activated, expires
}

// lapses says when points lapse that were activated at an instant, nil: not yet.
func (b *rulebook) lapses(by *rules.Version, occurredAt, recordedAt time.Time, activated *time.Time) *time.Time {
	if by.ExpiresAfter == nil {
		policy, _ := b.terms.At(recordedAt).InForce()
		return policy.ExpiresAt(occurredAt, activated, b.zone)
	}
	if activated == nil {
		return nil
	}
	at := by.ExpiresAfter.After(*activated, b.zone)
	return &at
}

// rulebook returns the current one, and compiles it anew only when the revision has moved on. In a transaction that
// posts, program.Share comes first.
func (s *Service) rulebook(ctx context.Context, q postgres.Runner) (*rulebook, error) {
	settings, err := program.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	if known := s.compiled.Load(); known != nil && known.Program.Revision == settings.Revision {
		return known, nil
	}
	zone, err := settings.Zone()
	if err != nil {
		return nil, err
	}
	ladders, err := selectLadders(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load the ladder: %w", err)
	}
	versions, err := selectPublished(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	set, err := rules.NewSet(versions, zone)
	if err != nil {
		return nil, fmt.Errorf("compile rules: %w", err)
	}
	terms, err := TermsTx(ctx, q, zone)
	if err != nil {
		return nil, fmt.Errorf("load policies: %w", err)
	}
	caps, err := selectCaps(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load caps: %w", err)
	}
	referrals, err := selectReferralPolicies(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load referral policies: %w", err)
	}
	made := &rulebook{
		Program: settings, zone: zone, ladder: ladders[len(ladders)-1], ladders: ladders, policy: tiers.DefaultPolicy(zone), rules: set,
		terms: terms, caps: caps, referrals: referrals,
	}
	s.compiled.Store(made)
	return made, nil
}
