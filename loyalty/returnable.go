package loyalty

import (
	"context"
	"errors"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// MemberSKU is an article that a member may have bought.
type MemberSKU struct {
	Member id.Member `db:"member_id"`
	SKU    string    `db:"sku"`
}

// SoldLine is a line of a purchase that can come back: how much of it was sold, and how much of that has come back.
type SoldLine struct {
	MemberSKU
	// Source and ExternalID name the purchase, LineID the line within it.
	Source     string         `db:"source"`
	ExternalID string         `db:"external_id"`
	LineID     string         `db:"line_id"`
	OccurredAt time.Time      `db:"occurred_at"`
	Quantity   value.Quantity `db:"quantity"`
	Returned   value.Quantity `db:"returned"`
}

// SoldLines lists, of the articles asked for, the lines of purchases at or before until, whoever recorded them and
// whether or not anything is left of them: each article's latest purchase first (of those at the same instant the one
// recorded last), and in it the last line first. For support and admins.
func (s *Service) SoldLines(ctx context.Context, asked []MemberSKU, until time.Time) ([]SoldLine, error) {
	if _, err := actor.Require(ctx, actor.Support, actor.Admin); err != nil {
		return nil, err
	}
	return selectSoldLines(ctx, s.db, asked, until)
}

// ReturnsNamed asks for the returns of a member whose external ids start with Prefix.
type ReturnsNamed struct {
	Member id.Member
	Prefix string
}

// RecordedReturn is a return by lines as it was recorded.
type RecordedReturn struct {
	Member     id.Member `db:"member_id"`
	ExternalID string    `db:"external_id"`
	// PurchaseSource and PurchaseExternalID name the purchase that it belongs to.
	PurchaseSource     string `db:"purchase_source"`
	PurchaseExternalID string `db:"purchase_external_id"`
	// SKU is what came back, of several articles the first.
	SKU      string         `db:"sku"`
	Quantity value.Quantity `db:"quantity"`
	// Total is what came back in minor units, Points how many points that took back.
	Total  int64 `db:"total"`
	Points int64 `db:"points"`
}

// RecordedReturns lists the returns by lines that a source recorded under the names asked for. For support and admins.
func (s *Service) RecordedReturns(ctx context.Context, source string, asked []ReturnsNamed) ([]RecordedReturn, error) {
	if _, err := actor.Require(ctx, actor.Support, actor.Admin); err != nil {
		return nil, err
	}
	return selectRecordedReturns(ctx, s.db, source, asked)
}

var errTogether = errors.New("one of the returns was refused")

// RecordReturnsTogether is RecordReturns for returns that stand or fall together: where the answers name problems of any,
// none was recorded.
func (s *Service) RecordReturnsTogether(ctx context.Context, inputs []RecordReturnInput) ([]Recorded, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	if len(inputs) == 0 || len(inputs) > MaximumBatch {
		return nil, problem.At(problem.TooManyPurchases, nil, "Send 1 to %d at once.", MaximumBatch)
	}
	var answers []Recorded
	err = s.db.InTx(ctx, func(tx *postgres.Tx) (err error) {
		answers, err = s.recordTx(ctx, tx, prepareReturns(caller, inputs))
		if err == nil && slices.ContainsFunc(answers, func(one Recorded) bool { return len(one.UserErrors) > 0 }) {
			return errTogether
		}
		return err
	})
	if errors.Is(err, errTogether) {
		err = nil
	}
	return answers, err
}
