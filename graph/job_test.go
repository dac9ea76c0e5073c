package graph_test

import (
	"strings"
	"testing"
)

// While another server runs a job, nobody else can.
func TestRunJob_Running(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	held, err := s.db.TryLock(t.Context(), "expire-points")
	if err != nil || held == nil {
		t.Fatal(held, err)
	}
	document := `mutation { runJob(input: {job: "expire-points"}) { run { job } userErrors { code path } } }`
	if answer := s.ask(t, "ADMIN", document); !strings.Contains(answer, `"run": null`) || !strings.Contains(answer, "JOB_RUNNING") {
		t.Error(answer)
	}
	held.Release(t.Context())
	if answer := s.ask(t, "ADMIN", document); !strings.Contains(answer, `"userErrors": []`) {
		t.Error(answer)
	}
}
