package occasion_test

import (
	"testing"
	"time"

	"regulars/care/occasion"
	"regulars/internal/value"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	read, err := value.ParseZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func terms(t *testing.T, sendAt, offset string) occasion.Terms {
	t.Helper()
	at, err := value.ParseLocalTime(sendAt)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := value.ParseOffset(offset)
	if err != nil {
		t.Fatal(err)
	}
	return occasion.Terms{SendAt: at, Offset: moved}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A reminder that came at two in the morning of the next day in UTC+12 (Monica #389), and birthdays a day early (Mautic #9040).
func TestOnDay(t *testing.T) {
	t.Parallel()
	for _, one := range []struct{ zone, date, sendAt, offset, from, to string }{
		{"UTC", "2026-05-14", "09:00", "PT0S", "2026-05-14T09:00:00Z", "2026-05-15T00:00:00Z"},
		{"Pacific/Auckland", "2026-05-14", "09:00", "PT0S", "2026-05-13T21:00:00Z", "2026-05-14T12:00:00Z"},
		{"Pacific/Kiritimati", "2026-05-14", "09:00", "PT0S", "2026-05-13T19:00:00Z", "2026-05-14T10:00:00Z"},
		{"Pacific/Pago_Pago", "2026-05-14", "09:00", "PT0S", "2026-05-14T20:00:00Z", "2026-05-15T11:00:00Z"},
		{"UTC", "2026-01-03", "09:00", "-P7D", "2025-12-27T09:00:00Z", "2025-12-28T00:00:00Z"},
		// Clocks go forward at 02:00, and back at 03:00.
		{"Europe/Berlin", "2026-03-29", "02:30", "PT0S", "2026-03-29T01:30:00Z", "2026-03-29T22:00:00Z"},
		{"Europe/Berlin", "2026-10-25", "09:00", "PT0S", "2026-10-25T08:00:00Z", "2026-10-25T23:00:00Z"},
		// Days that begin at one, since clocks go forward at midnight.
		{"America/Asuncion", "2021-10-02", "09:00", "PT0S", "2021-10-02T13:00:00Z", "2021-10-03T04:00:00Z"},
	} {
		got := terms(t, one.sendAt, one.offset).OnDay(date(one.date), occasion.Home{Zone: zone(t, one.zone)})
		if !got.From.Equal(instant(t, one.from)) || !got.To.Equal(instant(t, one.to)) || !got.DayEnds.Equal(got.To) {
			t.Errorf("%s in %s is said from %s to %s", one.date, one.zone, got.From, got.To)
		}
	}
}

// Who moves east while the day goes on has not lost it.
func TestOnDay_Moved(t *testing.T) {
	t.Parallel()
	birthday, said := date("2026-05-14"), terms(t, "09:00", "PT0S")
	moved := instant(t, "2026-05-14T13:00:00Z") // 06:00 in Los Angeles, 01:00 of the next day in Auckland
	home := occasion.Home{Zone: zone(t, "Pacific/Auckland"), Earlier: zone(t, "America/Los_Angeles"), Moved: moved}
	if window := said.OnDay(birthday, home); !window.Due(moved) || window.Due(instant(t, "2026-05-15T07:00:00Z")) {
		t.Errorf("it is said until %s", window.To)
	}
	home.Moved = instant(t, "2026-05-01T00:00:00Z")
	if window := said.OnDay(birthday, home); !window.Late(moved) {
		t.Errorf("somebody who moved long ago is greeted until %s", window.To)
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	home := occasion.Home{Zone: zone(t, "America/New_York")}
	for _, one := range []struct{ at, sendAt, offset, from, to string }{
		{"2026-05-14T07:00:00Z", "09:00", "PT0S", "2026-05-14T13:00:00Z", "2026-05-17T13:00:00Z"},
		{"2026-05-14T20:00:00Z", "09:00", "PT0S", "2026-05-14T20:00:00Z", "2026-05-17T20:00:00Z"},
		{"2026-05-14T20:00:00Z", "09:00", "P1D", "2026-05-15T13:00:00Z", "2026-05-18T13:00:00Z"},
		{"2026-05-14T20:00:00Z", "09:00", "PT3H", "2026-05-14T23:00:00Z", "2026-05-17T23:00:00Z"},
	} {
		got := terms(t, one.sendAt, one.offset).Of(instant(t, one.at), home)
		if !got.From.Equal(instant(t, one.from)) || !got.To.Equal(instant(t, one.to)) {
			t.Errorf("%s with %s is said from %s to %s", one.at, one.offset, got.From, got.To)
		}
	}
}

// Reminders came after the event since cron had no zone (CiviCRM, pull request 2132).
func TestUntil(t *testing.T) {
	t.Parallel()
	home := occasion.Home{Zone: zone(t, "Asia/Shanghai")}
	for _, one := range []struct{ at, sendAt, offset, from string }{
		{"2026-05-14T11:00:00Z", "09:00", "-P1D", "2026-05-13T01:00:00Z"},
		{"2026-05-14T17:00:00Z", "09:00", "-P1D", "2026-05-14T01:00:00Z"},
		{"2026-05-14T11:00:00Z", "09:00", "-PT2H", "2026-05-14T09:00:00Z"},
	} {
		got := terms(t, one.sendAt, one.offset).Until(instant(t, one.at), home)
		if !got.From.Equal(instant(t, one.from)) || !got.To.Equal(instant(t, one.at)) {
			t.Errorf("%s is announced from %s to %s", one.at, got.From, got.To)
		}
	}
}
