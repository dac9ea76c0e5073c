package loyalty

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
)

// memories are what rules remember of members, as far as some facts need it, and what those change of it.
type memories struct {
	set     *rules.Set
	members map[id.Member]rules.Memory
	program map[rules.Counter]rules.Usage
	// What it was when it was loaded: only what has changed is written.
	countersBefore   map[ownCounter]rules.Usage
	programBefore    map[rules.Counter]rules.Usage
	remaindersBefore map[ownStep]int64
	// numbers are how many facts of a type members have had.
	numbers map[ownType]int64
}

type ownCounter struct {
	Member id.Member `db:"member_id"`
	rules.Counter
	rules.Usage
}

type ownStep struct {
	Member id.Member `db:"member_id"`
	rules.Step
}

type remainder struct {
	ownStep
	Remainder int64 `db:"remainder"`
}

type ownType struct {
	Member id.Member `db:"member_id"`
	Type   string    `db:"type"`
	Number int64     `db:"number"`
}

func (c ownCounter) key() ownCounter { return ownCounter{Member: c.Member, Counter: c.Counter} }

// recalled says what of a member's memory a fact needs: what a rule awarded around an instant.
type recalled struct {
	member id.Member
	rule   id.Rule
	at     time.Time
}

// recall lists what the rules that will judge a fact remember.
func recall(set *rules.Set, member id.Member, fact rules.Fact) (needed []recalled, number bool) {
	for _, version := range set.Serving(fact) {
		needed = append(needed, recalled{member: member, rule: version.Rule, at: fact.OccurredAt})
		number = number || version.ReadsNumber()
	}
	return needed, number
}

// recallAwards lists what rules remember of having made awards, which taking them back changes.
func recallAwards(awards []*ledger.Entry) []recalled {
	var needed []recalled
	for _, one := range awards {
		if one.Rule != nil {
			needed = append(needed, recalled{member: one.Member, rule: *one.Rule, at: one.QualifiesAt})
		}
	}
	return needed
}

// openMemories loads what is needed. In a transaction that awards, with the accounts locked, lock is true and the program's
// counters are locked as well: nothing may be locked after them.
func openMemories(ctx context.Context, q postgres.Runner, set *rules.Set, needed []recalled, counted []ownType, lock bool) (*memories, error) {
	opened := &memories{
		set: set, members: map[id.Member]rules.Memory{}, program: map[rules.Counter]rules.Usage{},
		countersBefore: map[ownCounter]rules.Usage{}, programBefore: map[rules.Counter]rules.Usage{},
		remaindersBefore: map[ownStep]int64{}, numbers: map[ownType]int64{},
	}
	for _, one := range needed {
		opened.member(one.member)
		for _, counter := range set.Counters(one.rule, one.at) {
			if counter.Scope == rules.ProgramScope {
				opened.programBefore[counter] = rules.Usage{}
			} else {
				opened.countersBefore[ownCounter{Member: one.member, Counter: counter}] = rules.Usage{}
			}
		}
		for _, step := range set.Steps(one.rule) {
			opened.remaindersBefore[ownStep{Member: one.member, Step: step}] = 0
		}
	}
	if err := opened.load(ctx, q, counted, lock); err != nil {
		return nil, fmt.Errorf("load what rules remember: %w", err)
	}
	return opened, nil
}

func (m *memories) load(ctx context.Context, q postgres.Runner, counted []ownType, lock bool) error {
	numbers, err := countFacts(ctx, q, counted)
	if err != nil {
		return err
	}
	for _, one := range numbers {
		m.numbers[ownType{Member: one.Member, Type: one.Type}] = one.Number
	}
	remainders, err := selectRemainders(ctx, q, m.remaindersBefore)
	if err != nil {
		return err
	}
	for _, one := range remainders {
		m.remaindersBefore[one.ownStep] = one.Remainder
		m.member(one.Member).Carried[one.Step] = one.Remainder
	}
	own, err := selectCounters(ctx, q, m.countersBefore)
	if err != nil {
		return err
	}
	for _, one := range own {
		m.countersBefore[one.key()] = one.Usage
		m.member(one.Member).Member[one.Counter] = one.Usage
	}
	shared, err := selectProgramCounters(ctx, q, m.programBefore, lock)
	if err != nil {
		return err
	}
	for _, one := range shared {
		m.programBefore[one.Counter], m.program[one.Counter] = one.Usage, one.Usage
	}
	return nil
}

// member is what rules remember of a member.
func (m *memories) member(member id.Member) rules.Memory {
	memory, ok := m.members[member]
	if !ok {
		memory = rules.Memory{Member: map[rules.Counter]rules.Usage{}, Program: m.program, Carried: map[rules.Step]int64{}}
		m.members[member] = memory
	}
	return memory
}

// number is which of the member's facts of a type the next one is.
func (m *memories) number(member id.Member, kind string) int64 {
	return m.numbers[ownType{Member: member, Type: kind}] + 1
}

// hear notes that the member has had one more fact of a type.
func (m *memories) hear(member id.Member, kind string) {
	m.numbers[ownType{Member: member, Type: kind}]++
}

// forget takes points of an award back from what its rule has counted, and with all of it the time that it was made.
func (m *memories) forget(award *ledger.Entry, points int64, all bool) {
	if award.Rule == nil {
		return
	}
	var times int64
	if all {
		times = 1
	}
	m.set.Count(*award.Rule, award.QualifiesAt, -points, -times, m.member(award.Member))
}

// write writes what has changed.
func (m *memories) write(ctx context.Context, tx *postgres.Tx) error {
	var own []ownCounter
	for key, before := range m.countersBefore {
		if now := m.members[key.Member].Member[key.Counter]; now != before {
			own = append(own, ownCounter{Member: key.Member, Counter: key.Counter, Usage: now})
		}
	}
	var shared []ownCounter
	for counter, before := range m.programBefore {
		if now := m.program[counter]; now != before {
			shared = append(shared, ownCounter{Counter: counter, Usage: now})
		}
	}
	var carried []remainder
	for key, before := range m.remaindersBefore {
		if now := m.members[key.Member].Carried[key.Step]; now != before {
			carried = append(carried, remainder{ownStep: key, Remainder: now})
		}
	}
	for _, write := range []func() error{
		func() error { return upsertCounters(ctx, tx, own) },
		func() error { return updateProgramCounters(ctx, tx, shared) },
		func() error { return upsertRemainders(ctx, tx, carried) },
	} {
		if err := write(); err != nil {
			return fmt.Errorf("write what rules remember: %w", err)
		}
	}
	return nil
}

// countEarlier makes the counters that a version needs which is published just now and that its rule did not have before, of what
// its earlier versions awarded.
func countEarlier(ctx context.Context, tx *postgres.Tx, published rules.Version, zone string) error {
	versions, err := selectVersions(ctx, tx, published.Rule)
	if err != nil {
		return err
	}
	earlier := slices.DeleteFunc(versions, func(one rules.Version) bool {
		return one.PublishedAt == nil || one.Number == published.Number
	})
	if len(earlier) == 0 {
		return nil
	}
	for _, span := range published.Spans() {
		if slices.ContainsFunc(earlier, func(one rules.Version) bool { return slices.Contains(one.Spans(), span) }) {
			continue
		}
		if err := backfillCounters(ctx, tx, published.Rule, span, zone); err != nil {
			return fmt.Errorf("count what was awarded before: %w", err)
		}
	}
	return nil
}
