package problem

// Code names a kind of problem for ever, in SCREAMING_SNAKE.
type Code string

// Codes of failures: they stop the whole operation.
const (
	CodeBadUserInput    Code = "BAD_USER_INPUT"
	CodeUnauthenticated Code = "UNAUTHENTICATED"
	CodeForbidden       Code = "FORBIDDEN"
	CodeRateLimited     Code = "RATE_LIMITED"
	CodeInternal        Code = "INTERNAL"

	CodePersistedQueryNotFound Code = "PERSISTED_QUERY_NOT_FOUND"
)

// Codes of user errors.
const (
	UnknownMember         Code = "UNKNOWN_MEMBER"
	MemberSuspended       Code = "MEMBER_SUSPENDED"
	UnknownReferralCode   Code = "UNKNOWN_REFERRAL_CODE"
	AlreadyReferred       Code = "ALREADY_REFERRED"
	SelfReferral          Code = "SELF_REFERRAL"
	CircularReferral      Code = "CIRCULAR_REFERRAL"
	ReferralTooLate       Code = "REFERRAL_TOO_LATE"
	UnknownReferral       Code = "UNKNOWN_REFERRAL"
	NotUnderReview        Code = "NOT_UNDER_REVIEW"
	InvalidHousehold      Code = "INVALID_HOUSEHOLD"
	UnknownHousehold      Code = "UNKNOWN_HOUSEHOLD"
	EmailTaken            Code = "EMAIL_TAKEN"
	PhoneTaken            Code = "PHONE_TAKEN"
	ExternalIDTaken       Code = "EXTERNAL_ID_TAKEN"
	InvalidEmail          Code = "INVALID_EMAIL"
	InvalidPhone          Code = "INVALID_PHONE"
	InvalidTimeZone       Code = "INVALID_TIME_ZONE"
	InvalidLocale         Code = "INVALID_LOCALE"
	InvalidDate           Code = "INVALID_DATE"
	InvalidExternalID     Code = "INVALID_EXTERNAL_ID"
	InvalidName           Code = "INVALID_NAME"
	InvalidAttribute      Code = "INVALID_ATTRIBUTE"
	InvalidIdempotencyKey Code = "INVALID_IDEMPOTENCY_KEY"

	InvalidConsent Code = "INVALID_CONSENT"
	UnknownMessage Code = "UNKNOWN_MESSAGE"

	AlreadyClaimed        Code = "ALREADY_CLAIMED"
	IdempotencyKeyReused  Code = "IDEMPOTENCY_KEY_REUSED"
	CurrencyMismatch      Code = "CURRENCY_MISMATCH"
	InvalidAmount         Code = "INVALID_AMOUNT"
	InvalidQuantity       Code = "INVALID_QUANTITY"
	InvalidLine           Code = "INVALID_LINE"
	InvalidSource         Code = "INVALID_SOURCE"
	InvalidActivityType   Code = "INVALID_ACTIVITY_TYPE"
	NegativeTotal         Code = "NEGATIVE_TOTAL"
	ZeroQuantity          Code = "ZERO_QUANTITY"
	LinesTotalMismatch    Code = "LINES_TOTAL_MISMATCH"
	TooManyLines          Code = "TOO_MANY_LINES"
	TooManyPurchases      Code = "TOO_MANY_PURCHASES"
	OccurredInFuture      Code = "OCCURRED_IN_FUTURE"
	BeforeProgramStart    Code = "BEFORE_PROGRAM_START"
	UnknownPurchase       Code = "UNKNOWN_PURCHASE"
	ReturnExceedsPurchase Code = "RETURN_EXCEEDS_PURCHASE"
	UnknownSKU            Code = "UNKNOWN_SKU"

	InsufficientPoints Code = "INSUFFICIENT_POINTS"
	InvalidPoints      Code = "INVALID_POINTS"
	ReasonRequired     Code = "REASON_REQUIRED"
	InvalidDuration    Code = "INVALID_DURATION"
	UnknownHold        Code = "UNKNOWN_HOLD"
	HoldEnded          Code = "HOLD_ENDED"
	CaptureExceedsHold Code = "CAPTURE_EXCEEDS_HOLD"
	UnknownActivity    Code = "UNKNOWN_ACTIVITY"
	NotPending         Code = "NOT_PENDING"
	UnknownAdjustment  Code = "UNKNOWN_ADJUSTMENT"
	NotWaiting         Code = "NOT_WAITING"
	NotPosted          Code = "NOT_POSTED"
	AlreadyReversed    Code = "ALREADY_REVERSED"
	CapExceeded        Code = "CAP_EXCEEDED"
	SelfApproval       Code = "SELF_APPROVAL"
	InvalidPolicy      Code = "INVALID_POLICY"

	UnknownReward     Code = "UNKNOWN_REWARD"
	InvalidReward     Code = "INVALID_REWARD"
	RewardSoldOut     Code = "REWARD_SOLD_OUT"
	TierTooLow        Code = "TIER_TOO_LOW"
	LimitReached      Code = "LIMIT_REACHED"
	NotAvailable      Code = "NOT_AVAILABLE"
	UnknownRedemption Code = "UNKNOWN_REDEMPTION"
	UnknownCode       Code = "UNKNOWN_CODE"
	AlreadyUsed       Code = "ALREADY_USED"
	AlreadyCanceled   Code = "ALREADY_CANCELED"
	Expired           Code = "EXPIRED"

	InvalidCondition Code = "INVALID_CONDITION"
	InvalidSchedule  Code = "INVALID_SCHEDULE"
	InvalidLimit     Code = "INVALID_LIMIT"
	InvalidAward     Code = "INVALID_AWARD"
	EditConflict     Code = "EDIT_CONFLICT"
	NotADraft        Code = "NOT_A_DRAFT"
	NotPublished     Code = "NOT_PUBLISHED"
	RuleEnded        Code = "RULE_ENDED"
	UnknownRule      Code = "UNKNOWN_RULE"
	InvalidPeriod    Code = "INVALID_PERIOD"
	UnknownBacktest  Code = "UNKNOWN_BACKTEST"
	TooManyBacktests Code = "TOO_MANY_BACKTESTS"
	InvalidTiers     Code = "INVALID_TIERS"

	UnknownEvent        Code = "UNKNOWN_EVENT"
	UnknownOccurrence   Code = "UNKNOWN_OCCURRENCE"
	InvalidRecurrence   Code = "INVALID_RECURRENCE"
	InvalidCapacity     Code = "INVALID_CAPACITY"
	CapacityBelowTaken  Code = "CAPACITY_BELOW_TAKEN"
	InvalidTime         Code = "INVALID_TIME"
	InvalidBookingTerms Code = "INVALID_BOOKING_TERMS"
	InvalidOrganizer    Code = "INVALID_ORGANIZER"
	EventOver           Code = "EVENT_OVER"
	UnknownBooking      Code = "UNKNOWN_BOOKING"
	InvalidSeats        Code = "INVALID_SEATS"
	EventCanceled       Code = "EVENT_CANCELED"
	NotOpen             Code = "NOT_OPEN"
	NotStarted          Code = "NOT_STARTED"
	AlreadyBooked       Code = "ALREADY_BOOKED"
	FullyBooked         Code = "FULLY_BOOKED"
	BookingEnded        Code = "BOOKING_ENDED"
	CancelClosed        Code = "CANCEL_CLOSED"
	OfferExpired        Code = "OFFER_EXPIRED"
	NotCompleted        Code = "NOT_COMPLETED"

	UnknownClient   Code = "UNKNOWN_CLIENT"
	ClientNameTaken Code = "CLIENT_NAME_TAKEN"
	InvalidScope    Code = "INVALID_SCOPE"

	InvalidTemplate Code = "INVALID_TEMPLATE"
	InvalidCampaign Code = "INVALID_CAMPAIGN"
	UnknownCampaign Code = "UNKNOWN_CAMPAIGN"

	JobUnknown Code = "JOB_UNKNOWN"
	JobRunning Code = "JOB_RUNNING"
)

