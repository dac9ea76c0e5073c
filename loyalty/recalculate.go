package loyalty

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

const (
	// promotionBatch is how many members one transaction promotes: enough to be quick, few enough that nobody at a till notices.
	promotionBatch = 500
	// promptBatches is how many of those an edit of the ladder waits for; the rest is left to the job.
	promptBatches = 10
)

// RecalculateTiers posts what the clock and changes of the ladder have done to where members stand. It does so for at most limit
// members in one transaction and returns how many it looked at; 0: nobody is left. Readers see no difference: tiers run out
// and change by themselves. It may be killed and repeated at any time. For admins.
func (s *Service) RecalculateTiers(ctx context.Context, limit int) (int, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return 0, err
	}
	var done int
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		due, err := selectToReview(ctx, tx, limit)
		if err != nil {
			return fmt.Errorf("find whose tier has run out: %w", err)
		}
		if done = len(due); done > 0 {
			return posting.settle(ctx, due)
		}
		done, err = posting.promote(ctx, limit)
		return err
	})
	return done, err
}

// FinishPromotions posts all that changes of the ladder have done to members, as far as it was left. The program calls it, for
// nobody in particular, when it starts. For admins.
func (s *Service) FinishPromotions(ctx context.Context) error {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return err
	}
	return s.promote(ctx, 0)
}

// promote posts so many batches of what changes of the ladder have done to members, 0: all of them.
func (s *Service) promote(ctx context.Context, batches int) error {
	for i := 0; batches == 0 || i < batches; i++ {
		done := 0
		if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
			posting, err := s.PostTx(ctx, tx)
			if err != nil {
				return err
			}
			done, err = posting.promote(ctx, promotionBatch)
			return err
		}); err != nil {
			return fmt.Errorf("post changes of the ladder: %w", err)
		}
		if done == 0 {
			return nil
		}
	}
	return nil
}

// settle posts what is due of members.
func (p *Posting) settle(ctx context.Context, members []id.Member) error {
	batch, err := ledger.Lock(ctx, p.tx, p.book.terms, members)
	if err != nil {
		return err
	}
	p.Batch = batch
	if p.standings, err = openStandings(ctx, p.tx, p.book, batch, members); err != nil {
		return err
	}
	return p.Write(ctx)
}

// promote posts what the oldest version of the ladder with which not all are done has done to the next members, in the order of
// their ids, and returns how many it looked at; 0: all is posted.
func (p *Posting) promote(ctx context.Context, limit int) (int, error) {
	for {
		version, err := lockUnfinished(ctx, p.tx)
		if err != nil || version == nil {
			return 0, err
		}
		before, next := p.book.status.Ladders[0], p.book.status.Version(version.Version)
		for _, one := range p.book.status.Ladders {
			if one.Version < next.Version {
				before = one
			}
		}
		members, err := selectReached(ctx, p.tx, next, p.since(next), reaches(before, next), version.After(), limit)
		if err != nil {
			return 0, err
		}
		if len(members) > 0 {
			if err := p.settle(ctx, members); err != nil {
				return 0, err
			}
		}
		finished := len(members) < limit
		var last *id.Member
		if len(members) > 0 {
			last = &members[len(members)-1]
		}
		if err := advanceLadder(ctx, p.tx, version.Version, last, finished); err != nil {
			return 0, err
		}
		if len(members) > 0 {
			return len(members), nil
		}
	}
}

// since is before when what accounts have cached says nothing about a change of the ladder: when the policy of then began.
func (p *Posting) since(next tiers.Ladder) (since time.Time) {
	return p.book.status.At(next.CreatedAt).Policy().Since
}
