package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/cli"
	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/program"
)

// asProgram makes this test binary behave as the program itself: see startProgram.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// booted is the program, listening on a port of its own over a database of its own.
type booted struct {
	*Server
	issuer *identity.DevelopmentIssuer
	// stop ends serving as a signal would and returns what Serve returned.
	stop func() error
	log  *lockedBuffer
}

func settings(t *testing.T) cli.Settings {
	t.Helper()
	return cli.Settings{Addr: "127.0.0.1:0", Data: t.TempDir(), DatabaseURL: pgtest.DataSource(t), API: cli.API{
		MaximumBody: 8 << 20, MaximumComplexity: 30_000, MaximumDepth: 15, OperationTimeout: 20 * time.Second,
		CallerRate: 200, GuessRate: 60, Introspection: cli.Switch{On: true},
	}}
}

// boot starts the program and stops it at the end of the test, if the test does not.
func boot(t *testing.T, settings cli.Settings, now func() time.Time) *booted {
	t.Helper()
	log := &lockedBuffer{}
	server, err := Open(t.Context(), settings, program.Seed{}, slog.New(slog.NewTextHandler(log, nil)), now)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := identity.OpenDevelopmentIssuer(settings.Data)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-served, server.Close())
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stopping the program: %v", err)
		}
	})
	return &booted{Server: server, issuer: issuer, stop: stop, log: log}
}

func (b *booted) token(t *testing.T, role actor.Role, subject string) string {
	t.Helper()
	token, err := b.issuer.Token(role, subject, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// post sends an operation, with a token unless that is empty, and returns the answer's status and body.
func post(t *testing.T, url, token, operation string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", strings.NewReader(operation))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return do(t, request)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, request)
}

func do(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

const whoAmI = `{"query":"{ viewer { roles } }"}`

func TestServer_Ready(t *testing.T) {
	t.Parallel()
	b := boot(t, settings(t), time.Now)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 200, "/graphql": 405, "/elsewhere": 404} {
		if status, body := get(t, b.URL()+path); status != want {
			t.Errorf("%s answers %d: %s", path, status, body)
		}
	}
	status, body := post(t, b.URL(), b.token(t, actor.Admin, "staff:admin"), whoAmI)
	if status != http.StatusOK || !strings.Contains(body, `"roles":["ADMIN"]`) {
		t.Errorf("the administrator is answered %d: %s", status, body)
	}
	status, body = post(t, b.URL(), "", whoAmI)
	if !strings.Contains(body, `"code":"UNAUTHENTICATED"`) {
		t.Errorf("nobody is answered %d: %s", status, body)
	}
}

func TestServer_ForgedToken(t *testing.T) {
	t.Parallel()
	b := boot(t, settings(t), time.Now)
	forger, err := identity.OpenDevelopmentIssuer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	forged, err := forger.Token(actor.Admin, "staff:admin", time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	expired, err := b.issuer.Token(actor.Admin, "staff:admin", time.Hour, time.Now().Add(-2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"forged": forged, "expired": expired, "nonsense": "a.b.c"} {
		status, body := post(t, b.URL(), token, whoAmI)
		if status != http.StatusUnauthorized || !strings.Contains(body, `"code":"UNAUTHENTICATED"`) {
			t.Errorf("the %s token is answered %d: %s", name, status, body)
		}
	}
}

func TestServer_NotLoopback(t *testing.T) {
	t.Parallel()
	given := settings(t)
	given.Addr = "0.0.0.0:0"
	b := boot(t, given, time.Now)
	if status, body := post(t, b.URL(), b.token(t, actor.Admin, "staff:admin"), whoAmI); status != http.StatusUnauthorized {
		t.Errorf("a token of the development issuer is answered %d: %s", status, body)
	}
	if log := b.log.String(); !strings.Contains(log, "the development issuer is off") {
		t.Errorf("the log does not say so: %s", log)
	}
}

// Behind a proxy the server listens on a loopback address, and others than this machine reach it.
func TestServer_PublicURL(t *testing.T) {
	t.Parallel()
	given := settings(t)
	given.PublicURL = "https://club.example"
	b := boot(t, given, time.Now)
	address := "http://" + b.listener.Addr().String()
	if status, body := post(t, address, b.token(t, actor.Admin, "staff:admin"), whoAmI); status != http.StatusUnauthorized {
		t.Errorf("a token of the development issuer is answered %d: %s", status, body)
	}
	if log := b.log.String(); !strings.Contains(log, "the development issuer is off") || !strings.Contains(log, "REGULARS_PUBLIC_URL is https://club.example") {
		t.Errorf("the log does not say why: %s", log)
	}
}

func TestServer_Drain(t *testing.T) {
	t.Parallel()
	b := boot(t, settings(t), time.Now)
	address := strings.TrimPrefix(b.URL(), "http://")
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}

	// The server asks for the body when it has begun with the request.
	_, err = fmt.Fprintf(connection, "POST /graphql HTTP/1.1\r\nHost: club\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\n\r\n",
		len(whoAmI), b.token(t, actor.Admin, "staff:admin"))
	if err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewReader(connection)
	interim, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = interim.Body.Close()
	if interim.StatusCode != http.StatusContinue {
		t.Fatalf("the server does not want the body: %s", interim.Status)
	}

	stopped := make(chan error, 1)
	go func() { stopped <- b.stop() }()
	for refused := false; !refused; {
		late, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if refused = err != nil; !refused {
			_ = late.Close()
		}
		if t.Context().Err() != nil {
			t.Fatal("the draining server still takes connections")
		}
	}

	if _, err := io.WriteString(connection, whoAmI); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"roles":["ADMIN"]`) {
		t.Errorf("the request under way is answered %d: %s, %v", response.StatusCode, body, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestServer_PortBusy(t *testing.T) {
	t.Parallel()
	b := boot(t, settings(t), time.Now)
	second := settings(t)
	second.Addr = strings.TrimPrefix(b.URL(), "http://")
	_, err := Open(t.Context(), second, program.Seed{}, slog.New(slog.DiscardHandler), time.Now)
	if err == nil || !strings.Contains(err.Error(), "REGULARS_ADDR") {
		t.Errorf("got %v, want an error that says what to change", err)
	}
}

func TestServer_OtherProgram(t *testing.T) {
	t.Parallel()
	given := settings(t)
	boot(t, given, time.Now)
	for key, seed := range map[string]program.Seed{
		"REGULARS_CURRENCY":  {Currency: "GBP"},
		"REGULARS_TIME_ZONE": {TimeZone: "Europe/London"},
	} {
		_, err := Open(t.Context(), given, seed, slog.New(slog.DiscardHandler), time.Now)
		var setting program.SettingError
		if !errors.As(err, &setting) || setting.Key != key {
			t.Errorf("got %v, want an error about %s", err, key)
		}
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mutex   sync.Mutex
	content bytes.Buffer
}

func (b *lockedBuffer) Write(content []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.content.Write(content)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.content.String()
}
