package loyalty

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// Trial says what is judged again: all facts but returns that occurred in [From, To), by the published rules as they are, but
// without Replaces and with Draft; either may be nil.
type Trial struct {
	From, To time.Time
	// Draft serves as if it had been published before everything, whatever its schedule says of when it starts and ends.
	Draft    *rules.Version
	Replaces *id.Rule
}

// TrialTx checks what is to be tried. Draft gets an id of its own and is not stored.
//
// Problems: those of CreateEarningRule, with paths below rule, UNKNOWN_RULE, NOT_PUBLISHED and INVALID_PERIOD.
func (s *Service) TrialTx(ctx context.Context, tx *postgres.Tx, rule *EarningRuleInput, replaces *id.Rule, from, to time.Time) (Trial, error) {
	// There is nothing before the year 1.
	instant := func(t time.Time) time.Time { return readable(t.UTC().Truncate(time.Microsecond)) }
	trial := Trial{From: instant(from), To: instant(to), Replaces: replaces}
	book, err := s.rulebook(ctx, tx)
	if err != nil {
		return trial, err
	}
	var problems problem.Problems
	if rule != nil {
		version, err := rule.version(book, []string{"rule"})
		wrong, ok := problem.UserErrors(err)
		if err != nil && !ok {
			return trial, err
		}
		problems = append(problems, wrong...)
		version.Rule, version.Number = id.New[id.Rule](), 1
		trial.Draft = &version
	}
	if replaces != nil {
		versions, err := selectVersions(ctx, tx, *replaces)
		if err != nil {
			return trial, err
		}
		if len(versions) == 0 {
			problems.Add(problem.UnknownRule, []string{"replacesRuleId"}, "There is no such rule.")
		} else if !slices.ContainsFunc(versions, func(one rules.Version) bool { return one.PublishedAt != nil }) {
			problems.Add(problem.NotPublished, []string{"replacesRuleId"}, "The rule has never been published.")
		}
	}
	if !trial.From.Before(trial.To) {
		problems.Add(problem.InvalidPeriod, []string{"to"}, "The period ends after it begins.")
	} else if trial.To.After(tx.Now) {
		problems.Add(problem.InvalidPeriod, []string{"to"}, "Only what has been can be tried: the period ends now at the latest.")
	}
	return trial, problems.Err()
}

// Rejudged is a fact with the points that it earned when it was recorded, those that it would have earned, and how many of these
// the draft alone would have given.
type Rejudged struct {
	Member     id.Member
	OccurredAt time.Time
	Actual     int64
	Would      int64
	Draft      int64
	// Undecided tells that the draft's condition could not be decided.
	Undecided bool
}

// Judging judges recorded facts again, by the code that judged them first, and writes nothing. What it keeps grows with members,
// not with facts. It is for one goroutine, and lives as long as its transaction.
type Judging struct {
	tx    *postgres.Tx
	book  *rulebook
	trial Trial
	total int64

	readsLines, readsAttributes, readsMember, readsNumber, carries bool

	members map[id.Member]*judgedMember
	// memory is what rules remember of the member whose fact is judged, history its tiers; the memory's Program is kept throughout.
	memory  rules.Memory
	history []move
	// counters are the kinds of counters that members have, numbers which is which.
	counters []rules.Counter
	numbers  map[rules.Counter]int32
}