// Description is a code with what it means.
type Description struct {
	Code    Code
	Meaning string
}

// Registry lists every code this program can answer, failures first. The API's documentation is made from it.
var Registry = []Description{
	{CodeBadUserInput, "The document, a variable, a scalar, a cursor or the page size is malformed. Nothing was done."},
	{CodeUnauthenticated, "No bearer token was sent, or it is forged, expired or not meant for this program."},
	{CodeForbidden, "The operation lies outside the caller's role, or is switched off on this server."},
	{CodeRateLimited, "Too many operations, sign-ins that failed, guesses, or e-mail addresses and phone numbers of a member. Send it again after the seconds in Retry-After."},
	{CodeInternal, "A fault of ours, or the operation took too long. The answer names the request id under which it was logged."},
	{CodePersistedQueryNotFound, "No document is kept under this hash: send it with its text. Clients do so by themselves."},

	{UnknownMember, "No member that the caller may see has this identifier."},
	{MemberSuspended, "The member is suspended: it earns and cannot spend."},
	{EmailTaken, "Another member has this e-mail address."},
	{PhoneTaken, "Another member has this phone number."},
	{ExternalIDTaken, "Another member has this external id."},
	{InvalidEmail, "Not an e-mail address."},
	{InvalidPhone, "Not a phone number in E.164 form, e.g. +14155550123."},
	{InvalidTimeZone, "Not a time zone of the IANA database, e.g. Europe/Berlin."},
	{InvalidLocale, "Not a BCP 47 language tag, e.g. en-GB."},
	{InvalidDate, "A date that cannot be, e.g. a birth date to come, or an enrollment in the future."},
	{InvalidExternalID, "An external id is 1 to 200 characters."},
	{InvalidName, "A name is missing or too long."},
	{InvalidAttribute, "An attribute's name or value is missing, too long or given twice."},
	{InvalidIdempotencyKey, "An idempotency key is 1 to 200 characters."},

	{UnknownReferralCode, "No member has this referral code; nothing was stored."},
	{AlreadyReferred, "The member was referred by somebody else before: that is said once."},
	{SelfReferral, "Nobody refers themselves."},
	{CircularReferral, "The member has itself referred, directly or through others, whoever has the code."},
	{ReferralTooLate, "The member joined too long ago to name who referred it."},
	{UnknownReferral, "No referral that the caller may see has this id."},
	{NotUnderReview, "The referral does not wait to be reviewed."},
	{InvalidHousehold, "A household has 2 to 20 members, each of them once."},
	{UnknownHousehold, "There is no such household."},

	{AlreadyClaimed, "This receipt was recorded for another member."},
	{IdempotencyKeyReused, "The key was used before with other input."},
	{CurrencyMismatch, "The program counts in another currency."},
	{InvalidAmount, "The amount has more digits than the currency, or is too large, or negative where it must not be."},
	{InvalidQuantity, "A quantity has at most 6 decimal places and 12 digits before the point."},
	{InvalidLine, "A line lacks its SKU, or its id stands twice in the purchase."},
	{InvalidSource, "A source is 1 to 100 characters, an external id 1 to 200."},
	{InvalidActivityType, "An activity's type is 1 to 50 capital letters, digits and underscores, and neither PURCHASE nor RETURN."},
	{NegativeTotal, "A purchase cannot be worth less than nothing; record a return instead."},
	{ZeroQuantity, "A line of quantity 0 is no line."},
	{LinesTotalMismatch, "The lines add up to something else than the total, by more than 1 minor unit a line."},
	{TooManyLines, "A purchase or return has at most 1,000 lines."},
	{TooManyPurchases, "A batch has 1 to 1,000 purchases."},
	{OccurredInFuture, "The fact lies more than 5 minutes in the future."},
	{BeforeProgramStart, "The fact happened before the program started."},
	{UnknownPurchase, "No purchase was recorded under this source and external id."},
	{ReturnExceedsPurchase, "More would come back than is left of the purchase."},
	{UnknownSKU, "The purchase has no line of this id or SKU."},

	{InsufficientPoints, "The member has fewer points to spend than asked for."},
	{InvalidPoints, "The number of points is 0, negative where it must not be, or too large."},
	{ReasonRequired, "A reason of 1 to 500 characters must be given."},
	{UnknownHold, "No hold that the caller may see has this id."},
	{HoldEnded, "The hold is over: it was captured or released, or ended by itself."},
	{CaptureExceedsHold, "More would be captured than is held, or given back than was captured."},
	{UnknownActivity, "No fact that the caller may see has this id."},
	{NotPending, "Nothing of the fact's points waits to be confirmed or can still be canceled."},
	{UnknownAdjustment, "No adjustment that the caller may see has this id."},
	{NotWaiting, "The adjustment waits for nobody any more."},
	{NotPosted, "The adjustment has moved nothing that could be taken back: it waits, or was declined."},
	{AlreadyReversed, "The adjustment was taken back before."},
	{CapExceeded, "It would move more points than the caller's role may move by hand in a day, and nothing can wait for a second person."},
	{SelfApproval, "Nobody decides about an adjustment, a referral or a household of their own."},
	{InvalidPolicy, "The policy's fields do not go together."},

	{UnknownReward, "No reward that the caller may see has this id."},
	{InvalidReward, "The reward's fields do not go together, or are out of range."},
	{RewardSoldOut, "Nothing is left of the reward."},
	{TierTooLow, "The member's tier is lower than the reward asks for."},
	{LimitReached, "The member has had as many of this as it may."},
	{NotAvailable, "The reward cannot be had now: its window is closed, or it is archived."},
	{UnknownRedemption, "No redemption that the caller may see has this id."},
	{UnknownCode, "No voucher has this code."},
	{AlreadyUsed, "The voucher was used before."},
	{AlreadyCanceled, "It was canceled before."},
	{Expired, "The voucher has expired."},

	{InvalidCondition, "The rule's condition is not a valid expression; the answer says where."},
	{InvalidSchedule, "The rule would end before it starts, or before it serves, or never serve in a week."},
	{InvalidLimit, "The rule's limit or budget is not one."},
	{InvalidAward, "The award is out of its range."},
	{EditConflict, "Someone else changed it since; start again from the current version."},
	{NotADraft, "The rule has no draft to publish."},
	{NotPublished, "The rule has never been published: there is nothing to pause or resume."},
	{RuleEnded, "The rule has been ended, for ever. A duplicate of it can go on."},
	{UnknownRule, "There is no such rule."},
	{InvalidPeriod, "The period is empty, or not over yet."},
	{UnknownBacktest, "No backtest that the caller may see has this id."},
	{TooManyBacktests, "10 backtests wait already; try again when one of them is done, or cancel one."},
	{InvalidTiers, "Ranks and thresholds of the ladder must rise together, the lowest tier stays, names differ; or there is no such tier, or a benefit is out of its range."},

	{UnknownEvent, "No event that the caller may see, or change, has this id."},
	{UnknownOccurrence, "No date of an event that the caller may see, or change, has this id."},
	{InvalidRecurrence, "The dates of an event are malformed, none at all, or too many; the answer says which field is at fault."},
	{InvalidCapacity, "A capacity is at least 1; without one there is no limit."},
	{CapacityBelowTaken, "More seats are taken than would be left; the answer says on which dates, how many, and by which bookings."},
	{InvalidTime, "The date would begin too early or too late."},
	{InvalidBookingTerms, "What is said of how an event is booked is out of its range."},
	{InvalidOrganizer, "An organizer is named as changes name who made them, in 1 to 500 characters."},
	{EventOver, "The date is over, was completed, or has begun."},
	{UnknownBooking, "No booking that the caller may see has this id."},
	{InvalidSeats, "A booking has from 1 seat to as many as the event lets it have."},
	{EventCanceled, "The occurrence does not take place."},
	{NotOpen, "The occurrence cannot be booked yet, or not any more."},
	{NotStarted, "The occurrence has not begun."},
	{AlreadyBooked, "The member has a booking of this occurrence already."},
	{FullyBooked, "Not that many seats are free, and nobody can wait for them."},
	{BookingEnded, "What became of the booking does not let this be done with it."},
	{CancelClosed, "Members cannot cancel any more; a host can."},
	{OfferExpired, "The offer has lapsed, and its seats went to the next."},
	{NotCompleted, "The occurrence is not completed yet."},

	{InvalidConsent, "Messages of this class, or on this channel, need no consent; or the text's version is too long."},
	{UnknownMessage, "The member's inbox has no message with this id."},

	{UnknownClient, "There is no such machine client, or it is revoked."},
	{ClientNameTaken, "Another machine client that is not revoked has this name."},
	{InvalidScope, "A machine client has at least one scope, and there is no scope of this name."},

	{InvalidTemplate, "The text of a message is not a valid template, or there is none in the program's locale; the answer says in which locale and line."},
	{InvalidCampaign, "What is said of a campaign is out of its range, or does not go with its occasion."},
	{UnknownCampaign, "There is no such campaign."},

	{JobUnknown, "No job has this name. The query jobs lists them."},
	{JobRunning, "The job is running already, on this server or another."},
	{InvalidDuration, "The length of time is out of its range."},
}
