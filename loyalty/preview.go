package loyalty

import (
	"context"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
)

// PreviewPurchaseInput is a purchase that may come.
type PreviewPurchaseInput struct {
	// Member is nil for somebody who is no member yet: one of the lowest tier who joins now.
	Member *MemberRef
	// Source is where it would come from; nil: "preview".
	Source *string
	// OccurredAt is when it would happen; nil: now.
	OccurredAt     *time.Time
	Total          value.MoneyInput
	PaidWithPoints *value.MoneyInput
	Lines          []PurchaseLineInput
	Attributes     []value.Attribute
	// DraftOf asks as if the newest version of this rule, a draft, were published already; nil: rules are as they are.
	DraftOf *id.Rule
}

// PreviewPurchase answers what a purchase would earn if it were recorded now, by the code that would record it. Nothing moves.
// For support, admins, PurchasesWrite, PurchasesPreview, and members of themselves; marketers may ask of nobody in particular,
// and they and admins about drafts.
//
// Problems: UNKNOWN_MEMBER, UNKNOWN_RULE, NOT_A_DRAFT, INVALID_POINTS, and those of RecordPurchases about what a purchase says.
func (s *Service) PreviewPurchase(ctx context.Context, input PreviewPurchaseInput) (*rules.Evaluation, error) {
	caller, err := actor.Require(ctx, actor.Member, actor.Marketer, actor.Support, actor.Admin, actor.PurchasesWrite, actor.PurchasesPreview)
	if err != nil {
		return nil, err
	}
	var refs []MemberRef
	if input.Member != nil {
		refs = []MemberRef{*input.Member}
	}
	if err := s.MayGuess(caller, guesses(refs)); err != nil {
		return nil, err
	}
	var found []id.Member
	var evaluation rules.Evaluation
	err = s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		seen, err := s.sight(ctx, tx, caller)
		if err != nil {
			return err
		}
		if found, err = resolve(ctx, tx, refs); err != nil {
			return err
		}
		for i, member := range found {
			if !seen.of(member) {
				found[i] = id.Member{}
			}
		}
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		if input.DraftOf != nil {
			if book, err = drafted(ctx, tx, caller, book, *input.DraftOf); err != nil {
				return err
			}
		}
		if tx.Now.Before(book.begins()) {
			tx.Now = book.begins()
		}
		asked := input.fact(book, tx.Now)
		if input.Member != nil {
			asked.of(found[0])
		}
		if len(asked.problems) > 0 {
			return asked.problems
		}
		evaluation, err = preview(ctx, tx, book, asked)
		return err
	})
	s.guessed(caller, refs, found)
	return &evaluation, err
}

// fact is the purchase as it would be recorded.
func (i PreviewPurchaseInput) fact(book *rulebook, now time.Time) *fact {
	would := RecordPurchaseInput{
		Source: "preview", ExternalID: "preview", OccurredAt: now, Total: i.Total, PaidWithPoints: i.PaidWithPoints, Lines: i.Lines,
		Attributes: i.Attributes,
	}
	if i.Source != nil {
		would.Source = *i.Source
	}
	if i.OccurredAt != nil {
		would.OccurredAt = *i.OccurredAt
	}
	return newPurchase(would, book, now)
}

// drafted is the rulebook as if the newest version of the rule, a draft, had been published.
func drafted(ctx context.Context, tx *postgres.Tx, caller actor.Actor, book *rulebook, rule id.Rule) (*rulebook, error) {
	if !caller.Has(actor.Marketer, actor.Admin) {
		return nil, problem.At(problem.UnknownRule, []string{"draftOf"}, "There is no such rule.")
	}
	versions, err := selectVersions(ctx, tx, rule)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, problem.At(problem.UnknownRule, []string{"draftOf"}, "There is no such rule.")
	}
	newest := slices.MaxFunc(versions, func(a, b rules.Version) int { return a.Number - b.Number })
	if newest.PublishedAt != nil {
		return nil, problem.At(problem.NotADraft, []string{"draftOf"}, "Its newest version, %d, is published already.", newest.Number)
	}
	newest.PublishedAt, newest.EffectiveFrom = &time.Time{}, nil
	with := *book
	with.rules, err = loadRules(ctx, tx, book.zone, newest)
	return &with, err
}

// preview asks the rules about a fact that is not recorded. A zero member is nobody in particular.
func preview(ctx context.Context, tx *postgres.Tx, book *rulebook, asked *fact) (rules.Evaluation, error) {
	known, recordedAt, err := previewed(ctx, tx, book, asked)
	if err != nil {
		return rules.Evaluation{}, err
	}
	needed, number := recall(book.rules, asked.member, rules.Fact{Type: asked.kind, OccurredAt: asked.occurredAt, RecordedAt: recordedAt})
	var counted []ownType
	if number {
		counted = []ownType{{Member: asked.member, Type: asked.kind}}
	}
	memories, err := openMemories(ctx, tx, book.rules, needed, counted, false)
	if err != nil {
		return rules.Evaluation{}, err
	}
	evaluation, fits := book.rules.Evaluate(known, book.judged(asked, recordedAt, memories.number(asked.member, asked.kind)), memories.member(asked.member))
	if !fits {
		return rules.Evaluation{}, problem.At(problem.InvalidPoints, nil, "This would earn more points than can be counted.")
	}
	return evaluation, nil
}

// previewed is what rules would know of the member, and when the fact would be recorded.
func previewed(ctx context.Context, tx *postgres.Tx, book *rulebook, asked *fact) (rules.Member, time.Time, error) {
	if asked.member == (id.Member{}) {
		nobody := &Member{JoinedAt: tx.Now, Locale: book.DefaultLocale}
		return known(nobody, book.ladder.Base()), tx.Now, nil
	}
	accounts, err := ledger.AccountsTx(ctx, tx, []id.Member{asked.member})
	if err != nil {
		return rules.Member{}, time.Time{}, err
	}
	account := accounts[0]
	recordedAt := account.Next(tx.Now)
	book.distrust(accounts, func(account *ledger.Account) time.Time { return account.RecordedAt })
	var reviewed []move
	held, err := review(ctx, tx, book, accounts, func(id.Member) time.Time { return recordedAt }, func(made decision) {
		reviewed = append(reviewed, move{Member: made.member, At: made.at, Record: made.after.Record()})
	})
	if err != nil {
		return rules.Member{}, time.Time{}, err
	}
	tier := held[asked.member].Tier
	if asked.occurredAt.Before(held[asked.member].Since) {
		moves, err := selectMoves(ctx, tx, []id.Member{asked.member})
		if err != nil {
			return rules.Member{}, time.Time{}, err
		}
		tier = book.heldAt(append(moves, reviewed...), asked.occurredAt)
	}
	members, err := selectMembers(ctx, tx, []id.Member{asked.member})
	if err != nil {
		return rules.Member{}, time.Time{}, err
	}
	return known(&members[0], tier), recordedAt, nil
}
