package cli_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"regulars/cli"
	"regulars/internal/postgres/pgtest"
)

// office runs commands on a database of its own, with a clock that the test turns.
type office struct {
	source string
	now    time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	return &office{source: pgtest.DataSource(t), now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
}

func (o *office) run(t *testing.T, arguments ...string) (output, messages string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = cli.Run(t.Context(), append(arguments, "--database-url", o.source), cli.Program{
		Now: func() time.Time { return o.now }, Output: &out, Messages: &err,
	})
	return out.String(), err.String(), code
}

// succeed returns what the command wrote to its output.
func (o *office) succeed(t *testing.T, arguments ...string) string {
	t.Helper()
	output, messages, code := o.run(t, arguments...)
	if code != 0 {
		t.Fatalf("%v: exit code %d: %s", arguments, code, messages)
	}
	return output
}

var keyLine = regexp.MustCompile(`^rgl_([a-z2-7]{16})_[a-z2-7]{52}\n$`)

// keyID checks that the output is a key and nothing else, and returns its public part.
func keyID(t *testing.T, output string) string {
	t.Helper()
	found := keyLine.FindStringSubmatch(output)
	if found == nil {
		t.Fatalf("%q is not a key alone", output)
	}
	return found[1]
}

var column = regexp.MustCompile(` {3,}`)

// listed returns the table of clients, row by row, without ids.
func (o *office) listed(t *testing.T) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(o.succeed(t, "client", "list")), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(column.Split(clientID.ReplaceAllString(line, "cli_…"), -1), "|")
	}
	return lines
}

var clientID = regexp.MustCompile(`cli_[0-9a-z]{26}`)

func TestClient(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	till := keyID(t, o.succeed(t, "client", "create", "Till 1", "--scope", "members:read", "--scope", "purchases:write"))
	shop := keyID(t, o.succeed(t, "client", "create", "Web shop", "--scope", "purchases:write,members:read"))
	expect := func(rows ...string) {
		t.Helper()
		want := append([]string{"name|id|scopes|created|last used|keys|revoked"}, rows...)
		if got := o.listed(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("listed:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	const row = "|cli_…|purchases:write, members:read|2026-05-04T12:00:00Z|-|"
	expect("Till 1"+row+till+"|-", "Web shop"+row+shop+"|-")

	o.now = o.now.Add(time.Hour)
	second := keyID(t, o.succeed(t, "client", "rotate", "Till 1"))
	expect("Till 1"+row+second+", "+till+" until 2026-05-05T13:00:00Z|-", "Web shop"+row+shop+"|-")
	third := keyID(t, o.succeed(t, "client", "rotate", "Till 1", "--old-key-valid-for", "0s"))
	expect("Till 1"+row+third+"|-", "Web shop"+row+shop+"|-")

	byID := clientID.FindString(o.succeed(t, "client", "list"))
	if output := o.succeed(t, "client", "revoke", byID); output != "" {
		t.Errorf("revoking writes %q", output)
	}
	o.succeed(t, "client", "revoke", byID)
	expect("Till 1"+row+"-|2026-05-04T13:00:00Z", "Web shop"+row+shop+"|-")
}

func TestClient_Refused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.succeed(t, "client", "create", "Till 1", "--scope", "members:read")
	for _, test := range []struct {
		code      int
		message   string
		arguments []string
	}{
		{2, "--scope", []string{"client", "create", "Till 2"}},
		{2, "members:all", []string{"client", "create", "Till 2", "--scope", "members:read,members:all"}},
		{2, "<name>", []string{"client", "create", "--scope", "members:read"}},
		{1, "CLIENT_NAME_TAKEN", []string{"client", "create", "Till 1", "--scope", "members:read"}},
		{1, "INVALID_NAME", []string{"client", "create", " ", "--scope", "members:read"}},
		{1, `"Till 2"`, []string{"client", "rotate", "Till 2"}},
		{1, "INVALID_DURATION", []string{"client", "rotate", "Till 1", "--old-key-valid-for", "721h"}},
		{1, "INVALID_DURATION", []string{"client", "rotate", "Till 1", "--old-key-valid-for=-1s"}},
		{1, `"Till 2"`, []string{"client", "revoke", "Till 2"}},
		{1, "UNKNOWN_CLIENT", []string{"client", "revoke", "cli_069f1g938nxbs3ff04hmasw9nc"}},
	} {
		if output, messages, code := o.run(t, test.arguments...); code != test.code || output != "" || !strings.Contains(messages, test.message) {
			t.Errorf("%v: exit code %d, output %q, messages %q; want %d and %s", test.arguments, code, output, messages, test.code, test.message)
		}
	}
}
