package loyalty_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/loyaltytest"
)

// capped is a program in which support moves 500 points a day alone, with a member that has 1,000.
func capped(t *testing.T) (*loyaltytest.World, *loyalty.Member) {
	t.Helper()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 1000)
	setCaps(t, w, loyalty.AdjustmentCap{Role: actor.Support, PointsPerDay: 500})
	return w, member
}

func setCaps(t *testing.T, w *loyaltytest.World, caps ...loyalty.AdjustmentCap) {
	t.Helper()
	change(t, w, loyalty.ProgramEdit{AdjustmentCaps: append([]loyalty.AdjustmentCap{}, caps...)})
}

// adjust asks for points as somebody.
func adjust(ctx context.Context, t *testing.T, w *loyaltytest.World, member *loyalty.Member, points int64, edits ...adjustEdit) *loyalty.AdjustmentPosted {
	t.Helper()
	input := loyalty.AdjustPointsInput{Member: loyaltytest.Ref(member), Points: points, Reason: "A test", IdempotencyKey: w.Key()}
	for _, edit := range edits {
		edit(&input)
	}
	posted, err := w.Service.AdjustPoints(ctx, input)
	if err != nil {
		t.Fatal(err)
	}
	return posted
}

func TestAdjustmentCap(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	other := w.Enroll()
	as := func(name string, roles ...actor.Role) context.Context {
		return actor.With(t.Context(), actor.Actor{Caller: "test|" + name, Roles: roles})
	}
	ann, bob, joe := as("ann", actor.Support), as("bob", actor.Support), as("joe", actor.Support)
	eve, both := as("eve", actor.Admin), as("both", actor.Support, actor.Admin)
	client := actor.With(t.Context(), actor.Actor{Caller: "client:1", Client: "till", Scopes: []actor.Scope{actor.PointsAdjust}})
	type step struct {
		what   string
		who    context.Context
		whose  *loyalty.Member
		points int64
		want   ledger.AdjustmentStatus
	}
	const posted, waits = ledger.AdjustmentPosted, ledger.AdjustmentWaiting
	try := func(steps ...step) {
		t.Helper()
		for _, one := range steps {
			answer := adjust(one.who, t, w, one.whose, one.points)
			equal(t, one.what, one.want, answer.Adjustment.Status)
			equal(t, one.what+": has an entry", one.want == posted, answer.Entry != nil)
		}
	}
	try(
		step{"given", ann, member, 300, posted},
		step{"what is taken adds up with it", ann, member, -201, waits},
		step{"to the last point", ann, member, -200, posted},
		step{"nothing more is given", ann, member, 1, waits},
		step{"nor taken", ann, member, -1, waits},
		step{"over all members", ann, other, 1, waits},
		step{"everybody has a cap of one's own", bob, member, 501, waits},
		step{"what waits is not in it", bob, member, 500, posted},
		step{"a role without a cap", eve, member, 100_000, posted},
		step{"the larger cap counts", both, member, 600, posted},
		step{"a client has support's", client, member, 501, waits},
		step{"and no more", client, member, 500, posted},
	)
	equal(t, "balance", 102_700, w.Balance(member).Available)
	setCaps(t, w, loyalty.AdjustmentCap{Role: actor.Support}, loyalty.AdjustmentCap{Role: actor.Admin, PointsPerDay: 700})
	try(
		step{"a cap of nothing", joe, member, 1, waits},
		step{"what was moved before the cap counts", both, member, 101, waits},
		step{"what is left of it", both, member, 100, posted},
	)
	setCaps(t, w)
	try(step{"no caps", ann, member, 5000, posted})
	clean(t, w)
}

