// Package occasion is pure: on which day an occasion is for a member, when something is said on it and when it is too late,
// and what it is called once and for all. It knows no database, no clock and no message.
package occasion

// Kind is a kind of occasion, as the API calls it.
type Kind string

// The kinds of occasions.
const (
	Birthday              Kind = "BIRTHDAY"
	MembershipAnniversary Kind = "MEMBERSHIP_ANNIVERSARY"
	Holiday               Kind = "HOLIDAY"
	Welcome               Kind = "WELCOME"
	TierReached           Kind = "TIER_REACHED"
	TierAtRisk            Kind = "TIER_AT_RISK"
	PointsExpiring        Kind = "POINTS_EXPIRING"
	EventReminder         Kind = "EVENT_REMINDER"
	EventThanks           Kind = "EVENT_THANKS"
	WinBack               Kind = "WIN_BACK"
)

// Kinds lists every kind by its priority: where only so many messages are allowed, the first ones are sent.
var Kinds = []Kind{Birthday, EventReminder, TierReached, Welcome, MembershipAnniversary, PointsExpiring, TierAtRisk, EventThanks, Holiday, WinBack}
