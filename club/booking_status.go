package club

// BookingStatus is what became of a booking.
type BookingStatus string

// The statuses of bookings.
const (
	Requested        BookingStatus = "REQUESTED"
	Declined         BookingStatus = "DECLINED"
	Confirmed        BookingStatus = "CONFIRMED"
	Waitlisted       BookingStatus = "WAITLISTED"
	Offered          BookingStatus = "OFFERED"
	OfferExpired     BookingStatus = "OFFER_EXPIRED"
	CanceledByMember BookingStatus = "CANCELED_BY_MEMBER"
	CanceledByHost   BookingStatus = "CANCELED_BY_HOST"
	Attended         BookingStatus = "ATTENDED"
	NoShow           BookingStatus = "NO_SHOW"
)

// BookingStatuses lists every status, in the order of the API.
var BookingStatuses = []BookingStatus{
	Requested, Declined, Confirmed, Waitlisted, Offered, OfferExpired, CanceledByMember, CanceledByHost, Attended, NoShow,
}

// Holds tells whether a booking of this status has its seats.
func (s BookingStatus) Holds() bool {
	return s == Confirmed || s == Offered || s == Attended || s == NoShow
}

// Live tells whether a booking of this status is the one that its member has in its occurrence: there is one at most.
func (s BookingStatus) Live() bool { return s.Holds() || s == Requested || s == Waitlisted }

// bookingAction is what is done with a booking.
type bookingAction string

const (
	// approve gives seats by a host's decision, queue has the party wait for them instead.
	approve bookingAction = "approve"
	queue   bookingAction = "queue"
	decline bookingAction = "decline"
	offer   bookingAction = "offer"
	accept  bookingAction = "accept"
	lapse   bookingAction = "lapse"
	// cancel is by the member, remove by a host or with the occurrence.
	cancel bookingAction = "cancel"
	remove bookingAction = "remove"
	// attend and miss are said when the occurrence is completed, or corrected after.
	attend bookingAction = "attend"
	miss   bookingAction = "miss"
)

var bookingActions = []bookingAction{approve, queue, decline, offer, accept, lapse, cancel, remove, attend, miss}

// transitions is the state machine of a booking: what an action makes of which status. What is not here cannot be.
var transitions = map[BookingStatus]map[bookingAction]BookingStatus{
	Requested:  {approve: Confirmed, queue: Waitlisted, decline: Declined, cancel: CanceledByMember, remove: CanceledByHost},
	Waitlisted: {approve: Confirmed, decline: Declined, offer: Offered, cancel: CanceledByMember, remove: CanceledByHost},
	Offered:    {accept: Confirmed, lapse: OfferExpired, cancel: CanceledByMember, remove: CanceledByHost},
	Confirmed:  {cancel: CanceledByMember, remove: CanceledByHost, attend: Attended, miss: NoShow},
	Attended:   {miss: NoShow},
	NoShow:     {attend: Attended},
}

// first are the statuses that a booking can begin with.
var first = []BookingStatus{Requested, Confirmed, Waitlisted}

// after returns what the action makes of a booking of this status; false: it cannot be done.
func (s BookingStatus) after(action bookingAction) (BookingStatus, bool) {
	to, ok := transitions[s][action]
	return to, ok
}
