package identity_test

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/loyaltytest"
)

// desk is where machine clients are managed: a database of its own with a clock that the test turns.
type desk struct {
	*identity.Clients
	db    *postgres.DB
	clock *loyaltytest.Clock
	admin context.Context
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{clock: &loyaltytest.Clock{}, admin: actor.With(t.Context(), actor.System("test"))}
	d.clock.Set(now)
	d.db = pgtest.NewAt(t, d.clock.Now)
	d.Clients = identity.NewClients(d.db, slog.New(slog.DiscardHandler))
	return d
}

func (d *desk) create(t *testing.T, name string, scopes ...actor.Scope) (*identity.Client, string) {
	t.Helper()
	client, key, err := d.Create(d.admin, identity.CreateClientInput{Name: name, Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return client, key
}

func (d *desk) rotate(t *testing.T, client *identity.Client, oldKeyValidFor time.Duration) string {
	t.Helper()
	_, key, err := d.Rotate(d.admin, client.ID, value.Period{Clock: oldKeyValidFor})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// good lists which of the keys are accepted.
func (d *desk) good(t *testing.T, keys ...string) []bool {
	t.Helper()
	accepted := make([]bool, len(keys))
	for i, key := range keys {
		_, err := d.Verify(t.Context(), key)
		if accepted[i] = err == nil; err != nil && !errors.Is(err, problem.Unauthenticated) {
			t.Fatal(err)
		}
	}
	return accepted
}

func code(err error) problem.Code {
	var wrong problem.InputError
	errors.As(err, &wrong)
	return wrong.Code
}

func TestClients_Create(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	client, key := d.create(t, " Till 1 ", actor.MembersRead, actor.PurchasesWrite, actor.MembersRead)
	want := &identity.Client{
		ID: client.ID, Name: "Till 1", Scopes: []actor.Scope{actor.PurchasesWrite, actor.MembersRead}, CreatedAt: now,
		Keys: []identity.ClientKey{{ID: strings.Split(key, "_")[1], CreatedAt: now}},
	}
	if diff := cmp.Diff(want, client); diff != "" {
		t.Error(diff)
	}
	if read, err := d.Client(d.admin, client.ID); err != nil || !cmp.Equal(want, read) {
		t.Errorf("read back: %v, %s", err, cmp.Diff(want, read))
	}
	if read, err := d.Named(d.admin, "Till 1"); err != nil || !cmp.Equal(want, read) {
		t.Errorf("found by name: %v, %s", err, cmp.Diff(want, read))
	}
	caller, err := d.Verify(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(actor.Actor{Caller: "client:" + client.ID.String(), Client: "Till 1", Scopes: want.Scopes}, caller); diff != "" {
		t.Error(diff)
	}
}

func TestClients_CreateRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.create(t, "Till 1", actor.PurchasesWrite)
	for name, test := range map[string]struct {
		name   string
		scopes []actor.Scope
		code   problem.Code
		path   []string
	}{
		"taken name":    {"Till 1 ", []actor.Scope{actor.MembersRead}, problem.ClientNameTaken, []string{"input", "name"}},
		"no name":       {" ", []actor.Scope{actor.MembersRead}, problem.InvalidName, []string{"input", "name"}},
		"long name":     {strings.Repeat("é", 101), []actor.Scope{actor.MembersRead}, problem.InvalidName, []string{"input", "name"}},
		"two lines":     {"Till\n2", []actor.Scope{actor.MembersRead}, problem.InvalidName, []string{"input", "name"}},
		"no text":       {"Till \xff", []actor.Scope{actor.MembersRead}, problem.InvalidName, []string{"input", "name"}},
		"no scope":      {"Till 2", nil, problem.InvalidScope, []string{"input", "scopes"}},
		"unknown scope": {"Till 2", []actor.Scope{actor.MembersRead, "members:all"}, problem.InvalidScope, []string{"input", "scopes", "1"}},
	} {
		_, key, err := d.Create(d.admin, identity.CreateClientInput{Name: test.name, Scopes: test.scopes})
		problems, _ := problem.UserErrors(err)
		if key != "" || len(problems) != 1 || code(problems[0]) != test.code || !cmp.Equal(problems[0].(problem.InputError).Path, test.path) {
			t.Errorf("%s: got %q and %v, want %s", name, key, err, test.code)
		}
	}
}

// Of many that take a name at once, one gets it.
func TestClients_CreateRace(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	errs := make([]error, 8)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() {
			_, _, errs[i] = d.Create(d.admin, identity.CreateClientInput{Name: "Till", Scopes: []actor.Scope{actor.PurchasesWrite}})
		})
	}
	group.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if code(err) != problem.ClientNameTaken {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d clients were made", made)
	}
}

// The old key ends at its instant, half-open.
func TestClients_Rotate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	client, first := d.create(t, "Till", actor.PurchasesWrite)
	second := d.rotate(t, client, time.Hour)
	if got := d.good(t, first, second); !cmp.Equal(got, []bool{true, true}) {
		t.Errorf("after the rotation: %v", got)
	}
	end := now.Add(time.Hour)
	read, err := d.Client(d.admin, client.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]identity.ClientKey{
		{ID: strings.Split(second, "_")[1], CreatedAt: now}, {ID: strings.Split(first, "_")[1], CreatedAt: now, ExpiresAt: &end},
	}, read.Keys); diff != "" {
		t.Error(diff)
	}
	d.clock.Set(end.Add(-time.Microsecond))
	if got := d.good(t, first, second); !cmp.Equal(got, []bool{true, true}) {
		t.Errorf("just before the end: %v", got)
	}
	d.clock.Set(end)
	if got := d.good(t, first, second); !cmp.Equal(got, []bool{false, true}) {
		t.Errorf("at the end: %v", got)
	}
	if read, err := d.Client(d.admin, client.ID); err != nil || len(read.Keys) != 1 {
		t.Errorf("a key that has ended is shown: %v, %v", read, err)
	}

	// A key that ends already keeps its end or ends sooner, never later.
	third := d.rotate(t, client, time.Hour)
	fourth := d.rotate(t, client, 24*time.Hour)
	d.clock.Advance(time.Hour)
	if got := d.good(t, second, third, fourth); !cmp.Equal(got, []bool{false, true, true}) {
		t.Errorf("after a second rotation within the hour: %v", got)
	}
	fifth := d.rotate(t, client, 0)
	if got := d.good(t, second, third, fourth, fifth); !cmp.Equal(got, []bool{false, false, false, true}) {
		t.Errorf("after a rotation that ends all at once: %v", got)
	}
}

