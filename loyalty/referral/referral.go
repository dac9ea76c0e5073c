// Package referral follows what comes of members inviting others: who joined by whose code, whether it counts, and the points
// that both get for it.
//
// Who referred whom is said to package loyalty, when a member enrolls or claims a code, and a notice tells it here. From then on
// notices of what the new member buys, and of what comes back of that, make a referral due: [Service.Work] judges it then, one
// step in a transaction (see step.go for the states). Points are posted under the locks of both members, and the referral's row
// says which entries they are, so that nothing is given twice whoever works at the same time and whenever one is killed.
package referral

import (
	"time"

	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/loyalty"
)

// Status says what has come of a referral.
type Status string

// The statuses of referrals.
const (
	// Joined: the new member has bought nothing yet that counts.
	Joined Status = "JOINED"
	// Qualified: it has; the points come next.
	Qualified Status = "QUALIFIED"
	// Rewarded: both have their points, pending until FinalAt.
	Rewarded Status = "REWARDED"
	// Rejected: there will be no points, and Reason says why.
	Rejected Status = "REJECTED"
	// UnderReview: it would count, but its signals ask for somebody to look at it first.
	UnderReview Status = "UNDER_REVIEW"
)

var statuses = []Status{Joined, Qualified, Rewarded, Rejected, UnderReview}

// Reason says why a referral is rejected.
type Reason string

// The reasons of rejected referrals.
const (
	// MonthlyLimit: as many of the referrer's were rewarded as may be in the month in which it qualified.
	MonthlyLimit Reason = "MONTHLY_LIMIT"
	// TooManyPoints: one of the two would own more points than can be counted.
	TooManyPoints Reason = "TOO_MANY_POINTS"
	// Reviewed: somebody looked at it and decided so.
	Reviewed Reason = "REVIEWED"
)

// Signal is why somebody should look at a referral before points are given. It refuses nothing.
type Signal string

// The signals of referrals.
const (
	// SameEmail: the same address but for case, dots and what follows a plus sign.
	SameEmail Signal = "SAME_EMAIL"
	// SamePhone: the phone number of one is an attribute "phone" of the other, or of what it did, or the other way around.
	SamePhone Signal = "SAME_PHONE"
	// SameDevice and SameCard: the same attribute "device" or "cardToken" of both, or of what both did.
	SameDevice Signal = "SAME_DEVICE"
	SameCard   Signal = "SAME_CARD"
	// Velocity: the referrer has referred 6 or more within 24 hours, this one among them.
	Velocity Signal = "VELOCITY"
	// SamePerson: a self-referral by all appearance, the same name and day of birth.
	SamePerson Signal = "SELF_REFERRAL"
)

// Referral is that one member invited another.
type Referral struct {
	Referrer id.Member   `db:"referrer_id"`
	ID       id.Referral `db:"id"`
	Referee  id.Member   `db:"referee_id"`
	Status   Status      `db:"status"`
	// Reason is set of what is rejected.
	Reason *Reason `db:"reason"`
	// PolicyVersion is of the referral policy of when the referee joined; nil: there was none, and nothing comes of it.
	PolicyVersion *int `db:"policy_version"`
	// Signals are all that were ever seen; to the referrer they are not shown.
	Signals signals `db:"signals"`
	// ReferredAt is when the referee joined, or named the code afterwards.
	ReferredAt time.Time `db:"referred_at"`
	// QualifiedAt is when the purchase happened that counts, PurchaseSequence its number among the referee's facts.
	QualifiedAt      *time.Time `db:"qualified_at"`
	PurchaseSequence *int64     `db:"purchase_sequence"`
	RewardedAt       *time.Time `db:"rewarded_at"`
	// FinalAt is from when the points can be spent. What comes back of the purchase before takes them back.
	FinalAt *time.Time `db:"final_at"`
	// What each side got, and by which entry; nil: nothing.
	ReferrerPoints   *int64 `db:"referrer_points"`
	ReferrerSequence *int64 `db:"referrer_sequence"`
	RefereePoints    *int64 `db:"referee_points"`
	RefereeSequence  *int64 `db:"referee_sequence"`
	// TakenBack is how often points were taken back since the purchase came back.
	TakenBack  int        `db:"taken_back"`
	RejectedAt *time.Time `db:"rejected_at"`
	// ReviewedAt, ReviewedBy and Note are of whoever looked at it last; nil if nobody did. A note may be left out.
	ReviewedAt *time.Time `db:"reviewed_at"`
	ReviewedBy *string    `db:"reviewed_by"`
	Note       *string    `db:"review_note"`
	// due tells that something happened that the referral was not judged by.
	Due bool `db:"due"`
}

// IsNode marks the referral as one of the API's nodes.
func (Referral) IsNode() {}

// Owner returns the member who invited the other.
func (r *Referral) Owner() id.Member { return r.Referrer }

// withhold leaves of the referral what its referrer may know.
func (r *Referral) withhold() *Referral {
	r.Signals, r.ReviewedBy, r.Note = signals{}, nil, nil
	return r
}

// The lists of the API.
type (
	// Connection is a page of referrals.
	Connection = page.Connection[*Referral]
	// Edge is a referral in a page.
	Edge = page.Edge[*Referral]
)

// Service follows the referrals of a program. It is safe for concurrent use.
type Service struct {
	db        *postgres.DB
	loyalty   *loyalty.Service
	publicURL string
}

// New returns the service over the database of program. Links begin with publicURL, which has no slash at its end.
func New(db *postgres.DB, program *loyalty.Service, publicURL string) *Service {
	return &Service{db: db, loyalty: program, publicURL: publicURL}
}
