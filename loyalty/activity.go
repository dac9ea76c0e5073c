package loyalty

import (
	"context"
	"regexp"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
)

// Types of facts that are no activities of the program's own.
const (
	typePurchase = rules.Purchase
	typeReturn   = "RETURN"
)

// Activity is a fact: a purchase, a return, or anything else that members do. It never changes.
type Activity struct {
	Member     id.Member `db:"member_id"`
	Sequence   int64     `db:"sequence"`
	Type       string    `db:"type"`
	Source     string    `db:"source"`
	ExternalID string    `db:"external_id"`
	// OccurredAt is when it happened, RecordedAt when we learned of it.
	OccurredAt time.Time `db:"occurred_at"`
	RecordedAt time.Time `db:"recorded_at"`
	// TotalMinor is what a purchase was worth, or what came back with a return, in minor units of Currency.
	TotalMinor *int64 `db:"total"`
	// PaidMinor is the part of a purchase's total that was paid with points; nil if none was said.
	PaidMinor *int64         `db:"paid_with_points"`
	Currency  value.Currency `db:"-"`
	// PurchaseSequence is, of a return, the purchase that it belongs to.
	PurchaseSequence *int64           `db:"purchase_sequence"`
	Attributes       value.Attributes `db:"attributes"`
}

// ID is the fact's id in the API.
func (a Activity) ID() id.Activity { return id.Activity{Member: a.Member, Sequence: a.Sequence} }

// IsNode marks the fact as one of the API's nodes.
func (Activity) IsNode() {}

// Owner returns the member who did it.
func (a *Activity) Owner() id.Member { return a.Member }

// Total is what a purchase was worth, or what came back with a return; nil for other facts.
func (a Activity) Total() *value.Money {
	if a.TotalMinor == nil {
		return nil
	}
	return &value.Money{Minor: *a.TotalMinor, Currency: a.Currency}
}

// PaidWithPoints is the part of a purchase's total that was paid with points; nil if none was said.
func (a Activity) PaidWithPoints() *value.Money {
	if a.PaidMinor == nil {
		return nil
	}
	return &value.Money{Minor: *a.PaidMinor, Currency: a.Currency}
}

// Recorded answers a fact: what was stored and what it earned or took back, or the problems in UserErrors.
type Recorded struct {
	Activity *Activity
	Entries  []*ledger.Entry
	// Evaluation says why; nil for a return, whose entries name what they take back.
	Evaluation *rules.Evaluation
	MemberID   id.Member
	// Waiting tells of a return that its purchase has not come yet.
	Waiting    bool
	Replayed   *bool
	UserErrors []problem.UserError
}

// RecordActivityInput is something a member did that is no purchase.
type RecordActivityInput struct {
	Member     MemberRef
	Type       string
	Source     string
	ExternalID string
	OccurredAt time.Time
	Attributes []value.Attribute
}

var activityTypeForm = regexp.MustCompile(`^[A-Z0-9_]{1,50}$`)

// RecordActivities records facts that are no purchases, at most MaximumBatch at once, and answers each in order. For
// support, admins and PurchasesWrite.
//
// Problems: UNKNOWN_MEMBER, INVALID_ACTIVITY_TYPE, INVALID_SOURCE, INVALID_ATTRIBUTE, OCCURRED_IN_FUTURE,
// BEFORE_PROGRAM_START, ALREADY_CLAIMED, IDEMPOTENCY_KEY_REUSED, INVALID_POINTS.
func (s *Service) RecordActivities(ctx context.Context, inputs []RecordActivityInput) ([]Recorded, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin, actor.PurchasesWrite)
	if err != nil {
		return nil, err
	}
	refs := make([]MemberRef, len(inputs))
	for i, input := range inputs {
		refs[i] = input.Member
	}
	if err := s.MayGuess(caller, guesses(refs)); err != nil {
		return nil, err
	}
	var members []id.Member
	answers, err := s.record(ctx, len(inputs), func(ctx context.Context, tx *postgres.Tx, book *rulebook) ([]*fact, error) {
		var err error
		if members, err = resolve(ctx, tx, refs); err != nil {
			return nil, err
		}
		facts := make([]*fact, len(inputs))
		for i, input := range inputs {
			made := newFact(input.Type, input.Source, input.ExternalID, input.OccurredAt, book, tx.Now)
			made.attributes = normalizeAttributes(&made.problems, []string{"attributes"}, input.Attributes)
			if !activityTypeForm.MatchString(input.Type) || input.Type == typePurchase || input.Type == typeReturn {
				made.problems.Add(problem.InvalidActivityType, []string{"type"},
					"A type is 1 to 50 capital letters, digits and underscores, and neither %s nor %s.", typePurchase, typeReturn)
			}
			made.of(members[i])
			made.from(caller)
			facts[i] = made
		}
		return facts, nil
	})
	s.guessed(caller, refs, members)
	return answers, err
}

// Activities returns those of the facts that exist and that the caller may see.
func (s *Service) Activities(ctx context.Context, wanted []id.Activity) (map[id.Activity]*Activity, error) {
	visible, book, err := s.visibleActivities(ctx, wanted)
	if err != nil {
		return nil, err
	}
	rows, err := selectActivities(ctx, s.db, visible)
	if err != nil {
		return nil, err
	}
	activities := make(map[id.Activity]*Activity, len(rows))
	for _, row := range rows {
		row.Currency = book.Currency
		activities[row.ID()] = row
	}
	return activities, nil
}

// FindActivity returns the fact that a source told under an id of its own, nil if there is none. For support, admins, MembersRead
// and PurchasesWrite.
func (s *Service) FindActivity(ctx context.Context, source, externalID string) (*Activity, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin, actor.MembersRead, actor.PurchasesWrite)
	if err != nil {
		return nil, err
	}
	if err := s.MayGuess(caller, 1); err != nil {
		return nil, err
	}
	found, err := findActivities(ctx, s.db, []string{externalID}, func(string) (string, string) { return source, externalID })
	if err != nil {
		return nil, err
	}
	if found[0] == nil {
		s.Charge(caller, 1)
		return nil, nil
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	found[0].Currency = book.Currency
	return found[0], nil
}

// Evaluations returns what those of the facts earned, and why, that exist and that the caller may see.
func (s *Service) Evaluations(ctx context.Context, wanted []id.Activity) (map[id.Activity]*rules.Evaluation, error) {
	visible, _, err := s.visibleActivities(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return selectEvaluations(ctx, s.db, visible)
}

func (s *Service) visibleActivities(ctx context.Context, wanted []id.Activity) ([]id.Activity, *rulebook, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, nil, err
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, nil, err
	}
	var visible []id.Activity
	for _, one := range wanted {
		if seen.of(one.Member) {
			visible = append(visible, one)
		}
	}
	return visible, book, nil
}