func TestClients_RotateRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	client, key := d.create(t, "Till", actor.PurchasesWrite)
	for period, want := range map[value.Period]problem.Code{
		{Days: 30}:                            "",
		{Days: 30, Clock: time.Second}:        problem.InvalidDuration,
		{Months: 1}:                           problem.InvalidDuration, // of 31 days
		{Clock: -time.Second}:                 problem.InvalidDuration,
		{Weeks: 4, Days: 1, Clock: 23 * 3600}: "",
	} {
		if _, _, err := d.Rotate(d.admin, client.ID, period); code(err) != want || want == "" && err != nil {
			t.Errorf("%+v: got %v, want %q", period, err, want)
		}
	}
	if got := d.good(t, key); !got[0] {
		t.Error("the first key has ended")
	}
	if _, _, err := d.Rotate(d.admin, id.New[id.Client](), value.Period{}); code(err) != problem.UnknownClient {
		t.Errorf("an unknown client: got %v", err)
	}
}

func TestClients_Revoke(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	client, first := d.create(t, "Till", actor.PurchasesWrite)
	second := d.rotate(t, client, time.Hour)
	revoked, err := d.Revoke(d.admin, client.ID)
	if err != nil || revoked.RevokedAt == nil || !revoked.RevokedAt.Equal(now) || len(revoked.Keys) != 0 {
		t.Fatalf("got %+v, %v", revoked, err)
	}
	if got := d.good(t, first, second); !cmp.Equal(got, []bool{false, false}) {
		t.Errorf("after the revocation: %v", got)
	}
	d.clock.Advance(time.Hour)
	if again, err := d.Revoke(d.admin, client.ID); err != nil || !cmp.Equal(revoked, again) {
		t.Errorf("revoked again: %v, %s", err, cmp.Diff(revoked, again))
	}
	if _, _, err := d.Rotate(d.admin, client.ID, value.Period{}); code(err) != problem.UnknownClient {
		t.Errorf("rotating a revoked client: got %v", err)
	}
	if _, err := d.Revoke(d.admin, id.New[id.Client]()); code(err) != problem.UnknownClient {
		t.Errorf("revoking an unknown client: got %v", err)
	}
	if found, err := d.Named(d.admin, "Till"); found != nil || err != nil {
		t.Errorf("the revoked client is found by name: %+v, %v", found, err)
	}
	d.create(t, "Till", actor.PurchasesWrite)
}

