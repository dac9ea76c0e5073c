package audit_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
)

var instant = time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC)

func record(t *testing.T, db *postgres.DB, changes ...audit.Change) {
	t.Helper()
	if err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
		for _, change := range changes {
			if err := audit.RecordTx(t.Context(), tx, actor.System("test"), change); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func as(t *testing.T, role actor.Role) context.Context {
	t.Helper()
	return actor.With(t.Context(), actor.Actor{Caller: "test", Roles: []actor.Role{role}})
}

// What was recorded is read as it was, one by one, too.
func TestEntries(t *testing.T) {
	t.Parallel()
	db := pgtest.NewAt(t, func() time.Time { return instant })
	log := audit.NewLog(db)
	record(t, db,
		audit.Change{Action: "makeIt", Object: "x", After: map[string]int{"size": 1}},
		audit.Change{Action: "changeIt", Object: "x", Before: map[string]int{"size": 1}, After: map[string]int{"size": 2}})
	read, err := log.Entries(as(t, actor.Admin), nil, nil, nil)
	if err != nil || len(read.Nodes) != 2 {
		t.Fatal(read, err)
	}
	one, two := `{"size": 1}`, `{"size": 2}`
	want := []*audit.Entry{
		{ID: read.Nodes[0].ID, At: instant, Actor: "system:test", Action: "changeIt", Object: "x", Before: &one, After: &two},
		{ID: read.Nodes[1].ID, At: instant, Actor: "system:test", Action: "makeIt", Object: "x", After: &one},
	}
	if difference := cmp.Diff(want, read.Nodes); difference != "" {
		t.Error(difference)
	}
	for _, entry := range want {
		got, err := log.Entry(as(t, actor.Admin), entry.ID)
		if difference := cmp.Diff(entry, got); difference != "" || err != nil {
			t.Error(difference, err)
		}
	}
	if none, err := log.Entry(as(t, actor.Admin), id.New[id.AuditEntry]()); none != nil || err != nil {
		t.Error(none, err)
	}
}

// Page by page, the list is the list, also that of one object.
func TestEntries_Pages(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	log := audit.NewLog(db)
	var all, odd []string
	for number := range 7 {
		action := fmt.Sprint("change", number)
		record(t, db, audit.Change{Action: action, Object: []string{"even", "odd"}[number%2], After: number})
		all = append(all, action)
		if number%2 == 1 {
			odd = append(odd, action)
		}
	}
	slices.Reverse(all)
	slices.Reverse(odd)
	object := "odd"
	for size := 1; size <= 8; size++ {
		for _, list := range []struct {
			of   *string
			want []string
		}{{nil, all}, {&object, odd}} {
			var got []string
			for info := (page.Info{HasNextPage: true}); info.HasNextPage; {
				read, err := log.Entries(as(t, actor.Admin), &size, info.EndCursor, list.of)
				if err != nil {
					t.Fatal(err)
				}
				for _, entry := range read.Nodes {
					got = append(got, entry.Action)
				}
				if total, err := read.Total(t.Context()); total != len(list.want) || err != nil {
					t.Errorf("%d in all (%v)", total, err)
				}
				info = read.PageInfo
			}
			if difference := cmp.Diff(list.want, got); difference != "" {
				t.Errorf("by %d: %s", size, difference)
			}
		}
	}
}

// Who does not see an object does not see its changes.
func TestEntries_Sight(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	log := audit.NewLog(db)
	objects := []string{
		id.New[id.Rule]().String(), id.New[id.Tier]().String(), id.New[id.Referral]().String(), id.New[id.Member]().String(),
		id.New[id.Adjustment]().String(), id.New[id.Hold]().String(), id.New[id.Household]().String(), id.New[id.Client]().String(), "abcdefghij234567",
	}
	for _, object := range objects {
		record(t, db, audit.Change{Action: "touch", Object: object, After: 1})
	}
	all, err := log.Entries(as(t, actor.Admin), nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for role, sees := range map[actor.Role]int{actor.Marketer: 3, actor.Support: 7, actor.Admin: 9, actor.Organizer: 0, actor.Member: 0} {
		var listed []string
		if list, err := log.Entries(as(t, role), nil, nil, nil); (err == nil) != (sees > 0) {
			t.Errorf("%s: %v", role, err)
		} else if err == nil {
			for _, entry := range slices.Backward(list.Nodes) {
				listed = append(listed, entry.Object)
			}
		}
		var found []string
		for _, entry := range slices.Backward(all.Nodes) {
			one, err := log.Entry(as(t, role), entry.ID)
			if err != nil {
				t.Errorf("%s: %v", role, err)
			}
			if one != nil {
				found = append(found, one.Object)
			}
			if sees == 0 {
				continue
			}
			if of, err := log.Entries(as(t, role), nil, nil, &entry.Object); err != nil || (len(of.Nodes) == 1) != (one != nil) {
				t.Errorf("%s of %s: %v %v", role, entry.Object, of.Nodes, err)
			}
		}
		want := objects[:sees:sees]
		if sees == 0 {
			want = nil
		}
		if difference := cmp.Diff(want, listed); difference != "" {
			t.Errorf("%s lists %s", role, difference)
		}
		if difference := cmp.Diff(want, found); difference != "" {
			t.Errorf("%s finds %s", role, difference)
		}
	}
}
