package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/postgres/pgtest"
)

// command is the program as a process of its own, with environment in place of ours.
func command(t *testing.T, environment []string, arguments ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	running := exec.CommandContext(ctx, os.Args[0], arguments...)
	running.Dir = t.TempDir()
	running.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "PGBIN=" + os.Getenv("PGBIN")}, environment...)
	return running
}

// run returns what the program wrote and its exit code.
func run(t *testing.T, environment []string, arguments ...string) (output, messages string, code int) {
	t.Helper()
	running := command(t, environment, arguments...)
	var out, err bytes.Buffer
	running.Stdout, running.Stderr = &out, &err
	if failure := running.Run(); failure != nil && !errors.As(failure, new(*exec.ExitError)) {
		t.Fatal(failure)
	}
	return out.String(), err.String(), running.ProcessState.ExitCode()
}

func TestCommand_Misused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		environment []string
		arguments   []string
		message     string
	}{
		"unknown setting":  {[]string{"REGULARS_ADRR=127.0.0.1:1"}, nil, "REGULARS_ADRR"},
		"bad address":      {[]string{"REGULARS_ADDR=8080"}, nil, "REGULARS_ADDR"},
		"bad port":         {[]string{"REGULARS_ADDR=127.0.0.1:80800"}, nil, "REGULARS_ADDR"},
		"host name":        {[]string{"REGULARS_ADDR=club.example:80"}, nil, "REGULARS_ADDR"},
		"bad public URL":   {[]string{"REGULARS_PUBLIC_URL=club.example"}, nil, "REGULARS_PUBLIC_URL"},
		"no data folder":   {[]string{"REGULARS_DATA="}, nil, "REGULARS_DATA"},
		"bad switch":       {[]string{"REGULARS_DEMO=yes"}, nil, "REGULARS_DEMO"},
		"unknown job":      {[]string{"REGULARS_JOBS=make-coffee=0 8 * * *"}, nil, "REGULARS_JOBS"},
		"job at no time":   {[]string{"REGULARS_JOBS=check-books=0 4 30 2 *"}, nil, "REGULARS_JOBS"},
		"bad bound":        {[]string{"REGULARS_CALLER_RATE=0"}, nil, "REGULARS_CALLER_RATE"},
		"no bound":         {[]string{"REGULARS_MAXIMUM_BODY=8 MiB"}, nil, "REGULARS_MAXIMUM_BODY"},
		"bad proxy":        {[]string{"REGULARS_TRUSTED_PROXIES=proxy.example"}, nil, "REGULARS_TRUSTED_PROXIES"},
		"bad origin":       {[]string{"REGULARS_CORS_ORIGINS=*"}, nil, "REGULARS_CORS_ORIGINS"},
		"unknown command":  {nil, []string{"sell"}, "sell"},
		"unknown flag":     {nil, []string{"--quick"}, "--quick"},
		"no role":          {nil, []string{"token"}, "--role"},
		"unknown role":     {nil, []string{"token", "--role", "OWNER"}, "--role"},
		"member, nameless": {nil, []string{"token", "--role", "MEMBER"}, "--external-id"},
		"member as staff":  {nil, []string{"token", "--role", "MEMBER", "--external-id", "staff:admin"}, "--external-id"},
		"member, subject":  {nil, []string{"token", "--role", "MEMBER", "--external-id", "1", "--subject", "ada"}, "--subject"},
		"staff as member":  {nil, []string{"token", "--role", "ADMIN", "--external-id", "1"}, "--external-id"},
		"no time to live":  {nil, []string{"token", "--role", "ADMIN", "--ttl", "0s"}, "--ttl"},
	} {
		output, messages, code := run(t, test.environment, test.arguments...)
		if code != 2 || output != "" || !strings.Contains(messages, test.message) {
			t.Errorf("%s: exit code %d, output %q, messages %q; want 2, none, and %s named", name, code, output, messages, test.message)
		}
	}
}

func TestCommand_BadSeed(t *testing.T) {
	t.Parallel()
	source := "DATABASE_URL=" + pgtest.DataSource(t)
	for _, setting := range []string{"REGULARS_CURRENCY=POUND", "REGULARS_TIME_ZONE=Londinium", "REGULARS_PROGRAM_START=soon"} {
		_, messages, code := run(t, []string{source, setting}, "migrate")
		if key, _, _ := strings.Cut(setting, "="); code != 2 || !strings.Contains(messages, key) {
			t.Errorf("%s: exit code %d, messages %q", setting, code, messages)
		}
	}
}

