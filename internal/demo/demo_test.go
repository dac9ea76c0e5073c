package demo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	events "regulars/club"
	"regulars/internal/actor"
	"regulars/internal/demo"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/reconcile"
)

// today is when the clubs of these tests are built.
var today = time.Date(2026, 11, 21, 14, 30, 0, 0, time.UTC)

// empty is a database with a program and nothing else.
func empty(t *testing.T, seed program.Seed) *postgres.DB {
	t.Helper()
	db := pgtest.NewAt(t, func() time.Time { return today })
	if _, err := program.Ensure(t.Context(), db, seed); err != nil {
		t.Fatal(err)
	}
	return db
}

func nothing(int, int) {}

func staff(t *testing.T) context.Context {
	t.Helper()
	return actor.With(t.Context(), actor.System("test"))
}

// standing is what the tests compare of a member.
type standing struct {
	Name, Tier                  string
	Status                      loyalty.MemberStatus
	Joined, Since               time.Time
	Available, Qualifying, Debt int64
}

// club lists all members by their external ids.
func club(t *testing.T, db *postgres.DB) map[string]standing {
	t.Helper()
	ctx, service := staff(t), loyalty.New(db)
	members := map[string]standing{}
	size := 100
	for after := (*string)(nil); ; {
		page, err := service.ListMembers(ctx, loyalty.MemberFilter{}, &size, after)
		if err != nil {
			t.Fatal(err)
		}
		ids := make([]id.Member, len(page.Nodes))
		for i, one := range page.Nodes {
			ids[i] = one.ID
		}
		balances, err := service.Balances(ctx, ids, nil)
		if err != nil {
			t.Fatal(err)
		}
		standings, err := service.Standings(ctx, ids, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range page.Nodes {
			stands, owns := standings[one.ID], balances[one.ID]
			members[*one.ExternalID] = standing{
				Name: *one.DisplayName, Tier: stands.Tier.Name, Status: one.Status, Joined: one.JoinedAt, Since: stands.Since,
				Available: owns.Available, Debt: owns.Debt, Qualifying: stands.QualifyingPoints,
			}
		}
		if after = page.PageInfo.EndCursor; !page.PageInfo.HasNextPage {
			return members
		}
	}
}

// counts is how many rows there are of each kind; statement selects a text and a number.
func counts(t *testing.T, db *postgres.DB, statement string) map[string]int {
	t.Helper()
	var rows []struct {
		Kind string `db:"kind"`
		Rows int    `db:"rows"`
	}
	if err := db.Select(t.Context(), &rows, statement); err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, row := range rows {
		found[row.Kind] = row.Rows
	}
	return found
}

func bookings(t *testing.T, db *postgres.DB) map[string]int {
	t.Helper()
	return counts(t, db, `select status as kind, count(*) as rows from bookings group by status`)
}

// campaignsOn is of which occasions the club speaks, from its last day on, and in how many languages.
func campaignsOn(t *testing.T, db *postgres.DB) map[string]int {
	t.Helper()
	return counts(t, db, `
		select occasion as kind, jsonb_array_length(templates) as rows
		from care_campaigns where enabled and channels = '{INBOX,EMAIL}' and enabled_at > (select max(joined_at) from members) - interval '1 day'`)
}

func checkBooks(t *testing.T, db *postgres.DB) {
	t.Helper()
	report, err := reconcile.Check(staff(t), db, nil, events.CheckBooks)
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range report.Differences {
		t.Errorf("the books differ: %v", difference)
	}
}

func state(t *testing.T, db *postgres.DB) demo.State {
	t.Helper()
	found, err := demo.Look(t.Context(), loyalty.New(db))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestBuild_Lived builds a club and looks whether it has lived.
func TestBuild_Lived(t *testing.T) {
	t.Parallel()
	db := empty(t, program.Seed{})
	if found := state(t, db); found != demo.Empty {
		t.Fatalf("before: %s", found)
	}
	figures, err := demo.Build(t.Context(), db, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if found := state(t, db); found != demo.Finished {
		t.Errorf("after: %s", found)
	}
	checkBooks(t, db)

	members := club(t, db)
	facts := counts(t, db, `select type as kind, count(*) as rows from activities group by type`)
	if len(members) != figures.Members || facts["PURCHASE"] != figures.Purchases || facts["RETURN"] != figures.Returns || facts["CHECK_IN"] == 0 {
		t.Errorf("got %d members and %v, told %+v", len(members), facts, figures)
	}
	tiers, suspended := map[string]int{}, 0
	for _, one := range members {
		tiers[one.Tier]++
		if one.Status == loyalty.Suspended {
			suspended++
		}
	}
	for _, tier := range []string{"Member", "Silver", "Gold", "Platinum"} {
		if tiers[tier] == 0 {
			t.Errorf("nobody is %s: %v", tier, tiers)
		}
	}
	if suspended != 1 {
		t.Errorf("%d members are suspended, want 1", suspended)
	}
	moves := counts(t, db, `select reason as kind, count(*) as rows from tier_moves group by reason`)
	for _, reason := range []string{"ENROLLED", "REACHED", "REQUALIFIED", "LAPSED"} {
		if moves[reason] == 0 {
			t.Errorf("no tier moved for the reason %s: %v", reason, moves)
		}
	}
	entries := counts(t, db, `select kind, count(*) as rows from entries group by kind`)
	for _, kind := range []string{"ACCRUAL", "REVERSAL", "ADJUSTMENT", "EXPIRY"} {
		if entries[kind] == 0 {
			t.Errorf("there is no entry of the kind %s: %v", kind, entries)
		}
	}
	if rules := counts(t, db, `select rule_id::text as kind, count(*) as rows from entries where rule_id is not null group by rule_id`); len(rules) != 5 {
		t.Errorf("%d rules have given points, want 5", len(rules))
	}
	want := map[string]int{"ATTENDED": 8, "NO_SHOW": 2, "DECLINED": 2, "CONFIRMED": 12, "WAITLISTED": 3}
	if difference := cmp.Diff(want, bookings(t, db)); difference != "" {
		t.Errorf("bookings: %s", difference)
	}
	campaigns := map[string]int{"BIRTHDAY": 2, "WELCOME": 2, "TIER_REACHED": 2, "POINTS_EXPIRING": 2, "EVENT_REMINDER": 2, "WIN_BACK": 2}
	if difference := cmp.Diff(campaigns, campaignsOn(t, db)); difference != "" {
		t.Errorf("campaigns that are on, and in how many languages: %s", difference)
	}
	late := counts(t, db, `select 'late' as kind, count(*) as rows from activities where recorded_at not between occurred_at and occurred_at + interval '8 days'`)
	if late["late"] > 0 {
		t.Errorf("%d facts were not recorded in the week after they happened", late["late"])
	}
}

// TestBuild_Robin holds what the README shows.
func TestBuild_Robin(t *testing.T) {
	t.Parallel()
	db := empty(t, program.Seed{Currency: "JPY", TimeZone: "Asia/Tokyo"})
	if _, err := demo.Build(t.Context(), db, nothing); err != nil {
		t.Fatal(err)
	}
	checkBooks(t, db)
	robin := club(t, db)["robin"]
	if robin.Tier != "Gold" || robin.Available < 500 || !robin.Joined.Equal(today.AddDate(0, 0, -7*78)) {
		t.Errorf("robin stands so: %+v", robin)
	}
	name := "robin"
	service := loyalty.New(db)
	member, err := service.Member(staff(t), loyalty.MemberRef{ExternalID: &name})
	if err != nil {
		t.Fatal(err)
	}
	open, err := service.Expirations(staff(t), []id.Member{member.ID}, nil)
	if err != nil {
		t.Fatal(err)
	}
	expiring := open[member.ID].Expiring(value.Period{Days: 90})
	if want := []loyalty.PointsExpiration{{Points: 100, At: today.AddDate(0, 0, 30-5)}}; !cmp.Equal(want, expiring) {
		t.Errorf("what expires (-want +got):\n%s", cmp.Diff(want, expiring))
	}
}

// TestBuild_Same builds the same club three times: undisturbed; twice at once; and with interruptions, on later days.
func TestBuild_Same(t *testing.T) {
	t.Parallel()
	whole := empty(t, program.Seed{})
	if _, err := demo.Build(t.Context(), whole, nothing); err != nil {
		t.Fatal(err)
	}
	want, booked, told := club(t, whole), bookings(t, whole), campaignsOn(t, whole)

	t.Run("AtOnce", func(t *testing.T) {
		t.Parallel()
		db := empty(t, program.Seed{})
		results := make(chan error, 2)
		for range cap(results) {
			go func() {
				_, err := demo.Build(t.Context(), db, nothing)
				results <- err
			}()
		}
		first, second := <-results, <-results
		if first != nil || !errors.Is(second, demo.ErrOccupied) {
			t.Errorf("got %v and %v, want none and that it is occupied", first, second)
		}
		if difference := cmp.Diff(want, club(t, db)) + cmp.Diff(booked, bookings(t, db)) + cmp.Diff(told, campaignsOn(t, db)); difference != "" {
			t.Error(difference)
		}
	})

	t.Run("Interrupted", func(t *testing.T) {
		t.Parallel()
		db := empty(t, program.Seed{})
		for day, last := range []int{1, 53, 78} {
			ctx, cancel := context.WithCancel(t.Context())
			later := db.WithClock(func() time.Time { return today.AddDate(0, 0, day) })
			_, err := demo.Build(ctx, later, func(done, _ int) {
				if done == last {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) || state(t, db) != demo.Unfinished {
				t.Errorf("interrupted after week %d: %v, %s", last, err, state(t, db))
			}
		}
		later := db.WithClock(func() time.Time { return today.AddDate(0, 0, 3) })
		if _, err := demo.Build(t.Context(), later, nothing); err != nil {
			t.Fatal(err)
		}
		checkBooks(t, db)
		if difference := cmp.Diff(want, club(t, db)) + cmp.Diff(booked, bookings(t, db)) + cmp.Diff(told, campaignsOn(t, db)); difference != "" {
			t.Error(difference)
		}
	})
}

func TestBuild_Occupied(t *testing.T) {
	t.Parallel()
	for name, occupy := range map[string]func(*testing.T, *loyalty.Service) error{
		"a member": func(t *testing.T, service *loyalty.Service) error {
			// One who is called like ours is still somebody else.
			externalID := "robin"
			_, err := service.Enroll(staff(t), []loyalty.EnrollMemberInput{{ExternalID: &externalID, IdempotencyKey: "1"}})
			return err
		},
		"a tier": func(t *testing.T, service *loyalty.Service) error {
			_, err := service.CreateTier(staff(t), loyalty.TierInput{Name: "Friend", Rank: 1, Threshold: 10})
			return err
		},
		"a rule": func(t *testing.T, service *loyalty.Service) error {
			points := int64(1)
			_, err := service.CreateEarningRule(staff(t), loyalty.EarningRuleInput{
				Name: "A rule", Trigger: "PURCHASE", Award: loyalty.AwardInput{Fixed: &points},
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := empty(t, program.Seed{})
			if err := occupy(t, loyalty.New(db)); err != nil {
				t.Fatal(err)
			}
			if found := state(t, db); found != demo.Other {
				t.Errorf("the state is %s", found)
			}
			before := len(counts(t, db, `select value as kind, 1 as rows from member_keys`))
			if _, err := demo.Build(t.Context(), db, nothing); !errors.Is(err, demo.ErrOccupied) {
				t.Errorf("got %v, want that it is occupied", err)
			}
			if after := len(counts(t, db, `select value as kind, 1 as rows from member_keys`)); after != before {
				t.Errorf("%d identifiers of members became %d", before, after)
			}
		})
	}
}

func TestBuild_ProgramStart(t *testing.T) {
	t.Parallel()
	db := empty(t, program.Seed{Start: "2026-01-01T00:00:00Z"})
	_, err := demo.Build(t.Context(), db, nothing)
	var setting program.SettingError
	if !errors.As(err, &setting) || setting.Key != program.StartKey {
		t.Errorf("got %v, want an error about %s", err, program.StartKey)
	}
	if found := state(t, db); found != demo.Empty {
		t.Errorf("the state is %s", found)
	}
}
