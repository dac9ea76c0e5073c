// Package reconcile proves the books: it rebuilds what is derived (balances, lots, draws, debts, reversals, standings)
// from the facts and entries, with the same pure cores that made it, and lists every difference.
package reconcile

import (
	"context"
	"fmt"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// How many members are looked at together: enough for statements over many rows, few enough that memory stays small.
const batchSize = 500

// MaximumDifferences bounds the differences that a report holds. Beyond it they are only counted.
const MaximumDifferences = 100_000

// Report is what a check looked at, and what it found.
type Report struct {
	Members int `json:"members"`
	Facts   int `json:"facts"`
	Entries int `json:"entries"`
	Lots    int `json:"lots"`
	Moves   int `json:"moves"`
	// Differences are in the order of member ids, then those of keys that lead nowhere, then those of what stands on top.
	Differences []Difference `json:"differences"`
	// Counts says how many differences there are of each kind, also of those beyond MaximumDifferences.
	Counts map[Kind]int `json:"counts"`
}

// Clean tells whether the books agree.
func (r Report) Clean() bool { return len(r.Counts) == 0 }

// Add notes a difference.
func (r *Report) Add(difference Difference) {
	r.Counts[difference.Kind]++
	if len(r.Differences) < MaximumDifferences {
		r.Differences = append(r.Differences, difference)
	}
}

// Floor checks the books of what stands on top of loyalty, in the transaction of the check, and adds what differs.
type Floor func(ctx context.Context, tx *postgres.Tx, report *Report) error

// Check compares the whole database with what it should be, in one snapshot, so that what is recorded meanwhile does not
// disturb it, and reports to progress, unless that is nil, how many members are done of how many. What stands on top of
// loyalty is checked as far as its floors are given. Differences are no error. It changes nothing. For admins.
func Check(ctx context.Context, db *postgres.DB, progress func(done, total int), floors ...Floor) (Report, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return Report{}, err
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	var report Report
	err := db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		report = Report{Differences: []Difference{}, Counts: map[Kind]int{}}
		checking, err := open(ctx, tx, &report)
		if err != nil {
			return err
		}
		if err := checking.all(ctx, tx, progress); err != nil {
			return err
		}
		for _, floor := range floors {
			if err := floor(ctx, tx, &report); err != nil {
				return err
			}
		}
		return nil
	})
	return report, err
}

// check is a check under way: what the books are rebuilt with, and where differences go.
type check struct {
	report *Report
	// status is what tiers go by; promoted tells that everything is posted that changes of the ladder have done.
	status   tiers.Terms
	promoted bool
	rules    map[ruleVersion]publication
	terms    ledger.Terms
}

func open(ctx context.Context, tx *postgres.Tx, report *Report) (*check, error) {
	settings, err := program.Load(ctx, tx)
	if err != nil {
		return nil, err
	}
	zone, err := settings.Zone()
	if err != nil {
		return nil, err
	}
	checking := &check{report: report}
	if checking.terms, err = loyalty.TermsTx(ctx, tx, zone); err != nil {
		return nil, fmt.Errorf("load policies: %w", err)
	}
	if checking.status, err = loyalty.TiersTx(ctx, tx, zone); err != nil {
		return nil, fmt.Errorf("load ladders: %w", err)
	}
	if checking.promoted, err = selectPromoted(ctx, tx); err != nil {
		return nil, fmt.Errorf("load ladders: %w", err)
	}
	if checking.rules, err = selectPublications(ctx, tx); err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	return checking, nil
}

func (c *check) all(ctx context.Context, tx *postgres.Tx, progress func(done, total int)) error {
	total, err := countMembers(ctx, tx)
	if err != nil {
		return err
	}
	progress(0, total)
	var last id.Member
	for finished := false; !finished; {
		next, err := selectMembers(ctx, tx, last, batchSize)
		if err != nil {
			return err
		}
		// The last batch goes on to the end of all ids, so that rows of members that are not there are found as well.
		through := id.Member{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
		if finished = len(next) < batchSize; !finished {
			through = next[len(next)-1].ID
		}
		if err := c.batch(ctx, tx, next, last, through); err != nil {
			return err
		}
		last = through
		progress(c.report.Members, total)
	}
	return c.strays(ctx, tx)
}

// batch checks the members, which are all with ids in (after, through].
func (c *check) batch(ctx context.Context, tx *postgres.Tx, members []memberRow, after, through id.Member) error {
	read, err := read(ctx, tx, members, after, through)
	if err != nil {
		return err
	}
	c.report.Members += len(members)
	for _, one := range read {
		one.check = c
		c.report.Facts += len(one.activities)
		c.report.Entries += len(one.entries)
		c.report.Lots += len(one.lots)
		c.report.Moves += len(one.moves)
		one.checkAll()
	}
	return nil
}

// strays lists keys that lead to nothing, or to what another key leads to, and rewards of which not as many are taken as
// redemptions say.
func (c *check) strays(ctx context.Context, tx *postgres.Tx) error {
	found := func(kind Kind, row, what string, member id.Member) {
		c.report.Add(Difference{Member: member.String(), Kind: kind, Row: row, What: what, Expected: "none", Found: "one"})
	}
	if err := eachStrayActivityKey(ctx, tx, func(stray strayKey) {
		found(ActivityKeys, "activity_keys "+stray.Key, "key of no fact, or of one that has another", stray.Member)
	}); err != nil {
		return fmt.Errorf("look for stray keys of facts: %w", err)
	}
	if err := eachStrayMemberKey(ctx, tx, func(stray strayKey) {
		if stray.Email != nil && emailKey(*stray.Email) == stray.Value {
			return
		}
		found(MemberKeys, "member_keys "+stray.Key, "key that its member does not have", stray.Member)
	}); err != nil {
		return fmt.Errorf("look for stray keys of members: %w", err)
	}
	if err := c.counters(ctx, tx); err != nil {
		return err
	}
	if err := c.vouchers(ctx, tx); err != nil {
		return err
	}
	return c.supplies(ctx, tx)
}
