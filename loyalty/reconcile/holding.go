package reconcile

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	"regulars/loyalty/lots"
)

func (p *postings) checkHold(hold *holdRow) {
	reserved, _ := p.Hold(hold.Sequence)
	expected := make([][2]int64, 0, len(reserved.Draws))
	for _, one := range reserved.Draws {
		expected = append(expected, [2]int64{one.Lot, one.Points})
	}
	slices.SortFunc(expected, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
	var found [][2]int64
	// Pairs of numbers are what the statement makes.
	_ = json.Unmarshal(hold.Draws, &found)
	if !slices.Equal(expected, found) {
		p.expect(Holds, "holds", hold.Sequence, "draws", describe(expected), describe(found))
	}
}

func describe(pairs [][2]int64) string {
	text, _ := json.Marshal(pairs)
	return string(text)
}

func (p *postings) checkLots() {
	expected := map[int64]lots.Lot{}
	for _, lot := range p.Lots {
		expected[lot.Sequence] = lot
	}
	for _, found := range p.books.lots {
		lot, ok := expected[found.Sequence]
		if !ok {
			p.expect(Lots, "lots", found.Sequence, "entry that credits it", "one", "none")
			continue
		}
		p.expect(Lots, "lots", found.Sequence, "points", lot.Points, found.Points)
		p.expect(Lots, "lots", found.Sequence, "remaining", lot.Remaining, found.Remaining)
		p.expect(Lots, "lots", found.Sequence, "earned_at", lot.EarnedAt, found.EarnedAt)
		p.expect(Lots, "lots", found.Sequence, "available_at", lot.AvailableAt, found.AvailableAt)
		p.expect(Lots, "lots", found.Sequence, "expires_at", lot.ExpiresAt, found.ExpiresAt)
		p.expect(Lots, "lots", found.Sequence, "open", lot.Remaining > 0, found.Open)
		delete(expected, found.Sequence)
	}
	for sequence := range expected {
		p.expect(Lots, "entries", sequence, "lot", "one", "none")
	}
}

func (p *postings) checkDraws() {
	for _, found := range p.books.draws {
		at := drawn{found.Entry, found.Lot, found.PostedBy}
		what := "draw from lot " + strconv.FormatInt(found.Lot, 10) + ", posted by " + strconv.FormatInt(found.PostedBy, 10)
		points, ok := p.draws[at]
		if !ok {
			p.expect(Draws, "draws", found.Entry, what, nil, found.Points)
			continue
		}
		p.expect(Draws, "draws", found.Entry, what, points, found.Points)
		delete(p.draws, at)
	}
	missing := make([]drawn, 0, len(p.draws))
	for at := range p.draws {
		missing = append(missing, at)
	}
	slices.SortFunc(missing, func(a, b drawn) int {
		return cmp.Or(cmp.Compare(a.entry, b.entry), cmp.Compare(a.lot, b.lot), cmp.Compare(a.postedBy, b.postedBy))
	})
	for _, at := range missing {
		p.expect(Draws, "draws", at.entry, "draw from lot "+strconv.FormatInt(at.lot, 10)+", posted by "+strconv.FormatInt(at.postedBy, 10), p.draws[at], nil)
	}
}

func (p *postings) checkDebts() {
	expected := map[int64]lots.Debt{}
	for _, debt := range p.Debts {
		expected[debt.Sequence] = debt
	}
	for _, found := range p.books.debts {
		debt, ok := expected[found.Sequence]
		if !ok {
			p.expect(Debts, "debts", found.Sequence, "entry that owes it", "one", "none")
			continue
		}
		p.expect(Debts, "debts", found.Sequence, "points", debt.Points, found.Points)
		p.expect(Debts, "debts", found.Sequence, "remaining", debt.Remaining, found.Remaining)
		p.expect(Debts, "debts", found.Sequence, "open", debt.Remaining > 0, found.Open)
		delete(expected, found.Sequence)
	}
	for sequence := range expected {
		p.expect(Debts, "entries", sequence, "debt", "one", "none")
	}
}

// checkAccount compares what the account has cached.
func (p *postings) checkAccount() {
	at := p.account.RecordedAt
	if at.Before(p.last) {
		at = p.last
	}
	cached := p.Balance(at)
	p.expect(Balances, "accounts", 1, "balance", p.balance, p.account.Balance)
	p.expect(Balances, "accounts", 1, "pending", cached.Pending, p.account.Pending)
	p.expect(Holds, "accounts", 1, "held", cached.Held, p.account.Held)
	p.expect(Debts, "accounts", 1, "debt", cached.Debt, p.account.Debt)
	p.expect(Expiries, "accounts", 1, "next_change_at", p.NextChange(at), p.account.NextChangeAt)
}
