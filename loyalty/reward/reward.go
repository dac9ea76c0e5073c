// Package reward is what points buy: the catalog of rewards, their redemptions, and the vouchers that some of them give.
//
// A redemption takes points in burn order and remembers from which lots; a cancel puts them back there. What hangs on a
// redemption changes under its member's account lock, so that of a use and a cancel exactly one wins.
package reward

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/tiers"
)

// Bounds of rewards.
const (
	maximumName    = 200
	maximumStock   = 1_000_000_000
	maximumLimit   = 1_000_000
	maximumVoucher = 100 // years
)

// Kind says what a reward is.
type Kind string

// The kinds of rewards.
const (
	// Voucher rewards give a code that is used once, e.g. at a till.
	Voucher Kind = "VOUCHER"
	// Product rewards are handed over or sent.
	Product Kind = "PRODUCT"
	// Experience rewards are lived through.
	Experience Kind = "EXPERIENCE"
)

// Reward is something that members can have for points; as JSON, what is recorded of its changes.
type Reward struct {
	ID   id.Reward `db:"id" json:"reward"`
	Name string    `db:"name" json:"name"`
	Kind Kind      `db:"kind" json:"kind"`
	// Cost is in points.
	Cost int64 `db:"cost" json:"cost"`
	// Stock is how many are left; nil: there is no limit.
	Stock *int `db:"stock" json:"stock"`
	// PerMemberLimit is how many a member can have, canceled ones aside; nil: there is no limit.
	PerMemberLimit *int `db:"per_member_limit" json:"perMemberLimit"`
	// MinTierID is the lowest tier that can have it; nil: any.
	MinTierID *id.Tier `db:"min_tier_id" json:"minTier"`
	// It can be had in [AvailableFrom, AvailableUntil); nil: that side is open.
	AvailableFrom  *time.Time `db:"available_from" json:"availableFrom"`
	AvailableUntil *time.Time `db:"available_until" json:"availableUntil"`
	// VoucherValidFor is for how long its vouchers can be used; nil: for ever.
	VoucherValidFor *value.Period `db:"voucher_valid_for" json:"voucherValidFor"`
	CreatedAt       time.Time     `db:"created_at" json:"createdAt"`
	// ArchivedAt is since when nobody can have it any more; nil: it is not archived.
	ArchivedAt *time.Time `db:"archived_at" json:"archivedAt"`
}

// IsNode marks the reward as one of the API's nodes.
func (Reward) IsNode() {}

// CreateRewardInput is a new reward; see Reward.
type CreateRewardInput struct {
	Name            string
	Kind            Kind
	Cost            int64
	Stock           *int
	PerMemberLimit  *int
	MinTierID       *id.Tier
	AvailableFrom   *time.Time
	AvailableUntil  *time.Time
	VoucherValidFor *value.Period
}

// Edit changes what is said of a reward; ID, Kind, CreatedAt and ArchivedAt are not its business.
type Edit func(*Reward)

// Service is the catalog and what was redeemed of it. It is safe for concurrent use.
type Service struct {
	db      *postgres.DB
	loyalty *loyalty.Service
}

// New returns the service over the database of program.
func New(db *postgres.DB, program *loyalty.Service) *Service {
	return &Service{db: db, loyalty: program}
}

func (s *Service) now() time.Time {
	return s.db.Now().UTC().Truncate(time.Microsecond)
}

// CreateReward adds a reward to the catalog. For marketers and admins.
//
// Problems: INVALID_NAME, INVALID_POINTS, INVALID_REWARD.
func (s *Service) CreateReward(ctx context.Context, input CreateRewardInput) (*Reward, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	ladder, err := s.loyalty.Tiers(ctx)
	if err != nil {
		return nil, err
	}
	made := &Reward{
		ID: id.New[id.Reward](), Name: input.Name, Kind: input.Kind, Cost: input.Cost, Stock: input.Stock,
		PerMemberLimit: input.PerMemberLimit, MinTierID: input.MinTierID, AvailableFrom: input.AvailableFrom,
		AvailableUntil: input.AvailableUntil, VoucherValidFor: input.VoucherValidFor,
	}
	if err := made.normalize(ladder, s.now()); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		made.CreatedAt = tx.Now
		if err := insertReward(ctx, tx, made); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "createReward", Object: made.ID.String(), After: made})
	})
	return made, err
}

// UpdateReward changes a reward; whatever was redeemed stays as it was. For marketers and admins.
//
// Problems: UNKNOWN_REWARD, INVALID_NAME, INVALID_POINTS, INVALID_REWARD.
func (s *Service) UpdateReward(ctx context.Context, wanted id.Reward, edit Edit) (*Reward, error) {
	ladder, err := s.loyalty.Tiers(ctx)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, wanted, "updateReward", func(tx *postgres.Tx, changed *Reward) error {
		edit(changed)
		return changed.normalize(ladder, tx.Now)
	})
}

