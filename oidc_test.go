package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"regulars/cli"
	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/problem"
)

const (
	issuerFolder  = "clients/issuer"
	issuerAPI     = "https://club.example/api"
	issuerClient  = "club-app"
	issuerReturns = "http://127.0.0.1/signed-in"
)

// realIssuer is an OpenID Connect issuer as others make it, in a process of its own: see clients/issuer/issuer.mjs.
type realIssuer struct {
	*exec.Cmd
	url    string
	orders io.Writer
	says   *bufio.Scanner
}

func startIssuer(t *testing.T) *realIssuer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	running := exec.CommandContext(ctx, "node", "issuer.mjs")
	running.Dir = issuerFolder
	var messages lockedBuffer
	running.Stderr = &messages
	orders, err := running.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	says, err := running.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Start(); err != nil {
		t.Fatalf("%v: install Node.js 20 or later (Debian, Ubuntu: apt-get install nodejs npm; macOS: brew install node)", err)
	}
	i := &realIssuer{Cmd: running, orders: orders, says: bufio.NewScanner(says)}
	t.Cleanup(i.stop)
	if !i.says.Scan() {
		t.Fatalf("the issuer did not start; was it fetched, by `make issuer`, which needs npm?\n%s", messages.String())
	}
	i.url = i.says.Text()
	return i
}

// stop ends the issuer, however often it is called.
func (i *realIssuer) stop() {
	_ = i.Process.Kill()
	_ = i.Wait()
}

func (i *realIssuer) order(t *testing.T, order string) {
	t.Helper()
	if _, err := fmt.Fprintln(i.orders, order); err != nil || !i.says.Scan() {
		t.Fatalf("the issuer does not %s: %v", order, err)
	}
}

