package outbox

import (
	"encoding/json"
	"fmt"
	"time"

	"regulars/internal/id"
)

// Type names what a notice tells, for ever.
type Type string

// The types of notices.
const (
	TypePointsEarned      Type = "points.earned"
	TypePointsRedeemed    Type = "points.redeemed"
	TypePointsRestored    Type = "points.restored"
	TypePointsTaken       Type = "points.taken"
	TypePointsExpiring    Type = "points.expiring"
	TypePointsExpired     Type = "points.expired"
	TypeTierChanged       Type = "tier.changed"
	TypeRedemptionChanged Type = "redemption.changed"
	TypeMemberReferred    Type = "member.referred"
	TypeReferredPurchased Type = "referred.purchased"
	TypeReferredReturned  Type = "referred.returned"
	TypeReferralChanged   Type = "referral.changed"
)

// Payload is what a notice tells, one of the structs of this package: ids, numbers and instants, never personal data.
// What belongs to the member is named by its number, which makes the id together with the notice's member.
type Payload interface {
	// shape returns the type and the version under which the payload is kept.
	shape() (Type, int)
}

// PointsEarned tells that a fact, a referral or staff gave points.
type PointsEarned struct {
	// Entry is the number of the points entry.
	Entry      int64     `json:"entry"`
	Points     int64     `json:"points"`
	OccurredAt time.Time `json:"occurredAt"`
	// AvailableAt is from when on they can be spent; nil: not before they are confirmed.
	AvailableAt *time.Time `json:"availableAt"`
	// ExpiresAt is when they lapse; nil: never, as far as is known.
	ExpiresAt *time.Time `json:"expiresAt"`
}

// PointsRedeemed tells that points were spent.
type PointsRedeemed struct {
	// Entry is the number of the points entry.
	Entry int64 `json:"entry"`
	// Points is how many were spent, above 0.
	Points     int64     `json:"points"`
	OccurredAt time.Time `json:"occurredAt"`
}

// PointsRestored tells that points came back that were spent, or taken by hand.
type PointsRestored struct {
	// Entry is the number of the points entry.
	Entry      int64     `json:"entry"`
	Points     int64     `json:"points"`
	OccurredAt time.Time `json:"occurredAt"`
}

// PointsTaken tells that points were taken: after a return, of a referral's purchase too, since they were never confirmed, or by
// hand.
type PointsTaken struct {
	// Entry is the number of the points entry.
	Entry int64 `json:"entry"`
	// Points is how many were taken, above 0.
	Points     int64     `json:"points"`
	OccurredAt time.Time `json:"occurredAt"`
}

// PointsExpiring tells that points lapse soon.
type PointsExpiring struct {
	// Points is how many lapse at ExpiresAt if none of them is spent before.
	Points    int64     `json:"points"`
	ExpiresAt time.Time `json:"expiresAt"`
}

// PointsExpired tells that points have lapsed.
type PointsExpired struct {
	// Entry is the number of the points entry.
	Entry int64 `json:"entry"`
	// Points is how many have lapsed, above 0.
	Points    int64     `json:"points"`
	ExpiredAt time.Time `json:"expiredAt"`
}

// TierChanged tells that a member moved to another tier.
type TierChanged struct {
	// From is nil for the first tier of a new member.
	From *id.Tier  `json:"from"`
	To   id.Tier   `json:"to"`
	At   time.Time `json:"at"`
	// ValidUntil is how long the tier is kept at least; nil: for ever.
	ValidUntil *time.Time `json:"validUntil"`
	// Reason is the code of why, as in the member's tier history.
	Reason string `json:"reason"`
}

// RedemptionStatus is what became of a redemption.
type RedemptionStatus string

// The statuses of redemptions.
const (
	RedemptionIssued   RedemptionStatus = "ISSUED"
	RedemptionUsed     RedemptionStatus = "USED"
	RedemptionCanceled RedemptionStatus = "CANCELED"
)

