package loyalty

import (
	"context"
	"fmt"
	"slices"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// decide decides what the open facts earn and take back, one after the other, and writes it.
func decide(ctx context.Context, tx *postgres.Tx, book *rulebook, facts []*fact) error {
	open := slices.DeleteFunc(slices.Clone(facts), func(one *fact) bool { return !one.open() })
	if len(open) == 0 {
		return nil
	}
	made, err := openDecisions(ctx, tx, book, open)
	if err != nil {
		return err
	}
	for _, one := range open {
		if one.returning != nil {
			made.takeBack(one)
		} else {
			made.award(one)
		}
	}
	return made.write(ctx, tx, open)
}

// decisions is what deciding about a slice of facts needs, loaded set by set, and what was decided.
type decisions struct {
	book      *rulebook
	batch     *ledger.Batch
	standings *standings
	members   map[id.Member]*Member
	// histories are the tiers of members as they were stored: all of them if something is told that happened before the
	// present one, else only that. What this slice adds is in standings.
	histories map[id.Member][]move
	purchases map[id.Activity]*purchase
}

func openDecisions(ctx context.Context, tx *postgres.Tx, book *rulebook, open []*fact) (*decisions, error) {
	members := make([]id.Member, 0, len(open))
	var returning []id.Member
	var returned []id.Activity
	for _, one := range open {
		members = append(members, one.member)
		if one.returning != nil {
			returning = append(returning, one.member)
			returned = append(returned, one.returning.purchase)
		}
	}
	slices.SortFunc(members, id.Compare)
	members = slices.Compact(members)
	made := &decisions{book: book, members: make(map[id.Member]*Member, len(members)), histories: map[id.Member][]move{}}
	var err error
	if made.batch, err = ledger.Lock(ctx, tx, book.terms, members); err != nil {
		return nil, err
	}
	if made.standings, err = openStandings(ctx, tx, book, made.batch, members); err != nil {
		return nil, err
	}
	if err := made.batch.Load(ctx, returning); err != nil {
		return nil, err
	}
	if made.purchases, err = loadPurchases(ctx, tx, returned); err != nil {
		return nil, fmt.Errorf("load purchases: %w", err)
	}
	if err := made.batch.LoadLapsed(ctx, awarded(made.purchases)); err != nil {
		return nil, err
	}
	rows, err := selectMembers(ctx, tx, members)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		made.members[rows[i].ID] = &rows[i]
	}
	if err := made.loadHistories(ctx, tx, open); err != nil {
		return nil, err
	}
	return made, nil
}

// awarded are the entries that purchases led to.
func awarded(purchases map[id.Activity]*purchase) []*ledger.Entry {
	var entries []*ledger.Entry
	for _, one := range purchases {
		for _, award := range one.awards {
			entries = append(entries, award.entry)
		}
	}
	return entries
}

// loadHistories reads what tiers members held when facts happened that are told late.
func (d *decisions) loadHistories(ctx context.Context, tx *postgres.Tx, open []*fact) error {
	var late []id.Member
	for _, one := range open {
		account := d.batch.Account(one.member)
		d.histories[one.member] = []move{{Member: one.member, At: account.TierSince, Record: account.Standing()}}
		if one.returning == nil && one.occurredAt.Before(account.TierSince) {
			late = append(late, one.member)
		}
	}
	if len(late) == 0 {
		return nil
	}
	moves, err := selectMoves(ctx, tx, late)
	if err != nil {
		return fmt.Errorf("load tier histories: %w", err)
	}
	for _, member := range late {
		d.histories[member] = nil
	}
	for _, one := range moves {
		d.histories[one.Member] = append(d.histories[one.Member], one)
	}
	return nil
}

// tierAt is the tier that the member held when the fact happened; before it had any, the lowest.
func (d *decisions) tierAt(one *fact) tiers.Tier {
	if !one.occurredAt.Before(d.batch.Account(one.member).TierSince) {
		return d.standings.tier(one.member)
	}
	held := d.book.ladder.Base()
	hold := func(moved move) {
		if tier, ok := d.book.status.Tier(moved.LadderVersion, moved.Held); ok && !moved.At.After(one.occurredAt) {
			held = tier
		}
	}
	for _, moved := range d.histories[one.member] {
		hold(moved)
	}
	for _, moved := range d.standings.moves {
		if moved.Member == one.member {
			hold(moved)
		}
	}
	return held
}

