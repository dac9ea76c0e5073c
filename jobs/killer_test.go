package jobs

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"regulars/loyalty/loyaltytest"
)

// While somebody cuts connections of all kinds, each step is done once, runs follow one another and never mingle, and in the
// end nothing is left.
func TestReplicas_Killer(t *testing.T) {
	t.Parallel()
	const hours, each = 6, 15
	w := steps(t, 0)
	table := line("steps", func(ctx context.Context, work *Work) error {
		return work.batches(ctx, func() (int, error) {
			return step(ctx, work, func() { time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond) })
		})
	})
	table.deadline = time.Minute
	var replicas []*Runner
	for range 3 {
		replicas = append(replicas, runner(t, w, table))
	}
	killing, stop := context.WithCancel(t.Context())
	var killer sync.WaitGroup
	kills := 0
	killer.Go(func() {
		db := w.DB.Apart(1)
		defer db.Close()
		for killing.Err() == nil {
			var cut []bool
			if err := db.Select(t.Context(), &cut, `
				select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and pid <> pg_backend_pid() and random() < 0.1`); err != nil {
				t.Error(err)
			}
			kills += len(cut)
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		}
	})
	turnAll := func() {
		var all sync.WaitGroup
		for _, replica := range replicas {
			all.Go(func() {
				for range 3 {
					_ = replica.tick(t.Context()) // its connection may be gone
					replica.Wait()
				}
			})
		}
		all.Wait()
	}
	for hour := range hours {
		// The connection may be gone as well.
		for {
			if _, err := w.DB.Exec(w.Admin, `insert into steps select generate_series($1::int + 1, $1::int + $2::int) on conflict do nothing`, hour*each, each); err == nil {
				break
			}
		}
		w.Clock.Advance(time.Hour - 3*pause)
		for range 3 {
			turnAll()
			w.Clock.Advance(pause)
		}
	}
	stop()
	killer.Wait()
	w.Clock.Advance(time.Hour)
	await(t, "the last run", func() bool {
		turnAll()
		return openRuns(t, w) == 0 && left(t, w) == 0
	})
	var mingled struct {
		Steps   int `db:"steps"`
		Runs    int `db:"runs"`
		Changes int `db:"changes"`
	}
	if err := w.DB.Get(w.Admin, &mingled, `
		select count(*) as steps, count(distinct run) as runs, count(*) filter (where run is distinct from before) as changes
		from (select run, lag(run) over (order by sequence) as before from taken) as ordered`); err != nil {
		t.Fatal(err)
	}
	if mingled.Steps != hours*each || mingled.Changes != mingled.Runs {
		t.Errorf("%+v", mingled)
	}
	ended := map[Status]int{}
	for _, run := range history(t, w, replicas[0]) {
		ended[run.Status]++
	}
	if kills == 0 || ended[Running] > 0 || ended[Succeeded] == 0 {
		t.Errorf("%d kills, runs %v", kills, ended)
	}
	t.Logf("%d kills, %d runs took steps, runs ended %v", kills, mingled.Runs, ended)
}

func openRuns(t *testing.T, w *loyaltytest.World) int {
	t.Helper()
	return counted(t, w, `select count(*) from job_runs where status = 'RUNNING'`)
}

func left(t *testing.T, w *loyaltytest.World) int {
	t.Helper()
	return counted(t, w, `select count(*) from steps`)
}

func counted(t *testing.T, w *loyaltytest.World, query string) int {
	t.Helper()
	var count int
	if err := w.DB.Get(w.Admin, &count, query); err != nil {
		t.Fatal(err)
	}
	return count
}