// signIn does what an app and its user's browser do: it follows the authorization code flow with PKCE from the issuer's
// discovery through the forms to the tokens.
func (i *realIssuer) signIn(t *testing.T, name string) *oauth2.Token {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), i.url)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(request *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(request.URL.String(), issuerReturns) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	// visit returns where the browser has come to, and where it is told to go from there.
	visit := func(request *http.Request, err error) (at, next string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil {
			t.Fatal(err)
		}
		return response.Request.URL.String(), response.Header.Get("Location")
	}
	app := oauth2.Config{ClientID: issuerClient, Endpoint: provider.Endpoint(), RedirectURL: issuerReturns, Scopes: []string{oidc.ScopeOpenID}}
	secret := oauth2.GenerateVerifier()
	at, next := visit(http.NewRequestWithContext(t.Context(), http.MethodGet, app.AuthCodeURL("state", oauth2.S256ChallengeOption(secret)), http.NoBody))
	for _, filled := range []url.Values{{"prompt": {"login"}, "login": {name}, "password": {"any"}}, {"prompt": {"consent"}}} {
		form, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader(filled.Encode()))
		if err == nil {
			form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		at, next = visit(form, err)
	}
	back, err := url.Parse(next)
	if err != nil || back.Query().Get("state") != "state" {
		t.Fatalf("the issuer does not lead back to the app: from %s it leads to %q", at, next)
	}
	token, err := app.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(secret))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestOIDC(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	given := settings(t)
	given.OIDC = cli.OIDC{Issuer: issuer.url, Audience: issuerAPI, MemberClaim: "card", RolesClaim: "realm_access.roles"}
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	b := boot(t, given, clock)
	answers := func(name, token string, status int, parts ...string) {
		t.Helper()
		got, body := post(t, b.URL(), token, whoAmI)
		for _, part := range append(parts, "") {
			if got != status || !strings.Contains(body, part) {
				t.Errorf("%s is answered %d: %s; want %d with %s", name, got, body, status, part)
			}
		}
	}

	member := issuer.signIn(t, "ada")
	answers("the member", member.AccessToken, http.StatusOK, `"roles":["MEMBER"]`)
	_, body := post(t, b.URL(), member.AccessToken, `{"query":"mutation { enrollMember(input: {idempotencyKey: \"1\", externalId: \"4711\"}) { member { id } userErrors { code } } }"}`)
	if !strings.Contains(body, `"code":"FORBIDDEN"`) {
		t.Errorf("a member who enrolls somebody else is answered %s", body)
	}
	_, body = post(t, b.URL(), member.AccessToken, `{"query":"mutation { enrollMember(input: {idempotencyKey: \"2\"}) { member { externalId } userErrors { code } } }"}`)
	if !strings.Contains(body, `{"member":{"externalId":"17850"},"userErrors":[]}`) {
		t.Errorf("a member who enrolls is answered %s", body)
	}
	answers("support", issuer.signIn(t, "grace").AccessToken, http.StatusOK, `"roles":["SUPPORT"]`)
	answers("somebody without a card", issuer.signIn(t, "eve").AccessToken, http.StatusUnauthorized, `"code":"UNAUTHENTICATED"`)
	answers("a development token", b.token(t, actor.Admin, "staff:admin"), http.StatusUnauthorized)

	// An ID token is for the app that asked for it.
	identityToken, _ := member.Extra("id_token").(string)
	answers("an ID token, which has another audience,", identityToken, http.StatusUnauthorized)
	options := identity.OIDCOptions(given.OIDC)
	options.Audience = issuerClient
	forApp := identity.NewOIDC(options, clock, slog.New(slog.DiscardHandler))
	caller, err := forApp.Verify(t.Context(), identityToken)
	want := actor.Actor{Caller: issuer.url + "|ada", Roles: []actor.Role{actor.Member}, ExternalID: "17850"}
	if diff := cmp.Diff(want, caller); err != nil || diff != "" {
		t.Errorf("where the app's audience is ours, an ID token is of %v, %v", caller, err)
	}
	if _, err := forApp.Verify(t.Context(), member.AccessToken); !errors.Is(err, problem.Unauthenticated) {
		t.Errorf("where the app's audience is ours, an access token for another is answered %v", err)
	}

	issuer.order(t, "rotate")
	ahead.Add(int64(5 * time.Second))
	rotated := issuer.signIn(t, "ada").AccessToken
	answers("a token of the new key", rotated, http.StatusOK)
	answers("a token of the old key", member.AccessToken, http.StatusOK)
	issuer.order(t, "retire")
	ahead.Add(int64(time.Hour))
	answers("a token of a key that is no longer published", member.AccessToken, http.StatusUnauthorized)
	answers("a token of the new key", rotated, http.StatusOK)

	issuer.order(t, "rotate")
	unseen := issuer.signIn(t, "ada").AccessToken
	issuer.stop()
	ahead.Add(int64(time.Hour))
	answers("a token of a known key, while the issuer is down,", rotated, http.StatusOK)
	answers("a token of a new key, while the issuer is down,", unseen, http.StatusUnauthorized)
	if log := b.log.String(); strings.Count(log, "the issuer's keys cannot be fetched") != 1 || strings.Count(log, "the issuer's keys are fetched") != 1 {
		t.Errorf("the log does not tell once that the issuer was there, and once that it is down: %s", log)
	}
}

