package loyalty_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
)

// told writes problems as "CODE path/below/input", for comparison.
func told(problems []problem.UserError) []string {
	var lines []string
	for _, one := range problems {
		var code problem.Code
		var path []string
		switch one := one.(type) {
		case problem.InputError:
			code, path = one.Code, one.Path
		case problem.InsufficientPointsError:
			code, path = one.Code, one.Path
		case problem.InvalidConditionError:
			code, path = one.Code, one.Path
		case problem.ConflictError:
			code, path = one.Code, one.Path
		}
		if len(path) > 0 {
			path = path[1:]
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s", code, strings.Join(path, "/"))))
	}
	return lines
}

// refused wants err to hold exactly these problems.
func refused(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	problems, ok := problem.UserErrors(err)
	if !ok {
		t.Fatalf("%s: got the error %v, want %v", what, err, want)
	}
	equal(t, what, want, told(problems))
}

func equal[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("%s: %s", what, difference)
	}
}

// clean wants the books to agree.
func clean(t *testing.T, w *loyaltytest.World) {
	t.Helper()
	report, err := reconcile.Check(w.Admin, w.DB, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range report.Differences {
		t.Error(difference)
	}
}

// points are those of a fact's entries, in order.
func points(recorded loyalty.Recorded) []int64 {
	var list []int64
	for _, entry := range recorded.Entries {
		list = append(list, entry.Points)
	}
	return list
}

func pointer[T any](value T) *T { return &value }
