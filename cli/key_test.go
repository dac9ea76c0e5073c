package cli_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestSigningKey(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	expect := func(rows ...string) {
		t.Helper()
		want := append([]string{"id|created|signs|retired"}, rows...)
		got := column.ReplaceAllString(strings.TrimSpace(o.succeed(t, "signing-key", "list")), "|")
		if got != strings.Join(want, "\n") {
			t.Errorf("listed:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
		}
	}
	expect()
	first := strings.TrimSpace(o.succeed(t, "signing-key", "rotate"))
	if !regexp.MustCompile(`^[a-z2-7]{16}$`).MatchString(first) {
		t.Errorf("rotating writes %q", first)
	}
	o.now = o.now.Add(time.Hour)
	second := strings.TrimSpace(o.succeed(t, "signing-key", "rotate"))
	expect(second+"|2026-05-04T13:00:00Z|yes|-", first+"|2026-05-04T12:00:00Z|-|-")
	o.succeed(t, "signing-key", "retire", first)
	expect(second+"|2026-05-04T13:00:00Z|yes|-", first+"|2026-05-04T12:00:00Z|-|2026-05-04T13:00:00Z")

	for id, sentence := range map[string]string{second: "rotate the keys first", "none": "no signing key"} {
		if output, messages, code := o.run(t, "signing-key", "retire", id); code != 1 || output != "" || !strings.Contains(messages, sentence) {
			t.Errorf("retiring %s: exit code %d, output %q, messages %q", id, code, output, messages)
		}
	}
}
