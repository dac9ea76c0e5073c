package identity_test

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/problem"
	"regulars/loyalty/loyaltytest"
)

func signed(t *testing.T, keys *identity.SigningKeys, purpose, payload string) string {
	t.Helper()
	text, err := keys.Sign(t.Context(), purpose, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// signatures tells whether each of the texts is good for the purpose.
func signatures(t *testing.T, keys *identity.SigningKeys, purpose string, texts ...string) []bool {
	t.Helper()
	good := make([]bool, len(texts))
	for i, text := range texts {
		_, err := keys.Verify(t.Context(), purpose, text)
		if good[i] = err == nil; err != nil && !errors.Is(err, identity.ErrSignature) {
			t.Fatal(err)
		}
	}
	return good
}

// signer names the key that signed the text.
func signer(t *testing.T, text string) string {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Signatures[0].Protected.KeyID
}

func (d *desk) rotateSigning(t *testing.T, keys *identity.SigningKeys) string {
	t.Helper()
	made, err := keys.Rotate(d.admin)
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func TestSigningKeys_RoundTrip(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keys, replica := identity.NewSigningKeys(d.db), identity.NewSigningKeys(d.db)
	for _, payload := range []string{"", "{}", "a\x00b\xff", strings.Repeat("x", 5000)} {
		text := signed(t, keys, "ticket", payload)
		for _, on := range []*identity.SigningKeys{keys, replica} {
			if got, err := on.Verify(t.Context(), "ticket", text); err != nil || string(got) != payload {
				t.Errorf("%q is read as %q, %v", payload, got, err)
			}
			if got := signatures(t, on, "feed", text); got[0] {
				t.Errorf("%q was signed as a ticket and is taken as a feed", payload)
			}
		}
	}
}

func TestSigningKeys_Refused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keys := identity.NewSigningKeys(d.db)
	good := signed(t, keys, "ticket", "seat 1")
	parts := strings.Split(good, ".")
	better := strings.Split(signed(t, keys, "ticket", "seat 2"), ".")
	foreign := newDesk(t)
	encode := base64.RawURLEncoding.EncodeToString
	header := func(text string) string { return encode([]byte(text)) }
	texts := map[string]string{
		"nothing":         "",
		"no signature":    parts[0] + "." + parts[1] + ".",
		"other payload":   parts[0] + "." + better[1] + "." + parts[2],
		"other database":  signed(t, identity.NewSigningKeys(foreign.db), "ticket", "seat 1"),
		"none":            header(`{"alg":"none","kid":"`+signer(t, good)+`","typ":"ticket"}`) + "." + parts[1] + ".",
		"HS256":           header(`{"alg":"HS256","kid":"`+signer(t, good)+`","typ":"ticket"}`) + "." + parts[1] + "." + parts[2],
		"no purpose":      header(`{"alg":"EdDSA","kid":"`+signer(t, good)+`"}`) + "." + parts[1] + "." + parts[2],
		"forged purpose":  header(`{"alg":"EdDSA","kid":"`+signer(t, good)+`","typ":"feed"}`) + "." + parts[1] + "." + parts[2],
		"not even base64": "a.b.c",
	}
	for name, text := range texts {
		for _, purpose := range []string{"ticket", "feed", ""} {
			if payload, err := keys.Verify(t.Context(), purpose, text); !errors.Is(err, identity.ErrSignature) {
				t.Errorf("%s as %q: got %q, %v", name, purpose, payload, err)
			}
		}
	}
	if got := signatures(t, keys, "ticket", good); !got[0] {
		t.Error("the text that the others are made from is refused")
	}
}

// A new key signs from now on, elsewhere within a minute; what the old one signed is good until it is retired.
func TestSigningKeys_Rotate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keys, replica := identity.NewSigningKeys(d.db), identity.NewSigningKeys(d.db)
	old := signed(t, keys, "ticket", "1")
	signed(t, replica, "ticket", "1")
	second := d.rotateSigning(t, keys)
	fresh := signed(t, keys, "ticket", "2")
	if got := signer(t, fresh); got != second {
		t.Errorf("%s signs, not %s", got, second)
	}
	d.clock.Advance(time.Second)
	if got := signatures(t, replica, "ticket", old, fresh); !cmp.Equal(got, []bool{true, true}) {
		t.Errorf("elsewhere, a second later: %v", got)
	}
	d.clock.Advance(time.Minute)
	if got := signer(t, signed(t, replica, "ticket", "3")); got != second {
		t.Errorf("%s signs elsewhere, not %s", got, second)
	}

	if err := keys.Retire(d.admin, signer(t, old)); err != nil {
		t.Fatal(err)
	}
	if got := signatures(t, keys, "ticket", old, fresh); !cmp.Equal(got, []bool{false, true}) {
		t.Errorf("after retiring the old key: %v", got)
	}
	d.clock.Advance(time.Minute)
	if got := signatures(t, replica, "ticket", old, fresh); !cmp.Equal(got, []bool{false, true}) {
		t.Errorf("elsewhere, a minute after retiring the old key: %v", got)
	}
	if err := keys.Retire(d.admin, signer(t, old)); err != nil {
		t.Errorf("retiring it again: %v", err)
	}
	if err := keys.Retire(d.admin, second); !errors.Is(err, identity.ErrSigningKeyInUse) {
		t.Errorf("retiring the key that signs: %v", err)
	}
	if err := keys.Retire(d.admin, "none"); !errors.Is(err, identity.ErrUnknownSigningKey) {
		t.Errorf("retiring no key: %v", err)
	}
	var changes []string
	if err := d.db.Select(t.Context(), &changes, `
		select concat_ws(' ', actor, action, object, before ->> 'signs', after ->> 'signs', before -> 'retiredAt', length(after ->> 'retiredAt') > 0)
		from changes order by id`); err != nil {
		t.Fatal(err)
	}
	first := signer(t, old)
	want := []string{
		"system:test rotateSigningKeys " + second + " " + first + " " + second,
		"system:test retireSigningKey " + first + " null t",
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
	var private int
	if err := d.db.Get(t.Context(), &private, `select count(private) from signing_keys`); err != nil || private != 1 {
		t.Errorf("%d private keys are kept, %v", private, err)
	}
}

// Of several servers that need the first key at once, or a new one, one makes it and all use it.
func TestSigningKeys_Race(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const servers = 8
	texts := make([]string, servers)
	var group sync.WaitGroup
	for i := range servers {
		group.Go(func() {
			var err error
			if texts[i], err = identity.NewSigningKeys(d.db).Sign(d.admin, "ticket", nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, text := range texts {
		if signer(t, text) != signer(t, texts[0]) {
			t.Error("two keys sign")
		}
	}
	for range servers {
		group.Go(func() {
			if _, err := identity.NewSigningKeys(d.db).Rotate(d.admin); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	listed, err := identity.NewSigningKeys(d.db).List(d.admin)
	if err != nil || len(listed) != 1+servers {
		t.Fatalf("%d keys, %v", len(listed), err)
	}
	if signing := slices.DeleteFunc(slices.Clone(listed), func(key identity.SigningKey) bool { return !key.Signs() }); len(signing) != 1 {
		t.Errorf("%d keys sign", len(signing))
	}
}

// Keys that nobody has make the program look again once a second, however many there are.
func TestSigningKeys_UnknownKeys(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keys := identity.NewSigningKeys(d.db)
	known := signed(t, keys, "ticket", "1")
	foreign := signed(t, identity.NewSigningKeys(newDesk(t).db), "ticket", "1")
	// Without the table, to look is to fail.
	if _, err := d.db.Exec(t.Context(), `alter table signing_keys rename to lost`); err != nil {
		t.Fatal(err)
	}
	d.clock.Advance(time.Second - time.Microsecond)
	for range 100 {
		if got := signatures(t, keys, "ticket", known, foreign); !cmp.Equal(got, []bool{true, false}) {
			t.Fatalf("within the second: %v", got)
		}
	}
	d.clock.Advance(time.Microsecond)
	if _, err := keys.Verify(t.Context(), "ticket", foreign); err == nil || errors.Is(err, identity.ErrSignature) {
		t.Errorf("a second later: got %v, want a fault of ours", err)
	}
	if got := signatures(t, keys, "ticket", known); !got[0] {
		t.Error("a key that is known is refused")
	}
	d.clock.Advance(time.Minute)
	if _, err := keys.Verify(t.Context(), "ticket", known); err == nil || errors.Is(err, identity.ErrSignature) {
		t.Errorf("a minute later: got %v, want a fault of ours", err)
	}
}

// While one reads the keys and the database does not answer, what is known is used, and who needs to read gives up with
// its request.
func TestSigningKeys_Hanging(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keys := identity.NewSigningKeys(d.db)
	known := signed(t, keys, "ticket", "1")
	foreign := signed(t, identity.NewSigningKeys(newDesk(t).db), "ticket", "1")
	d.clock.Advance(time.Second)
	reading := make(chan error, 1)
	if err := d.db.InTx(t.Context(), func(tx *postgres.Tx) error {
		if _, err := tx.Exec(t.Context(), `lock table signing_keys in access exclusive mode`); err != nil {
			return err
		}
		go func() {
			_, err := keys.Verify(t.Context(), "ticket", foreign)
			reading <- err
		}()
		waiting := 0
		for deadline := time.Now().Add(20 * time.Second); waiting == 0; {
			if err := d.db.Get(t.Context(), &waiting, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`); err != nil {
				return err
			}
			if time.Now().After(deadline) {
				return errors.New("nobody reads")
			}
		}
		if got := signatures(t, keys, "ticket", known); !got[0] {
			t.Error("a key that is known is refused")
		}
		leaving, leave := context.WithCancel(t.Context())
		leave()
		if _, err := keys.Verify(leaving, "ticket", foreign); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone waits on: %v", err)
		}
		if _, err := keys.PublicKeys(leaving); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone waits on: %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-reading; !errors.Is(err, identity.ErrSignature) {
		t.Errorf("in the end the foreign signature is answered %v", err)
	}
}

// A change that is made is no failure because the keys cannot be read after it.
func TestSigningKeys_ChangedButNotRead(t *testing.T) {
	t.Parallel()
	clock := &loyaltytest.Clock{}
	clock.Set(now)
	var onTime atomic.Pointer[func()]
	db := pgtest.NewAt(t, func() time.Time {
		if then := onTime.Load(); then != nil {
			(*then)()
		}
		return clock.Now()
	})
	keys := identity.NewSigningKeys(db)
	old := signed(t, keys, "ticket", "1")
	// The time is asked for when the transaction begins, and then by whoever reads after it.
	changing := func(change func(context.Context) error) {
		ctx, leave := context.WithCancel(actor.With(t.Context(), actor.System("test")))
		defer leave()
		asked := 0
		then := func() {
			if asked++; asked > 1 {
				leave()
			}
		}
		onTime.Store(&then)
		err := change(ctx)
		onTime.Store(nil)
		if err != nil || ctx.Err() == nil {
			t.Errorf("changed, although the caller has gone (%v): %v", ctx.Err(), err)
		}
	}
	var made identity.SigningKey
	changing(func(ctx context.Context) (err error) {
		made, err = keys.Rotate(ctx)
		return err
	})
	if got := signer(t, signed(t, keys, "ticket", "2")); got != made.ID || made.ID == "" {
		t.Errorf("%s signs, not %s", got, made.ID)
	}
	changing(func(ctx context.Context) error { return keys.Retire(ctx, signer(t, old)) })
	if got := signatures(t, keys, "ticket", old); got[0] {
		t.Error("a retired key is still good here")
	}
}

func TestSigningKeys_Access(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keys := identity.NewSigningKeys(d.db)
	support := actor.With(t.Context(), actor.Actor{Caller: "x", Roles: []actor.Role{actor.Support}, Scopes: actor.Scopes})
	for ctx, want := range map[context.Context]error{support: problem.Forbidden, t.Context(): problem.Unauthenticated} {
		_, listed := keys.List(ctx)
		_, rotated := keys.Rotate(ctx)
		for name, err := range map[string]error{"list": listed, "rotate": rotated, "retire": keys.Retire(ctx, "none")} {
			if !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
	}
}
