package jobs

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
)

// whole is a runner with the timetable of the program.
func whole(t *testing.T, w *loyaltytest.World) *Runner {
	t.Helper()
	r, err := New(w.Admin, w.DB, Options{Specs: Specs{"forget-runs": off}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func complete(t *testing.T, w *loyaltytest.World, r *Runner, name string) *Run {
	t.Helper()
	run, err := r.Complete(w.Admin, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// The timetable posts what has lapsed, day by day, and leaves the books clean.
func TestTimetable_Days(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	policy := loyalty.ExpiryPolicy{Mode: lots.AfterEarning, After: &value.Period{Days: 30}}
	if _, err := w.Service.UpdateProgram(w.Admin, loyalty.ProgramEdit{Expiry: &policy}); err != nil {
		t.Fatal(err)
	}
	w.Rule(loyaltytest.Fixed(10))
	w.Tier("Silver", 1, 5)
	var members []*loyalty.Member
	for range 3 {
		member := w.Enroll()
		w.Purchase(member, "1.00")
		members = append(members, member)
	}
	r := whole(t, w)
	w.Clock.Advance(24 * time.Hour)
	for range 31 {
		turn(t, r)
		w.Clock.Advance(24 * time.Hour)
	}
	// A year later their tier has run out.
	w.Clock.Advance(400 * 24 * time.Hour)
	turn(t, r)
	ran := map[string]int{}
	for after := (*string)(nil); ; {
		listed, err := r.Runs(w.Admin, pointer(100), after, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range listed.Nodes {
			if run.Status != Succeeded {
				t.Errorf("%s: %s", run.Job, *run.Error)
			}
			ran[fmt.Sprintf("%s %d", run.Job, run.Processed)]++
		}
		if after = listed.PageInfo.EndCursor; !listed.PageInfo.HasNextPage {
			break
		}
	}
	want := map[string]int{
		"expire-points 0": 31, "expire-points 3": 1, "announce-expiries 0": 31, "announce-expiries 3": 1,
		"care-occasions 0": 32, "check-books 3": 32,
		"recalculate-tiers 0": 31, "recalculate-tiers 3": 1, "forget-backtests 0": 32,
		"post-lapsed-offers 0": 32, "complete-occurrences 0": 32, "send-messages 0": 32, "forget-messages 0": 31, "forget-messages 9": 1, "add-occurrences 0": 32,
		// First that each has its tiers and its points is a month old, and a year later that these would lapse and did.
		"forget-notices 0": 30, "forget-notices 9": 1, "forget-notices 6": 1,
	}
	if difference := cmp.Diff(want, ran); difference != "" {
		t.Error(difference)
	}
	for _, member := range members {
		if balance := w.Balance(member); balance.Available != 0 {
			t.Errorf("%d points are left", balance.Available)
		}
		if standing := w.Standing(member); standing.Tier.Name == "Silver" {
			t.Error("the tier is left")
		}
	}
	report, err := reconcile.Check(w.Admin, w.DB, nil)
	if err != nil || !report.Clean() {
		t.Errorf("%v, %v", report.Differences, err)
	}
}

// Books that differ are a failure, which says how.
func TestCheckBooks_Differ(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	r := whole(t, w)
	if run := complete(t, w, r, "check-books"); run.Status != Succeeded || run.Processed != 1 || *run.Total != 1 {
		t.Errorf("%+v", run)
	}
	statement(t, w, `update accounts set balance = 5, debt = 1 where member_id = $1`, member.ID)
	want := "The books differ from what they should be (BALANCE 1, DEBT 1). The command check lists every difference."
	if run := complete(t, w, r, "check-books"); run.Status != Failed || *run.Error != want {
		t.Errorf("%+v", run)
	}
}

// Old records go, but each job's newest stays.
func TestForgetRuns(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	r := whole(t, w)
	old := complete(t, w, r, "forget-notices")
	for range 2 {
		complete(t, w, r, "expire-points")
		old = complete(t, w, r, "expire-points")
	}
	w.Clock.Advance((runDays*24 - 1) * time.Hour)
	if run := complete(t, w, r, "forget-runs"); run.Processed != 0 {
		t.Errorf("too early %d are forgotten", run.Processed)
	}
	complete(t, w, r, "check-books")
	w.Clock.Advance(time.Hour + time.Microsecond)
	if run := complete(t, w, r, "forget-runs"); run.Processed != 3 {
		t.Errorf("%d are forgotten", run.Processed)
	}
	if found, err := r.Run(w.Admin, old.ID); err != nil || found == nil {
		t.Errorf("the newest of expire-points is %v, %v", found, err)
	}
	listed, err := r.Runs(w.Admin, nil, nil, nil)
	if err != nil || len(listed.Nodes) != 5 {
		t.Errorf("%d are left, %v", len(listed.Nodes), err)
	}
}

// Backtests go when they are old, those that are not done stay.
func TestForgetBacktests(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	r := whole(t, w)
	tried := backtest.New(w.DB, w.Service)
	for range 2 {
		if _, err := tried.Start(w.Admin, backtest.StartInput{From: w.Now().AddDate(0, -1, 0), To: w.Now()}); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Second)
	}
	if did, err := tried.Work(w.Admin); err != nil || !did {
		t.Fatal(did, err)
	}
	for _, step := range []struct {
		by   time.Duration
		want int
	}{{backtestDays*24*time.Hour - time.Second, 0}, {2 * time.Second, 1}, {time.Hour, 0}} {
		w.Clock.Advance(step.by)
		if run := complete(t, w, r, "forget-backtests"); run.Processed != step.want {
			t.Errorf("after %s more %d are forgotten, want %d", step.by, run.Processed, step.want)
		}
	}
	if left, err := tried.Backtests(w.Admin, nil, nil); err != nil || len(left.Nodes) != 1 || left.Nodes[0].Status != backtest.Running {
		t.Errorf("left are %v, %v", left, err)
	}
}
