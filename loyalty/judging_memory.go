package loyalty

import (
	"cmp"
	"context"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

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
		windows := 0
		for _, counter := range j.book.rules.Counters(version.Rule, j.trial.From) {
			start := readable(time.Date(counter.Start.Year, counter.Start.Month, counter.Start.Day, 0, 0, 0, 0, j.book.zone))
			key := span{rules.Span{Scope: counter.Scope, Period: counter.Period}, start}
			counters[key] = append(counters[key], counter)
			if counter.Scope == rules.MemberScope {
				windows++
			}
		}
		j.windows += windows
	}
	for asked, of := range counters {
		used, err := selectUsed(ctx, j.tx, of, asked.start, j.trial.From)
		if err != nil {
			return err
		}
		for _, one := range used {
			counter := of[slices.IndexFunc(of, func(counter rules.Counter) bool { return counter.Rule == one.Rule })]
			if asked.Scope == rules.MemberScope {
				j.state(one.Member).memory.Member[counter] = one.Usage
			} else {
				usage := j.program[counter]
				j.program[counter] = rules.Usage{Points: usage.Points + one.Points, Times: usage.Times + one.Times}
			}
		}
	}
	if !j.readsNumber {
		return nil
	}
	earlier, err := countFactsBefore(ctx, j.tx, triggers, j.trial.From)
	for _, one := range earlier {
		j.state(one.Member).numbers[one.Type] = one.Number
	}
	return err
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
		state = &judgedMember{
			memory:  rules.Memory{Member: map[rules.Counter]rules.Usage{}, Program: j.program, Carried: map[id.Rule]int64{}},
			numbers: map[string]int64{},
		}
		j.members[member] = state
	}
	return state
}

// meet loads those of the facts' members of whom none has come before.
func (j *Judging) meet(ctx context.Context, facts []pastFact) error {
	var strangers []id.Member
	for _, one := range facts {
		if state := j.state(one.Member); state.member == nil {
			state.member = &Member{}
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
	for _, row := range rows {
		kept := &Member{JoinedAt: row.JoinedAt, BirthDate: row.BirthDate, Locale: row.Locale}
		if j.readsMember {
			kept.Attributes = row.Attributes
		}
		state := j.members[row.ID]
		state.member, state.known = kept, known(kept, j.book.ladder.Base())
	}
	moves, err := selectMoves(ctx, j.tx, strangers)
	for _, one := range moves {
		state := j.members[one.Member]
		state.history = append(state.history, one)
	}
	return err
}

// TierMoves says where members would have stood at the end of the trial that stood elsewhere. Of the points that count then,
// those that facts of the trial really gave are exchanged for those that they would have given: more of them may reach a higher
// tier; fewer lose one that stands on them, and no other one. Where points that were returned count in neither.
func (j *Judging) TierMoves(ctx context.Context) ([]TierMove, error) {
	var changed []*ledger.Account
	for member, state := range j.members {
		if state.qualifying == 0 {
			continue
		}
		joined := state.member.JoinedAt
		// What an account has cached is of later.
		account := &ledger.Account{Member: member, JoinedAt: joined, QualifyingUntil: &time.Time{}}
		account.SetStanding(tiers.Enroll(j.book.ladder, joined).Record(), joined, nil)
		for _, moved := range state.history {
			if moved.At.Before(j.trial.To) {
				account.SetStanding(moved.Record, moved.At, nil)
			}
		}
		changed = append(changed, account)
	}
	slices.SortFunc(changed, func(a, b *ledger.Account) int { return id.Compare(a.Member, b.Member) })
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

func (j *Judging) exchange(ctx context.Context, accounts []*ledger.Account, moved func(member id.Member, from, to tiers.Tier)) error {
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
