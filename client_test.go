package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/cli"
	"regulars/internal/actor"
	"regulars/internal/postgres"
)

// office runs a command on the database of the settings and returns what it wrote to its output.
func office(t *testing.T, on cli.Settings, arguments ...string) string {
	t.Helper()
	var output, messages bytes.Buffer
	if code := cli.Run(t.Context(), append(arguments, "--data", on.Data, "--database-url", on.DatabaseURL), cli.Program{
		Now: time.Now, Output: &output, Messages: &messages,
	}); code != 0 {
		t.Fatalf("%v: exit code %d: %s", arguments, code, messages.String())
	}
	return strings.TrimSpace(output.String())
}

// The operator makes a client beside running servers; its key is good on all of them, whatever their address, until it is
// replaced or revoked, and then on none.
func TestClient(t *testing.T) {
	t.Parallel()
	given := settings(t)
	servers := []*booted{boot(t, given, time.Now)}
	elsewhere := given
	elsewhere.Addr = "0.0.0.0:0"
	servers = append(servers, boot(t, elsewhere, time.Now))

	const whoIsIt = `{"query":"{ viewer { roles scopes client member { id } } }"}`
	accepted := func(key string) {
		t.Helper()
		for _, server := range servers {
			const want = `{"data":{"viewer":{"roles":[],"scopes":["purchases:write","members:read"],"client":"Till 1","member":null}}}`
			if status, body := post(t, server.URL(), key, whoIsIt); status != http.StatusOK || body != want {
				t.Errorf("the client is answered %d: %s", status, body)
			}
		}
	}
	refused := func(key string) {
		t.Helper()
		for _, server := range servers {
			if status, body := post(t, server.URL(), key, whoIsIt); status != http.StatusUnauthorized || !strings.Contains(body, `"code":"UNAUTHENTICATED"`) {
				t.Errorf("the client is answered %d: %s", status, body)
			}
		}
	}

	first := office(t, given, "client", "create", "Till 1", "--scope", "purchases:write,members:read")
	accepted(first)
	second := office(t, given, "client", "rotate", "Till 1")
	accepted(first)
	accepted(second)
	third := office(t, given, "client", "rotate", "Till 1", "--old-key-valid-for", "0s")
	refused(first)
	refused(second)
	accepted(third)

	status, body := post(t, servers[0].URL(), third, `{"query":"{ clients { totalCount } }"}`)
	if status != http.StatusOK || !strings.Contains(body, `"code":"FORBIDDEN"`) {
		t.Errorf("listing clients is answered %d: %s", status, body)
	}
	const list = `{"query":"{ clients { totalCount nodes { name scopes revokedAt keys { id expiresAt } } } }"}`
	status, body = post(t, servers[0].URL(), servers[0].token(t, actor.Admin, "staff:admin"), list)
	if status != http.StatusOK || !strings.Contains(body, strings.Split(third, "_")[1]) {
		t.Errorf("the administrator is answered %d: %s", status, body)
	}

	office(t, given, "client", "revoke", "Till 1")
	refused(third)
	for _, server := range servers {
		log := server.log.String()
		if !strings.Contains(log, "caller=client:cli_") {
			t.Errorf("the log does not name the client:\n%s", log)
		}
		for _, key := range []string{first, second, third} {
			if strings.Contains(log, strings.Split(key, "_")[2]) {
				t.Errorf("a secret is in the log:\n%s", log)
			}
		}
	}
}

// Who waits for one member's account may take every connection that operations have. Who else calls is known all the same.
func TestClient_AllConnectionsWait(t *testing.T) {
	t.Parallel()
	given := settings(t)
	b := boot(t, given, time.Now)
	key := office(t, given, "client", "create", "Till 1", "--scope", "purchases:write")
	outside, err := postgres.Open(t.Context(), given.DatabaseURL, postgres.Options{MaxConnections: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = outside.Close() })

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var waiting sync.WaitGroup
	t.Cleanup(waiting.Wait)
	t.Cleanup(cancel)
	const lock = `select pg_advisory_xact_lock(1)`
	locked := make(chan error, 1)
	waiting.Go(func() {
		_ = outside.InTx(ctx, func(tx *postgres.Tx) error {
			_, err := tx.Exec(ctx, lock)
			locked <- err
			<-ctx.Done()
			return err
		})
	})
	if err := <-locked; err != nil {
		t.Fatal(err)
	}
	const connections = 16
	for range connections {
		waiting.Go(func() { _, _ = b.database.Exec(ctx, lock) })
	}
	for waits := 0; waits < connections; {
		if err := outside.Get(ctx, &waits, `
			select count(*) from pg_locks join pg_database on pg_database.oid = database
			where datname = current_database() and locktype = 'advisory' and not granted`); err != nil {
			t.Fatal(err)
		}
	}
	short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	if err := b.database.Ping(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a connection is free: %v", err)
	}

	if status, body := post(t, b.URL(), key, `{"query":"{ __typename }"}`); status != http.StatusOK || body != `{"data":{"__typename":"Query"}}` {
		t.Errorf("the client is answered %d: %s", status, body)
	}
	for _, path := range []string{"/readyz", "/.well-known/jwks.json"} {
		if status, body := get(t, b.URL()+path); status != http.StatusOK {
			t.Errorf("%s answers %d: %s", path, status, body)
		}
	}
}
