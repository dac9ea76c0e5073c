package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/club/plan"
	"regulars/internal/problem"
	"regulars/internal/value"
)

func local(text string) value.LocalDateTime {
	read, err := value.ParseLocalDateTime(text)
	if err != nil {
		panic(err)
	}
	return read
}

func locals(texts ...string) []value.LocalDateTime {
	var read []value.LocalDateTime
	for _, text := range texts {
		read = append(read, local(text))
	}
	return read
}

func zone(name string) *time.Location {
	found, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return found
}

// made returns the dates of a plan as texts, the added ones with a plus.
func made(t testing.TB, input plan.Input, limit int) []string {
	t.Helper()
	p, err := plan.New(input)
	if err != nil {
		t.Fatal(err)
	}
	dates, _ := p.Dates(nil, local("9999-01-01T00:00"), limit)
	var texts []string
	for _, date := range dates {
		text := strings.TrimSuffix(date.Local.String(), ":00")
		if date.Added {
			text = "+" + text
		}
		texts = append(texts, text)
	}
	return texts
}

// What RFC 5545 says of dates that the calendar does not have: they are left out, not moved.
func TestDates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		start, rule     string
		excluded, added []value.LocalDateTime
		want            []string
	}{
		"once":                         {start: "2026-12-05T19:00", want: []string{"2026-12-05T19:00"}},
		"once and once more":           {start: "2026-12-05T19:00", added: locals("2026-12-06T19:00"), want: []string{"2026-12-05T19:00", "+2026-12-06T19:00"}},
		"months without a 31st":        {start: "2026-01-31T19:00", rule: "FREQ=MONTHLY;COUNT=4", want: []string{"2026-01-31T19:00", "2026-03-31T19:00", "2026-05-31T19:00", "2026-07-31T19:00"}},
		"years without a 29th":         {start: "2028-02-29T19:00", rule: "FREQ=YEARLY;COUNT=3", want: []string{"2028-02-29T19:00", "2032-02-29T19:00", "2036-02-29T19:00"}},
		"a century without a leap day": {start: "2096-02-29T19:00", rule: "FREQ=YEARLY;COUNT=2", want: []string{"2096-02-29T19:00", "2104-02-29T19:00"}},
		"the last day of February":     {start: "2027-02-28T19:00", rule: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;COUNT=2", want: []string{"2027-02-28T19:00", "2028-02-29T19:00"}},
		"the last working day":         {start: "2026-01-30T19:00", rule: "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", want: []string{"2026-01-30T19:00", "2026-02-27T19:00"}},
		"until an instant":             {start: "2026-12-01T00:30", rule: "FREQ=DAILY;UNTIL=20261202T233000Z", want: []string{"2026-12-01T00:30", "2026-12-02T00:30", "2026-12-03T00:30"}},
		"until a day, with all of it":  {start: "2026-12-01T19:00", rule: "FREQ=DAILY;UNTIL=20261202", want: []string{"2026-12-01T19:00", "2026-12-02T19:00"}},
		"twice a day":                  {start: "2026-12-01T09:00", rule: "RRULE:freq=daily;byhour=9,15,15;count=3", want: []string{"2026-12-01T09:00", "2026-12-01T15:00", "2026-12-02T09:00"}},
		"over a change of clocks":      {start: "2026-10-24T19:00", rule: "FREQ=DAILY;COUNT=2", want: []string{"2026-10-24T19:00", "2026-10-25T19:00"}},
		"left out and added": {
			start: "2026-12-01T19:00", rule: "FREQ=WEEKLY;COUNT=3", excluded: locals("2026-12-08T19:00"), added: locals("2026-12-09T20:00", "2026-11-30T18:00"),
			want: []string{"+2026-11-30T18:00", "2026-12-01T19:00", "+2026-12-09T20:00", "2026-12-15T19:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			input := plan.Input{Zone: zone("Europe/Berlin"), StartsAt: local(test.start), Excluded: test.excluded, Added: test.added}
			if test.rule != "" {
				input.Recurrence = &test.rule
			}
			if difference := cmp.Diff(test.want, made(t, input, 10)); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// Bad input is refused with a code and the field at fault, and at once. Complaint 7: a rule without any date hangs.
func TestRefused_Complaint7_RuleWithoutDates(t *testing.T) {
	t.Parallel()
	for rule, field := range map[string]string{
		"":                                      "recurrence",
		"hello":                                 "recurrence",
		"FREQ=WEEKLY;FREQ=DAILY":                "recurrence",
		"FREQ=HOURLY":                           "recurrence",
		"FREQ=SECONDLY;COUNT=10":                "recurrence",
		"FREQ=DAILY;COUNT=1000000000":           "recurrence",
		"FREQ=DAILY;COUNT=99999999999999999999": "recurrence",
		"FREQ=DAILY;COUNT=0":                    "recurrence",
		"FREQ=DAILY;COUNT=-1":                   "recurrence",
		"FREQ=DAILY;COUNT=1201":                 "recurrence",
		"FREQ=DAILY;UNTIL=20400101":             "recurrence",
		"FREQ=DAILY;UNTIL=soon":                 "recurrence",
		"FREQ=DAILY;COUNT=3;UNTIL=20270101":     "recurrence",
		"FREQ=DAILY;INTERVAL=0":                 "recurrence",
		"FREQ=DAILY;INTERVAL=1000000000":        "recurrence",
		"FREQ=DAILY;BYMONTH=13":                 "recurrence",
		"FREQ=DAILY;BYEASTER=1":                 "recurrence",
		"FREQ=WEEKLY;BYDAY=1MO":                 "recurrence",
		"FREQ=WEEKLY;BYDAY=XX":                  "recurrence",
		"FREQ=YEARLY;COUNT=200":                 "recurrence",
		"FREQ=DAILY;BYSETPOS=1":                 "recurrence",
		"FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,10,20,30,40": "recurrence",
		"FREQ=DAILY\nDTSTART:20260101":                                        "recurrence",
		// Rules without any date, which others hang on.
		"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30":  "startsAt",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30": "startsAt",
		"FREQ=WEEKLY;BYDAY=WE":                "startsAt",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			_, err := plan.New(plan.Input{Zone: time.UTC, StartsAt: local("2026-12-01T19:00"), Recurrence: &rule})
			refused(t, err, field)
		})
	}
	weekly := "FREQ=WEEKLY"
	t.Run("left out, but not there", func(t *testing.T) {
		t.Parallel()
		_, err := plan.New(plan.Input{Zone: time.UTC, StartsAt: local("2026-12-01T19:00"), Recurrence: &weekly, Excluded: locals("2026-12-08T19:00", "2026-12-09T19:00")})
		refused(t, err, "excludedDates", "1")
	})
	t.Run("added, but there", func(t *testing.T) {
		t.Parallel()
		_, err := plan.New(plan.Input{Zone: time.UTC, StartsAt: local("2026-12-01T19:00"), Recurrence: &weekly, Added: locals("2026-12-15T19:00")})
		refused(t, err, "addedDates", "0")
	})
	t.Run("nothing left", func(t *testing.T) {
		t.Parallel()
		_, err := plan.New(plan.Input{Zone: time.UTC, StartsAt: local("2026-12-01T19:00"), Excluded: locals("2026-12-01T19:00")})
		refused(t, err, "recurrence")
	})
}

func refused(t *testing.T, err error, path ...string) {
	t.Helper()
	problems, ok := problem.UserErrors(err)
	if !ok || len(problems) != 1 {
		t.Fatalf("it is not refused: %v", err)
	}
	one := problems[0].(problem.InputError)
	if difference := cmp.Diff(append([]string{"input"}, path...), one.Path); one.Code != problem.InvalidRecurrence || difference != "" {
		t.Errorf("%v: %s", one, difference)
	}
}

// A rule without an end is cut off, and goes on where it was.
func TestDates_Endless(t *testing.T) {
	t.Parallel()
	rule := "FREQ=DAILY"
	p, err := plan.New(plan.Input{Zone: time.UTC, StartsAt: local("2026-12-01T19:00"), Recurrence: &rule})
	if err != nil || !p.Endless() {
		t.Fatal(err)
	}
	first, more := p.Dates(nil, local("2036-01-01T00:00"), 100)
	if len(first) != 100 || !more {
		t.Errorf("%d dates, more: %v", len(first), more)
	}
	second, more := p.Dates(&first[99].Local, local("2027-03-12T19:00"), 100)
	if len(second) != 2 || more || second[0].Local != local("2027-03-11T19:00") {
		t.Errorf("%v, more: %v", second, more)
	}
}

// Whatever the rule, its dates rise, keep their time on the wall, and are those of a simple search day by day.
func TestDates_DayByDay(t *testing.T) {
	t.Parallel()
	days := []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 1, 1, 19, 30, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 1500).Draw(t, "start"))
		interval := rapid.IntRange(1, 4).Draw(t, "interval")
		freq := rapid.SampledFrom([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}).Draw(t, "freq")
		rule := "FREQ=" + freq + ";INTERVAL=" + string(rune('0'+interval))
		on := map[time.Weekday]bool{}
		if freq == "WEEKLY" {
			on[start.Weekday()] = true
			on[time.Weekday(rapid.IntRange(0, 6).Draw(t, "other"))] = true
			var names []string
			for day := range on {
				names = append(names, days[(int(day)+6)%7])
			}
			rule += ";BYDAY=" + strings.Join(names, ",")
		}
		monday := start.AddDate(0, 0, -(int(start.Weekday())+6)%7)
		var want []string
		for day := start; len(want) < 20; day = day.AddDate(0, 0, 1) {
			months := (day.Year()-start.Year())*12 + int(day.Month()) - int(start.Month())
			var holds bool
			switch freq {
			case "DAILY":
				holds = int(day.Sub(start)/(24*time.Hour))%interval == 0
			case "WEEKLY":
				holds = on[day.Weekday()] && int(day.Sub(monday)/(7*24*time.Hour))%interval == 0
			case "MONTHLY":
				holds = day.Day() == start.Day() && months%interval == 0
			case "YEARLY":
				holds = day.Day() == start.Day() && months%(12*interval) == 0
			}
			if holds {
				want = append(want, day.Format("2006-01-02T15:04"))
			}
			if day.Year() > start.Year()+90 {
				break
			}
		}
		p, err := plan.New(plan.Input{Zone: time.UTC, StartsAt: value.LocalDateTimeOf(start), Recurrence: &rule})
		if err != nil {
			t.Fatal(rule, err)
		}
		dates, _ := p.Dates(nil, value.LocalDateTimeOf(start.AddDate(90, 0, 0)), 20)
		var got []string
		for _, date := range dates {
			got = append(got, strings.TrimSuffix(date.Local.String(), ":00"))
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Fatalf("%s from %s: %s", rule, start, difference)
		}
	})
}