// A day is the program's, and what counts is when it was asked for.
func TestAdjustmentCap_Day(t *testing.T) {
	t.Parallel()
	w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: "America/New_York"})
	var members []*loyalty.Member
	for range 5 {
		members = append(members, w.Enroll())
	}
	setCaps(t, w, loyalty.AdjustmentCap{Role: actor.Support, PointsPerDay: 10})
	ann := w.As(actor.Support, "ann")
	// The day before has 23 hours there.
	midnight := time.Date(2025, 3, 10, 4, 0, 0, 0, time.UTC)
	for i, test := range []struct {
		at     time.Time
		points int64
		want   ledger.AdjustmentStatus
	}{
		{midnight.Add(-23 * time.Hour), 9, ledger.AdjustmentPosted},
		{midnight.Add(-time.Microsecond), 2, ledger.AdjustmentWaiting},
		{midnight.Add(-time.Microsecond), 1, ledger.AdjustmentPosted},
		{midnight, 10, ledger.AdjustmentPosted},
		{midnight.Add(24*time.Hour - time.Microsecond), 1, ledger.AdjustmentWaiting},
	} {
		w.Clock.Set(test.at)
		equal(t, fmt.Sprint(test.points, " at ", test.at), test.want, adjust(ann, t, w, members[i], test.points).Adjustment.Status)
	}
	clean(t, w)
}

func TestApproveAdjustment(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	ann, bob := w.As(actor.Support, "ann"), w.As(actor.Support, "bob")
	expiry := w.Now().AddDate(0, 1, 0)
	asked := adjust(ann, t, w, member, 600, expires(expiry)).Adjustment
	equal(t, "before", 1000, w.Balance(member).Available)
	_, err := w.Service.ApproveAdjustment(ann, asked.ID, nil)
	refused(t, "one's own", err, "SELF_APPROVAL adjustmentId")
	_, err = w.Service.ApproveAdjustment(bob, id.New[id.Adjustment](), nil)
	refused(t, "none", err, "UNKNOWN_ADJUSTMENT adjustmentId")
	_, err = w.Service.ApproveAdjustment(bob, asked.ID, pointer(string(make([]rune, 501))))
	refused(t, "a long note", err, "REASON_REQUIRED note")

	w.Clock.Advance(time.Hour)
	approved, err := w.Service.ApproveAdjustment(bob, asked.ID, pointer("seen the receipt"))
	if err != nil {
		t.Fatal(err)
	}
	now := w.Now()
	equal(t, "entry", []any{int64(600), now, now, &expiry}, []any{approved.Entry.Points, approved.Entry.RecordedAt, *approved.Entry.AvailableAt, approved.Entry.ExpiresAt})
	equal(t, "after", 1600, w.Balance(member).Available)
	again, err := w.Service.ApproveAdjustment(bob, asked.ID, nil)
	if err != nil || !again.Replayed {
		t.Fatal(again, err)
	}
	again.Replayed = false
	equal(t, "sent again", approved, again)
	_, err = w.Service.ApproveAdjustment(w.As(actor.Admin, "eve"), asked.ID, nil)
	refused(t, "by a third", err, "NOT_WAITING adjustmentId")
	_, err = w.Service.DeclineAdjustment(bob, asked.ID, nil)
	refused(t, "declined after all", err, "NOT_WAITING adjustmentId")
	equal(t, "what a second person agreed to is in nobody's cap", ledger.AdjustmentPosted, adjust(ann, t, w, member, 500).Adjustment.Status)
	equal(t, "nor in the approver's", ledger.AdjustmentPosted, adjust(bob, t, w, member, 500).Adjustment.Status)
	clean(t, w)
}

func TestApproveAdjustment_ByTheBalanceOfThen(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	ann, bob := w.As(actor.Support, "ann"), w.As(actor.Support, "bob")
	asked := adjust(ann, t, w, member, -900).Adjustment
	w.Adjust(member, -500)
	_, err := w.Service.ApproveAdjustment(bob, asked.ID, nil)
	refused(t, "spent meanwhile", err, "INSUFFICIENT_POINTS adjustmentId")
	w.Adjust(member, 400)
	if _, err := w.Service.ApproveAdjustment(bob, asked.ID, nil); err != nil {
		t.Errorf("it does not wait any more: %v", err)
	}
	equal(t, "balance", 0, w.Balance(member).Available)

	short := adjust(ann, t, w, member, 501, expires(w.Now().Add(time.Hour))).Adjustment
	w.Clock.Advance(time.Hour)
	_, err = w.Service.ApproveAdjustment(bob, short.ID, nil)
	refused(t, "would have lapsed", err, "INVALID_DATE adjustmentId")
	if _, err := w.Service.DeclineAdjustment(bob, short.ID, nil); err != nil {
		t.Error(err)
	}
	clean(t, w)
}

