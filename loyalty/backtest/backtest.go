// Package backtest tries an earning rule on what has been: it judges the stored facts of a period again, by the rules as they
// would be, and says what that would have issued, beside what was issued. It changes nothing else. docs/backtest.md tells how.
package backtest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/rules"
)

// Status says how far a backtest is.
type Status string

// The statuses of backtests.
const (
	// Running also tells of one that waits for those before it.
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	Canceled  Status = "CANCELED"
)

// MaximumWaiting bounds the backtests that are not done.
const MaximumWaiting = 10

// Backtest is a rule tried on the facts of a period, and what came out; nil before it has succeeded.
type Backtest struct {
	ID     id.Backtest `db:"id"`
	Status Status      `db:"status"`
	// Replaces is the rule that was left out; nil for none.
	Replaces *id.Rule `db:"replaces"`
	// From and To bound the facts: [From, To) by when they occurred.
	From        time.Time `db:"period_from"`
	To          time.Time `db:"period_to"`
	RequestedAt time.Time `db:"requested_at"`
	RequestedBy string    `db:"requested_by"`
	// StartedAt is when it was last begun; nil: it waits.
	StartedAt  *time.Time `db:"started_at"`
	FinishedAt *time.Time `db:"finished_at"`
	// Error says in words why it failed.
	Error *string `db:"error"`
	// Done is how many facts were judged of Total, which is nil before they were counted.
	Done  int64  `db:"done"`
	Total *int64 `db:"total"`

	draft   *rules.Version
	results *Results
}

// IsNode marks the backtest as one of the API's nodes.
func (Backtest) IsNode() {}

// Name is what the rule is called that was tried, nil for none.
func (b *Backtest) Name() *string {
	if b.draft == nil {
		return nil
	}
	return &b.draft.Name
}

// Results is what came out; nil before the backtest has succeeded.
func (b *Backtest) Results() *Results { return b.results }

// StartInput is what to try: a rule, in place of another one if that is named. Without a rule, what the program had been without
// the other one; with neither, the rules as they are.
type StartInput struct {
	Rule           *loyalty.EarningRuleInput
	ReplacesRuleID *id.Rule
	From           time.Time
	To             time.Time
}

// The lists of the API.
type (
	// Connection is a page of backtests.
	Connection = page.Connection[*Backtest]
	// Edge is a backtest in a page.
	Edge = page.Edge[*Backtest]
)

// Service keeps backtests and works on them. It is safe for concurrent use, but for Work.
type Service struct {
	db      *postgres.DB
	loyalty *loyalty.Service
	woken   chan struct{}
}

// New returns the service over the database of program.
func New(db *postgres.DB, program *loyalty.Service) *Service {
	return &Service{db: db, loyalty: program, woken: make(chan struct{}, 1)}
}

func (s *Service) now() time.Time {
	return s.db.Now().UTC().Truncate(time.Microsecond)
}

// Woken tells whoever calls Work that there is something to do.
func (s *Service) Woken() <-chan struct{} { return s.woken }

// Start asks for a backtest, which some server works on soon. For marketers and admins.
//
// Problems: those of CreateEarningRule below rule, UNKNOWN_RULE, NOT_PUBLISHED, INVALID_PERIOD, TOO_MANY_BACKTESTS.
func (s *Service) Start(ctx context.Context, input StartInput) (*Backtest, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	var made *Backtest
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		trial, err := s.loyalty.TrialTx(ctx, tx, input.Rule, input.ReplacesRuleID, input.From, input.To)
		if err != nil {
			return err
		}
		waiting, err := countWaiting(ctx, tx)
		if err != nil {
			return err
		}
		if waiting >= MaximumWaiting {
			return problem.At(problem.TooManyBacktests, nil, "%d backtests wait already.", waiting)
		}
		made = &Backtest{
			ID: id.New[id.Backtest](), Status: Running, Replaces: trial.Replaces, From: trial.From, To: trial.To,
			RequestedAt: tx.Now, RequestedBy: caller.Caller, draft: trial.Draft,
		}
		if err := insertBacktest(ctx, tx, made); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "startBacktest", Object: made.ID.String(), After: map[string]any{
			"rule": made.draft, "replacesRuleId": made.Replaces, "from": made.From, "to": made.To,
		}})
	})
	if err != nil {
		return nil, err
	}
	select {
	case s.woken <- struct{}{}:
	default:
	}
	return made, nil
}

// Cancel ends a backtest that is not done; one that is stays as it is. For marketers and admins. Problems: UNKNOWN_BACKTEST.
func (s *Service) Cancel(ctx context.Context, wanted id.Backtest) (*Backtest, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	var canceled *Backtest
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		changed, err := cancel(ctx, tx, wanted)
		if err != nil {
			return err
		}
		if canceled, err = selectBacktest(ctx, tx, wanted); err != nil {
			return err
		}
		if canceled == nil {
			return problem.At(problem.UnknownBacktest, []string{"backtestId"}, "There is no such backtest.")
		}
		if !changed {
			return nil
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "cancelBacktest", Object: wanted.String(), Before: map[string]any{"status": Running}, After: map[string]any{"status": Canceled},
		})
	})
	if err != nil {
		return nil, err
	}
	return canceled, nil
}

// Backtest returns a backtest, nil if there is none or the caller may not see it. For marketers and admins; nobody else sees
// backtests.
func (s *Service) Backtest(ctx context.Context, wanted id.Backtest) (*Backtest, error) {
	caller, err := actor.Require(ctx)
	if err != nil || !caller.Has(actor.Marketer, actor.Admin) {
		return nil, err
	}
	return selectBacktest(ctx, s.db, wanted)
}

const pages = "backtest"

// Backtests lists backtests, newest first. For marketers and admins.
func (s *Service) Backtests(ctx context.Context, first *int, after *string) (*Connection, error) {
	if _, err := actor.Require(ctx, actor.Marketer, actor.Admin); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(pages, first, after)
	if err != nil {
		return nil, err
	}
	last := id.ParseBacktest(arguments.After)
	if arguments.After != "" && last == (id.Backtest{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	listed, err := listBacktests(ctx, s.db, last, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	return page.New(pages, arguments, listed, func(one *Backtest) string { return one.ID.String() },
		func(ctx context.Context) (int, error) { return countBacktests(ctx, s.db) }), nil
}

// Forget deletes the backtests that were done before an instant, and says how many they were. For the program itself.
func (s *Service) Forget(ctx context.Context, before time.Time) (int64, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return 0, err
	}
	if !caller.Internal() {
		return 0, problem.Forbidden
	}
	var deleted int64
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		deleted, err = deleteBacktests(ctx, tx, before)
		return err
	})
	return deleted, err
}

func decode[T any](encoded []byte) (*T, error) {
	if encoded == nil {
		return nil, nil
	}
	decoded := new(T)
	if err := json.Unmarshal(encoded, decoded); err != nil {
		return nil, fmt.Errorf("decode a backtest: %w", err)
	}
	return decoded, nil
}
