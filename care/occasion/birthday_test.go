package occasion_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/care/occasion"
	"regulars/internal/value"
)

func date(text string) value.Date {
	read, err := value.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return read
}

// TestLeapDayIsASetting: people disagree about 29 February in common years (BirthdayBot #192: 28 February; SMF #5955: 1 March;
// Nextcloud #25979, changed by PR 29010), and nobody wants none (Mautic, CiviCRM PR 30338).
func TestLeapDayIsASetting(t *testing.T) {
	t.Parallel()
	born := date("1996-02-29")
	for _, test := range []struct {
		year     int
		onMarch1 bool
		want     string
	}{
		{2026, false, "2026-02-28"},
		{2026, true, "2026-03-01"},
		{2028, false, "2028-02-29"},
		{2028, true, "2028-02-29"},
		{2100, false, "2100-02-28"},
		{2100, true, "2100-03-01"},
		{2000, true, "2000-02-29"},
	} {
		got, exists := occasion.BirthdayIn(born, test.year, test.onMarch1)
		if got.String() != test.want || !exists {
			t.Errorf("%d, on 1 March %t: %s, %t; want %s", test.year, test.onMarch1, got, exists, test.want)
		}
		anniversary, years := occasion.AnniversaryIn(born, test.year, test.onMarch1)
		if anniversary.String() != test.want || years != test.year-1996 {
			t.Errorf("%d: the anniversary is %s, after %d years; want %s", test.year, anniversary, years, test.want)
		}
	}
}

// TestNobodyIsGreetedBeforeTheFirstBirthday: who is born today is not greeted today, nor by a date of birth to come.
func TestNobodyIsGreetedBeforeTheFirstBirthday(t *testing.T) {
	t.Parallel()
	born := date("2026-05-04")
	for year, want := range map[int]bool{2025: false, 2026: false, 2027: true} {
		if _, exists := occasion.BirthdayIn(born, year, false); exists != want {
			t.Errorf("%d has a birthday: %t", year, exists)
		}
		if _, years := occasion.AnniversaryIn(born, year, false); (years >= 1) != want {
			t.Errorf("%d has an anniversary of %d years", year, years)
		}
	}
}

// TestOneBirthdayAYear: every date of birth has one birthday in each year, on its own month and day if the year has it.
func TestOneBirthdayAYear(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		born := value.DateOf(time.Date(rapid.IntRange(1900, 2026).Draw(t, "year"), 1, 1+rapid.IntRange(0, 365).Draw(t, "day"), 0, 0, 0, 0, time.UTC))
		year := rapid.IntRange(born.Year+1, 2200).Draw(t, "in")
		onMarch1 := rapid.Bool().Draw(t, "on 1 March")
		birthday, exists := occasion.BirthdayIn(born, year, onMarch1)
		if !exists || birthday.Year != year {
			t.Fatalf("%s has %s, %t in %d", born, birthday, exists, year)
		}
		if _, err := value.ParseDate(birthday.String()); err != nil {
			t.Fatal(err)
		}
		same := birthday.Month == born.Month && birthday.Day == born.Day
		leap := born.Month == time.February && born.Day == 29 && time.Date(year, 2, 29, 0, 0, 0, 0, time.UTC).Day() != 29
		if same == leap {
			t.Fatalf("%s has its birthday on %s", born, birthday)
		}
	})
}
