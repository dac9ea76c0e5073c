package loyalty

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// rulebook is what facts are judged by: the program's settings, its ladder and its published rules, at one revision.
type rulebook struct {
	program.Program
	zone *time.Location
	// status is what tiers go by; ladder is its newest.
	status tiers.Terms
	ladder tiers.Ladder
	rules  *rules.Set
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
	then.status = b.status.At(t)
	then.ladder = then.status.Ladder()
	return &then
}

// matures says from when points of an outcome can be spent, nil: once they are confirmed; and when they lapse, nil: never, or
// not known before that. What a tier adds can be spent when the base can that it multiplies, and lapses as the policy says.
func (b *rulebook) matures(outcome rules.Outcome, occurredAt, recordedAt time.Time) (available, expires *time.Time) {
	activated := &occurredAt
	by, _ := b.rules.Version(outcome.Rule, outcome.Version)
	after := (*value.Period)(nil)
	if outcome.Tier != nil {
		by, _ = b.rules.Version(*outcome.By, outcome.ByVersion)
	} else {
		after = by.ExpiresAfter
	}
	switch {
	case by.UntilConfirmed:
		activated = nil
	case by.Pending != nil:
		at := by.Pending.After(occurredAt, b.zone)
		activated = &at
	}
	expires = b.lapses(after, occurredAt, recordedAt, activated)
	if activated == nil {
		return nil, expires
	}
	// Nothing can be spent before it is known.
	if activated.Before(recordedAt) {
		activated = &recordedAt
	}
	return activated, expires
}

// lapses says when points lapse that were activated at an instant, nil: not yet; after is how long they live then, nil: as the
// policy says.
func (b *rulebook) lapses(after *value.Period, occurredAt, recordedAt time.Time, activated *time.Time) *time.Time {
	if after == nil {
		policy, _ := b.terms.At(recordedAt).InForce()
		return policy.ExpiresAt(occurredAt, activated, b.zone)
	}
	if activated == nil {
		return nil
	}
	at := after.After(*activated, b.zone)
	return &at
}

// begins is from when on the newest tiers and their policy are in force.
func (b *rulebook) begins() time.Time {
	since := b.status.Policy().Since
	for _, other := range []time.Time{b.ladder.CreatedAt, b.rules.PublishedAt()} {
		if other.After(since) {
			since = other
		}
	}
	return since
}

// share keeps rules, tiers and settings from changing until the transaction ends, and returns them. Nothing is recorded before
// they are in force, also where clocks differ or stand.
func (s *Service) share(ctx context.Context, tx *postgres.Tx) (*rulebook, error) {
	if err := program.Share(ctx, tx, s.db.Now); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, tx)
	if err == nil && tx.Now.Before(book.begins()) {
		tx.Now = book.begins()
	}
	return book, err
}

// rulebook returns the current one, and compiles it anew only when the revision has moved on. In a transaction that
// posts, share does that.
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
	status, err := TiersTx(ctx, q, zone)
	if err != nil {
		return nil, fmt.Errorf("load the ladder: %w", err)
	}
	set, err := loadRules(ctx, q, settings, zone)
	if err != nil {
		return nil, err
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
		Program: settings, zone: zone, status: status, ladder: status.Ladder(), rules: set,
		terms: terms, caps: caps, referrals: referrals,
	}
	s.compiled.Store(made)
	return made, nil
}

// loadRules compiles the published rules, and with them also others that count as published.
func loadRules(ctx context.Context, q postgres.Runner, settings program.Program, zone *time.Location, also ...rules.Version) (*rules.Set, error) {
	versions, err := selectPublished(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	lives, err := selectLives(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load pauses of rules: %w", err)
	}
	set, err := rules.NewSet(append(versions, also...), lives, zone)
	if err != nil {
		return nil, fmt.Errorf("compile rules: %w", err)
	}
	return set.WithLeapDay(settings.Care.LeapsToMarch()), nil
}
