package referral

import (
	"slices"
	"time"

	"regulars/loyalty"
)

// A referral goes from JOINED to QUALIFIED, or to UNDER_REVIEW and from there to QUALIFIED, and from QUALIFIED to REWARDED. It
// goes back to JOINED when its purchase comes back, with the points that were given for it, and may qualify by another one.
// REJECTED is the end. Each step is decided here, from what was recorded and nothing else.

// sale is a purchase of the referee that happened early enough to count.
type sale struct {
	Sequence   int64     `db:"sequence"`
	OccurredAt time.Time `db:"occurred_at"`
	Total      int64     `db:"total"`
	back       []back
}

// back is what came back of a purchase at once.
type back struct {
	Purchase   int64     `db:"purchase_sequence"`
	OccurredAt time.Time `db:"occurred_at"`
	Total      int64     `db:"total"`
}

// counts tells whether the sale is worth as much as the policy wants, less what came back before an instant; nil: at any time.
func (s sale) counts(policy *loyalty.ReferralPolicy, before *time.Time) bool {
	worth := s.Total
	for _, one := range s.back {
		if before == nil || one.OccurredAt.Before(*before) {
			worth -= one.Total
		}
	}
	if policy.Minimum == nil {
		return worth > 0
	}
	return worth >= *policy.Minimum
}

// sight is what a referral is judged by.
type sight struct {
	// policy is nil where nothing is to be had.
	policy *loyalty.ReferralPolicy
	// sales are in the order in which they happened, and of those at the same instant in which they were recorded.
	sales []sale
	// shown are the signals that are there now.
	shown []Signal
	// household tells that what the two share is no signal.
	household bool
	// full tells that no more of the referrer's are rewarded in the month; overflows that points could not be counted.
	full      bool
	overflows bool
}

// stands tells whether the purchase still counts that qualified the referral: before it is rewarded less all that came back,
// afterwards less what came back before the points were final.
func (s sight) stands(r *Referral) bool {
	return s.policy != nil && slices.ContainsFunc(s.sales, func(one sale) bool {
		return r.PurchaseSequence != nil && one.Sequence == *r.PurchaseSequence && one.counts(s.policy, r.FinalAt)
	})
}

// first is the first purchase that counts, nil if there is none.
func (s sight) first() *sale {
	for i := range s.sales {
		if s.policy != nil && s.sales[i].counts(s.policy, nil) {
			return &s.sales[i]
		}
	}
	return nil
}

// step is what becomes of a referral next.
type step struct {
	status Status
	reason Reason
	// by is the purchase by which it qualifies.
	by *sale
}

// next decides about the referral; a step to the status that it has is none.
func (r *Referral) next(seen sight) step {
	switch r.Status {
	case Joined:
		by := seen.first()
		switch {
		case by == nil:
			return step{status: Joined}
		case r.asksForReview(seen):
			return step{status: UnderReview, by: by}
		}
		return step{status: Qualified, by: by}
	case UnderReview:
		switch {
		case !seen.stands(r):
			return step{status: Joined}
		case !r.asksForReview(seen):
			return step{status: Qualified}
		}
	case Qualified:
		switch {
		case !seen.stands(r):
			return step{status: Joined}
		case seen.full:
			return step{status: Rejected, reason: MonthlyLimit}
		case seen.overflows:
			return step{status: Rejected, reason: TooManyPoints}
		}
		return step{status: Rewarded}
	case Rewarded:
		if !seen.stands(r) {
			return step{status: Joined}
		}
	case Rejected:
	}
	return step{status: r.Status}
}

// asksForReview tells whether there are signals that nobody has looked at and no household explains. What was seen once counts,
// also when it is not there any more.
func (r *Referral) asksForReview(seen sight) bool {
	return slices.ContainsFunc(r.Signals.with(seen.shown), func(one Signal) bool {
		looked := r.ReviewedAt != nil && slices.Contains(r.Signals, one)
		return !looked && !(seen.household && one.shared())
	})
}