func TestOIDC_Misused(t *testing.T) {
	t.Parallel()
	issuer, audience := "REGULARS_OIDC_ISSUER=https://login.example", "REGULARS_OIDC_AUDIENCE=club"
	for name, test := range map[string]struct {
		environment []string
		key         string
	}{
		"no address":     {[]string{"REGULARS_OIDC_ISSUER=login.example", audience}, "REGULARS_OIDC_ISSUER"},
		"not encrypted":  {[]string{"REGULARS_OIDC_ISSUER=http://login.example", audience}, "REGULARS_OIDC_ISSUER"},
		"with a query":   {[]string{"REGULARS_OIDC_ISSUER=https://login.example?tenant=1", audience}, "REGULARS_OIDC_ISSUER"},
		"no host":        {[]string{"REGULARS_OIDC_ISSUER=https:///realms/club", audience}, "REGULARS_OIDC_ISSUER"},
		"a password":     {[]string{"REGULARS_OIDC_ISSUER=https://club:secret@login.example", audience}, "REGULARS_OIDC_ISSUER"},
		"no audience":    {[]string{issuer}, "REGULARS_OIDC_AUDIENCE"},
		"no issuer":      {[]string{audience}, "REGULARS_OIDC_AUDIENCE"},
		"no memberclaim": {[]string{issuer, audience, "REGULARS_OIDC_MEMBER_CLAIM="}, "REGULARS_OIDC_MEMBER_CLAIM"},
		"no roles claim": {[]string{issuer, audience, "REGULARS_OIDC_ROLES_CLAIM="}, "REGULARS_OIDC_ROLES_CLAIM"},
		"misspelled":     {[]string{"REGULARS_OIDC_ISUER=https://login.example"}, "REGULARS_OIDC_ISUER"},
	} {
		output, messages, code := run(t, test.environment)
		if code != 2 || output != "" || !strings.Contains(messages, test.key) {
			t.Errorf("%s: exit code %d, output %q, messages %q; want 2, none, and %s named", name, code, output, messages, test.key)
		}
	}
	data := "REGULARS_DATA=" + t.TempDir()
	output, messages, code := run(t, []string{data, issuer, audience}, "token", "--role", "ADMIN")
	if code != 1 || output != "" || !strings.Contains(messages, issuer[len("REGULARS_OIDC_ISSUER="):]) {
		t.Errorf("a development token beside an issuer: exit code %d, output %q, messages %q", code, output, messages)
	}
}

// TestOIDC_Invitation starts the program beside an issuer that cannot be reached, and elsewhere, and reads how to sign in.
func TestOIDC_Invitation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environment []string
		want        []string
		never       string
	}{
		"development": {[]string{"REGULARS_ADDR=127.0.0.1:0"}, []string{"To sign in", "regulars token"}, "the development issuer is off"},
		"OIDC": {
			[]string{"REGULARS_ADDR=127.0.0.1:0", "REGULARS_OIDC_ISSUER=http://127.0.0.1:1/realms/club", "REGULARS_OIDC_AUDIENCE=club"},
			[]string{"To sign in, send a token that http://127.0.0.1:1/realms/club gave you for the audience club", "the issuer's keys cannot be fetched"},
			"regulars token",
		},
		"behind a proxy": {
			[]string{"REGULARS_ADDR=127.0.0.1:0", "REGULARS_PUBLIC_URL=https://club.example"},
			[]string{"the development issuer is off", "REGULARS_PUBLIC_URL is https://club.example", "msg=ready"}, "To sign in",
		},
		"neither": {[]string{"REGULARS_ADDR=0.0.0.0:0"}, []string{"the development issuer is off", "set REGULARS_OIDC_ISSUER", "msg=ready"}, "To sign in"},
	} {
		running := command(t, append(test.environment, "REGULARS_DATA="+t.TempDir(), "DATABASE_URL="+pgtest.DataSource(t)))
		messages, err := running.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := running.Start(); err != nil {
			t.Fatal(err)
		}
		var heard strings.Builder
		lines := bufio.NewScanner(messages)
		told := func() bool {
			for _, part := range test.want {
				if !strings.Contains(heard.String(), part) {
					return false
				}
			}
			return true
		}
		for !told() && lines.Scan() {
			heard.WriteString(lines.Text() + "\n")
		}
		if err := running.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		for lines.Scan() {
			heard.WriteString(lines.Text() + "\n")
		}
		if err := running.Wait(); err != nil || !told() || strings.Contains(heard.String(), test.never) {
			t.Errorf("%s: %v, and the program says\n%s", name, err, heard.String())
		}
	}
}
