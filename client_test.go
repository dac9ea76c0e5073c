package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"regulars/cli"
	"regulars/internal/actor"
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