func TestDeclineAdjustment(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	ann, bob := w.As(actor.Support, "ann"), w.As(actor.Admin, "bob")
	asked := adjust(ann, t, w, member, 501).Adjustment
	_, err := w.Service.DeclineAdjustment(ann, asked.ID, nil)
	refused(t, "one's own", err, "SELF_APPROVAL adjustmentId")
	declined, err := w.Service.DeclineAdjustment(bob, asked.ID, pointer(" "))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "status", ledger.AdjustmentDeclined, declined.Adjustment.Status)
	if declined.Entry != nil || declined.Adjustment.Note != nil {
		t.Error(declined)
	}
	if again, err := w.Service.DeclineAdjustment(bob, asked.ID, nil); err != nil || !again.Replayed {
		t.Error(again, err)
	}
	_, err = w.Service.ApproveAdjustment(bob, asked.ID, nil)
	refused(t, "approved after all", err, "NOT_WAITING adjustmentId")
	_, err = w.Service.ReverseAdjustment(bob, loyalty.ReverseAdjustmentInput{AdjustmentID: asked.ID, Reason: "A test", IdempotencyKey: w.Key()})
	refused(t, "taken back", err, "NOT_POSTED adjustmentId")
	equal(t, "balance", 1000, w.Balance(member).Available)
	clean(t, w)
}

func TestAdjustments_Listed(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	ann := w.As(actor.Support, "ann")
	var asked []*ledger.Adjustment
	for range 3 {
		asked = append(asked, adjust(ann, t, w, member, 501).Adjustment)
	}
	if _, err := w.Service.DeclineAdjustment(w.As(actor.Support, "bob"), asked[1].ID, nil); err != nil {
		t.Fatal(err)
	}
	list := func(statuses []ledger.AdjustmentStatus, first int, after *string) *loyalty.AdjustmentConnection {
		page, err := w.Service.Adjustments(ann, statuses, &first, after)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	waiting := []ledger.AdjustmentStatus{ledger.AdjustmentWaiting}
	first := list(waiting, 1, nil)
	total, err := first.Total(ann)
	equal(t, "newest first", []any{asked[2].ID, true, 2, error(nil)}, []any{first.Nodes[0].ID, first.PageInfo.HasNextPage, total, err})
	second := list(waiting, 1, first.PageInfo.EndCursor)
	equal(t, "then the one before", []any{asked[0].ID, false}, []any{second.Nodes[0].ID, second.PageInfo.HasNextPage})
	equal(t, "all", 4, len(list(nil, 10, nil).Nodes))
	for _, role := range []actor.Role{actor.Member, actor.Organizer, actor.Marketer} {
		if _, err := w.Service.Adjustments(w.As(role, "x"), nil, nil, nil); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", role, err)
		}
		if _, err := w.Service.ApproveAdjustment(w.As(role, "x"), asked[0].ID, nil); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s approves: %v", role, err)
		}
	}
}