// JudgeTx begins a trial in a snapshot, whose facts Next returns.
//
// Rules remember what they had awarded before trial.From, less what had been taken back by then, except for the draft, which is
// new, and for amounts that were carried over. The tiers of members are those that were held when facts occurred; all else that
// is known of members is as it is now.
func (s *Service) JudgeTx(ctx context.Context, tx *postgres.Tx, trial Trial) (*Judging, error) {
	book, err := s.rulebook(ctx, tx)
	if err != nil {
		return nil, err
	}
	j := &Judging{
		tx: tx, trial: trial, members: map[id.Member]*judgedMember{}, numbers: map[rules.Counter]int32{},
		memory: rules.Memory{Member: map[rules.Counter]rules.Usage{}, Program: map[rules.Counter]rules.Usage{}},
	}
	versions, err := selectPublished(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	if trial.Replaces != nil {
		versions = slices.DeleteFunc(versions, func(one rules.Version) bool { return one.Rule == *trial.Replaces })
	}
	if trial.Draft != nil {
		draft := *trial.Draft
		draft.PublishedAt, draft.EffectiveFrom, draft.StartsAt, draft.EndsAt = &time.Time{}, nil, nil, nil
		versions = append(versions, draft)
	}
	lives, err := selectLives(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("load pauses of rules: %w", err)
	}
	set, err := rules.NewSet(versions, lives, book.zone)
	if err != nil {
		return nil, fmt.Errorf("compile rules: %w", err)
	}
	with := *book
	with.rules, j.book = set.WithLeapDay(book.Care.LeapsToMarch()), &with
	j.readsLines, j.readsNumber = set.ReadsLines(), set.Reads("activity.number")
	j.readsAttributes, j.readsMember = set.Reads("activity.attributes"), set.Reads("member.attributes")
	j.carries = slices.ContainsFunc(versions, func(one rules.Version) bool { return len(set.Steps(one.Rule)) > 0 })
	if err := j.seed(ctx, versions); err != nil {
		return nil, fmt.Errorf("load what rules remembered: %w", err)
	}
	if j.total, err = declareFacts(ctx, tx, trial.From, trial.To, j.readsAttributes); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return j, nil
}

// Total is how many facts there are.
func (j *Judging) Total() int64 { return j.total }

// Program is the program's settings.
func (j *Judging) Program() program.Program { return j.book.Program }

// Next judges the next facts, in the order in which they occurred, of those in the order in which they were recorded; none: there
// are no more. It fails with INVALID_POINTS where a fact would earn more than can be counted.
func (j *Judging) Next(ctx context.Context) ([]Rejudged, error) {
	facts, err := fetchFacts(ctx, j.tx)
	if err != nil || len(facts) == 0 {
		return nil, err
	}
	if err := j.meet(ctx, facts); err != nil {
		return nil, err
	}
	lines := map[id.Activity][]purchaseLine{}
	if j.readsLines {
		if lines, err = selectLinesOf(ctx, j.tx, facts); err != nil {
			return nil, err
		}
	}
	policy := j.book.status.Policy()
	judged := make([]Rejudged, len(facts))
	for i := range facts {
		one := &facts[i]
		evaluation, err := j.judge(one, lines[one.ID()])
		if err != nil {
			return nil, err
		}
		judged[i] = Rejudged{Member: one.Member, OccurredAt: one.OccurredAt, Actual: one.Points, Would: evaluation.Points}
		for _, outcome := range evaluation.Outcomes {
			if j.trial.Draft != nil && outcome.Tier == nil && outcome.Rule == j.trial.Draft.Rule {
				judged[i].Draft += outcome.Granted
				judged[i].Undecided = outcome.Reason == rules.ConditionFailed
			}
		}
		member, more := j.members[one.Member], evaluation.Qualifying-one.Qualifying
		if more != 0 && one.OccurredAt.After(policy.CountsAfter(j.trial.To, member.known.JoinedAt)) {
			member.qualifying += more
		}
	}
	return judged, nil
}

// judge asks the rules about a fact, and remembers what they say.
func (j *Judging) judge(one *pastFact, lines []purchaseLine) (rules.Evaluation, error) {
	member := j.members[one.Member]
	told := &fact{
		kind: one.Type, source: one.Source, externalID: one.ExternalID, occurredAt: one.OccurredAt, member: one.Member,
		total: one.TotalMinor, paid: one.PaidMinor, attributes: one.Attributes, lines: lines,
	}
	judged := j.book.judged(told, one.RecordedAt, member.numbers[one.Type]+1)
	member.hold(j.tierAt(member, one))
	j.recall(member)
	evaluation, fits := j.book.rules.Evaluate(member.known, judged, j.memory)
	if !fits {
		return evaluation, problem.At(problem.InvalidPoints, nil, "The fact %s would earn more points than can be counted.", one.ID())
	}
	j.book.rules.Remember(judged, evaluation, j.memory)
	if evaluation.Points > 0 {
		j.keep(member, one.OccurredAt)
	}
	if j.readsNumber {
		member.numbers[one.Type]++
	}
	return evaluation, nil
}

// tierAt is the tier that the member held when the fact happened, as far as that was known when the fact was recorded.
func (j *Judging) tierAt(member *judgedMember, one *pastFact) tiers.Tier {
	j.history = j.history[:0]
	for _, moved := range member.history {
		if moved.sequence < one.Sequence {
			j.history = append(j.history, move{At: moved.at, Record: tiers.Record{Held: moved.held, LadderVersion: moved.ladder}})
		}
	}
	return j.book.heldAt(j.history, one.OccurredAt)
}
