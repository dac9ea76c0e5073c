package importer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/importer"
)

// history is a file of some purchases and returns of some members, the same for the same seed.
func history(seed uint64) string {
	random := rand.New(rand.NewPCG(seed, 0))
	var content strings.Builder
	content.WriteString(header)
	for order := range 900 {
		prefix, sign := "", 1
		if order%6 == 5 {
			prefix, sign = "C", -1
		}
		member := random.IntN(30)
		at := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(random.IntN(300*24)) * time.Hour)
		for range 1 + random.IntN(4) {
			fmt.Fprintf(&content, "%s%d,m%02d,s%d,%d,%d.%02d,%s\n", prefix, order, member, random.IntN(4), sign*(1+random.IntN(5)),
				random.IntN(20), random.IntN(100), at.Format(time.RFC3339))
		}
	}
	return content.String()
}

// TestPurchases_Interrupted stops imports at any instant and starts them again: in the end the books are as if nothing
// had happened.
func TestPurchases_Interrupted(t *testing.T) {
	t.Parallel()
	content := history(1)
	whole := newClub(t)
	want := whole.file(content)
	if want.Purchases.Recorded.Orders != 750 || want.Returns.Recorded.Orders < 50 || want.Returns.InPart == 0 {
		t.Fatalf("the history is too poor: %+v, %+v", want.Purchases, want.Returns)
	}
	facts, points := whole.facts(), whole.points()
	random := rand.New(rand.NewPCG(2, 0))
	for name, stop := range map[string]func(attempt int, cancel context.CancelFunc, c *club){
		"between transactions": func(attempt int, cancel context.CancelFunc, c *club) {
			calls := 0
			c.progress = func(importer.Stage, int64, int64) {
				if calls++; calls == attempt*5 {
					cancel()
				}
			}
		},
		"within them": func(attempt int, cancel context.CancelFunc, _ *club) {
			time.AfterFunc(time.Duration(random.Int64N(int64(attempt)*int64(50*time.Millisecond))), cancel)
		},
	} {
		c := newClub(t)
		path := written(t, content)
		var report *importer.Report
		interrupted := 0
		for attempt := 1; report == nil; attempt++ {
			ctx, cancel := context.WithCancel(c.Admin)
			stop(attempt, cancel, c)
			made, err := c.importer().Purchases(ctx, path, options())
			cancel()
			switch {
			case err == nil:
				report = made
			case errors.Is(err, context.Canceled):
				interrupted++
			default:
				t.Fatalf("%s: %v", name, err)
			}
		}
		if interrupted == 0 {
			t.Errorf("%s: nothing was interrupted", name)
		}
		if difference := cmp.Diff(facts, c.facts()); difference != "" {
			t.Errorf("%s: facts (-uninterrupted +interrupted):\n%s", name, difference)
		}
		if difference := cmp.Diff(points, c.points()); difference != "" {
			t.Errorf("%s: points (-uninterrupted +interrupted):\n%s", name, difference)
		}
		// What was taken is the same, whether this run did it or one before.
		if got := together(report); got != together(want) {
			t.Errorf("%s: got %+v, want %+v", name, got, together(want))
		}
	}
}

// figures are what does not depend on which of several runs recorded something.
type figures struct {
	purchases, returns     int
	worth, back            int64
	earned, reversed, left int64
	whole, inPart, not     int
}

func together(report *importer.Report) figures {
	purchases, returns := report.Purchases, report.Returns
	return figures{
		purchases: purchases.Recorded.Orders + purchases.Replayed.Orders, returns: returns.Recorded.Orders + returns.Replayed.Orders,
		worth: purchases.Recorded.Worth.Minor + purchases.Replayed.Worth.Minor, back: returns.Recorded.Worth.Minor + returns.Replayed.Worth.Minor,
		earned: purchases.Recorded.Points + purchases.Replayed.Points, reversed: returns.Recorded.Points + returns.Replayed.Points,
		left: report.Points.Left, whole: returns.Whole, inPart: returns.InPart, not: returns.NotAtAll,
	}
}
