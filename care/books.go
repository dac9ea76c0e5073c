package care

import (
	"context"
	"fmt"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/reconcile"
)

// The kinds of differences that the books of care can have.
const (
	// GiftBooks: each gift is in the member's points, once, as it says; and nothing else was given by care.
	GiftBooks reconcile.Kind = "GIFT"
	// MessageBooks: a message that was sent says when, in its time, one that was not keeps no text, and its member and campaign are
	// there.
	MessageBooks reconcile.Kind = "MESSAGE"
)

// discrepancy is a row that is not what others say it should be.
type discrepancy struct {
	Member   id.Member `db:"member_id"`
	Row      string    `db:"row"`
	What     string    `db:"what"`
	Expected string    `db:"expected"`
	Found    string    `db:"found"`
}

// CheckBooks compares what care gave and said with the points and the members. It is a floor of reconcile.Check.
func CheckBooks(ctx context.Context, tx *postgres.Tx, report *reconcile.Report) error {
	for _, check := range []struct {
		kind      reconcile.Kind
		statement string
		arguments []any
	}{
		{GiftBooks, wrongGifts, nil},
		{GiftBooks, strayGifts, []any{actor.System(consumer).Caller}},
		{MessageBooks, wrongMessages, nil},
	} {
		var rows []discrepancy
		if err := tx.Select(ctx, &rows, check.statement, check.arguments...); err != nil {
			return fmt.Errorf("check the books of care: %w", err)
		}
		for _, one := range rows {
			report.Add(reconcile.Difference{
				Member: one.Member.String(), Kind: check.kind, Row: one.Row, What: one.What, Expected: one.Expected, Found: one.Found,
			})
		}
	}
	return nil
}