func TestCommand_Help(t *testing.T) {
	t.Parallel()
	output, _, code := run(t, nil, "--help")
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	commands := regexp.MustCompile(`(?m)^  ([a-z]+) {2,}[A-Z]`).FindAllStringSubmatch(output, -1)
	if len(commands) < 3 {
		t.Fatalf("the help names %d commands: %s", len(commands), output)
	}
	for _, one := range commands {
		output, _, code := run(t, nil, one[1], "--help")
		if code != 0 || !regexp.MustCompile(`Examples?[:,]`).MatchString(output) {
			t.Errorf("%s --help: exit code %d, and no example in it: %s", one[1], code, output)
		}
	}
}

func TestCommand_Token(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	environment := []string{"REGULARS_DATA=" + data, "DATABASE_URL=host=/nowhere"}
	for want, arguments := range map[string][]string{
		"regulars-development|staff:admin": {"token", "--role", "ADMIN"},
		"regulars-development|grace":       {"token", "--role", "SUPPORT", "--subject", "grace"},
		"regulars-development|17850":       {"token", "--role", "MEMBER", "--external-id", "17850", "--ttl", "1m"},
	} {
		output, messages, code := run(t, environment, arguments...)
		if code != 0 || messages != "" {
			t.Errorf("%v: exit code %d, messages %q", arguments, code, messages)
		}
		issuer, err := identity.OpenDevelopmentIssuer(data)
		if err != nil {
			t.Fatal(err)
		}
		caller, err := issuer.Verify(strings.TrimSuffix(output, "\n"), time.Now())
		if err != nil || caller.Caller != want {
			t.Errorf("%v: the token is of %q, %v; want %q", arguments, caller.Caller, err, want)
		}
		if member := arguments[2] == string(actor.Member); member != (caller.ExternalID != "") {
			t.Errorf("%v: the token is of the member %q", arguments, caller.ExternalID)
		}
	}
	_, messages, code := run(t, append(environment, "REGULARS_ADDR=:8080"), "token", "--role", "ADMIN")
	if code != 1 || !strings.Contains(messages, "REGULARS_ADDR") {
		t.Errorf("beside a server that others reach: exit code %d, messages %q", code, messages)
	}
}

// served is the program serving in a process of its own.
type served struct {
	*exec.Cmd
	url string
}

var readyLine = regexp.MustCompile(`msg=ready url=(\S+)`)

// startServing returns when the program says that it is ready.
func startServing(t *testing.T, environment []string) *served {
	t.Helper()
	running := command(t, append(environment, "REGULARS_ADDR=127.0.0.1:0"))
	messages, err := running.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(messages)
	var heard strings.Builder
	for lines.Scan() {
		heard.WriteString(lines.Text() + "\n")
		if ready := readyLine.FindStringSubmatch(lines.Text()); ready != nil {
			go func() {
				for lines.Scan() {
					continue
				}
			}()
			return &served{running, ready[1]}
		}
	}
	t.Fatalf("the program never became ready: %v\n%s", running.Wait(), heard.String())
	return nil
}

func (s *served) end(t *testing.T, signal syscall.Signal) int {
	t.Helper()
	if err := s.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return s.ProcessState.ExitCode()
}

func TestCommand_Serve(t *testing.T) {
	t.Parallel()
	environment := []string{"REGULARS_DATA=" + openFolder(t), "REGULARS_CURRENCY=GBP"}
	server := startServing(t, environment)

	token, _, _ := run(t, environment, "token", "--role", "ADMIN")
	token = strings.TrimSpace(token)
	if status, body := post(t, server.url, token, whoAmI); status != 200 || !strings.Contains(body, `"roles":["ADMIN"]`) {
		t.Errorf("the administrator is answered %d: %s", status, body)
	}
	if output, messages, code := run(t, environment, "migrate"); code != 0 || !strings.HasPrefix(output, "0 migrations") {
		t.Errorf("migrating beside the server: exit code %d, output %q, messages %q", code, output, messages)
	}
	if _, messages, code := run(t, append(environment, "REGULARS_CURRENCY=USD"), "migrate"); code != 2 || !strings.Contains(messages, "REGULARS_CURRENCY") {
		t.Errorf("another currency beside the server: exit code %d, messages %q", code, messages)
	}

	server.end(t, syscall.SIGKILL)
	server = startServing(t, environment)
	if status, body := post(t, server.url, token, whoAmI); status != 200 {
		t.Errorf("after a kill, the token from before is answered %d: %s", status, body)
	}
	if code := server.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("told to stop, the program exits with %d", code)
	}
}
