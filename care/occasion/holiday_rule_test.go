package occasion

import (
	"strings"
	"testing"
	"time"
)

// TestEaster has the dates of Easter as the churches' tables give them; 1954 and 1981 are where Gauss's rule needed exceptions.
func TestEaster(t *testing.T) {
	t.Parallel()
	western := strings.Fields(`1818-03-22 1900-04-15 1943-04-25 1954-04-18 1961-04-02 1981-04-19 2000-04-23 2008-03-23 2011-04-24 2016-03-27 2019-04-21
		2023-04-09 2024-03-31 2025-04-20 2026-04-05 2027-03-28 2028-04-16 2029-04-01 2030-04-21 2031-04-13 2032-03-28 2033-04-17 2034-04-09 2035-03-25 2038-04-25`)
	orthodox := strings.Fields(`2008-04-27 2010-04-04 2011-04-24 2013-05-05 2016-05-01 2019-04-28 2023-04-16 2024-05-05 2025-04-20 2026-04-12 2027-05-02
		2028-04-16 2029-04-08 2030-04-28 2031-04-13 2032-05-02 2033-04-24 2034-04-09 2035-04-29`)
	check := func(name string, easter func(int) time.Time, dates []string) {
		for _, want := range dates {
			at, err := time.Parse(time.DateOnly, want)
			if err != nil {
				t.Fatal(err)
			}
			if got := easter(at.Year()); !got.Equal(at) {
				t.Errorf("%s Easter is on %s, want %s", name, got.Format(time.DateOnly), want)
			}
		}
	}
	check("western", westernEaster, western)
	check("orthodox", orthodoxEaster, orthodox)
	for year := 1900; year < 2300; year++ {
		if westernEaster(year).Weekday() != time.Sunday || orthodoxEaster(year).Weekday() != time.Sunday {
			t.Errorf("Easter of %d is no Sunday", year)
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rule string
		year int
		want string
	}{
		{"12-25", 2026, "2026-12-25"},
		{"easter+1", 2026, "2026-04-06"},
		{"easter-2", 2026, "2026-04-03"},
		{"orthodox-easter+0", 2026, "2026-04-12"},
		{"4 Thursday of November", 2027, "2027-11-25"},
		{"1 Sunday of March", 2026, "2026-03-01"},
		{"last Monday of May", 2026, "2026-05-25"},
		{"last Sunday of May", 2026, "2026-05-31"},
		{"last Friday of December", 2027, "2027-12-31"},
		{"2026-02-17 2027-02-06", 2027, "2027-02-06"},
		{"2026-02-17 2027-02-06", 2028, ""},
	} {
		on, err := parseRule(test.rule)
		if err != nil {
			t.Error(err)
			continue
		}
		got, exists := on(test.year)
		if exists != (test.want != "") || exists && got.Format(time.DateOnly) != test.want {
			t.Errorf("%s in %d: %s, %t", test.rule, test.year, got.Format(time.DateOnly), exists)
		}
	}
}

// TestFilesAreWrong names the lines that are.
func TestFilesAreWrong(t *testing.T) {
	t.Parallel()
	file := `# A head.
DE,christmas-day,12-25,Christmas,圣诞节
XYZ,christmas-day,12-25,Christmas,圣诞节

de,christmas-day,12-25,Christmas,圣诞节
FR DE,christmas-day,12-26,Christmas,圣诞节
DE,New Year,01-01,New Year,新年
DE,leap-day,02-29,Leap day,闰日
DE,thanksgiving,5 Thursday of November,Thanksgiving,感恩节
DE,thanksgiving,4 Doomsday of November,Thanksgiving,感恩节
DE,thanksgiving,4 Thursday of Brumaire,Thanksgiving,感恩节
DE,diwali,2026-11-08 2028-10-17,Diwali,排灯节
DE,diwali,next week,Diwali,排灯节
DE,diwali,,Diwali,排灯节
DE,diwali,11-08,Diwali,
,diwali,11-08,Diwali,排灯节
DE,epiphany,01-06,Epiphany
`
	_, err := parseHolidays(file)
	if err == nil {
		t.Fatal("it is read")
	}
	told := strings.Split(err.Error(), "\n")
	lines := []string{"line 3:", "line 5:", "line 6:", "line 7:", "line 8:", "line 9:", "line 10:", "line 11:", "line 12:", "line 13:", "line 14:", "line 15:", "line 16:", "record on line 17:"}
	if len(told) != len(lines) {
		t.Fatalf("%d lines are wrong:\n%v", len(told), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(told[i], line) {
			t.Errorf("%s; want %s", told[i], line)
		}
	}
	if _, err := parseZones("DE Europe/Berlin\nEurope/Paris\n"); err == nil || !strings.HasPrefix(err.Error(), "line 2:") {
		t.Errorf("%v", err)
	}
}

// TestListsReachFarEnough: what the moon decides is listed for some years ahead. Raise the year with the file.
func TestListsReachFarEnough(t *testing.T) {
	t.Parallel()
	for country, days := range holidays {
		for _, holiday := range days {
			for year := 2026; year <= 2030; year++ {
				if on, exists := holiday.on(year); !exists || on.Year() != year {
					t.Errorf("%s has no %s in %d", country, holiday.name, year)
				}
			}
		}
	}
}

// TestZonesExist: each zone of the file can be loaded.
func TestZonesExist(t *testing.T) {
	t.Parallel()
	if len(countries) < 400 {
		t.Errorf("there are %d zones", len(countries))
	}
	for zone := range countries {
		if _, err := time.LoadLocation(zone); err != nil {
			t.Error(err)
		}
	}
}
