package loyalty

import (
	"context"
	"fmt"
	"math"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// window asks for a member's qualifying points that qualified later than After and were recorded by Known; nil: all of them.
type window struct {
	Member id.Member
	After  time.Time
	Known  *time.Time
}

// counted is the answer to a window: the sum, and when the earliest of them qualified; nil for none.
type counted struct {
	Points   int64      `db:"points"`
	Earliest *time.Time `db:"earliest"`
}

// decision is one turn of a member's standing.
type decision struct {
	member        id.Member
	before, after tiers.Standing
	at            time.Time
	reason        tiers.Reason
}

// walker takes the turns of one member.
type walker struct {
	standing tiers.Standing
	by       time.Time
	atMost   int64
	turn     tiers.Turn
	// What was counted last to keep a tier: later windows have nothing either if it had nothing.
	keptAfter *time.Time
	kept      counted
}

// distrust marks what accounts have cached of qualifying points if the policy has changed since that was written.
func (b *rulebook) distrust(accounts []*ledger.Account, recordedAt func(*ledger.Account) time.Time) {
	for _, account := range accounts {
		if recordedAt(account).Before(b.status.Policy().Since) {
			account.QualifyingUntil = &time.Time{}
		}
	}
}

// review brings standings up to date with the clock and with the ladder: every turn that has come by the member's instant is
// decided as of its own instant, by the ladder and the policy of then. Each move is reported to moved, unless that is nil, in
// order. It changes no account.
func review(ctx context.Context, q postgres.Runner, book *rulebook, accounts []*ledger.Account, at func(id.Member) time.Time, moved func(decision)) (map[id.Member]tiers.Standing, error) {
	held := make(map[id.Member]tiers.Standing, len(accounts))
	var walking []*walker
	members := make([]id.Member, 0, len(accounts))
	for _, account := range accounts {
		standing, err := book.status.Standing(account.Standing(), account.TierSince, account.JoinedAt)
		if err != nil {
			return nil, fmt.Errorf("account %s: %w", account.Member, err)
		}
		held[account.Member] = standing
		one := &walker{standing: standing, by: at(account.Member), atMost: math.MaxInt64}
		// Points only leave the window while nothing is recorded.
		if account.QualifyingUntil == nil || !account.QualifyingUntil.IsZero() {
			one.atMost = account.Qualifying
		}
		walking, members = append(walking, one), append(members, account.Member)
	}
	for len(walking) > 0 {
		var windows []window
		still := 0
		for i, one := range walking {
			turn, ok := book.status.Next(one.standing, one.by, one.atMost)
			held[members[i]] = one.standing
			if !ok {
				continue
			}
			one.turn = turn
			windows = append(windows, one.windows(members[i], book.known)...)
			walking[still], members[still] = one, members[i]
			still++
		}
		walking, members = walking[:still], members[:still]
		points, err := countQualifying(ctx, q, windows)
		if err != nil {
			return nil, err
		}
		for i, one := range walking {
			var after tiers.Standing
			var reason tiers.Reason
			after, reason, points = one.take(book.status, points)
			if moved != nil && reason != "" {
				moved(decision{member: members[i], before: one.standing, after: after, at: one.turn.At, reason: reason})
			}
			one.standing = after
		}
	}
	return held, nil
}

// windows are what the turn asks for that is not known already.
func (w *walker) windows(member id.Member, known *time.Time) []window {
	if w.turn.Ladder {
		var asked []window
		for _, after := range []*time.Time{w.turn.Rises, w.turn.Keeps} {
			if after != nil {
				before := w.turn.At.Add(-time.Microsecond)
				asked = append(asked, window{Member: member, After: *after, Known: &before})
			}
		}
		return asked
	}
	if w.turn.Keeps == nil || w.knows(*w.turn.Keeps) {
		return nil
	}
	return []window{{Member: member, After: *w.turn.Keeps, Known: known}}
}

func (w *walker) knows(after time.Time) bool {
	return w.keptAfter != nil && (after.Equal(*w.keptAfter) || w.kept.Earliest == nil && after.After(*w.keptAfter))
}

// take decides the turn with the first of points, and returns those that are left for others.
func (w *walker) take(terms tiers.Terms, points []counted) (tiers.Standing, tiers.Reason, []counted) {
	var rises, keeps int64
	switch {
	case w.turn.Ladder && w.turn.Keeps != nil:
		rises, keeps, points = points[0].Points, points[1].Points, points[2:]
	case w.turn.Ladder || w.turn.Keeps == nil:
	case w.knows(*w.turn.Keeps):
		keeps = w.kept.Points
	default:
		w.keptAfter, w.kept = w.turn.Keeps, points[0]
		keeps, points = w.kept.Points, points[1:]
	}
	after, reason := terms.Take(w.standing, w.turn, rises, keeps)
	return after, reason, points
}

// refresh counts the qualifying points of accounts anew where the clock has passed what is cached.
func refresh(ctx context.Context, q postgres.Runner, book *rulebook, accounts []*ledger.Account, at func(id.Member) time.Time) error {
	policy := book.status.Policy()
	var stale []*ledger.Account
	var windows []window
	for _, account := range accounts {
		if t := at(account.Member); !account.QualifyingHolds(t) {
			stale = append(stale, account)
			windows = append(windows, window{Member: account.Member, After: policy.CountsAfter(t, account.JoinedAt), Known: book.known})
		}
	}
	points, err := countQualifying(ctx, q, windows)
	if err != nil {
		return err
	}
	for i, account := range stale {
		account.Qualifying, account.QualifyingUntil = points[i].Points, nil
		if earliest := points[i].Earliest; earliest != nil {
			account.QualifyingUntil = policy.CountsUntil(*earliest, account.JoinedAt)
		}
	}
	return nil
}

// count adds points that qualified at qualifiesAt, or takes them away, as far as they count at t.
func count(account *ledger.Account, policy tiers.Policy, points int64, qualifiesAt, t time.Time) {
	if points == 0 || !qualifiesAt.After(policy.CountsAfter(t, account.JoinedAt)) {
		return
	}
	account.Qualifying += points
	if until := policy.CountsUntil(qualifiesAt, account.JoinedAt); until != nil && (account.QualifyingUntil == nil || until.Before(*account.QualifyingUntil)) {
		account.QualifyingUntil = until
	}
}
