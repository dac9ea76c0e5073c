package loyalty

import (
	"context"
	"fmt"
	"slices"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// record takes facts into the books in one transaction and answers each in order. prepare makes them once the rulebook
// is known and cannot change.
func (s *Service) record(ctx context.Context, inputs int, prepare func(context.Context, *postgres.Tx, *rulebook) ([]*fact, error)) ([]Recorded, error) {
	if inputs == 0 || inputs > MaximumBatch {
		return nil, problem.At(problem.TooManyPurchases, nil, "Send 1 to %d at once.", MaximumBatch)
	}
	var answers []Recorded
	err := s.db.InTx(ctx, func(tx *postgres.Tx) (err error) {
		answers, err = s.recordTx(ctx, tx, prepare)
		return err
	})
	return answers, err
}

func (s *Service) recordTx(ctx context.Context, tx *postgres.Tx, prepare func(context.Context, *postgres.Tx, *rulebook) ([]*fact, error)) ([]Recorded, error) {
	if err := program.Share(ctx, tx, s.db.Now); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, tx)
	if err != nil {
		return nil, err
	}
	facts, err := prepare(ctx, tx, book)
	if err != nil {
		return nil, err
	}
	if err := claimActivities(ctx, tx, facts); err != nil {
		return nil, fmt.Errorf("claim keys: %w", err)
	}
	if err := judge(ctx, tx, book, facts); err != nil {
		return nil, err
	}
	return answer(ctx, tx, book, facts)
}

// judge decides what the open facts earn and take back, one after the other, and writes it.
func judge(ctx context.Context, tx *postgres.Tx, book *rulebook, facts []*fact) error {
	open := slices.DeleteFunc(slices.Clone(facts), func(one *fact) bool { return !one.open() })
	if len(open) == 0 {
		return nil
	}
	court, err := openCourt(ctx, tx, book, open)
	if err != nil {
		return err
	}
	for _, one := range open {
		if one.returning != nil {
			court.takeBack(one)
		} else {
			court.award(one)
		}
	}
	return court.write(ctx, tx, open)
}

// court is everything that judging a slice of facts needs, loaded set by set.
type court struct {
	book      *rulebook
	batch     *ledger.Batch
	standings *standings
	members   map[id.Member]*Member
	// histories are the tiers of members as they were stored: all of them if something is told that happened before the
	// present one, else only that. What this slice adds is in standings.
	histories map[id.Member][]past
	purchases map[id.Activity]*purchase
}

