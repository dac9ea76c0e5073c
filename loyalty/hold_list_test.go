package loyalty_test

import (
	"fmt"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/loyaltytest"
)

// Page by page, the lists are the lists; what is open is so by the clock.
func TestHolds_List(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("ann") })
	other := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("ben") })
	w.Adjust(member, 100)
	w.Adjust(other, 100)
	theirs := w.Hold(other, 5)
	released, captured := w.Hold(member, 1), w.Hold(member, 2)
	ended := w.Hold(member, 3, func(input *loyalty.HoldPointsInput) { input.ExpiresIn = &value.Period{Clock: time.Minute} })
	held := w.Hold(member, 4)
	if _, err := w.Service.ReleaseHold(w.Admin, released.ID); err != nil {
		t.Fatal(err)
	}
	taken := w.Capture(captured, func(input *loyalty.CaptureHoldInput) {
		input.Points, input.PurchaseSource, input.PurchaseExternalID = pointer(int64(1)), pointer("till"), pointer("receipt-1")
	})
	w.Clock.Set(ended.EndsAt)

	yes, no := true, false
	for _, list := range []struct {
		open *bool
		want []id.Hold
	}{{nil, []id.Hold{held.ID, ended.ID, captured.ID, released.ID}}, {&yes, []id.Hold{held.ID}}, {&no, []id.Hold{ended.ID, captured.ID, released.ID}}} {
		for size := 1; size <= 5; size++ {
			var got []id.Hold
			var after *string
			for more := true; more; {
				pages, err := w.Service.Holds(w.Admin, ids(member, other), list.open, &size, after)
				if err != nil {
					t.Fatal(err)
				}
				read := pages[member.ID]
				for _, hold := range read.Nodes {
					got = append(got, hold.ID)
				}
				total, err := read.Total(w.Admin)
				if err != nil {
					t.Fatal(err)
				}
				equal(t, "in all", len(list.want), total)
				more, after = read.PageInfo.HasNextPage, read.PageInfo.EndCursor
			}
			equal(t, fmt.Sprintf("by %d", size), list.want, got)
		}
	}

	pages, err := w.Service.Holds(w.As(actor.Member, "ann"), ids(member, other), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "a member sees its own", 1, len(pages))
	nodes := pages[member.ID].Nodes
	equal(t, "one that ended by itself", []any{ledger.HoldExpired, &ended.EndsAt, int64(0)}, []any{nodes[1].Status, nodes[1].ClosedAt, nodes[1].Captured})
	equal(t, "one that was captured", []any{ledger.HoldCaptured, &taken.Entry.RecordedAt, int64(1), pointer("receipt-1")},
		[]any{nodes[2].Status, nodes[2].ClosedAt, nodes[2].Captured, nodes[2].PurchaseExternalID})
	if pages, err = w.Service.Holds(w.As(actor.Marketer, "x"), ids(member, other), nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "a marketer sees none", 0, len(pages))
	if _, err := w.Service.Holds(w.Admin, ids(member), nil, nil, pointer("xyz")); err == nil {
		t.Error("no cursor is taken for one")
	}

	back, err := w.Service.RefundCapture(w.Admin, loyalty.RefundCaptureInput{HoldID: captured.ID, Points: 1, Reason: "A test", IdempotencyKey: w.Key()})
	if err != nil {
		t.Fatal(err)
	}
	unheld := w.Adjust(member, 1).Entry
	spent := w.Capture(theirs).Entry
	of, err := w.Service.HoldsOfEntries(w.As(actor.Member, "ann"), []*ledger.Entry{taken.Entry, back.Entry, unheld, spent})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "captured", captured.ID, of[taken.Entry].ID)
	equal(t, "given back", captured.ID, of[back.Entry].ID)
	equal(t, "neither, or another's", []*ledger.Hold{nil, nil}, []*ledger.Hold{of[unheld], of[spent]})
	clean(t, w)
}

// The audit has what was done with holds, once, and nothing of what did nothing.
func TestHold_Audit(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 100)
	captured, released := w.Hold(member, 60), w.Hold(member, 10)
	ended := w.Hold(member, 5, func(input *loyalty.HoldPointsInput) { input.ExpiresIn = &value.Period{Clock: time.Minute} })
	capture := loyalty.CaptureHoldInput{HoldID: captured.ID, Points: pointer(int64(50)), IdempotencyKey: w.Key()}
	refund := loyalty.RefundCaptureInput{HoldID: captured.ID, Points: 20, Reason: "Not delivered", IdempotencyKey: w.Key()}
	var taken, back *loyalty.HoldAnswer
	for range 2 {
		var err error
		if taken, err = w.Service.CaptureHold(w.Admin, capture); err != nil {
			t.Fatal(err)
		}
		if back, err = w.Service.RefundCapture(w.Admin, refund); err != nil {
			t.Fatal(err)
		}
		if _, err = w.Service.ReleaseHold(w.Admin, released.ID); err != nil {
			t.Fatal(err)
		}
	}
	w.Clock.Set(ended.EndsAt)
	if _, err := w.Service.ReleaseHold(w.Admin, ended.ID); err != nil {
		t.Fatal(err)
	}
	_, err := w.Service.CaptureHold(w.Admin, loyalty.CaptureHoldInput{HoldID: ended.ID, IdempotencyKey: w.Key()})
	refused(t, "one that has ended", err, "HOLD_ENDED holdId")

	state := func(points int64, status ledger.HoldStatus, captured int64, entry, reason string) *string {
		return pointer(fmt.Sprintf(`{%s"member": %q, "points": %d, %s"status": %q, "captured": %d}`, entry, member.ID, points, reason, status, captured))
	}
	equal(t, "placed", []changeRow{
		{"holdPoints", captured.ID.String(), nil, state(60, ledger.HoldOpen, 0, "", "")},
		{"holdPoints", released.ID.String(), nil, state(10, ledger.HoldOpen, 0, "", "")},
		{"holdPoints", ended.ID.String(), nil, state(5, ledger.HoldOpen, 0, "", "")},
	}, changes(t, w, "holdPoints"))
	equal(t, "captured", []changeRow{{"captureHold", captured.ID.String(), state(60, ledger.HoldOpen, 0, "", ""),
		state(60, ledger.HoldCaptured, 50, fmt.Sprintf(`"entry": %q, "moved": -50, `, taken.Entry.ID()), "")}}, changes(t, w, "captureHold"))
	equal(t, "given back", []changeRow{{"refundCapture", captured.ID.String(), state(60, ledger.HoldCaptured, 50, "", ""),
		state(60, ledger.HoldCaptured, 50, fmt.Sprintf(`"entry": %q, "moved": 20, `, back.Entry.ID()), `"reason": "Not delivered", `)}}, changes(t, w, "refundCapture"))
	equal(t, "released", []changeRow{{"releaseHold", released.ID.String(), state(10, ledger.HoldOpen, 0, "", ""), state(10, ledger.HoldReleased, 0, "", "")}},
		changes(t, w, "releaseHold"))
}