// RedemptionChanged tells what became of a redemption.
type RedemptionChanged struct {
	// Redemption is its number.
	Redemption int64            `json:"redemption"`
	Status     RedemptionStatus `json:"status"`
	At         time.Time        `json:"at"`
}

// MemberReferred tells that the member joined by another one's referral code.
type MemberReferred struct {
	Referrer id.Member `json:"referrer"`
	// ReferredAt is when the member joined, or named the code afterwards.
	ReferredAt time.Time `json:"referredAt"`
	// Policy is the version of the referral policy of when the member joined; nil: there was none.
	Policy *int `json:"policy"`
}

// ReferredPurchased tells that a member who was referred bought something while that counts for the referral.
type ReferredPurchased struct {
	// Purchase is its number.
	Purchase   int64     `json:"purchase"`
	OccurredAt time.Time `json:"occurredAt"`
}

// ReferredReturned tells that something came back of a purchase that counts for the referral.
type ReferredReturned struct {
	// Return and Purchase are their numbers.
	Return     int64     `json:"return"`
	Purchase   int64     `json:"purchase"`
	OccurredAt time.Time `json:"occurredAt"`
}

// ReferralChanged tells the referrer what became of a referral.
type ReferralChanged struct {
	Referral id.Referral `json:"referral"`
	// Status is as in the API.
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

func (PointsEarned) shape() (Type, int)      { return TypePointsEarned, 1 }
func (PointsRedeemed) shape() (Type, int)    { return TypePointsRedeemed, 1 }
func (PointsRestored) shape() (Type, int)    { return TypePointsRestored, 1 }
func (PointsTaken) shape() (Type, int)       { return TypePointsTaken, 1 }
func (PointsExpiring) shape() (Type, int)    { return TypePointsExpiring, 1 }
func (PointsExpired) shape() (Type, int)     { return TypePointsExpired, 1 }
func (TierChanged) shape() (Type, int)       { return TypeTierChanged, 1 }
func (RedemptionChanged) shape() (Type, int) { return TypeRedemptionChanged, 1 }
func (MemberReferred) shape() (Type, int)    { return TypeMemberReferred, 1 }
func (ReferredPurchased) shape() (Type, int) { return TypeReferredPurchased, 1 }
func (ReferredReturned) shape() (Type, int)  { return TypeReferredReturned, 1 }
func (ReferralChanged) shape() (Type, int)   { return TypeReferralChanged, 1 }

// shape is a type of notices with the version of its payload. A payload that changes its meaning gets the next version;
// the old one is read until no notice has it any more.
type shape struct {
	of      Type
	version int
}

var shapes = map[shape]func([]byte) (Payload, error){
	{TypePointsEarned, 1}:      decode[PointsEarned],
	{TypePointsRedeemed, 1}:    decode[PointsRedeemed],
	{TypePointsRestored, 1}:    decode[PointsRestored],
	{TypePointsTaken, 1}:       decode[PointsTaken],
	{TypePointsExpiring, 1}:    decode[PointsExpiring],
	{TypePointsExpired, 1}:     decode[PointsExpired],
	{TypeTierChanged, 1}:       decode[TierChanged],
	{TypeRedemptionChanged, 1}: decode[RedemptionChanged],
	{TypeMemberReferred, 1}:    decode[MemberReferred],
	{TypeReferredPurchased, 1}: decode[ReferredPurchased],
	{TypeReferredReturned, 1}:  decode[ReferredReturned],
	{TypeReferralChanged, 1}:   decode[ReferralChanged],
}

func decode[P Payload](encoded []byte) (Payload, error) {
	var payload P
	err := json.Unmarshal(encoded, &payload)
	return payload, err
}

// read returns the payload that was kept under a shape. A shape that is not known is an error.
func (s shape) read(encoded []byte) (Payload, error) {
	known, ok := shapes[s]
	if !ok {
		return nil, fmt.Errorf("a newer program wrote it: there is no %s of version %d here", s.of, s.version)
	}
	return known(encoded)
}
