package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
)

// What members lost by being idle is posted, also if that policy is over by then.
func TestExpirePoints_OfAPolicyThatIsOver(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	idle, busy := w.Enroll(), w.Enroll()
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Inactivity, After: &value.Period{Days: 30}})
	w.Adjust(idle, 10)
	w.Clock.Advance(20 * 24 * time.Hour)
	w.Adjust(busy, 20)
	w.Clock.Advance(11 * 24 * time.Hour)
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Never})
	w.Clock.Advance(100 * 24 * time.Hour)
	for _, want := range []int{1, 0} {
		due, err := w.Service.PointsDue(w.Admin)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "due", want, due)
		members, err := w.Service.ExpirePoints(w.Admin, 10)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "members", want, members)
	}
	equal(t, "history", []line{{ledger.Adjusted, 10, 10}, {ledger.Expiry, -10, 0}}, entriesOf(t, w, idle))
	equal(t, "of one who was not idle", []line{{ledger.Adjusted, 20, 20}}, entriesOf(t, w, busy))
	clean(t, w)
}

// A change of what has nothing to do with expiry gives nobody more time.
func TestExpirePoints_OtherPoliciesChange(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Inactivity, After: &value.Period{Days: 30}})
	w.Adjust(member, 10)
	heard := w.Now()
	w.Clock.Advance(29 * 24 * time.Hour)
	change(t, w, loyalty.ProgramEdit{ReturnPolicy: pointer(lots.WithinBalance)})
	w.Clock.Set(heard.AddDate(0, 0, 30).Add(-time.Microsecond))
	balance(t, w, member, "just before", lots.Balance{Available: 10})
	w.Clock.Advance(time.Microsecond)
	balance(t, w, member, "idle as promised", lots.Balance{})
	w.Clock.Advance(3 * time.Hour)
	members, err := w.Service.ExpirePoints(w.Admin, 10)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "members", 1, members)
	clean(t, w)
}
