package loyalty

import (
	"context"
	"fmt"
	"slices"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/lots"
)

// ExpirePoints posts what the clock has done to members: points that have lapsed, and holds that have ended. It does so for
// at most limit members in one transaction and returns how many they were; 0: nobody is left. Readers see no difference:
// points lapse at their instant by themselves. It may be killed and repeated at any time. For admins.
func (s *Service) ExpirePoints(ctx context.Context, limit int) (int, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return 0, err
	}
	var due []id.Member
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		if due, err = selectDue(ctx, tx, tx.Now, lots.IdleSince(posting.book.terms.Expiry, tx.Now, posting.book.zone), limit); err != nil {
			return fmt.Errorf("find what has lapsed: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		if err := posting.Open(ctx, due); err != nil {
			return err
		}
		return posting.Write(ctx)
	})
	return len(due), err
}

// PointsDue counts the members to whom ExpirePoints has something to post now. For admins.
func (s *Service) PointsDue(ctx context.Context) (int, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return 0, err
	}
	count := 0
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		count, err = countDue(ctx, tx, tx.Now, lots.IdleSince(book.terms.Expiry, tx.Now, book.zone))
		return err
	})
	return count, err
}

// AnnounceExpiries tells, by notices, of points that lapse within a period from now if nothing is heard of the member: once for
// all that it has that lapse at one instant. It does so for some limit of members in one transaction and returns how many
// announcements those were; 0: nobody is left. It may be killed and repeated at any time. For admins.
func (s *Service) AnnounceExpiries(ctx context.Context, within value.Period, limit int) (int, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return 0, err
	}
	announced := 0
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		then := within.After(tx.Now, posting.book.zone)
		members, err := selectExpiring(ctx, tx, tx.Now, then, limit)
		if err != nil {
			return err
		}
		idling, err := selectIdling(ctx, tx, lots.IdleSince(posting.book.terms.Expiry, then, posting.book.zone), limit)
		if err != nil {
			return err
		}
		all := slices.Clone(members)
		for i, one := range idling {
			all = append(all, one.Member)
			if at := lots.Idle(posting.book.terms.Expiry, one.HeardAt, posting.book.zone); at != nil {
				idling[i].ExpiresAt = *at
			}
		}
		announced = 0
		if len(all) == 0 {
			return nil
		}
		slices.SortFunc(all, id.Compare)
		if err := posting.Open(ctx, slices.Compact(all)); err != nil {
			return err
		}
		told, err := insertAnnounced(ctx, tx, members, tx.Now, then)
		if err != nil {
			return err
		}
		idle, err := insertAnnouncedIdle(ctx, tx, idling)
		if err != nil {
			return err
		}
		told = append(told, idle...)
		announced = len(told)
		notices := make([]outbox.Notice, len(told))
		for i, one := range told {
			notices[i] = outbox.Notice{Member: one.Member, Payload: outbox.PointsExpiring{Points: one.Points, ExpiresAt: one.ExpiresAt}}
		}
		if err := posting.Write(ctx); err != nil {
			return err
		}
		return outbox.PutTx(ctx, tx, notices)
	})
	return announced, err
}
