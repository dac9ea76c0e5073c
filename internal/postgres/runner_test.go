package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
)

func TestRunner(t *testing.T) {
	t.Parallel()

	type row struct {
		ID   int    `db:"id"`
		Name string `db:"name"`
	}
	check := func(t *testing.T, q postgres.Runner) {
		affected, err := q.Exec(t.Context(),
			`insert into rows select * from unnest($1::int[], $2::text[])`, []int64{1, 2}, []string{"one", "two"})
		if err != nil || affected != 2 {
			t.Fatalf("Exec: %d rows, %v", affected, err)
		}
		var one row
		if err := q.Get(t.Context(), &one, `select id, name from rows where id = $1`, 2); err != nil {
			t.Fatal(err)
		}
		var all []row
		if err := q.Select(t.Context(), &all, `select id, name from rows where id = any($1) order by id`, []int64{1, 2, 3}); err != nil {
			t.Fatal(err)
		}
		want := []row{{1, "one"}, {2, "two"}}
		if diff := cmp.Diff(want, all); diff != "" || one != want[1] {
			t.Errorf("Get: %v, Select (-want +got):\n%s", one, diff)
		}
		if err := q.Get(t.Context(), &one, `select id, name from rows where id = $1`, 3); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("Get of no row: %v, want sql.ErrNoRows", err)
		}
		if err := q.Select(t.Context(), &all, `select id, name from rows where id = $1`, 3); err != nil || len(all) != 0 {
			t.Errorf("Select of no row: %v, %v", all, err)
		}
		rows, err := q.Rows(t.Context(), `select id, name from rows where id > $1 order by id`, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var streamed []row
		for rows.Next() {
			var next row
			if err := rows.StructScan(&next); err != nil {
				t.Fatal(err)
			}
			streamed = append(streamed, next)
		}
		if diff := cmp.Diff(want, streamed); diff != "" || rows.Err() != nil {
			t.Errorf("Rows: %v (-want +got):\n%s", rows.Err(), diff)
		}
	}

	t.Run("DB", func(t *testing.T) {
		t.Parallel()
		db := open(t, 2)
		run(t, db, `create table rows (id int, name text)`)
		check(t, db)
	})

	t.Run("Tx", func(t *testing.T) {
		t.Parallel()
		db := open(t, 2)
		run(t, db, `create table rows (id int, name text)`)
		err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
			check(t, tx)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestConstraint(t *testing.T) {
	t.Parallel()
	db := open(t, 2)
	run(t, db, `create table parents (id int constraint parents_key primary key)`,
		`create table children (id int constraint child_is_positive check (id > 0),
			parent int constraint child_has_parent references parents)`,
		`create unique index one_child_each on children (parent)`,
		`insert into parents values (1)`, `insert into children values (1, 1)`)

	for statement, want := range map[string]string{
		`insert into parents values ($1)`:         "parents_key",
		`insert into children values (-$1::int)`:  "child_is_positive",
		`insert into children values (2, $1)`:     "one_child_each",
		`insert into children values (3, $1 + 1)`: "child_has_parent",
		`select $1 / 0`: "",
	} {
		_, err := db.Exec(t.Context(), statement, 1)
		if err == nil {
			t.Errorf("%s: succeeded", statement)
		}
		if got := postgres.Constraint(fmt.Errorf("wrapped: %w", err)); got != want {
			t.Errorf("%s: the constraint is %q, want %q", statement, got, want)
		}
	}
	if got := postgres.Constraint(nil); got != "" {
		t.Errorf("the constraint of no error is %q", got)
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()

	sleep := `select 1 from pg_sleep($1)`
	var ignored int
	ways := map[string]func(ctx context.Context, q postgres.Runner) error{
		"Get":    func(ctx context.Context, q postgres.Runner) error { return q.Get(ctx, &ignored, sleep, 60) },
		"Select": func(ctx context.Context, q postgres.Runner) error { return q.Select(ctx, &[]int{}, sleep, 60) },
		"Exec": func(ctx context.Context, q postgres.Runner) error {
			_, err := q.Exec(ctx, sleep, 60)
			return err
		},
		"Rows": func(ctx context.Context, q postgres.Runner) error {
			rows, err := q.Rows(ctx, sleep, 60)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		},
		"Unprepared": func(ctx context.Context, q postgres.Runner) error {
			_, err := q.Exec(ctx, `select pg_sleep(60)`)
			return err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dataSource := pgtest.DataSource(t)
			db, observer := openAt(t, dataSource, 1), openAt(t, dataSource, 1)
			session := number(t, db, `select pg_backend_pid() + $1`, 0)

			deadline, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := way(deadline, db); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after a deadline: %v, want context.DeadlineExceeded", err)
			}

			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error)
			go func() {
				ended <- db.InTx(ctx, func(tx *postgres.Tx) error { return way(ctx, tx) })
			}()
			eventually(t, observer, `select exists (
				select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')`)
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("after a cancel: %v, want context.Canceled", err)
			}

			if now := number(t, db, `select pg_backend_pid() + $1`, 0); name != "Unprepared" && now != session {
				t.Error("the connection was thrown away")
			}
		})
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()

	t.Run("PreparedOnce", func(t *testing.T) {
		t.Parallel()
		db := open(t, 4)
		var all sync.WaitGroup
		for worker := range 16 {
			all.Go(func() {
				for i := range 50 {
					var got int
					err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
						return tx.Get(t.Context(), &got, fmt.Sprintf(`select $1::int + %d`, i%5), worker)
					})
					if err != nil || got != worker+i%5 {
						t.Errorf("got %d, %v", got, err)
						return
					}
				}
			})
		}
		all.Wait()
		for range 4 {
			if twice := number(t, db, `select count(*) - count(distinct statement) from pg_prepared_statements`); twice != 0 {
				t.Errorf("%d statements are prepared more than once in a session", twice)
			}
		}
	})

	t.Run("NeedNoConnectionOfTheirOwn", func(t *testing.T) {
		t.Parallel()
		db := open(t, 2)
		var all, bothBegun sync.WaitGroup
		bothBegun.Add(2)
		for worker := range 2 {
			all.Go(func() {
				err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
					bothBegun.Done()
					bothBegun.Wait()
					_, err := tx.Exec(t.Context(), fmt.Sprintf(`select $1::int + %d`, worker), 1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})

	t.Run("Bounded", func(t *testing.T) {
		t.Parallel()
		db := open(t, 1)
		for i := range 600 {
			if got := number(t, db, fmt.Sprintf(`select $1::int + %d`, i), 1); got != i+1 {
				t.Fatalf("got %d, want %d", got, i+1)
			}
		}
		if kept := number(t, db, `select count(*) from pg_prepared_statements`); kept != 512 {
			t.Errorf("%d statements are kept, want 512", kept)
		}
	})

	t.Run("SurviveMigrations", func(t *testing.T) {
		t.Parallel()
		db := open(t, 1)
		run(t, db, `create table amounts (id int, amount int)`, `insert into amounts values (1, 5)`)
		read := func(q postgres.Runner) int { return number(t, q, `select amount from amounts where id = $1`, 1) }
		read(db)
		run(t, db, `alter table amounts alter amount type bigint`)
		err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
			var amount int
			return tx.Get(t.Context(), &amount, `select amount from amounts where id = $1`, 1)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := read(db); got != 5 {
			t.Errorf("the amount is %d, want 5", got)
		}
	})
}
