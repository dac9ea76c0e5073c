package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/jobs"
)

// The server runs the timetable by its clock, and stops a job when it is stopped itself.
func TestServe_Jobs(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	with := settings(t)
	with.Jobs = jobs.Specs{"expire-points": "0 12 * * *"}
	b := boot(t, with, clock.read)
	last := func() string {
		t.Helper()
		token, err := b.issuer.Token(actor.Admin, "admin", time.Hour, clock.read())
		if err != nil {
			t.Fatal(err)
		}
		_, answer := post(t, b.URL(), token, operation(t, `{ jobs { name spec nextRunAt lastRun { scheduledFor startedBy status attempt } } }`))
		var answered struct {
			Data struct{ Jobs []json.RawMessage }
		}
		if err := json.Unmarshal([]byte(answer), &answered); err != nil || len(answered.Data.Jobs) == 0 {
			t.Fatalf("%v: %s", err, answer)
		}
		return string(answered.Data.Jobs[0])
	}
	if first := last(); first != `{"name":"expire-points","spec":"0 12 * * *","nextRunAt":"2026-03-01T12:00:00Z","lastRun":null}` {
		t.Errorf("before it is due: %s", first)
	}
	clock.move(0, 0, 3)
	want := `{"name":"expire-points","spec":"0 12 * * *","nextRunAt":"2026-03-04T12:00:00Z","lastRun":{"scheduledFor":"2026-03-03T12:00:00Z","startedBy":"system:timetable","status":"SUCCEEDED","attempt":1}}`
	for deadline := time.Now().Add(20 * time.Second); last() != want; {
		if time.Now().After(deadline) {
			t.Fatalf("three days later: %s", last())
		}
	}
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	if log := b.log.String(); !strings.Contains(log, `msg="a job ends" job=expire-points`) || strings.Contains(log, "level=ERROR") {
		t.Error(log)
	}
}
