package loyalty

import (
	"cmp"
	"context"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// judgedMember is what facts of a member are judged by. There are as many as members: it is kept small.
type judgedMember struct {
	// met tells that a fact of the member has come: known and history are there.
	met     bool
	known   rules.Member
	history []judgedTier
	// counters are those of windows that are open.
	counters []judgedCounter
	carried  map[rules.Step]int64
	numbers  map[string]int64
	// qualifying is how many more points would have qualified that count at the end.
	qualifying int64
}

// judgedTier is a tier that a member held from at on.
type judgedTier struct {
	sequence int64
	at       time.Time
	held     id.Tier
	ladder   int
}

// judgedCounter is a counter of that number, whose window starts on the day start, 20250106 for 6 January 2025.
type judgedCounter struct {
	number, start int32
	points, times int64
}

// hold makes the tier the one that is known.
func (m *judgedMember) hold(tier tiers.Tier) {
	if tier.ID == m.known.TierID && tier.Name == m.known.Tier && tier.Multiplier == m.known.Multiplier {
		return
	}
	attributes := m.known.Attributes
	m.known = known(&Member{JoinedAt: m.known.JoinedAt, BirthDate: m.known.BirthDate, Locale: m.known.Locale}, tier)
	m.known.Attributes = attributes
}

// recall makes what rules remember of the member what they are asked with.
func (j *Judging) recall(member *judgedMember) {
	clear(j.memory.Member)
	for _, one := range member.counters {
		counter := j.counters[one.number]
		counter.Start = value.Date{Year: int(one.start / 10000), Month: time.Month(one.start / 100 % 100), Day: int(one.start % 100)}
		j.memory.Member[counter] = rules.Usage{Points: one.points, Times: one.times}
	}
	if j.carries && member.carried == nil {
		member.carried = map[rules.Step]int64{}
	}
	j.memory.Carried = member.carried
}

// keep takes over what rules have remembered of the member at t, as far as it can be asked for again.
func (j *Judging) keep(member *judgedMember, t time.Time) {
	j.book.rules.Forget(j.memory, t)
	if needed := len(j.memory.Member); needed > cap(member.counters) {
		member.counters = make([]judgedCounter, 0, needed)
	}
	member.counters = member.counters[:0]
	for counter, usage := range j.memory.Member {
		member.count(j, counter, usage)
	}
}

func (m *judgedMember) count(j *Judging, counter rules.Counter, usage rules.Usage) {
	start := int32(counter.Start.Year*10000 + int(counter.Start.Month)*100 + counter.Start.Day)
	counter.Start = value.Date{}
	number, ok := j.numbers[counter]
	if !ok {
		number = int32(len(j.counters))
		j.numbers[counter], j.counters = number, append(j.counters, counter)
	}
	m.counters = append(m.counters, judgedCounter{number: number, start: start, points: usage.Points, times: usage.Times})
}

// seed loads what rules remember when the first fact is judged.
func (j *Judging) seed(ctx context.Context, versions []rules.Version) error {
	type span struct {
		rules.Span
		start time.Time
	}
	counters := map[span][]rules.Counter{}
	triggers := map[string]bool{}
	seen := map[id.Rule]bool{}
	for _, version := range versions {
		triggers[version.Trigger] = true
		if seen[version.Rule] {
			continue
		}
		seen[version.Rule] = true
		for _, counter := range j.book.rules.Counters(version.Rule, j.trial.From) {
			start := readable(time.Date(counter.Start.Year, counter.Start.Month, counter.Start.Day, 0, 0, 0, 0, j.book.zone))
			key := span{rules.Span{Scope: counter.Scope, Period: counter.Period}, start}
			counters[key] = append(counters[key], counter)
		}
	}
	for asked, of := range counters {
		if err := eachUsed(ctx, j.tx, of, asked.start, j.trial.From, func(one ownCounter) {
			counter := of[slices.IndexFunc(of, func(counter rules.Counter) bool { return counter.Rule == one.Rule })]
			if asked.Scope == rules.MemberScope {
				j.state(one.Member).count(j, counter, one.Usage)
				return
			}
			usage := j.memory.Program[counter]
			j.memory.Program[counter] = rules.Usage{Points: usage.Points + one.Points, Times: usage.Times + one.Times}
		}); err != nil {
			return err
		}
	}
	if !j.readsNumber {
		return nil
	}
	return eachCountBefore(ctx, j.tx, triggers, j.trial.From, func(one ownType) { j.state(one.Member).numbers[one.Type] = one.Number })
}

// readable is t, or the beginning of the year 1 if it lies before that, which PostgreSQL reads differently and where nothing is.
func readable(t time.Time) time.Time {
	if t.Before(time.Time{}) {
		return time.Time{}
	}
	return t
}

func (j *Judging) state(member id.Member) *judgedMember {
	state, ok := j.members[member]
	if !ok {
		state = &judgedMember{}
		if j.readsNumber {
			state.numbers = map[string]int64{}
		}
		j.members[member] = state
	}
	return state
}

// meet loads those of the facts' members of whom none has come before.
func (j *Judging) meet(ctx context.Context, facts []pastFact) error {
	var strangers []id.Member
	for _, one := range facts {
		if state := j.state(one.Member); !state.met {
			state.met = true
			strangers = append(strangers, one.Member)
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	rows, err := selectMembers(ctx, j.tx, strangers)
	if err != nil {
		return err
	}
	for i := range rows {
		state := j.members[rows[i].ID]
		state.known = known(&rows[i], j.book.ladder.Base())
		if !j.readsMember {
			state.known.Attributes = nil
		}
	}
	moves, err := selectMoves(ctx, j.tx, strangers)
	for _, one := range moves {
		state := j.members[one.Member]
		state.history = append(state.history, judgedTier{sequence: one.Sequence, at: one.At, held: one.Held, ladder: one.LadderVersion})
	}
	return err
}

// TierMoves says where members would have stood at the end of the trial that stood elsewhere. Of the points that count then,
// those that facts of the trial really gave are exchanged for those that they would have given: more of them may reach a higher
// tier; fewer lose one that stands on them, and no other one. Where points that were returned count in neither.
func (j *Judging) TierMoves(ctx context.Context) ([]TierMove, error) {
	var changed []id.Member
	for member, state := range j.members {
		if state.qualifying != 0 {
			changed = append(changed, member)
		}
	}
	slices.SortFunc(changed, id.Compare)
	made := []TierMove{}
	for chunk := range slices.Chunk(changed, factsAtOnce) {
		if err := j.exchange(ctx, chunk, func(member id.Member, from, to tiers.Tier) {
			i := slices.IndexFunc(made, func(one TierMove) bool { return one.From == from.Name && one.To == to.Name })
			if i < 0 {
				made, i = append(made, TierMove{From: from.Name, To: to.Name}), len(made)
			}
			if made[i].Members++; len(made[i].SampleIDs) < sampled {
				made[i].SampleIDs = append(made[i].SampleIDs, member)
			}
		}); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(made, func(a, b TierMove) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return made, nil
}

// standing makes accounts of members as they were at the end of the trial.
func (j *Judging) standing(ctx context.Context, members []id.Member) ([]*ledger.Account, error) {
	accounts := make([]*ledger.Account, len(members))
	byMember := make(map[id.Member]*ledger.Account, len(members))
	for i, member := range members {
		joined := j.members[member].known.JoinedAt
		// What is cached is of later.
		accounts[i] = &ledger.Account{Member: member, JoinedAt: joined, QualifyingUntil: &time.Time{}}
		accounts[i].SetStanding(tiers.Enroll(j.book.ladder, joined).Record(), joined, nil)
		byMember[member] = accounts[i]
	}
	moves, err := selectMoves(ctx, j.tx, members)
	for _, moved := range moves {
		if moved.At.Before(j.trial.To) {
			byMember[moved.Member].SetStanding(moved.Record, moved.At, nil)
		}
	}
	return accounts, err
}

func (j *Judging) exchange(ctx context.Context, members []id.Member, moved func(member id.Member, from, to tiers.Tier)) error {
	accounts, err := j.standing(ctx, members)
	if err != nil {
		return err
	}
	held, err := review(ctx, j.tx, j.book, accounts, func(id.Member) time.Time { return j.trial.To }, nil)
	if err != nil {
		return err
	}
	policy := j.book.status.Policy()
	qualifying, err := countQualifyingUntil(ctx, j.tx, accounts, func(joined time.Time) time.Time { return policy.CountsAfter(j.trial.To, joined) }, j.trial.To)
	if err != nil {
		return err
	}
	ladder := j.book.ladder
	for _, account := range accounts {
		points := qualifying[account.Member]
		standing := held[account.Member]
		from, reached, would := standing.Tier, ladder.For(points), ladder.For(max(points+j.members[account.Member].qualifying, 0))
		if standing.Floor != nil && standing.Floor.Tier.Rank > would.Rank {
			would = standing.Floor.Tier
		}
		rises := would.Rank > from.Rank && would.Rank > reached.Rank
		falls := would.Rank < from.Rank && reached.Rank >= from.Rank
		if rises || falls {
			moved(account.Member, from, would)
		}
	}
	return nil
}