// Every change stands in the audit, with what was before it.
func TestAdjustment_Audited(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	ann, bob := w.As(actor.Support, "ann"), w.As(actor.Support, "bob")
	asked := adjust(ann, t, w, member, 501)
	if _, err := w.Service.ApproveAdjustment(bob, asked.Adjustment.ID, nil); err != nil {
		t.Fatal(err)
	}
	reverse(t, w, asked)
	declined := adjust(ann, t, w, member, 502).Adjustment
	for range 2 {
		if _, err := w.Service.DeclineAdjustment(bob, declined.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	state := func(points int64, status ledger.AdjustmentStatus, reversed bool) *string {
		return pointer(fmt.Sprintf(`{"member": %q, "points": %d, "status": %q, "reversed": %t}`, member.ID, points, status, reversed))
	}
	one, other := asked.Adjustment.ID.String(), declined.ID.String()
	equal(t, "asked for", []changeRow{
		{"adjustPoints", one, nil, state(501, ledger.AdjustmentWaiting, false)}, {"adjustPoints", other, nil, state(502, ledger.AdjustmentWaiting, false)},
	}, changes(t, w, "adjustPoints")[1:])
	equal(t, "approved", []changeRow{
		{"approveAdjustment", one, state(501, ledger.AdjustmentWaiting, false), state(501, ledger.AdjustmentPosted, false)},
	}, changes(t, w, "approveAdjustment"))
	equal(t, "taken back", []changeRow{
		{"reverseAdjustment", one, state(501, ledger.AdjustmentPosted, false), state(501, ledger.AdjustmentPosted, true)},
	}, changes(t, w, "reverseAdjustment"))
	equal(t, "declined once", []changeRow{
		{"declineAdjustment", other, state(502, ledger.AdjustmentWaiting, false), state(502, ledger.AdjustmentDeclined, false)},
	}, changes(t, w, "declineAdjustment"))
}

// Ten adjustments of one person at once: those that lie within the cap are posted, all others wait.
func TestRace_AdjustmentCap(t *testing.T) {
	t.Parallel()
	w, _ := capped(t)
	w.Clock.Tick(time.Microsecond)
	ann := w.As(actor.Support, "ann")
	members := make([]*loyalty.Member, 10)
	for i := range members {
		members[i] = w.Enroll()
	}
	statuses := make([]ledger.AdjustmentStatus, len(members))
	var group sync.WaitGroup
	for i, member := range members {
		group.Go(func() {
			posted, err := w.Service.AdjustPoints(ann, loyalty.AdjustPointsInput{
				Member: loyaltytest.Ref(member), Points: 120, Reason: "A test", IdempotencyKey: w.Key(),
			})
			if err != nil {
				t.Error(err)
				return
			}
			statuses[i] = posted.Adjustment.Status
		})
	}
	group.Wait()
	counts := map[ledger.AdjustmentStatus]int{}
	for _, status := range statuses {
		counts[status]++
	}
	equal(t, "statuses", map[ledger.AdjustmentStatus]int{ledger.AdjustmentPosted: 4, ledger.AdjustmentWaiting: 6}, counts)
	clean(t, w)
}

// Two approve and one declines at once: one of them decides, and the points move once or not at all.
func TestRace_ApproveAdjustment(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	w.Clock.Tick(time.Microsecond)
	ann := w.As(actor.Support, "ann")
	for range 10 {
		before := w.Balance(member).Available
		asked := adjust(ann, t, w, member, 501).Adjustment
		results := make([]error, 3)
		var group sync.WaitGroup
		for i, who := range []string{"bob", "eve", "joe"} {
			group.Go(func() {
				decide := w.Service.ApproveAdjustment
				if i == 2 {
					decide = w.Service.DeclineAdjustment
				}
				_, results[i] = decide(w.As(actor.Support, who), asked.ID, nil)
			})
		}
		group.Wait()
		decided, moved := 0, int64(0)
		for i, err := range results {
			if err == nil {
				decided++
				if i < 2 {
					moved += 501
				}
				continue
			}
			refused(t, "too late", err, "NOT_WAITING adjustmentId")
		}
		equal(t, "decided", []int64{1, before + moved}, []int64{int64(decided), w.Balance(member).Available})
	}
	clean(t, w)
}

// Whoever adjusts waits for the own adjustment that is under way, and nobody else does.
func TestRace_AdjusterWaits(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	ann := w.As(actor.Support, "ann")
	done := make(chan error, 1)
	if err := w.DB.InTx(w.Admin, func(tx *postgres.Tx) error {
		if err := ledger.LockAdjusterTx(w.Admin, tx, "test|ann"); err != nil {
			return err
		}
		input := loyalty.AdjustPointsInput{Member: loyaltytest.Ref(member), Points: 1, Reason: "A test", IdempotencyKey: w.Key()}
		go func() {
			_, err := w.Service.AdjustPoints(ann, input)
			done <- err
		}()
		deadline := time.Now().Add(10 * time.Second)
		for blocked := 0; blocked == 0; {
			if time.Now().After(deadline) {
				t.Fatal("the adjustment does not wait for the one before")
			}
			if err := w.DB.Get(w.Admin, &blocked, `
				select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`); err != nil {
				return err
			}
		}
		adjust(w.As(actor.Support, "bob"), t, w, member, 1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	equal(t, "balance", 1002, w.Balance(member).Available)
}
