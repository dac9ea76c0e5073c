package loyalty

import (
	"context"
	"fmt"
	"slices"
	"time"

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
	// carrying are the latest awards of rules that carry over, newest first, as far as returns may take them back.
	carrying map[ownStep][]*award
	memories *memories
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
	if made.carrying, err = loadCarrying(ctx, tx, book, made.purchases); err != nil {
		return nil, fmt.Errorf("load awards that were carried over: %w", err)
	}
	if err := made.batch.LoadLapsed(ctx, made.awarded()); err != nil {
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
	err = made.recall(ctx, tx, open)
	return made, err
}

// recall loads what rules remember that facts are judged by or change. It locks what all members share, and comes last.
func (d *decisions) recall(ctx context.Context, tx *postgres.Tx, open []*fact) error {
	var needed []recalled
	var counted []ownType
	for _, one := range open {
		if one.returning != nil {
			continue
		}
		judged := rules.Fact{Type: one.kind, OccurredAt: one.occurredAt, RecordedAt: d.batch.Instant(one.member)}
		asked, number := recall(d.book.rules, one.member, judged)
		needed = append(needed, asked...)
		if number {
			counted = append(counted, ownType{Member: one.member, Type: one.kind})
		}
	}
	needed = append(needed, recallAwards(d.awarded())...)
	for _, sold := range d.purchases {
		for _, one := range sold.awards {
			if one.outcome.Remainder != nil {
				needed = append(needed, recalled{member: sold.Member, rule: one.outcome.Rule, at: sold.OccurredAt})
			}
		}
	}
	var err error
	d.memories, err = openMemories(ctx, tx, d.book.rules, needed, counted, true)
	return err
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

// tierAt is the tier that the member held when the fact happened.
func (d *decisions) tierAt(one *fact) tiers.Tier {
	since := d.batch.Account(one.member).TierSince
	if !one.occurredAt.Before(since) {
		return d.standings.tier(one.member)
	}
	history := slices.Clone(d.histories[one.member])
	for _, moved := range d.standings.moves {
		if moved.Member == one.member {
			history = append(history, moved)
		}
	}
	return d.book.heldAt(history, one.occurredAt)
}

// heldAt is the tier of a history that was held at t; before it had any, the lowest.
func (b *rulebook) heldAt(history []move, t time.Time) tiers.Tier {
	held := b.ladder.Base()
	for _, moved := range history {
		if tier, ok := b.status.Tier(moved.LadderVersion, moved.Held); ok && !moved.At.After(t) {
			held = tier
		}
	}
	return held
}

// award asks the rules about a purchase or an activity and posts what they grant.
func (d *decisions) award(one *fact) {
	judged := d.book.judged(one, d.batch.Instant(one.member), d.memories.number(one.member, one.kind))
	memory := d.memories.member(one.member)
	evaluation, fits := d.book.rules.Evaluate(known(d.members[one.member], d.tierAt(one)), judged, memory)
	if !fits || !d.batch.Fits(one.member, evaluation.Points) {
		one.problems.Add(problem.InvalidPoints, nil, "This would earn more points than can be counted.")
		return
	}
	d.enter(one)
	d.memories.hear(one.member, one.kind)
	d.book.rules.Remember(judged, evaluation, memory)
	one.recorded.Evaluation = &evaluation
	activity := one.recorded.Activity
	for _, outcome := range evaluation.Outcomes {
		if outcome.Granted == 0 {
			continue
		}
		available, expires := d.book.matures(outcome, one.occurredAt, activity.RecordedAt)
		made := ledger.Entry{
			Member: one.member, Kind: ledger.Accrual, Points: outcome.Granted, OccurredAt: one.occurredAt,
			RecordedAt: activity.RecordedAt, ActivitySequence: &activity.Sequence, Basis: &outcome.Basis,
			Qualifying: outcome.Qualifying, QualifiesAt: one.occurredAt, AvailableAt: available, ExpiresAt: expires,
		}
		if outcome.Tier == nil {
			made.Rule, made.RuleVersion = &outcome.Rule, &outcome.Version
		}
		entry := d.batch.Credit(made)
		one.recorded.Entries = append(one.recorded.Entries, &entry)
		d.standings.count(one.member, entry.Qualifying, entry.QualifiesAt, entry.RecordedAt)
	}
}

// known is what rules may know of a member who held a tier.
func known(member *Member, held tiers.Tier) rules.Member {
	return rules.Member{
		Tier: held.Name, TierID: held.ID, Multiplier: held.Multiplier, BirthDate: member.BirthDate, JoinedAt: member.JoinedAt, Locale: member.Locale,
		Attributes: member.Attributes.Map(),
	}
}

// judged is a fact as rules see it, recorded at that instant, number among those of its type.
func (b *rulebook) judged(one *fact, recordedAt time.Time, number int64) rules.Fact {
	judged := rules.Fact{
		Type: one.kind, Source: one.source, OccurredAt: one.occurredAt, RecordedAt: recordedAt,
		Number: number, Attributes: one.attributes.Map(),
	}
	if one.total != nil {
		judged.Total = &value.Money{Minor: *one.total, Currency: b.Currency}
		judged.Lines = ruleLines(one.lines)
	}
	if one.paid != nil {
		judged.Paid = *one.paid
	}
	return judged
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
	if err := d.memories.write(ctx, tx); err != nil {
		return err
	}
	if err := upsertAbsorptions(ctx, tx, d.absorbed()); err != nil {
		return fmt.Errorf("write what returns have cost: %w", err)
	}
	if err := insertMoves(ctx, tx, d.standings.moves); err != nil {
		return fmt.Errorf("write tier moves: %w", err)
	}
	if err := d.tellReferrals(ctx, tx, entered); err != nil {
		return err
	}
	if err := releaseActivityKeys(ctx, tx, refused); err != nil {
		return fmt.Errorf("release keys: %w", err)
	}
	return nil
}