// A rule moves with its dates where a rule can say so.
func TestRule(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rule  string
		shift time.Duration
		want  string
	}{
		{"FREQ=WEEKLY;COUNT=9", 0, "FREQ=WEEKLY"},
		{"FREQ=WEEKLY;BYDAY=TU,TH", time.Hour, "FREQ=WEEKLY;BYDAY=TU,TH"},
		{"FREQ=WEEKLY;BYDAY=TU,SU", 24 * time.Hour, "FREQ=WEEKLY;BYDAY=WE,MO"},
		{"FREQ=WEEKLY;BYDAY=TU", -20 * time.Hour, "FREQ=WEEKLY;BYDAY=MO"},
		{"FREQ=WEEKLY;INTERVAL=2", 48 * time.Hour, "FREQ=WEEKLY;INTERVAL=2"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", 48 * time.Hour, ""},
		{"FREQ=MONTHLY", 24 * time.Hour, ""},
		{"FREQ=MONTHLY", 2 * time.Hour, "FREQ=MONTHLY"},
		{"FREQ=DAILY;BYHOUR=9,19", time.Hour, ""},
	} {
		p, err := plan.New(plan.Input{Zone: time.UTC, StartsAt: local("2026-12-01T19:00"), Recurrence: &test.rule})
		if err != nil {
			t.Fatal(test.rule, err)
		}
		if got, ok := p.Rule(local("2026-12-01T19:00"), test.shift); got != test.want || ok != (test.want != "") {
			t.Errorf("%s by %s: %q", test.rule, test.shift, got)
		}
	}
}

// A date far away must not make anybody walk through all dates before it, again and again.
func TestNew_FarAway(t *testing.T) {
	t.Parallel()
	often := "FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,30"
	start, far := local("2026-01-05T00:00"), local("2100-01-05T00:00")
	_, err := plan.New(plan.Input{Zone: time.UTC, StartsAt: start, Recurrence: &often, Added: []value.LocalDateTime{far}})
	if problems, ok := problem.UserErrors(err); !ok || len(problems) != 1 {
		t.Errorf("it is answered %v", err)
	}
}