func openCourt(ctx context.Context, tx *postgres.Tx, book *rulebook, open []*fact) (*court, error) {
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
	made := &court{book: book, members: make(map[id.Member]*Member, len(members)), histories: map[id.Member][]past{}}
	var err error
	if made.batch, err = ledger.Lock(ctx, tx, members); err != nil {
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

// loadHistories reads what tiers members held when facts happened that are told late.
func (c *court) loadHistories(ctx context.Context, tx *postgres.Tx, open []*fact) error {
	var late []id.Member
	for _, one := range open {
		account := c.batch.Account(one.member)
		c.histories[one.member] = []past{{Member: one.member, At: account.TierSince, To: account.TierID}}
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
		c.histories[member] = nil
	}
	for _, one := range moves {
		c.histories[one.Member] = append(c.histories[one.Member], one)
	}
	return nil
}

// tierAt is the tier that the member held when the fact happened; before it had any, the lowest.
func (c *court) tierAt(one *fact) tiers.Tier {
	if !one.occurredAt.Before(c.batch.Account(one.member).TierSince) {
		return c.standings.tier(one.member)
	}
	held := c.book.ladder.Base()
	hold := func(moved past) {
		if tier, ok := c.book.ladder.Tier(moved.To); ok && !moved.At.After(one.occurredAt) {
			held = tier
		}
	}
	for _, moved := range c.histories[one.member] {
		hold(moved)
	}
	for _, moved := range c.standings.moves {
		if moved.Member == one.member {
			hold(past{Member: moved.Member, At: moved.At, To: moved.To})
		}
	}
	return held
}

// award asks the rules about a purchase or an activity and posts what they grant.
func (c *court) award(one *fact) {
	member := c.members[one.member]
	judged := rules.Fact{
		Type: one.kind, Source: one.source, OccurredAt: one.occurredAt, RecordedAt: c.batch.Instant(one.member),
		Attributes: one.attributes.Map(),
	}
	if one.total != nil {
		judged.Total = &value.Money{Minor: *one.total, Currency: c.book.Currency}
		judged.Lines = ruleLines(one.lines)
	}
	evaluation, fits := c.book.rules.Evaluate(rules.Member{
		Tier: c.tierAt(one).Name, JoinedAt: member.JoinedAt, Locale: member.Locale, Attributes: member.Attributes.Map(),
	}, judged)
	if !fits || !c.batch.Fits(one.member, evaluation.Points) {
		one.problems.Add(problem.InvalidPoints, nil, "This would earn more points than can be counted.")
		return
	}
	c.enter(one)
	one.recorded.Evaluation = &evaluation
	activity := one.recorded.Activity
	for _, outcome := range evaluation.Outcomes {
		if outcome.Granted == 0 {
			continue
		}
		entry := c.batch.Credit(ledger.Entry{
			Member: one.member, Kind: ledger.Accrual, Points: outcome.Granted, OccurredAt: one.occurredAt,
			RecordedAt: activity.RecordedAt, ActivitySequence: &activity.Sequence, Rule: &outcome.Rule,
			RuleVersion: &outcome.Version, Basis: &outcome.Basis, Qualifying: outcome.Qualifying, QualifiesAt: one.occurredAt,
		})
		one.recorded.Entries = append(one.recorded.Entries, &entry)
		c.standings.count(one.member, entry.Qualifying, entry.QualifiesAt, entry.RecordedAt)
	}
}

func ruleLines(lines []purchaseLine) []rules.Line {
	seen := make([]rules.Line, len(lines))
	for i, line := range lines {
		seen[i] = rules.Line{SKU: line.SKU, Quantity: line.Quantity, Amount: line.Amount}
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
func (c *court) takeBack(one *fact) {
	sold := c.purchases[one.returning.purchase]
	worth, lines, problems := sold.take(one.returning)
	if len(problems) > 0 {
		one.problems = problems
		return
	}
	one.total = &worth
	c.enter(one)
	activity := one.recorded.Activity
	activity.PurchaseSequence = &sold.Sequence
	one.returning.came = lines
	for i := range sold.awards {
		award := &sold.awards[i]
		points, qualifying := award.owed(sold.returned)
		if points == 0 && qualifying == 0 {
			continue
		}
		entry := c.batch.Reverse(ledger.Entry{
			Member: one.member, Kind: ledger.Reversal, Points: -points, OccurredAt: one.occurredAt,
			RecordedAt: activity.RecordedAt, ActivitySequence: &activity.Sequence, ReversesSequence: &award.entry.Sequence,
			Rule: award.entry.Rule, RuleVersion: award.entry.RuleVersion, Qualifying: -qualifying, QualifiesAt: award.entry.QualifiesAt,
		})
		one.recorded.Entries = append(one.recorded.Entries, &entry)
		c.standings.count(one.member, entry.Qualifying, entry.QualifiesAt, entry.RecordedAt)
	}
}

// enter gives the fact its place among the member's rows.
func (c *court) enter(one *fact) {
	one.recorded.Activity = &Activity{
		Member: one.member, RecordedAt: c.batch.Next(one.member), Sequence: c.batch.Number(one.member), Type: one.kind,
		Source: one.source, ExternalID: one.externalID, OccurredAt: one.occurredAt, TotalMinor: one.total,
		Currency: c.book.Currency, Attributes: one.attributes,
	}
}

func (c *court) write(ctx context.Context, tx *postgres.Tx, open []*fact) error {
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
	if err := c.batch.Write(ctx); err != nil {
		return err
	}
	if err := insertMoves(ctx, tx, c.standings.moves); err != nil {
		return fmt.Errorf("write tier moves: %w", err)
	}
	if err := releaseActivityKeys(ctx, tx, refused); err != nil {
		return fmt.Errorf("release keys: %w", err)
	}
	return nil
}

// answer completes the answers; replays are read back as they were recorded.
func answer(ctx context.Context, tx *postgres.Tx, book *rulebook, facts []*fact) ([]Recorded, error) {
	var replayed []id.Activity
	for _, one := range facts {
		if one.first != nil && len(one.problems) == 0 {
			replayed = append(replayed, *one.first)
		}
	}
	slices.SortFunc(replayed, compareActivities)
	earlier, err := readBack(ctx, tx, book, slices.Compact(replayed))
	if err != nil {
		return nil, fmt.Errorf("read back what was recorded: %w", err)
	}
	answers := make([]Recorded, len(facts))
	for i, one := range facts {
		first := false
		answers[i] = one.recorded
		answers[i].MemberID, answers[i].Replayed = one.member, &first
		if one.twin != nil && len(one.problems) == 0 {
			// The twin stands before this one and has its answer.
			answers[i], one.problems = one.twin.recorded, one.twin.problems
			answers[i].MemberID = one.member
		}
		if one.first != nil {
			answers[i] = earlier[*one.first]
			answers[i].MemberID = one.member
		}
		if one.first != nil || one.twin != nil {
			again := true
			answers[i].Replayed = &again
		}
		if len(one.problems) > 0 {
			answers[i] = Recorded{UserErrors: one.problems}
		}
		if answers[i].Entries == nil {
			answers[i].Entries = []*ledger.Entry{}
		}
	}
	return answers, nil
}

// readBack reads facts as they were answered when they were recorded.
func readBack(ctx context.Context, tx *postgres.Tx, book *rulebook, wanted []id.Activity) (map[id.Activity]Recorded, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	activities, err := selectActivities(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	entries, err := ledger.EntriesOfActivitiesTx(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	evaluations, err := selectEvaluations(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	recorded := make(map[id.Activity]Recorded, len(wanted))
	for _, activity := range activities {
		activity.Currency = book.Currency
		recorded[activity.ID()] = Recorded{Activity: activity, Evaluation: evaluations[activity.ID()], MemberID: activity.Member}
	}
	for _, entry := range entries {
		caused := id.Activity{Member: entry.Member, Sequence: *entry.ActivitySequence}
		one := recorded[caused]
		one.Entries = append(one.Entries, entry)
		recorded[caused] = one
	}
	return recorded, nil
}
