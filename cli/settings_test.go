package cli_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/cli"
	"regulars/internal/program"
)

func TestSettings_NoDevelopmentIssuer(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:8080":         true,
		"127.8.9.10:0":           true,
		"localhost:8080":         true,
		"[::1]:8080":             true,
		"[::ffff:127.0.0.1]:80":  true,
		":8080":                  false,
		"0.0.0.0:8080":           false,
		"[::]:8080":              false,
		"192.168.1.7:8080":       false,
		"localhost.example:8080": false,
		"127.0.0.1":              false,
	} {
		if got := (cli.Settings{Addr: address}).NoDevelopmentIssuer(); (got == "") != want || !want && !strings.Contains(got, "REGULARS_ADDR is "+address) {
			t.Errorf("%s: got %q, want %v", address, got, want)
		}
	}
	for public, want := range map[string]bool{
		"":                              true,
		"http://localhost:3000":         true,
		"http://127.0.0.1:8080/":        true,
		"http://[::1]:8080":             true,
		"https://club.example":          false,
		"http://192.168.1.7:8080":       false,
		"http://localhost.example":      false,
		"http://localhost@club.example": false,
	} {
		got := (cli.Settings{Addr: "127.0.0.1:8080", PublicURL: public}).NoDevelopmentIssuer()
		if (got == "") != want || !want && !strings.Contains(got, "REGULARS_PUBLIC_URL is "+public) {
			t.Errorf("%s: got %q, want %v", public, got, want)
		}
	}
	if got := (cli.Settings{Addr: "127.0.0.1:8080", OIDC: cli.OIDC{Issuer: "https://login.example"}}).NoDevelopmentIssuer(); !strings.Contains(got, "REGULARS_OIDC_ISSUER") {
		t.Errorf("beside an issuer: got %q", got)
	}
}

func TestSettings_TrustedProxies(t *testing.T) {
	t.Parallel()
	given, code, messages := served("--trusted-proxies=10.0.0.0/8,192.0.2.7,2001:db8::/32,::1")
	var networks []string
	for _, network := range given.API.Networks() {
		networks = append(networks, network.String())
	}
	if diff := cmp.Diff([]string{"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128"}, networks); code != 0 || diff != "" {
		t.Errorf("exit code %d, %s: %s", code, messages, diff)
	}
}

// served runs the program with flags and returns the settings that its server is given, the exit code and what it said.
func served(flags ...string) (given cli.Settings, code int, messages string) {
	var said strings.Builder
	code = cli.Run(context.Background(), flags, cli.Program{
		Serve: func(_ context.Context, settings cli.Settings, _ program.Seed) error {
			given = settings
			return nil
		},
		Now: time.Now, Output: io.Discard, Messages: &said,
	})
	return given, code, said.String()
}

func TestSettings_API(t *testing.T) {
	t.Parallel()
	given, code, messages := served()
	want := cli.API{
		MaximumBody: 8 << 20, MaximumComplexity: 30_000, MaximumDepth: 15, OperationTimeout: 20 * time.Second,
		CallerRate: 200, GuessRate: 60, Introspection: cli.Switch{On: true},
	}
	if diff := cmp.Diff(want, given.API); code != 0 || diff != "" {
		t.Errorf("by default: exit code %d, %s: %s", code, messages, diff)
	}
	given, code, messages = served("--maximum-body=100", "--maximum-complexity=1", "--maximum-depth=2", "--operation-timeout=1m30s",
		"--caller-rate=3", "--guess-rate=4", "--introspection=off", "--suggestions=on",
		"--cors-origins=https://club.example,http://localhost:3000")
	want = cli.API{
		MaximumBody: 100, MaximumComplexity: 1, MaximumDepth: 2, OperationTimeout: 90 * time.Second,
		CallerRate: 3, GuessRate: 4, Suggestions: &cli.Switch{On: true},
		CORSOrigins: []string{"https://club.example", "http://localhost:3000"},
	}
	if diff := cmp.Diff(want, given.API); code != 0 || diff != "" {
		t.Errorf("as said: exit code %d, %s: %s", code, messages, diff)
	}
}

func TestSettings_Suggestions(t *testing.T) {
	t.Parallel()
	for flags, want := range map[string]bool{
		"":                                      true,
		"--introspection=off":                   false,
		"--suggestions=off":                     false,
		"--introspection=off --suggestions=on":  true,
		"--introspection=off --suggestions=off": false,
	} {
		if given, code, messages := served(strings.Fields(flags)...); code != 0 || given.API.Suggests() != want {
			t.Errorf("%q: exit code %d, %s, suggestions %v", flags, code, messages, given.API.Suggests())
		}
	}
}

func TestSettings_BadAPI(t *testing.T) {
	t.Parallel()
	for flag, values := range map[string][]string{
		"maximum-body":       {"0", "-1", "8 MiB", "", "99999999999"},
		"maximum-complexity": {"0", "many"},
		"maximum-depth":      {"0", "1.5"},
		"operation-timeout":  {"0s", "-1s", "20", "11m"},
		"caller-rate":        {"0", "x"},
		"guess-rate":         {"0", "-5"},
		"introspection":      {"yes", ""},
		"suggestions":        {"maybe"},
		"trusted-proxies":    {"proxy.example", "10.0.0.0/33", "10.0.0.0/8,x", "10.0.0", "*"},
		"cors-origins": {
			"*", "club.example", "https://club.example/", "https://club.example/app", "https://*.club.example/", "ftp://club.example",
			"https://", "https://Club.example", "https://a@club.example", "https://club.example,null", "https://club.example?x",
		},
	} {
		for _, value := range values {
			if _, code, messages := served("--" + flag + "=" + value); code != 2 || !strings.Contains(messages, "--"+flag) {
				t.Errorf("--%s=%s: exit code %d: %s", flag, value, code, messages)
			}
		}
	}
}
