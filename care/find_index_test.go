package care

import (
	"strings"
	"testing"

	"github.com/lib/pq"

	"regulars/internal/program"
	"regulars/loyalty/loyaltytest"
)

// TestFind_ByIndex asks the database how it finds a day's birthdays and anniversaries among many members: by their index, a page of
// them at a time, and never by looking at all members.
func TestFind_ByIndex(t *testing.T) {
	t.Parallel()
	world := loyaltytest.New(t)
	for _, statement := range []string{`
		insert into members (id, number, status, birth_date, locale, time_zone, joined_at, attributes, recorded_at, referral_code)
		select gen_random_uuid(), 'number ' || i, 'ACTIVE', date '1990-01-01' + i % 365, 'en', 'UTC', timestamptz '2020-01-01 12:00Z' + i % 365 * interval '1 day',
			'{}', timestamptz '2020-01-01 12:00Z', 'code ' || i
		from generate_series(1, 20000) as i`,
		`analyze members`,
	} {
		if _, err := world.DB.Exec(world.Admin, statement); err != nil {
			t.Fatal(err)
		}
	}
	channels := pq.StringArray{string(program.Email)}
	for column, index := range map[string]string{"birthday": "members_by_birthday", "joining_day": "members_by_joining_day"} {
		var plan []string
		if err := world.DB.Select(world.Admin, &plan, `explain `+yearlySQL(column),
			channels, false, pq.Int64Array{228, 229, 301}, "00000000-0000-0000-0000-000000000000", "key", decidedAtOnce); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(plan, "\n")
		if !strings.Contains(text, "Index Scan using "+index+" on members") || strings.Contains(text, "Seq Scan on members") {
			t.Errorf("by %s, it is not %s that finds members:\n%s", column, index, text)
		}
	}
	var plan []string
	if err := world.DB.Select(world.Admin, &plan, `explain `+originsSQL); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(plan, "\n"); strings.Contains(text, "Seq Scan on members") {
		t.Errorf("where members are from is found by looking at all of them:\n%s", text)
	}
}
