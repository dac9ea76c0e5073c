package loyalty_test

import (
	"testing"

	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// Only the club itself tells who came to its events: nobody takes the names of its facts.
func TestRecord_SourceOfTheClub(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	till := w.As("SUPPORT", "till")
	sold := w.Purchase(member, "10.00")
	own := func(answers []loyalty.Recorded, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "refused", []string{"INVALID_SOURCE source"}, told(answers[0].UserErrors))
	}
	own(w.Service.RecordPurchases(till, []loyalty.RecordPurchaseInput{
		w.PurchaseInput(member, "1.00", func(input *loyalty.RecordPurchaseInput) { input.Source = loyalty.ClubSource }),
	}))
	own(w.Service.RecordReturns(till, []loyalty.RecordReturnInput{
		w.ReturnInput(sold, func(input *loyalty.RecordReturnInput) { input.Source = loyalty.ClubSource }),
	}))
	own(w.Service.RecordActivities(till, []loyalty.RecordActivityInput{{
		Member: loyaltytest.Ref(member), Type: "CHECK_IN", Source: loyalty.ClubSource, ExternalID: "1", OccurredAt: w.Now(),
	}}))
}
