package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/loyaltytest"
)

type adjustEdit = func(*loyalty.AdjustPointsInput)

func expires(at time.Time) adjustEdit {
	return func(input *loyalty.AdjustPointsInput) { input.ExpiresAt = &at }
}

func TestAdjust_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member, full := w.Enroll(), rich(t, w)
	w.Adjust(member, 10)
	for _, test := range []struct {
		name string
		edit adjustEdit
		want []string
	}{
		{"unknown member", func(input *loyalty.AdjustPointsInput) { input.Member = loyalty.MemberRef{Number: pointer("1")} }, []string{"UNKNOWN_MEMBER member"}},
		{"nothing", func(input *loyalty.AdjustPointsInput) { input.Points = 0 }, []string{"INVALID_POINTS points"}},
		{"too many", func(input *loyalty.AdjustPointsInput) { input.Points = value.MaximumPoints + 1 }, []string{"INVALID_POINTS points"}},
		{"too many in all", func(input *loyalty.AdjustPointsInput) { input.Member, input.Points = loyaltytest.Ref(full), 1 }, []string{"INVALID_POINTS points"}},
		{"no reason", func(input *loyalty.AdjustPointsInput) { input.Reason = " " }, []string{"REASON_REQUIRED reason"}},
		{"no key", func(input *loyalty.AdjustPointsInput) { input.IdempotencyKey = "" }, []string{"INVALID_IDEMPOTENCY_KEY idempotencyKey"}},
		{"key with a null", func(input *loyalty.AdjustPointsInput) { input.IdempotencyKey = "a\x00" }, []string{"INVALID_IDEMPOTENCY_KEY idempotencyKey"}},
		{"expiring at once", expires(w.Now()), []string{"INVALID_DATE expiresAt"}},
		{"taken and expiring", func(input *loyalty.AdjustPointsInput) {
			input.Points = -1
			expires(w.Now().AddDate(1, 0, 0))(input)
		}, []string{"INVALID_DATE expiresAt"}},
		{"more than there is", func(input *loyalty.AdjustPointsInput) { input.Points = -11 }, []string{"INSUFFICIENT_POINTS points"}},
	} {
		input := loyalty.AdjustPointsInput{Member: loyaltytest.Ref(member), Points: 1, Reason: "A test", IdempotencyKey: w.Key()}
		test.edit(&input)
		_, err := w.Service.AdjustPoints(w.Admin, input)
		refused(t, test.name, err, test.want...)
	}
	equal(t, "balance", 10, w.Balance(member).Available)
	clean(t, w)
}

func TestAdjust_Replayed(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	until := w.Now().Add(time.Hour + 1500*time.Nanosecond)
	input := loyalty.AdjustPointsInput{
		Member: loyaltytest.Ref(member), Points: 10, Reason: "A gift", IdempotencyKey: "key", ExpiresAt: &until,
	}
	first, err := w.Service.AdjustPoints(w.Admin, input)
	if err != nil {
		t.Fatal(err)
	}
	// Also in another zone, and when what was given has expired long since.
	w.Clock.Advance(48 * time.Hour)
	elsewhere := until.In(time.FixedZone("", 3600))
	input.ExpiresAt = &elsewhere
	again, err := w.Service.AdjustPoints(w.Admin, input)
	if err != nil {
		t.Fatal(err)
	}
	if first.Replayed || !again.Replayed {
		t.Errorf("replayed: %v, %v", first.Replayed, again.Replayed)
	}
	again.Replayed = false
	equal(t, "the replay", first, again)
	input.Points = 11
	_, err = w.Service.AdjustPoints(w.Admin, input)
	refused(t, "other input", err, "IDEMPOTENCY_KEY_REUSED idempotencyKey")

	// A refusal burns nothing.
	spend := loyalty.AdjustPointsInput{Member: loyaltytest.Ref(member), Points: -5, Reason: "A test", IdempotencyKey: "spend"}
	_, err = w.Service.AdjustPoints(w.Admin, spend)
	refused(t, "too much", err, "INSUFFICIENT_POINTS points")
	w.Adjust(member, 5)
	if taken, err := w.Service.AdjustPoints(w.Admin, spend); err != nil || taken.Replayed || taken.Entry.BalanceAfter != 0 {
		t.Errorf("with points: %v %v", taken, err)
	}
	clean(t, w)
}

// Points are gone from the instant at which they expire, whether or not anything has posted that.
func TestExpiry(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	start := w.Now()
	w.Adjust(member, 30, expires(start.AddDate(0, 0, 20)))
	w.Adjust(member, 20, expires(start.AddDate(0, 0, 10)))
	w.Purchase(member, "7.00")
	w.Adjust(member, -5)
	balance := w.Balance(member)
	equal(t, "available", 52, balance.Available)
	open, err := w.Service.Expirations(w.Admin, []id.Member{member.ID}, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "expiring", []loyalty.PointsExpiration{{Points: 15, At: start.AddDate(0, 0, 10)}}, open[member.ID].Expiring(value.Period{Days: 15}))

	w.Clock.Set(start.AddDate(0, 0, 10).Add(-time.Microsecond))
	equal(t, "just before", 52, w.Balance(member).Available)
	w.Clock.Advance(time.Microsecond)
	equal(t, "from then on, read", 37, w.Balance(member).Available)
	_, err = w.Service.AdjustPoints(w.Admin, loyalty.AdjustPointsInput{
		Member: loyaltytest.Ref(member), Points: -38, Reason: "A test", IdempotencyKey: w.Key(),
	})
	refused(t, "too much", err, "INSUFFICIENT_POINTS points")
	w.Clock.Set(start.AddDate(0, 0, 30))
	equal(t, "all that can expire, read", 7, w.Balance(member).Available)
	posted := w.Adjust(member, -7)
	equal(t, "posted", 0, posted.Entry.BalanceAfter)
	histories, err := w.Service.Histories(w.Admin, []id.Member{member.ID}, ledger.Filter{Kinds: []ledger.Kind{ledger.Expiry}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		Points, BalanceAfter int64
		OccurredAt           time.Time
	}
	var got []line
	for _, edge := range histories[member.ID].Edges {
		got = append(got, line{edge.Node.Points, edge.Node.BalanceAfter, edge.Node.OccurredAt.UTC()})
	}
	equal(t, "expiries", []line{{-30, 7, start.AddDate(0, 0, 20)}, {-15, 37, start.AddDate(0, 0, 10)}}, got)
	clean(t, w)
}

// What expires at the very microsecond of the next posting is posted before it.
func TestExpiry_SameMicrosecond(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 10, expires(w.Now().Add(3*time.Microsecond)))
	w.Adjust(member, 1)
	equal(t, "balance", 0, w.Adjust(member, -1).Entry.BalanceAfter)
	clean(t, w)
}

// What expires of one member is not taken from another in the same slice.
func TestExpiry_OthersUntouched(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	ann, bob := w.Enroll(), w.Enroll()
	w.Adjust(ann, 10, expires(w.Now().Add(time.Hour)))
	w.Adjust(bob, 10, expires(w.Now().Add(2*time.Hour)))
	w.Clock.Advance(time.Hour)
	if _, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{
		w.PurchaseInput(ann, "1.00"), w.PurchaseInput(bob, "2.00"),
	}); err != nil {
		t.Fatal(err)
	}
	equal(t, "balances", []int64{1, 12}, []int64{w.Balance(ann).Available, w.Balance(bob).Available})
	clean(t, w)
}
