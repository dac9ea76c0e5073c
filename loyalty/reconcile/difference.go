package reconcile

import (
	"cmp"
	"fmt"
	"reflect"
	"time"
)

// Kind says what differs.
type Kind string

// The kinds of differences.
const (
	// Sequences: a member's rows are numbered from 1 without gaps, and recorded in that order.
	Sequences Kind = "SEQUENCE"
	// Balances: what the entries add up to, after each of them and on the account.
	Balances Kind = "BALANCE"
	Lots     Kind = "LOT"
	Draws    Kind = "DRAW"
	Debts    Kind = "DEBT"
	// Holds: what is set aside was there, and goes where the hold's status says.
	Holds Kind = "HOLD"
	// Expiries: lots lapse at their instant, once, and before anything else is posted after it.
	Expiries Kind = "EXPIRY"
	// Evaluations: what a fact was granted is what was posted.
	Evaluations Kind = "EVALUATION"
	// Rules: whoever awarded something was published then.
	Rules Kind = "RULE"
	// Purchases: lines add up to the total.
	Purchases Kind = "PURCHASE"
	// Returns: no more comes back than was sold.
	Returns Kind = "RETURN"
	// Reversals: of each award the share that came back.
	Reversals Kind = "REVERSAL"
	// Remainders: what is carried over from purchase to purchase.
	Remainders Kind = "REMAINDER"
	// Counters: what limits and budgets have counted is what was awarded and not taken back.
	Counters    Kind = "COUNTER"
	Adjustments Kind = "ADJUSTMENT"
	// Redemptions: each was paid for, and given back at most once; vouchers are found by their codes.
	Redemptions Kind = "REDEMPTION"
	// Referrals: what is rewarded gave both sides their points, and nothing else did.
	Referrals Kind = "REFERRAL"
	// Stock: of each reward as many are taken as redemptions say.
	Stock Kind = "STOCK"
	// ActivityKeys and MemberKeys: what is looked up is there, once.
	ActivityKeys Kind = "ACTIVITY_KEY"
	MemberKeys   Kind = "MEMBER_KEY"
	// Moves: each follows from the standing before it and from what was recorded by then, and none is missing.
	Moves Kind = "TIER_MOVE"
	// Standings: the account has the tier of the last move.
	Standings Kind = "STANDING"
	// Qualifying: what the account has cached of qualifying points.
	Qualifying Kind = "QUALIFYING"
	// Owners: every row belongs to a member with an account.
	Owners Kind = "OWNER"
)

// Difference is one thing that is not as it should be.
type Difference struct {
	// Member is the member's id in the API; empty for what belongs to none.
	Member string `json:"member"`
	Kind   Kind   `json:"kind"`
	// Row is the table with the row's number there, What the field or what is wrong with it.
	Row      string `json:"row"`
	What     string `json:"what"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

func (d Difference) String() string {
	return fmt.Sprintf("%s %s, %s: %s is %s, expected %s", cmp.Or(d.Member, "the program"), d.Kind, d.Row, d.What, d.Found, d.Expected)
}

// expect notes a difference unless the two values, or what they point to, are equal.
func (b *books) expect(kind Kind, table string, sequence int64, what string, expected, found any) {
	if !equal(expected, found) {
		b.differs(kind, fmt.Sprintf("%s %d", table, sequence), what, show(expected), show(found))
	}
}

func (b *books) differs(kind Kind, row, what, expected, found string) {
	b.check.report.Add(Difference{
		Member: b.member.String(), Kind: kind, Row: row, What: what, Expected: expected, Found: found,
	})
}

func equal(expected, found any) bool {
	left, right := pointed(expected), pointed(found)
	if at, ok := left.(time.Time); ok {
		other, ok := right.(time.Time)
		return ok && at.Equal(other)
	}
	return left == right
}

// pointed is what a pointer leads to, nil for none; other values are themselves.
func pointed(value any) any {
	switch value := value.(type) {
	case int64, int, string, bool, time.Time:
		return value
	case *int64:
		if value == nil {
			return nil
		}
		return *value
	case *time.Time:
		if value == nil {
			return nil
		}
		return *value
	}
	if pointer := reflect.ValueOf(value); pointer.Kind() == reflect.Pointer {
		if pointer.IsNil() {
			return nil
		}
		return pointer.Elem().Interface()
	}
	return value
}

func show(value any) string {
	switch value := pointed(value).(type) {
	case nil:
		return "none"
	case time.Time:
		return value.UTC().Format(time.RFC3339Nano)
	default:
		return fmt.Sprint(value)
	}
}