// award asks the rules about a purchase or an activity and posts what they grant.
func (d *decisions) award(one *fact) {
	member := d.members[one.member]
	judged := rules.Fact{
		Type: one.kind, Source: one.source, OccurredAt: one.occurredAt, RecordedAt: d.batch.Instant(one.member),
		Attributes: one.attributes.Map(),
	}
	if one.total != nil {
		judged.Total = &value.Money{Minor: *one.total, Currency: d.book.Currency}
		judged.Lines = ruleLines(one.lines)
	}
	if one.paid != nil {
		judged.Paid = *one.paid
	}
	evaluation, fits := d.book.rules.Evaluate(rules.Member{
		Tier: d.tierAt(one).Name, JoinedAt: member.JoinedAt, Locale: member.Locale, Attributes: member.Attributes.Map(),
	}, judged)
	if !fits || !d.batch.Fits(one.member, evaluation.Points) {
		one.problems.Add(problem.InvalidPoints, nil, "This would earn more points than can be counted.")
		return
	}
	d.enter(one)
	one.recorded.Evaluation = &evaluation
	activity := one.recorded.Activity
	for _, outcome := range evaluation.Outcomes {
		if outcome.Granted == 0 {
			continue
		}
		available, expires := d.book.matures(outcome.Rule, outcome.Version, one.occurredAt, activity.RecordedAt)
		entry := d.batch.Credit(ledger.Entry{
			Member: one.member, Kind: ledger.Accrual, Points: outcome.Granted, OccurredAt: one.occurredAt,
			RecordedAt: activity.RecordedAt, ActivitySequence: &activity.Sequence, Rule: &outcome.Rule,
			RuleVersion: &outcome.Version, Basis: &outcome.Basis, Qualifying: outcome.Qualifying, QualifiesAt: one.occurredAt,
			AvailableAt: available, ExpiresAt: expires,
		})
		one.recorded.Entries = append(one.recorded.Entries, &entry)
		d.standings.count(one.member, entry.Qualifying, entry.QualifiesAt, entry.RecordedAt)
	}
}

func ruleLines(lines []purchaseLine) []rules.Line {
	seen := make([]rules.Line, len(lines))
	for i, line := range lines {
		seen[i] = rules.Line{SKU: line.SKU, Quantity: line.Quantity, Amount: line.Amount}
		if line.Discount != nil {
			seen[i].Discount = *line.Discount
		}
		if line.Category != nil {
			seen[i].Category = *line.Category
		}
		if line.Brand != nil {
			seen[i].Brand = *line.Brand
		}
	}
	return seen
}

// takeBack works out what a return brings back and reverses its share of what the purchase earned.
func (d *decisions) takeBack(one *fact) {
	sold := d.purchases[one.returning.purchase]
	worth, lines, problems := sold.take(one.returning)
	if len(problems) > 0 {
		one.problems = problems
		return
	}
	one.total = &worth
	d.enter(one)
	activity := one.recorded.Activity
	activity.PurchaseSequence = &sold.Sequence
	one.returning.came = lines
	for i := range sold.awards {
		award := &sold.awards[i]
		points, qualifying := award.owed(sold.returned)
		if points == 0 && qualifying == 0 {
			continue
		}
		entry := d.batch.Reverse(ledger.Entry{
			Member: one.member, Kind: ledger.Reversal, OccurredAt: one.occurredAt,
			RecordedAt: activity.RecordedAt, ActivitySequence: &activity.Sequence, ReversesSequence: &award.entry.Sequence,
			Rule: award.entry.Rule, RuleVersion: award.entry.RuleVersion, Qualifying: -qualifying, QualifiesAt: award.entry.QualifiesAt,
		}, points)
		one.recorded.Entries = append(one.recorded.Entries, &entry)
		d.standings.count(one.member, entry.Qualifying, entry.QualifiesAt, entry.RecordedAt)
	}
}

// enter gives the fact its place among the member's rows.
func (d *decisions) enter(one *fact) {
	one.recorded.Activity = &Activity{
		Member: one.member, RecordedAt: d.batch.Next(one.member), Sequence: d.batch.Number(one.member), Type: one.kind,
		Source: one.source, ExternalID: one.externalID, OccurredAt: one.occurredAt, TotalMinor: one.total,
		PaidMinor: one.paid, Currency: d.book.Currency, Attributes: one.attributes,
	}
	d.batch.Hear(one.member, one.occurredAt)
}

func (d *decisions) write(ctx context.Context, tx *postgres.Tx, open []*fact) error {
	var entered, refused []*fact
	for _, one := range open {
		if len(one.problems) > 0 {
			refused = append(refused, one)
		} else {
			entered = append(entered, one)
		}
	}
	if err := insertFacts(ctx, tx, entered); err != nil {
		return fmt.Errorf("write facts: %w", err)
	}
	if err := d.batch.Write(ctx); err != nil {
		return err
	}
	if err := insertMoves(ctx, tx, d.standings.moves); err != nil {
		return fmt.Errorf("write tier moves: %w", err)
	}
	if err := releaseActivityKeys(ctx, tx, refused); err != nil {
		return fmt.Errorf("release keys: %w", err)
	}
	return nil
}
