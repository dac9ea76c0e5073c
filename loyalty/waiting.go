package loyalty

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// A return may be told before its purchase, by a till that was offline or by another system. It waits, holding its key, and
// is applied by the transaction that records the purchase. Neither can miss the other: whoever waits has held the purchase's
// key for a moment, so a purchase that was on its way is there then, and one that comes later finds what waits.

// expectPurchases finds out again which of the purchases that were not found are not there, and makes their returns wait.
func expectPurchases(ctx context.Context, tx *postgres.Tx, inputs []RecordReturnInput, facts []*fact) error {
	var keys []uuid.UUID
	for _, one := range facts {
		if one.returning.waits {
			keys = append(keys, one.returning.purchaseKey)
		}
	}
	free, err := touchActivityKeys(ctx, tx, keys)
	if err != nil {
		return fmt.Errorf("wait for purchases: %w", err)
	}
	var there []RecordReturnInput
	var theirs []*fact
	for i, one := range facts {
		if one.returning.waits && !free[one.returning.purchaseKey] {
			there, theirs = append(there, inputs[i]), append(theirs, one)
		}
	}
	if len(there) == 0 {
		return nil
	}
	found, err := findActivities(ctx, tx, there, purchaseName)
	if err != nil {
		return err
	}
	for i, one := range theirs {
		one.returning.waits = false
		if found[i] == nil || found[i].Type != typePurchase {
			one.problems.Add(problem.UnknownPurchase, []string{"purchaseExternalId"}, "What was recorded there is no purchase.")
			continue
		}
		one.member, one.returning.purchase = found[i].Member, found[i].ID()
	}
	return nil
}

func purchaseName(input RecordReturnInput) (source, externalID string) {
	return input.PurchaseSource, input.PurchaseExternalID
}

// keepWaiting keeps the returns of a slice that wait.
func keepWaiting(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	var waiting []*fact
	for _, one := range facts {
		if one.waits() && one.claimed && len(one.problems) == 0 {
			waiting = append(waiting, one)
		}
	}
	return insertWaiting(ctx, tx, waiting)
}

// applyWaiting applies the returns that have waited for purchases which were just recorded. What is wrong with one nobody
// can be told any more: it is dropped and noted among the changes; told again, its teller hears why.
func applyWaiting(ctx context.Context, tx *postgres.Tx, book *rulebook, recorded []*fact) error {
	purchases := make(map[uuid.UUID]*Activity, len(recorded))
	for _, one := range recorded {
		if one.kind == typePurchase && one.open() {
			purchases[one.key] = one.recorded.Activity
		}
	}
	waiting, err := takeWaiting(ctx, tx, purchases)
	if err != nil || len(waiting) == 0 {
		return err
	}
	returns := make([]*fact, len(waiting))
	for i, row := range waiting {
		purchase := purchases[row.PurchaseHash]
		returns[i] = &fact{
			kind: typeReturn, source: row.Source, externalID: row.ExternalID, occurredAt: row.OccurredAt.UTC(),
			member: purchase.Member, attributes: value.Attributes{},
			returning: &returning{purchase: purchase.ID(), amount: row.Amount, lines: row.Lines},
			claimed:   true,
		}
		if err := returns[i].identify(); err != nil {
			return err
		}
	}
	if err := decide(ctx, tx, book, returns); err != nil {
		return err
	}
	for _, one := range returns {
		if len(one.problems) == 0 {
			continue
		}
		if err := audit.RecordTx(ctx, tx, actor.System("record"), audit.Change{
			Action: "dropWaitingReturn", Object: one.returning.purchase.String(),
			Before: map[string]any{"source": one.source, "externalId": one.externalID},
			After:  map[string]any{"problems": one.problems.Error()},
		}); err != nil {
			return err
		}
	}
	return nil
}
