package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/cli"
	"regulars/internal/actor"
	"regulars/internal/demo"
	"regulars/internal/postgres/pgtest"
)

// shape is a JSON value without what it says: the keys of objects, the shape of a list's first element, kinds of values.
func shape(decoded any) any {
	switch decoded := decoded.(type) {
	case map[string]any:
		shapes := map[string]any{}
		for key, one := range decoded {
			shapes[key] = shape(one)
		}
		return shapes
	case []any:
		if len(decoded) == 0 {
			return []any{}
		}
		return []any{shape(decoded[0])}
	}
	return fmt.Sprintf("%T", decoded)
}

// TestDemo_FirstQuery asks the demo club what the README asks and compares what the README answers.
func TestDemo_FirstQuery(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(readme), "'"+demo.FirstQuery()+"'") != 1 {
		t.Errorf("the README does not ask this:\n%s", demo.FirstQuery())
	}
	shown := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(readme)
	if shown == nil {
		t.Fatal("the README shows no answer")
	}
	var want, got any
	if err := json.Unmarshal(shown[1], &want); err != nil {
		t.Fatalf("the answer in the README: %v", err)
	}

	given := settings(t)
	given.Demo = cli.Switch{On: true}
	b := boot(t, given, time.Now)
	if b.demo != demo.Finished {
		t.Errorf("the demo club is %s", b.demo)
	}
	status, body := post(t, b.URL(), b.token(t, actor.Member, "robin"), demo.FirstQuery())
	if status != 200 {
		t.Fatalf("answered %d: %s", status, body)
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(shape(want), shape(got)); difference != "" {
		t.Errorf("the README's answer has another shape (-README +got):\n%s", difference)
	}
}

// TestDemo_Killed kills a server that builds the demo club: nobody takes what it leaves for a club, and the next start
// completes it.
func TestDemo_Killed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	environment := []string{"REGULARS_DATA=" + data, "DATABASE_URL=" + pgtest.DataSource(t)}
	wanted := []string{environment[0], environment[1], "REGULARS_DEMO=on"}

	killed := command(t, append(wanted, "REGULARS_ADDR=127.0.0.1:0"))
	messages, err := killed.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	// Until the last lines are read it may still build.
	for lines := bufio.NewScanner(messages); lines.Scan(); {
		if strings.Contains(lines.Text(), "building the demo club") {
			if err := killed.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := killed.Wait(); !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("the killed program ended with %v", err)
	}

	if _, messages, code := run(t, append(environment, "REGULARS_ADDR=127.0.0.1:0"), "serve"); code != 1 || !strings.Contains(messages, "REGULARS_DEMO=on") {
		t.Errorf("serving a part of the club: exit code %d, messages %q", code, messages)
	}
	if output, messages, code := run(t, environment, "check"); code != 0 {
		t.Errorf("checking a part of the club: exit code %d, output %q, messages %q", code, output, messages)
	}
	server := startServing(t, wanted)
	token, _, _ := run(t, environment, "token", "--role", "MEMBER", "--external-id", "robin")
	if status, body := post(t, server.url, strings.TrimSpace(token), demo.FirstQuery()); status != 200 || !strings.Contains(body, "Gold") {
		t.Errorf("robin is answered %d: %s", status, body)
	}
	if _, messages, code := run(t, environment, "demo"); code != 1 || !strings.Contains(messages, "already") {
		t.Errorf("building it once more: exit code %d, messages %q", code, messages)
	}
	if output, messages, code := run(t, environment, "check"); code != 0 {
		t.Errorf("checking the club: exit code %d, output %q, messages %q", code, output, messages)
	}
	if code := server.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("told to stop, the program exits with %d", code)
	}
}

func TestDemo_Command(t *testing.T) {
	t.Parallel()
	environment := []string{"REGULARS_DATA=" + t.TempDir(), "DATABASE_URL=" + pgtest.DataSource(t), "REGULARS_CURRENCY=EUR"}
	output, messages, code := run(t, environment, "demo")
	if code != 0 || !strings.Contains(output, "--external-id robin") || !strings.Contains(output, demo.FirstQuery()) {
		t.Errorf("exit code %d, output %q, messages %q", code, output, messages)
	}
}
