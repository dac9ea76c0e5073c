package postgres_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"regulars/internal/value"
)

// Members from before there were referral codes get some as the program makes them, each found by its key.
func TestMigrations_ReferralCodes(t *testing.T) {
	t.Parallel()
	const members = 2000
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	all, before := fstest.MapFS{}, fstest.MapFS{}
	for _, file := range files {
		script, err := os.ReadFile("migrations/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		all[file.Name()] = &fstest.MapFile{Data: script}
		if strings.HasPrefix(file.Name(), "0") && file.Name() < "0016" {
			before[file.Name()] = all[file.Name()]
		}
	}
	db := open(t, 2)
	if _, err := db.MigrateFrom(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `
		insert into members (id, number, status, locale, time_zone, joined_at, attributes, recorded_at)
		select gen_random_uuid(), n::text, 'ACTIVE', 'en', 'UTC', now(), '{}', now() from generate_series(1, $1) as n`, members); err != nil {
		t.Fatal(err)
	}
	if _, err := db.MigrateFrom(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	var codes []string
	if err := db.Select(t.Context(), &codes, `
		select members.referral_code
		from members
		join member_keys on member_keys.kind = 'REFERRAL_CODE' and member_keys.value = members.referral_code and member_keys.member_id = members.id`); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, code := range codes {
		if parsed, ok := value.ParseCode(code, 10); !ok || parsed != code {
			t.Errorf("%q is no code", code)
		}
		seen[code] = true
	}
	if len(seen) != members || number(t, db, `select count(*) from member_keys`) != members {
		t.Errorf("%d members have %d codes", members, len(seen))
	}
}
