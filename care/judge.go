package care

import (
	"slices"
	"time"

	"regulars/care/occasion"
	"regulars/internal/program"
	"regulars/internal/value"
)

// ruling is what is decided about one message.
type ruling struct {
	status    Status
	reason    *Reason
	sendAfter time.Time
}

func suppressed(reason Reason) ruling { return ruling{status: Suppressed, reason: &reason} }

// again is how near to each other two greetings of what comes once a year are the same one: whoever corrects a birth date, or
// moves, is not greeted twice.
const again = 31 * 24 * time.Hour

// judge decides about a message of a campaign at an instant.
func judge(policy program.CarePolicy, who *listener, one *found, channel Channel, now time.Time) ruling {
	class := one.campaign.Class
	switch {
	case who.left:
		return suppressed(Left)
	case one.window.Late(now):
		return suppressed(TooLate)
	case one.yearly != "" && slices.ContainsFunc(who.contacts, func(had contact) bool {
		return had.yearly == one.yearly && had.key != one.key && had.channel == channel && now.Sub(had.at).Abs() < again
	}):
		return suppressed(Duplicate)
	case !who.addressed[channel]:
		return suppressed(NoAddress)
	case channel == program.Email && who.refused:
		return suppressed(BouncedAddress)
	case asksConsent(class, channel) && !who.consents[consentTopic{class, channel}]:
		return suppressed(NoConsent)
	}
	sendAfter := now
	if class != program.Service && channel != program.Inbox {
		sendAfter = loud(policy, now, who.zone)
		if !sendAfter.Before(one.window.To) {
			return suppressed(QuietHours)
		}
	}
	if class != program.Service && capped(policy, who, one, channel, sendAfter) {
		return suppressed(Capped)
	}
	switch {
	case channel == program.Inbox:
		return ruling{status: Delivered, sendAfter: sendAfter}
	case sendAfter.After(now):
		reason := QuietHours
		return ruling{status: Deferred, reason: &reason, sendAfter: sendAfter}
	default:
		return ruling{status: Queued, sendAfter: sendAfter}
	}
}

// loud is the first instant from t on that does not lie in the quiet hours of the member's clocks.
func loud(policy program.CarePolicy, t time.Time, zone *time.Location) time.Time {
	if policy.QuietFrom == nil || policy.QuietTo == nil {
		return t
	}
	local := t.In(zone)
	minute := value.LocalTime(local.Hour()*60 + local.Minute())
	from, to := *policy.QuietFrom, *policy.QuietTo
	day := value.DateOf(local)
	switch {
	case from < to && (minute < from || minute >= to), from > to && minute < from && minute >= to:
		return t
	case from > to && minute >= from:
		day = occasion.AddDays(day, 1)
	}
	return value.LocalDateTime{Year: day.Year, Month: day.Month, Day: day.Day, Hour: int(to) / 60, Minute: int(to) % 60}.In(zone).UTC()
}

// capped tells whether a cap of the policy leaves no room for a message. What goes before it and is awaited on the same day has
// its room kept.
func capped(policy program.CarePolicy, who *listener, one *found, channel Channel, at time.Time) bool {
	class, day := one.campaign.Class, value.DateOf(at.In(who.zone))
	for _, limit := range policy.Caps {
		if !bounds(limit, class, channel) {
			continue
		}
		since, count := limit.Per.Before(at, who.zone), 0
		for _, had := range who.contacts {
			if bounds(limit, had.class, had.channel) && had.at.After(since) {
				count++
			}
		}
		for _, coming := range who.awaited {
			if coming.priority < one.campaign.priority() && coming.day == day && coming.key != one.key && bounds(limit, coming.class, coming.channel) {
				count++
			}
		}
		if count >= limit.Messages {
			return true
		}
	}
	return false
}

// bounds tells whether a cap is about messages of a class on a channel.
func bounds(limit program.ContactCap, class Class, channel Channel) bool {
	if class == program.Service || limit.Class != nil && *limit.Class != class {
		return false
	}
	if limit.Channel == nil {
		return channel != program.Inbox
	}
	return *limit.Channel == channel
}
