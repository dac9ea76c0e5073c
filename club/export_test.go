package club

import "slices"

// Outcomes are the statuses that a booking of this one can have next.
func Outcomes(status BookingStatus) []BookingStatus {
	var next []BookingStatus
	for _, to := range transitions[status] {
		next = append(next, to)
	}
	slices.Sort(next)
	return next
}

// Table is the state machine of a booking as docs/club.md shows it: actions by rows, statuses by columns.
func Table() (actions []string, cells map[string]map[BookingStatus]BookingStatus) {
	cells = map[string]map[BookingStatus]BookingStatus{}
	for _, action := range bookingActions {
		actions = append(actions, string(action))
		cells[string(action)] = map[BookingStatus]BookingStatus{}
		for _, from := range BookingStatuses {
			if to, ok := from.after(action); ok {
				cells[string(action)][from] = to
			}
		}
	}
	return actions, cells
}

// First are the statuses that a booking can begin with.
func First() []BookingStatus { return first }