// An unknown key, a wrong secret and a malformed key are answered alike.
func TestClients_VerifyRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, key := d.create(t, "Till", actor.PurchasesWrite)
	_, other := d.create(t, "Shop", actor.PurchasesWrite)
	parts, strange := strings.Split(key, "_"), strings.Split(other, "_")
	for name, wrong := range map[string]string{
		"unknown id":      "rgl_" + strings.Repeat("a", 16) + "_" + parts[2],
		"another's":       "rgl_" + parts[1] + "_" + strange[2],
		"capitals":        "rgl_" + parts[1] + "_" + strings.ToUpper(parts[2]),
		"id alone":        "rgl_" + parts[1],
		"empty secret":    "rgl_" + parts[1] + "_",
		"short":           key[:len(key)-1],
		"long":            key + "a",
		"nothing":         "",
		"not even UTF-8":  "rgl_" + parts[1] + "_" + strings.Repeat("\xff", 52),
		"a null in it":    "rgl_" + strings.Repeat("\x00", 16) + "_" + parts[2],
		"another product": "ghp" + key[3:],
	} {
		if caller, err := d.Verify(t.Context(), wrong); !errors.Is(err, problem.Unauthenticated) {
			t.Errorf("%s: got %+v, %v", name, caller, err)
		}
	}
	if got := d.good(t, key, other); !cmp.Equal(got, []bool{true, true}) {
		t.Errorf("the keys that the others are made from: %v", got)
	}
}

func TestClients_VerifyFault(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, key := d.create(t, "Till", actor.PurchasesWrite)
	if err := d.db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := d.Verify(t.Context(), key)
	if failure := (problem.Failure{}); err == nil || errors.As(err, &failure) {
		t.Errorf("without a database: got %v, want a fault of ours", err)
	}
}

// Neither the key nor its secret lies anywhere in the database.
func TestClients_KeysAreNotKept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	client, first := d.create(t, "Till", actor.PurchasesWrite)
	second := d.rotate(t, client, time.Hour)
	var kept []string
	if err := d.db.Select(t.Context(), &kept, `
		select to_jsonb(clients)::text from clients union all select to_jsonb(client_keys)::text from client_keys
		union all select to_jsonb(changes)::text from changes`); err != nil {
		t.Fatal(err)
	}
	if len(kept) != 5 {
		t.Fatalf("%d rows: %v", len(kept), kept)
	}
	form := regexp.MustCompile(`^rgl_[a-z2-7]{16}_[a-z2-7]{52}$`)
	for _, key := range []string{first, second} {
		if !form.MatchString(key) {
			t.Errorf("%s has another form", key)
		}
		if strings.Contains(strings.Join(kept, "\n"), strings.Split(key, "_")[2]) {
			t.Errorf("the secret of %s is kept: %v", key, kept)
		}
	}
}

func TestClients_Changes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	client, key := d.create(t, "Till", actor.PurchasesWrite)
	d.rotate(t, client, 0)
	for range 2 {
		if _, err := d.Revoke(d.admin, client.ID); err != nil {
			t.Fatal(err)
		}
	}
	var changes []string
	if err := d.db.Select(t.Context(), &changes, `
		select concat_ws(' ', actor, action, after ->> 'name', after ->> 'scopes', before #>> '{keys,0,id}', before -> 'revokedAt',
			jsonb_array_length(after -> 'keys'), length(after ->> 'revokedAt') > 0) from changes where object = $1 order by id`,
		client.ID.String()); err != nil {
		t.Fatal(err)
	}
	read, err := d.Client(d.admin, client.ID)
	if err != nil || len(read.Keys) != 0 {
		t.Fatalf("%+v, %v", read, err)
	}
	if len(changes) != 3 {
		t.Fatalf("got %q", changes)
	}
	if want := `system:test createClient Till ["purchases:write"] 1`; changes[0] != want {
		t.Errorf("got %q, want %q", changes[0], want)
	}
	if want := "system:test rotateClientKey " + strings.Split(key, "_")[1] + " 1"; changes[1] != want {
		t.Errorf("got %q, want %q", changes[1], want)
	}
	if !strings.HasPrefix(changes[2], "system:test revokeClient ") || !strings.HasSuffix(changes[2], " null 0 t") {
		t.Errorf("got %q", changes[2])
	}
}

// lastUsed polls until the use that is noted beside the request is there.
func (d *desk) lastUsed(t *testing.T, client *identity.Client, want time.Time) {
	t.Helper()
	ctx, cancel := context.WithTimeout(d.admin, 20*time.Second)
	defer cancel()
	for {
		read, err := d.Client(ctx, client.ID)
		if err != nil {
			t.Fatalf("the use at %v was not noted: %v", want, err)
		}
		if read.LastUsedAt != nil && read.LastUsedAt.Equal(want) {
			return
		}
	}
}

// A process notes the use of a client once a minute.
func TestClients_LastUse(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	till, key := d.create(t, "Till", actor.PurchasesWrite)
	if till.LastUsedAt != nil {
		t.Errorf("used before it was: %v", till.LastUsedAt)
	}
	written := func() string {
		t.Helper()
		var transaction string
		if err := d.db.Get(t.Context(), &transaction, `select xmin::text from clients where id = $1`, till.ID); err != nil {
			t.Fatal(err)
		}
		return transaction
	}
	d.good(t, key)
	d.lastUsed(t, till, now)
	first := written()
	for range 59 {
		d.clock.Advance(time.Second)
		d.good(t, key)
	}
	if written() != first {
		t.Error("a use within the minute was noted")
	}
	another := &desk{Clients: identity.NewClients(d.db, slog.New(slog.DiscardHandler))}
	another.good(t, key)
	d.lastUsed(t, till, now.Add(59*time.Second))
	d.clock.Advance(time.Second)
	d.good(t, key)
	d.lastUsed(t, till, now.Add(time.Minute))
}

