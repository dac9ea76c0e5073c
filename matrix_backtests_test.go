package main

import (
	"strings"
	"testing"
	"time"
)

const tried = `{rule: {name: "Two million", qualifying: true, award: {fixed: 2000000}}, replacesRuleId: "<rule>", from: "2020-01-01T00:00:00Z", to: "<today>"}`

// fillBacktests tries a rule on ada's purchase and waits until that is done.
func (w *world) fillBacktests(t *testing.T, do func(caller, string, string) string, keep func(string, string, string) string, admin caller) {
	t.Helper()
	keep("<backtest>", `bkt_\w+`, do(admin, `startBacktest(input: `+tried+`)`, "backtest { id }"))
	for until := time.Now().Add(time.Minute); ; {
		answer := w.ask(t, admin, `{ node(id: "<backtest>") { ... on Backtest { status error } } }`, nil)
		if strings.Contains(answer, "SUCCEEDED") {
			return
		}
		if !strings.Contains(answer, "RUNNING") || time.Now().After(until) {
			t.Fatal(answer)
		}
	}
}
