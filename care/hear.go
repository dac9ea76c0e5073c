package care

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"regulars/care/occasion"
	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/tiers"
)

const (
	// consumer is under which name care reads notices.
	consumer = "care"
	// heardAtOnce is how many of them one transaction reads.
	heardAtOnce = 500
)

// happening is something that happened to a member and that campaigns may be about.
type happening struct {
	Member   id.Member
	Occasion Occasion
	// Subject names which one it is.
	Subject string
	At      time.Time
}

// hear reads notices that were not read, notes what happened and decides what is due of it, in the transaction that moves on
// behind them. It returns how many notices and messages that were; 0: there is nothing left to hear.
func (s *Service) hear(ctx context.Context) (heard, decided int, err error) {
	heard, err = outbox.Consume(ctx, s.db, consumer, heardAtOnce, func(ctx context.Context, tx *postgres.Tx, notices []outbox.Notice) error {
		decided = 0
		happened, hearings, err := s.sort(ctx, tx, notices)
		if err != nil {
			return err
		}
		if err := updateHearings(ctx, tx, hearings); err != nil {
			return fmt.Errorf("note who was heard of: %w", err)
		}
		if len(happened) == 0 {
			return nil
		}
		if err := insertHappenings(ctx, tx, happened); err != nil {
			return fmt.Errorf("note what happened: %w", err)
		}
		round, err := s.begin(ctx, tx)
		if err != nil {
			return err
		}
		due, err := round.happened(ctx, happened)
		if err != nil {
			return err
		}
		decided, err = s.decide(ctx, tx, round, due)
		return err
	})
	return heard, decided, err
}

// sort tells what of the notices care keeps.
func (s *Service) sort(ctx context.Context, tx *postgres.Tx, notices []outbox.Notice) ([]happening, []id.Member, error) {
	var happened []happening
	var heard []id.Member
	_, ladder, err := s.loyalty.HeldTiersTx(ctx, tx, nil)
	if err != nil {
		return nil, nil, err
	}
	add := func(notice outbox.Notice, kind Occasion, subject string, at time.Time) {
		happened = append(happened, happening{Member: notice.Member, Occasion: kind, Subject: subject, At: at})
	}
	for _, notice := range notices {
		switch told := notice.Payload.(type) {
		case outbox.TierChanged:
			if told.From == nil {
				add(notice, occasion.Welcome, "joined", told.At)
				heard = append(heard, notice.Member)
				continue
			}
			if raised(ladder, *told.From, told.To) {
				add(notice, occasion.TierReached, fmt.Sprintf("%s:%d", told.To, told.At.Unix()), told.At)
			}
		case outbox.PointsExpiring:
			add(notice, occasion.PointsExpiring, fmt.Sprint(told.ExpiresAt.Unix()), told.ExpiresAt)
		case outbox.BookingChanged:
			if told.Status == "ATTENDED" {
				add(notice, occasion.EventThanks, uuid.UUID(told.Booking).String(), told.At)
			}
		case outbox.PointsEarned:
			heard = append(heard, notice.Member)
		case outbox.PointsRedeemed:
			heard = append(heard, notice.Member)
		}
	}
	return happened, heard, nil
}

// raised tells whether one tier stands above another. Those that are removed by now stand nowhere.
func raised(ladder tiers.Ladder, from, to id.Tier) bool {
	after, there := ladder.Tier(to)
	before, known := ladder.Tier(from)
	return there && (!known || after.Rank > before.Rank)
}

// happened are the occasions of happenings that are due or over, by the campaigns that are about them.
func (r *round) happened(ctx context.Context, happened []happening) ([]*found, error) {
	var list []*found
	for _, campaign := range r.campaigns {
		var about []happening
		for _, one := range happened {
			if one.Occasion == campaign.Occasion {
				about = append(about, one)
			}
		}
		if len(about) == 0 {
			continue
		}
		candidates, err := selectHappeningsOf(ctx, r.tx, about)
		if err != nil {
			return nil, err
		}
		for _, one := range candidates {
			one.settle(r.zone)
			if located := campaign.locate(one, r.settings, value.Date{}); located != nil && r.considers(located) {
				list = append(list, located)
			}
		}
	}
	return list, nil
}
