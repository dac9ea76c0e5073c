package rules_test

import (
	"testing"
	"time"

	"regulars/internal/value"
	"regulars/loyalty/rules"
)

func TestWindows(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	clock := func(text string) value.LocalTime {
		at, err := value.ParseLocalTime(text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	happyHour := rules.Window{Days: []rules.Weekday{"TUESDAY"}, From: clock("14:00"), Until: clock("17:00")}
	night := rules.Window{Days: []rules.Weekday{"SATURDAY"}, From: clock("22:00"), Until: clock("03:00")}
	sunday := rules.Window{Days: []rules.Weekday{"SUNDAY"}, From: clock("00:00"), Until: clock("00:00")}
	early := rules.Window{Days: []rules.Weekday{"SUNDAY"}, From: clock("02:00"), Until: clock("03:00")}
	for _, test := range []struct {
		name   string
		window rules.Window
		at     string
		serves bool
	}{
		{"Tuesdays 14:00-17:00, at its start", happyHour, "2026-11-24T13:00:00Z", true},
		{"just before it", happyHour, "2026-11-24T12:59:59Z", false},
		{"at its end", happyHour, "2026-11-24T16:00:00Z", false},
		{"just before its end", happyHour, "2026-11-24T15:59:59Z", true},
		{"in summer", happyHour, "2026-07-07T12:00:00Z", true},
		{"on Wednesday", happyHour, "2026-11-25T14:00:00Z", false},
		{"over midnight, before", night, "2026-11-21T22:30:00Z", true},
		{"over midnight, after", night, "2026-11-22T01:30:00Z", true},
		{"over midnight, over", night, "2026-11-22T02:00:00Z", false},
		{"the night before it", night, "2026-11-21T01:30:00Z", false},
		{"a whole day, from midnight", sunday, "2026-11-21T23:00:00Z", true},
		{"a whole day, to midnight", sunday, "2026-11-22T22:59:59Z", true},
		{"the day after", sunday, "2026-11-22T23:00:00Z", false},
		{"an hour that is skipped, before", early, "2026-03-29T00:59:59Z", false},
		{"an hour that is skipped, after", early, "2026-03-29T01:00:00Z", false},
		{"an hour that is repeated, first", early, "2026-10-25T00:30:00Z", true},
		{"an hour that is repeated, again", early, "2026-10-25T01:30:00Z", true},
		{"an hour that is repeated, over", early, "2026-10-25T02:00:00Z", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			asked, err := rules.NewSet([]rules.Version{rule("rule", fixed(1), func(v *rules.Version) { v.Windows = []rules.Window{test.window} })}, nil, berlin)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, test.at)
			if err != nil {
				t.Fatal(err)
			}
			evaluation, _ := asked.Evaluate(rules.Member{}, purchaseAt(at, 100), memory())
			status := evaluation.Outcomes[0].Status
			if got := status == rules.Applied; got != test.serves || !got && status != rules.NotInSchedule {
				t.Errorf("%s, serves: want %v", status, test.serves)
			}
		})
	}
}
