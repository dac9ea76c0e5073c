package reconcile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
)

// reviewed is a program in which staff gave and took points in every way: of giver, 100 (entry 2), 200 approved (3), -50
// (4), both taken back (5, 6); 300 wait and 400 were declined. Of buyer, 10 that have lapsed when they are taken back (2 to 4).
func reviewed(t *testing.T) people {
	t.Helper()
	w := loyaltytest.New(t)
	p := people{World: w, buyer: w.Enroll(), giver: w.Enroll()}
	if _, err := w.Service.UpdateProgram(w.Admin, loyalty.ProgramEdit{
		AdjustmentCaps: []loyalty.AdjustmentCap{{Role: actor.Support, PointsPerDay: 150}},
	}); err != nil {
		t.Fatal(err)
	}
	ask := func(points int64) *loyalty.AdjustmentPosted {
		asked, err := w.Service.AdjustPoints(w.As(actor.Support, "ann"), loyalty.AdjustPointsInput{
			Member: loyaltytest.Ref(p.giver), Points: points, Reason: "A test", IdempotencyKey: w.Key(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return asked
	}
	reverse := func(one *loyalty.AdjustmentPosted) {
		if _, err := w.Service.ReverseAdjustment(w.Admin, loyalty.ReverseAdjustmentInput{
			AdjustmentID: one.Adjustment.ID, Reason: "A test", IdempotencyKey: w.Key(),
		}); err != nil {
			t.Fatal(err)
		}
	}
	ask(100)
	large := ask(200)
	w.Clock.Advance(time.Hour)
	if _, err := w.Service.ApproveAdjustment(w.Admin, large.Adjustment.ID, nil); err != nil {
		t.Fatal(err)
	}
	taken := ask(-50)
	reverse(taken)
	reverse(large)
	ask(300)
	if _, err := w.Service.DeclineAdjustment(w.Admin, ask(400).Adjustment.ID, nil); err != nil {
		t.Fatal(err)
	}
	soon := w.Now().Add(time.Hour)
	lapsing := w.Adjust(p.buyer, 10, func(input *loyalty.AdjustPointsInput) { input.ExpiresAt = &soon })
	w.Clock.Advance(2 * time.Hour)
	reverse(lapsing)
	return p
}

func TestCheck_Adjustments(t *testing.T) {
	t.Parallel()
	p := reviewed(t)
	for _, difference := range check(t, p.World).Differences {
		t.Error(difference)
	}
	execute(t, p, `alter table adjustments drop constraint adjustments_posted, drop constraint adjustments_reviewed, drop constraint adjustments_reversed`)
	save(t, p)
	for _, test := range []struct {
		name      string
		statement string
		want      []string
	}{
		{"approval forgotten", `update adjustments set status = 'WAITING', reviewed_at = null where member_id = GIVER and entry_sequence = 3`, []string{
			"ADJUSTMENT entries 3: adjustment one none", "ADJUSTMENT entries 6: adjustment one none"}},
		{"waiting one posted", `update adjustments set status = 'POSTED' where member_id = GIVER and status = 'WAITING'`, []string{
			"ADJUSTMENT adjustments: entry one none"}},
		{"instant of the approval", `update adjustments set reviewed_at = requested_at where member_id = GIVER and entry_sequence = 3`, []string{
			"ADJUSTMENT entries 3: recorded_at"}},
		{"points of the adjustment", `update adjustments set points = 201 where member_id = GIVER and entry_sequence = 3`, []string{
			"ADJUSTMENT entries 3: points 201 200", "ADJUSTMENT entries 6: points taken back 201 200"}},
		{"expiry", `update adjustments set expires_at = null where member_id = BUYER and entry_sequence = 2`, []string{
			"ADJUSTMENT entries 2: expires_at"}},
		{"reversal forgotten", `update adjustments set reversed_at = null where member_id = GIVER and entry_sequence = 4`, []string{
			"ADJUSTMENT entries 5: adjustment one none"}},
		{"reversal of another", `update adjustments set reversal_sequence = 5 where member_id = GIVER and entry_sequence = 3`, []string{
			"ADJUSTMENT adjustments: entry one none", "ADJUSTMENT entries 5: adjustment", "ADJUSTMENT entries 5: points taken back 200 -50",
			"ADJUSTMENT entries 5: recorded_at", "ADJUSTMENT entries 5: reverses 3 4", "ADJUSTMENT entries 6: adjustment one none"}},
		{"reversal lost", `update adjustments set reversal_sequence = null where member_id = BUYER`, []string{
			"ADJUSTMENT adjustments: entry one none", "ADJUSTMENT entries 4: adjustment one none"}},
		{"reversal of part", `update entries set lapsed = 9 where member_id = BUYER and sequence = 4`, []string{
			"ADJUSTMENT entries 4: points taken back 10 9"}},
		{"reversal of nobody", `update entries set adjustment_id = null where member_id = GIVER and sequence = 6`, []string{
			"ADJUSTMENT adjustments: entry one none", "REFERRAL entries 6: entry of a referral that it takes back one none"}},
		{"what is given back", `update entries set points = 49 where member_id = GIVER and sequence = 5`, []string{
			"ADJUSTMENT entries 5: points taken back -50 -49", "BALANCE accounts 1: balance 99 100",
			"BALANCE entries 5: balance_after 299 300", "BALANCE entries 6: balance_after 99 100",
			"DRAW draws 5: draw from lot 2, posted by 5 -49 -50", "LOT lots 2: remaining 99 100"}},
	} {
		corrupt(t, p, test.statement)
		var got []string
		for _, one := range check(t, p.World).Differences {
			row := one.Row
			if one.Kind == reconcile.Adjustments && strings.HasPrefix(row, "adjustments ") {
				row = "adjustments"
			}
			got = append(got, strings.Join([]string{string(one.Kind), row + ":", one.What, one.Expected, one.Found}, " "))
		}
		restore(t, p)
		slices.Sort(got)
		for i, line := range got {
			if j := slices.IndexFunc(test.want, func(want string) bool { return strings.HasPrefix(line, want) }); j >= 0 {
				got[i] = test.want[j]
			}
		}
		if wrong := cmp.Diff(test.want, got); wrong != "" {
			t.Errorf("%s: %s", test.name, wrong)
		}
	}
}