// ArchiveReward takes a reward out of the catalog for ever: nobody can have it any more, and what was redeemed of it can
// still be used and canceled. Archiving it again changes nothing. For marketers and admins. Problems: UNKNOWN_REWARD.
func (s *Service) ArchiveReward(ctx context.Context, wanted id.Reward) (*Reward, error) {
	return s.change(ctx, wanted, "archiveReward", func(tx *postgres.Tx, changed *Reward) error {
		if changed.ArchivedAt == nil {
			changed.ArchivedAt = &tx.Now
		}
		return nil
	})
}

// change does work with a reward that nobody redeems meanwhile.
func (s *Service) change(ctx context.Context, wanted id.Reward, action string, work func(*postgres.Tx, *Reward) error) (*Reward, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	var changed *Reward
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		rewards, err := lockReward(ctx, tx, wanted)
		if err != nil {
			return err
		}
		if len(rewards) == 0 {
			return unknownReward()
		}
		changed = rewards[0]
		before := *changed
		if err := work(tx, changed); err != nil {
			return err
		}
		if before.same(changed) {
			return nil
		}
		if err := updateReward(ctx, tx, changed); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: action, Object: wanted.String(), Before: before, After: changed})
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// same compares what rewards say: fields that were given anew may point elsewhere, to the same.
func (r *Reward) same(other *Reward) bool {
	return r.ID == other.ID && r.Name == other.Name && r.Kind == other.Kind && r.Cost == other.Cost && equal(r.Stock, other.Stock) &&
		equal(r.PerMemberLimit, other.PerMemberLimit) && equal(r.MinTierID, other.MinTierID) &&
		equal(instant(r.AvailableFrom), instant(other.AvailableFrom)) && equal(instant(r.AvailableUntil), instant(other.AvailableUntil)) &&
		equal(r.VoucherValidFor, other.VoucherValidFor) && equal(instant(r.ArchivedAt), instant(other.ArchivedAt))
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func unknownReward() error {
	return problem.At(problem.UnknownReward, []string{"rewardId"}, "There is no such reward.")
}

// normalize brings a reward into the form in which it is kept, and checks it.
func (r *Reward) normalize(ladder []tiers.Tier, now time.Time) error {
	var problems problem.Problems
	if r.Name = strings.TrimSpace(r.Name); !loyalty.Within(r.Name, maximumName) {
		problems.Add(problem.InvalidName, []string{"name"}, "A name has 1 to %d characters.", maximumName)
	}
	if r.Cost < 1 || r.Cost > value.MaximumPoints {
		problems.Add(problem.InvalidPoints, []string{"cost"}, "A reward costs from 1 point to %d.", int64(value.MaximumPoints))
	}
	invalid := func(field, format string, arguments ...any) {
		problems.Add(problem.InvalidReward, []string{field}, format, arguments...)
	}
	if r.Stock != nil && (*r.Stock < 0 || *r.Stock > maximumStock) {
		invalid("stock", "The stock is from 0 to %d; without one there is no limit.", maximumStock)
	}
	if r.PerMemberLimit != nil && (*r.PerMemberLimit < 1 || *r.PerMemberLimit > maximumLimit) {
		invalid("perMemberLimit", "A member's limit is from 1 to %d; without one there is none.", maximumLimit)
	}
	if r.MinTierID != nil && !slices.ContainsFunc(ladder, func(tier tiers.Tier) bool { return tier.ID == *r.MinTierID }) {
		invalid("minTierId", "There is no such tier.")
	}
	r.AvailableFrom, r.AvailableUntil = instant(r.AvailableFrom), instant(r.AvailableUntil)
	if r.AvailableFrom != nil && r.AvailableUntil != nil && !r.AvailableFrom.Before(*r.AvailableUntil) {
		invalid("availableUntil", "The reward would be over before it begins.")
	}
	if r.VoucherValidFor != nil {
		until := r.VoucherValidFor.After(now, time.UTC)
		switch {
		case r.Kind != Voucher:
			invalid("voucherValidFor", "Only a reward of kind VOUCHER gives vouchers.")
		case !until.After(now) || until.After(now.AddDate(maximumVoucher, 0, 0)):
			invalid("voucherValidFor", "A voucher is valid for more than nothing and at most %d years.", maximumVoucher)
		}
	}
	return problems.Err()
}

// instant is t as it reads back from the database.
func instant(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC().Truncate(time.Microsecond)
	return &at
}

// points is a number of points in words.
func points(number int64) string {
	if number == 1 {
		return "1 point"
	}
	return fmt.Sprintf("%d points", number)
}