// A use that cannot be noted is logged, and the caller passes.
func TestClients_LastUseFails(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	logged := make(chan string, 1)
	clients := identity.NewClients(d.db, slog.New(slog.NewTextHandler(writer(func(line []byte) { logged <- string(line) }), nil)))
	_, key := d.create(t, "Till", actor.PurchasesWrite)
	if _, err := d.db.Exec(t.Context(), `alter table clients rename column last_used_at to used_at`); err != nil {
		t.Fatal(err)
	}
	if _, err := clients.Verify(t.Context(), key); err != nil {
		t.Error(err)
	}
	select {
	case line := <-logged:
		if !strings.Contains(line, "level=WARN") || !strings.Contains(line, "cli_") || strings.Contains(line, key) {
			t.Errorf("logged: %s", line)
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing was logged")
	}
}

// Close leaves nothing behind that needs the database.
func TestClients_Close(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	till, key := d.create(t, "Till", actor.PurchasesWrite)
	_, other := d.create(t, "Other", actor.PurchasesWrite)
	d.good(t, key)
	d.Close()
	ctx := actor.With(t.Context(), actor.System("test"))
	if read, err := d.Client(ctx, till.ID); err != nil || read.LastUsedAt == nil || !read.LastUsedAt.Equal(now) {
		t.Errorf("closed, it is not noted who called: %v, %v", read, err)
	}
	if got := d.good(t, other); !got[0] {
		t.Error("a request on its way is refused")
	}
	d.Close()
	var noted int
	if err := d.db.Get(t.Context(), &noted, `select count(last_used_at) from clients`); err != nil || noted != 1 {
		t.Errorf("%d uses are noted, %v", noted, err)
	}
}

type writer func([]byte)

func (w writer) Write(content []byte) (int, error) {
	w(content)
	return len(content), nil
}

func TestClients_List(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	names := []string{"A", "B", "C"}
	for _, name := range names {
		client, _ := d.create(t, name, actor.MembersRead)
		if name == "B" {
			if _, err := d.Revoke(d.admin, client.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	var listed []string
	var after *string
	size := 2
	for {
		page, err := d.List(d.admin, &size, after)
		if err != nil {
			t.Fatal(err)
		}
		if total, err := page.Total(t.Context()); total != 3 || err != nil {
			t.Errorf("%d in all, %v", total, err)
		}
		for _, client := range page.Nodes {
			listed = append(listed, client.Name)
			if wanted := client.Name != "B"; wanted != (client.RevokedAt == nil) || wanted != (len(client.Keys) == 1) {
				t.Errorf("%+v", client)
			}
		}
		if !page.PageInfo.HasNextPage {
			break
		}
		after = page.PageInfo.EndCursor
	}
	if diff := cmp.Diff(names, listed); diff != "" {
		t.Error(diff)
	}
	foreign := "bWVtYmVyOngK"
	if _, err := d.List(d.admin, nil, &foreign); err == nil {
		t.Error("a cursor of another list is taken")
	}
}

// Nobody but an admin has to do with clients; others are told of them as of none.
func TestClients_Access(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	client, _ := d.create(t, "Till", actor.PurchasesWrite)
	everyScope := actor.With(t.Context(), actor.Actor{Caller: "client:x", Scopes: actor.Scopes})
	staff := actor.With(t.Context(), actor.Actor{Caller: "x", Roles: []actor.Role{actor.Member, actor.Organizer, actor.Marketer, actor.Support}})
	for ctx, want := range map[context.Context]error{everyScope: problem.Forbidden, staff: problem.Forbidden, t.Context(): problem.Unauthenticated} {
		_, _, created := d.Create(ctx, identity.CreateClientInput{Name: "X", Scopes: actor.Scopes})
		_, _, rotated := d.Rotate(ctx, client.ID, value.Period{})
		_, revoked := d.Revoke(ctx, client.ID)
		_, listed := d.List(ctx, nil, nil)
		for name, err := range map[string]error{"create": created, "rotate": rotated, "revoke": revoked, "list": listed} {
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
		found, err := d.Client(ctx, client.ID)
		named, nameErr := d.Named(ctx, client.Name)
		if found != nil || named != nil || errors.Is(want, problem.Forbidden) && errors.Join(err, nameErr) != nil {
			t.Errorf("got %v, %v, %v, %v", found, err, named, nameErr)
		}
	}
}
