package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"regulars/internal/value"
)

// Bounds of rules: what they are written in, how often on a day they repeat, and how seldom.
const (
	maximumText     = 500
	maximumTimes    = 48
	maximumInterval = 1000
)

// refusal is why a rule is refused, a sentence for organizers.
type refusal string

func (r refusal) Error() string { return string(r) }

const (
	errForm  refusal = "A rule is a RRULE of RFC 5545, e.g. FREQ=WEEKLY;BYDAY=TU."
	errDaily refusal = "A rule repeats yearly, monthly, weekly or daily; for several times on a day give BYHOUR and BYMINUTE."
	errEnd   refusal = "A rule ends by COUNT or by UNTIL, not by both, and by COUNT behind one date at least."
)

func refuse(format string, arguments ...any) refusal {
	return refusal(fmt.Sprintf(format, arguments...))
}

var parts = []string{
	"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSETPOS",
}

// parse reads a rule into walls. Its errors are refusals.
func parse(text string, zone *time.Location) (*rrule.ROption, error) {
	text = strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "RRULE:")
	if text == "" || len(text) > maximumText {
		return nil, errForm
	}
	given := map[string]string{}
	var kept []string
	for _, part := range strings.Split(text, ";") {
		name, said, ok := strings.Cut(part, "=")
		if !ok || said == "" || given[name] != "" || !slices.Contains(parts, name) {
			return nil, errForm
		}
		given[name] = said
		if name != "UNTIL" {
			kept = append(kept, part)
		}
	}
	rule, err := rrule.StrToROption(strings.Join(kept, ";"))
	if err != nil {
		return nil, errForm
	}
	if given["UNTIL"] != "" {
		if rule.Until, err = until(given["UNTIL"], zone); err != nil {
			return nil, err
		}
	}
	return rule, check(rule, given)
}

// check refuses what the standard does not allow, and what would never end.
func check(rule *rrule.ROption, given map[string]string) error {
	ordinal := slices.ContainsFunc(rule.Byweekday, func(day rrule.Weekday) bool { return day.N() != 0 })
	for _, day := range strings.Split(given["BYDAY"], ",") {
		if strings.HasPrefix(day, "0") || strings.HasPrefix(day, "+0") || strings.HasPrefix(day, "-0") {
			return errForm
		}
	}
	for _, numbers := range []*[]int{&rule.Byhour, &rule.Byminute, &rule.Bymonth, &rule.Bymonthday} {
		slices.Sort(*numbers)
		*numbers = slices.Compact(*numbers)
	}
	switch {
	case rule.Freq > rrule.DAILY:
		return errDaily
	case given["INTERVAL"] != "" && (rule.Interval < 1 || rule.Interval > maximumInterval):
		return refuse("INTERVAL is from 1 to %d.", maximumInterval)
	case given["COUNT"] != "" && (rule.Count < 1 || given["UNTIL"] != ""):
		return errEnd
	case rule.Count > MaximumDates:
		return refuse("COUNT is at most %d. Without an end, dates are made ahead as time goes on.", MaximumDates)
	case max(len(rule.Byhour), 1)*max(len(rule.Byminute), 1) > maximumTimes:
		return refuse("A rule has at most %d times on a day.", maximumTimes)
	case ordinal && (rule.Freq > rrule.MONTHLY || len(rule.Byweekno) > 0),
		len(rule.Byweekno) > 0 && rule.Freq != rrule.YEARLY,
		len(rule.Byyearday) > 0 && rule.Freq != rrule.YEARLY,
		len(rule.Bymonthday) > 0 && rule.Freq == rrule.WEEKLY:
		return refuse("These parts of the rule do not go together.")
	case len(rule.Bysetpos) > 0 && len(rule.Byweekday)+len(rule.Bymonthday)+len(rule.Byyearday)+len(rule.Byweekno)+len(rule.Bymonth)+len(rule.Byhour)+len(rule.Byminute) == 0:
		return refuse("BYSETPOS chooses among what another BY part gives.")
	}
	return nil
}

// until reads the end of a rule as a wall: an instant as the zone's walls show it, a day with all of it.
func until(text string, zone *time.Location) (time.Time, error) {
	for layout, read := range map[string]func(time.Time) time.Time{
		rrule.DateTimeFormat:      func(at time.Time) time.Time { return wall(value.LocalDateTimeOf(at.In(zone))) },
		rrule.LocalDateTimeFormat: func(at time.Time) time.Time { return at },
		rrule.DateFormat:          func(at time.Time) time.Time { return at.Add(24*time.Hour - time.Second) },
	} {
		if at, err := time.Parse(layout, text); err == nil {
			return read(at), nil
		}
	}
	return time.Time{}, refuse("UNTIL is an instant such as 20261231T235959Z, or a day such as 20261231.")
}

// Rule returns the rule of a stretch of the plan's dates that all take place so much later than planned, without its end: to
// be followed from one of these dates. False: no rule says that.
func (p *Plan) Rule(first value.LocalDateTime, shift time.Duration) (string, bool) {
	if p.rule == nil {
		return "", false
	}
	moved := *p.rule
	moved.Count, moved.Until, moved.Dtstart = 0, time.Time{}, time.Time{}
	if shift == 0 {
		return moved.RRuleString(), true
	}
	if len(moved.Byhour)+len(moved.Byminute) > 0 {
		return "", false
	}
	days := int(wall(midnight(first.Add(shift))).Sub(wall(midnight(first))) / (24 * time.Hour))
	bare := len(moved.Bymonth)+len(moved.Bymonthday)+len(moved.Byyearday)+len(moved.Byweekno)+len(moved.Bysetpos) == 0
	weekly := moved.Freq == rrule.WEEKLY && moved.Interval <= 1 || len(moved.Byweekday) == 0
	switch {
	case days == 0:
		return moved.RRuleString(), true
	case !bare || moved.Freq < rrule.WEEKLY || !weekly:
		return "", false
	}
	rotated := make([]rrule.Weekday, len(moved.Byweekday))
	week := []rrule.Weekday{rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU}
	for i, day := range moved.Byweekday {
		rotated[i] = week[((day.Day()+days)%7+7)%7]
	}
	moved.Byweekday = rotated
	return moved.RRuleString(), true
}

func midnight(local value.LocalDateTime) value.LocalDateTime {
	return value.LocalDateTime{Year: local.Year, Month: local.Month, Day: local.Day}
}

// Canonical returns a rule as it is kept: in capitals, without the name of its property.
func Canonical(text string) string {
	return strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(text)), "RRULE:")
}
