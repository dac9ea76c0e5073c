package loyalty

import (
	"slices"
	"strconv"
	"time"

	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
)

// Bounds of contact caps.
const (
	maximumContactCaps     = 50
	maximumContactMessages = 10_000
)

// CarePolicyEdit is what changes of the contact policy; what is nil stays.
type CarePolicyEdit struct {
	LeapDayBirthday *program.LeapDayBirthday
	QuietFrom       *value.LocalTime
	QuietTo         *value.LocalTime
	// EndQuietFrom and EndQuietTo leave the hours unsaid; they end together.
	EndQuietFrom, EndQuietTo bool
	// Caps are all that there shall be; empty: none.
	Caps []program.ContactCap
}

// apply checks the edit, as the field care of an input, and returns the policy that it makes of the one before.
func (e CarePolicyEdit) apply(problems *problem.Problems, policy program.CarePolicy) program.CarePolicy {
	if e.LeapDayBirthday != nil {
		policy.LeapDayBirthday = *e.LeapDayBirthday
	}
	if e.EndQuietFrom || e.QuietFrom != nil {
		policy.QuietFrom = e.QuietFrom
	}
	if e.EndQuietTo || e.QuietTo != nil {
		policy.QuietTo = e.QuietTo
	}
	switch from, to := policy.QuietFrom, policy.QuietTo; {
	case from == nil && to != nil:
		problems.Add(problem.InvalidPolicy, []string{"care", "quietFrom"}, "Say from when it is quiet, or end quiet hours with null for both.")
	case from != nil && to == nil:
		problems.Add(problem.InvalidPolicy, []string{"care", "quietTo"}, "Say until when it is quiet, or end quiet hours with null for both.")
	case from != nil && *from == *to:
		problems.Add(problem.InvalidPolicy, []string{"care", "quietTo"}, "Quiet hours end at another time than they begin.")
	}
	if e.Caps != nil {
		checkContactCaps(problems, e.Caps)
		// Read back, no caps are nil.
		policy.Caps = append([]program.ContactCap(nil), e.Caps...)
	}
	return policy
}

func checkContactCaps(problems *problem.Problems, caps []program.ContactCap) {
	if len(caps) > maximumContactCaps {
		problems.Add(problem.InvalidPolicy, []string{"care", "caps"}, "There are at most %d caps.", maximumContactCaps)
		return
	}
	for i, one := range caps {
		wrong := func(field, format string, arguments ...any) {
			problems.Add(problem.InvalidPolicy, []string{"care", "caps", strconv.Itoa(i), field}, format, arguments...)
		}
		if one.Class != nil && *one.Class == program.Service {
			wrong("class", "What members need is never capped.")
		}
		end := one.Per.After(time.Time{}, time.UTC)
		if !end.After(time.Time{}) || end.After(value.Period{Years: 1}.After(time.Time{}, time.UTC)) {
			wrong("per", "A cap looks back more than nothing and at most a year.")
		}
		switch {
		case one.Messages < 1:
			wrong("messages", "A cap allows at least 1 message; for no cap leave it out, and to send nothing switch campaigns off.")
		case one.Messages > maximumContactMessages:
			wrong("messages", "A cap allows at most %d messages.", maximumContactMessages)
		}
		if slices.ContainsFunc(caps[:i], one.SameScope) {
			wrong("per", "There is a cap of this class, channel and time already.")
		}
	}
}
