package loyalty

import (
	"context"
	"time"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// WaitingReturn is a return that was told before its purchase and waits for it.
type WaitingReturn struct {
	ID                 id.WaitingReturn `db:"hash"`
	Source             string           `db:"source"`
	ExternalID         string           `db:"external_id"`
	PurchaseSource     string           `db:"purchase_source"`
	PurchaseExternalID string           `db:"purchase_external_id"`
	OccurredAt         time.Time        `db:"occurred_at"`
	RecordedAt         time.Time        `db:"recorded_at"`
	AmountMinor        *int64           `db:"amount"`
	currency           value.Currency
}

// IsNode marks the return as one of the API's nodes.
func (WaitingReturn) IsNode() {}

// Amount is what came back; nil: lines, or all of it.
func (w WaitingReturn) Amount() *value.Money {
	if w.AmountMinor == nil {
		return nil
	}
	return &value.Money{Minor: *w.AmountMinor, Currency: w.currency}
}

const waitingPages = "waiting"

// WaitingReturns lists the returns whose purchases have not come, in the order of their keys. For support and admins.
func (s *Service) WaitingReturns(ctx context.Context, first *int, after *string) (*WaitingReturnConnection, error) {
	if _, err := actor.Require(ctx, actor.Support, actor.Admin); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(waitingPages, first, after)
	if err != nil {
		return nil, err
	}
	var behind uuid.UUID
	if arguments.After != "" {
		if behind, err = uuid.Parse(arguments.After); err != nil {
			return nil, problem.BadUserInput("after is not a cursor of this list")
		}
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	waiting, err := listWaiting(ctx, s.db, behind, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	for _, one := range waiting {
		one.currency = book.Currency
	}
	return page.New(waitingPages, arguments, waiting,
		func(one *WaitingReturn) string { return uuid.UUID(one.ID).String() },
		func(ctx context.Context) (int, error) { return countWaiting(ctx, s.db) }), nil
}

// WaitingReturn finds a return that waits; nil if it waits no more or never did. For SUPPORT and ADMIN; nil for others.
func (s *Service) WaitingReturn(ctx context.Context, wanted id.WaitingReturn) (*WaitingReturn, error) {
	caller, err := actor.Require(ctx)
	if err != nil || !caller.Has(actor.Support, actor.Admin) {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	found, err := findWaiting(ctx, s.db, wanted)
	if found != nil {
		found.currency = book.Currency
	}
	return found, err
}
