package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/internal/bench"
	"regulars/internal/postgres"
	"regulars/internal/postgres/embedded"
	"regulars/internal/postgres/pgtest"
)

// TestBench runs it tiny: it measures everything, proves its books, and leaves nothing. How fast anything is matters nothing.
func TestBench(t *testing.T) {
	t.Parallel()
	source := pgtest.DataSource(t)
	data, figures := t.TempDir(), filepath.Join(t.TempDir(), "figures.json")
	output, messages, code := run(t, []string{"DATABASE_URL=" + source, "REGULARS_DATA=" + data},
		"bench", "--members", "50", "--duration", "100ms", "--json", figures)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, messages)
	}
	content, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	var report bench.Report
	if err := json.Unmarshal(content, &report); err != nil {
		t.Fatal(err)
	}
	_, missing := embedded.Binary("pgbench")
	measured := map[string]int{}
	for _, line := range report.Lines {
		measured[line.Name]++
		if line.PerSecond <= 0 || line.P50 <= 0 || line.P99 < line.P50 {
			t.Errorf("%s by %d clients has no figures: %+v", line.Operation, line.Clients, line)
		}
		if !strings.Contains(output, line.Operation) {
			t.Errorf("the table does not show %s: %s", line.Operation, output)
		}
		if alone := line.Name == "rules"; alone != (line.Allocations != nil && *line.Allocations > 0) {
			t.Errorf("%s: %+v, allocations only of what runs alone", line.Operation, line)
		}
		works := strings.HasSuffix(line.Operation, ", alone") || strings.HasSuffix(line.Operation, ", beside purchases")
		if watched := line.PeakMemory != nil && *line.PeakMemory > 0; watched != (works && runtime.GOOS == "linux") {
			t.Errorf("%s: %+v, memory only of jobs that work", line.Operation, line)
		}
		if slices.Contains([]string{"rules", "backtest", "events", "booking", "door", "occasions", "messages"}, line.Name) {
			continue
		}
		if beside := line.Pgbench != nil && *line.Pgbench > 0 && line.Ratio != nil && *line.Ratio > 0; beside != (missing == nil) {
			t.Errorf("%s by %d clients: %+v beside pgbench, which is missing: %v", line.Operation, line.Clients, line, missing)
		}
	}
	for _, name := range bench.Names {
		if measured[name] == 0 {
			t.Errorf("%s is not measured", name)
		}
	}
	for name, want := range map[string]int{"purchase": 3, "tiers": 4, "expiry": 4, "occasions": 6, "messages": 4} {
		if measured[name] != want {
			t.Errorf("%s has %d lines, want %d", name, measured[name], want)
		}
	}
	if !report.Books.Clean() || report.Books.Members != 52 || report.Books.Entries < 50*13 {
		t.Errorf("the books: %+v", report.Books)
	}
	if strings.Contains(output, "pgbench is missing") != (missing != nil) {
		t.Errorf("pgbench is missing: %v; the table: %s", missing, output)
	}
	left, err := os.ReadDir(data)
	if err != nil || len(left) > 0 {
		t.Errorf("the data folder holds %v, %v; want nothing", left, err)
	}
	untouched(t, source)
}

// untouched makes sure that the database of the settings holds nothing, and that nothing of the bench is left beside it.
func untouched(t *testing.T, source string) {
	t.Helper()
	db, err := postgres.Open(t.Context(), source, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var tables int
	if err := db.Get(t.Context(), &tables, `select count(*) from pg_class where relnamespace = 'public'::regnamespace`); err != nil || tables > 0 {
		t.Errorf("the database of the settings has %d tables, %v; want none", tables, err)
	}
	// Tests of another checkout may have theirs in the same cluster for a while.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for left := []string{""}; len(left) > 0; {
		left = nil
		if err := db.Select(ctx, &left, `select datname from pg_database where datname ~ '^regulars_bench_'`); err != nil {
			t.Fatalf("databases of the bench are left: %v, %v", left, err)
		}
	}
}

func TestBench_Misused(t *testing.T) {
	t.Parallel()
	for flag, arguments := range map[string][]string{
		"--members":  {"bench", "--members", "0"},
		"--duration": {"bench", "--duration", "0s"},
		"--only":     {"bench", "--only", "purchase,sales"},
	} {
		_, messages, code := run(t, nil, arguments...)
		if code != 2 || !strings.Contains(messages, flag) {
			t.Errorf("%v: exit code %d, messages %q; want 2 and %s named", arguments, code, messages, flag)
		}
	}
}

// TestBench_Only measures one thing in a cluster of its own, which goes with it.
func TestBench_Only(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := os.Chmod(filepath.Dir(data), 0o755); err != nil { //nolint:gosec // the cluster's user must pass through
		t.Fatal(err)
	}
	output, messages, code := run(t, []string{"REGULARS_DATA=" + data}, "bench", "--members", "20", "--duration", "10ms", "--only", "status")
	if code != 0 || !strings.Contains(output, "a member's status") || strings.Contains(output, "a purchase") {
		t.Errorf("exit code %d, messages %q, output %s", code, messages, output)
	}
	if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
		t.Errorf("the data folder holds %v, %v; want nothing", left, err)
	}
}
