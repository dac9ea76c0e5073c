package jobs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// schedule is a cron spec in a zone. A spec whose hours are all ("*") fires by the time that passes: every hour has its turn,
// also one that the clocks repeat. Any other fires by what clocks show, once for each of their times: at the first of two, and
// at once after an hour that they leave out.
type schedule struct {
	spec string
	cron *cron.SpecSchedule // nil: it never fires
	zone *time.Location
}

// off is the spec of a job that runs only when it is asked for.
const off = "off"

// hourly is the bit that cron sets for a star.
const hourly = 1 << 63

// anyTime is where a search for the times of a spec may start: they come again after eight years at most, and cron looks five
// years ahead.
var anyTime = time.Date(2027, time.January, 1, 0, 0, 0, 0, time.UTC)

// parseSchedule reads a spec of five fields, or one like @daily; zone is where its times are meant.
func parseSchedule(spec string, zone *time.Location) (schedule, error) {
	if spec == off {
		return schedule{spec: spec, zone: zone}, nil
	}
	if strings.Contains(spec, "TZ=") {
		return schedule{}, errors.New("the zone is the program's, the spec names none")
	}
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		return schedule{}, err
	}
	times, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return schedule{}, errors.New("@every has no fixed times; say e.g. */15 * * * *")
	}
	times.Location = time.UTC
	if times.Next(anyTime).IsZero() {
		return schedule{}, errors.New("it never fires")
	}
	return schedule{spec: spec, cron: times, zone: zone}, nil
}

// next is the first time after t at which it fires; the zero time if there is none.
func (s schedule) next(t time.Time) time.Time {
	switch {
	case s.cron == nil:
		return time.Time{}
	case s.cron.Hour&hourly != 0:
		return s.nextPassing(t)
	}
	return s.nextShown(t)
}

// nextPassing goes from one change of the clocks to the next: in between, what they show and what passes are the same.
func (s schedule) nextPassing(t time.Time) time.Time {
	shown := civil(t.In(s.zone))
	for {
		local := t.In(s.zone)
		_, offset := local.Zone()
		_, end := local.ZoneBounds()
		fires := s.cron.Next(shown)
		if fires.IsZero() {
			return fires
		}
		at := fires.Add(-time.Duration(offset) * time.Second)
		if end.IsZero() || at.Before(end) {
			return at
		}
		t = end
		shown = civil(end.In(s.zone)).Add(-time.Nanosecond)
	}
}

// nextShown starts where clocks surely show less than at t, if they were just moved: the times they show need not rise, but the
// instants do at which they first show them.
func (s schedule) nextShown(t time.Time) time.Time {
	const shift = 25 * time.Hour // more than clocks were ever moved by
	local := t.In(s.zone)
	from := civil(local)
	if moved, _ := local.ZoneBounds(); t.Sub(moved) <= shift {
		from = from.Add(-shift)
	}
	for fires := s.cron.Next(from); !fires.IsZero(); fires = s.cron.Next(fires) {
		if at := firstShown(fires, s.zone); at.After(t) {
			return at
		}
	}
	return time.Time{}
}

// civil is what the clock shows at a local time, as if clocks were never moved.
func civil(local time.Time) time.Time {
	return time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)
}

// firstShown is when the clocks of a zone first show a time or, where they leave it out, when they are past it.
func firstShown(shown time.Time, zone *time.Location) time.Time {
	at := time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), shown.Second(), 0, zone)
	start, end := at.ZoneBounds()
	if now := civil(at); now.After(shown) {
		return start
	} else if now.Before(shown) {
		return end
	}
	if start.IsZero() {
		return at
	}
	_, offset := at.Zone()
	_, before := start.Add(-time.Nanosecond).Zone()
	if earlier := at.Add(time.Duration(offset-before) * time.Second); earlier.Before(start) && before > offset {
		return earlier
	}
	return at
}

// last is the latest time after one and not after another at which it fires; the zero time if there is none. It looks back
// further and further, so that years of missed minutes are not counted one by one.
func (s schedule) last(after, through time.Time) time.Time {
	const day = 24 * time.Hour
	for _, back := range []time.Duration{time.Hour, 2 * day, 40 * day, 400 * day, 3000 * day} {
		from := through.Add(-back)
		if from.Before(after) {
			from = after
		}
		var latest time.Time
		for at := s.next(from); !at.IsZero() && !at.After(through); at = s.next(at) {
			latest = at
		}
		if !latest.IsZero() || from.Equal(after) {
			return latest
		}
	}
	return time.Time{}
}

// words say in English when it fires if that is simple, and else give the spec.
func (s schedule) words() string {
	if s.spec == off {
		return "only when asked for"
	}
	if s.spec == "* * * * *" {
		return "every minute"
	}
	fields := strings.Fields(s.spec)
	if len(fields) != 5 || strings.Join(fields[2:], " ") != "* * *" {
		return s.spec
	}
	if step, ok := strings.CutPrefix(fields[0], "*/"); ok && fields[1] == "*" {
		if every, err := strconv.Atoi(step); err == nil && 60%every == 0 {
			return fmt.Sprintf("every %d minutes", every)
		}
	}
	minute, wrong := strconv.Atoi(fields[0])
	hour, unusual := strconv.Atoi(fields[1])
	switch {
	case wrong == nil && unusual == nil:
		return fmt.Sprintf("daily at %02d:%02d", hour, minute)
	case wrong == nil && fields[1] == "*":
		return fmt.Sprintf("hourly at :%02d", minute)
	}
	return s.spec
}
