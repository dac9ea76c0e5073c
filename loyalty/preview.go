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
	// Member is nil for somebody who is no member yet: one of the lowest tier who joins now, or Somebody.
	Member   *MemberRef
	Somebody *Somebody
	// Source is where it would come from; nil: "preview".
	Source *string
	// OccurredAt is when it would happen, which may be yet to come; nil: now.
	OccurredAt     *time.Time
	Total          value.MoneyInput
	PaidWithPoints *value.MoneyInput
	Lines          []PurchaseLineInput
	Attributes     []value.Attribute
	// DraftOf asks as if the newest version of this rule, a draft, were published already, whatever its schedule says of when it
	// starts and ends; its limits have counted nothing yet. nil: rules are as they are.
	DraftOf *id.Rule
}

// Somebody is a member that there might be; what is nil is as of one who joins now.
type Somebody struct {
	TierID     *id.Tier
	BirthDate  *value.Date
	Attributes []value.Attribute
	// Purchases is how many it has made before.
	Purchases int
}

// PreviewPurchase answers what a purchase would earn if it were recorded now, by the code that would record it. Nothing moves.
// For support, admins, PurchasesWrite, PurchasesPreview, and members of themselves; marketers may ask of nobody in particular,
// and they and admins about drafts.
//
// Problems: UNKNOWN_MEMBER, UNKNOWN_RULE, NOT_A_DRAFT, INVALID_TIERS, INVALID_POINTS, and those of RecordPurchases about what a
// purchase says.
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
		somebody := input.somebody(book, &asked.problems, tx.Now)
		if len(asked.problems) > 0 {
			return asked.problems
		}
		evaluation, err = preview(ctx, tx, book, asked, somebody)
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
	// What is yet to come may be asked about.
	if would.OccurredAt.After(now) {
		now = would.OccurredAt
	}
	return newPurchase(would, book, now)
}

// somebody is what rules would know of a member that there might be, and how many purchases it has made.
func (i PreviewPurchaseInput) somebody(book *rulebook, problems *problem.Problems, now time.Time) supposed {
	said := Somebody{}
	if i.Somebody != nil {
		said = *i.Somebody
		if i.Member != nil {
			problems.Add(problem.UnknownMember, []string{"somebody"}, "Ask about a member or about somebody, not both.")
		}
	}
	held := book.ladder.Base()
	if said.TierID != nil {
		named, ok := book.ladder.Tier(*said.TierID)
		if held = named; !ok {
			problems.Add(problem.InvalidTiers, []string{"somebody", "tierId"}, "There is no such tier.")
		}
	}
	if said.Purchases < 0 {
		problems.Add(problem.InvalidAmount, []string{"somebody", "purchases"}, "Nobody has made less than no purchase.")
	}
	member := &Member{
		JoinedAt: now, Locale: book.DefaultLocale, BirthDate: said.BirthDate,
		Attributes: normalizeAttributes(problems, []string{"somebody", "attributes"}, said.Attributes),
	}
	return supposed{member: known(member, held), purchases: int64(said.Purchases)}
}

// supposed is a member that there might be, with how many purchases it has made.
type supposed struct {
	member    rules.Member
	purchases int64
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
	newest.PublishedAt, newest.EffectiveFrom, newest.StartsAt, newest.EndsAt = &time.Time{}, nil, nil, nil
	with := *book
	with.rules, err = loadRules(ctx, tx, book.Program, book.zone, newest)
	return &with, err
}

// preview asks the rules about a fact that is not recorded. A zero member is somebody.
func preview(ctx context.Context, tx *postgres.Tx, book *rulebook, asked *fact, somebody supposed) (rules.Evaluation, error) {
	known, recordedAt := somebody.member, tx.Now
	if asked.member != (id.Member{}) {
		var err error
		if known, recordedAt, err = previewed(ctx, tx, book, asked); err != nil {
			return rules.Evaluation{}, err
		}
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
	judged := book.judged(asked, recordedAt, memories.number(asked.member, asked.kind)+somebody.purchases)
	evaluation, fits := book.rules.Evaluate(known, judged, memories.member(asked.member))
	if !fits {
		return rules.Evaluation{}, problem.At(problem.InvalidPoints, nil, "This would earn more points than can be counted.")
	}
	return evaluation, nil
}

// previewed is what rules would know of the member, and when the fact would be recorded.
func previewed(ctx context.Context, tx *postgres.Tx, book *rulebook, asked *fact) (rules.Member, time.Time, error) {
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
