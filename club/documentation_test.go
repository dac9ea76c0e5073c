package club_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/club"
)

var updateTable = flag.Bool("update-table", false, "write the table of what becomes of bookings")

const (
	page  = "../docs/club.md"
	begin = "<!-- transitions: go test ./club -run Documentation -update-table -->\n"
	end   = "<!-- /transitions -->\n"
)

// The table in the documentation is the state machine of the code.
func TestDocumentation_Transitions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	above, rest, found := strings.Cut(string(text), begin)
	table, below, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("docs/club.md has no place for the table")
	}
	got := transitionTable()
	if *updateTable {
		if err := os.WriteFile(page, []byte(above+begin+got+end+below), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(table, got); diff != "" {
		t.Error(diff)
	}
}

func transitionTable() string {
	actions, cells := club.Table()
	var from []club.BookingStatus
	for _, status := range club.BookingStatuses {
		if len(club.Outcomes(status)) > 0 {
			from = append(from, status)
		}
	}
	var text strings.Builder
	text.WriteString("| |")
	for _, status := range from {
		text.WriteString(" `" + string(status) + "` |")
	}
	text.WriteString("\n| --- |" + strings.Repeat(" --- |", len(from)) + "\n")
	for _, action := range actions {
		text.WriteString("| " + action + " |")
		for _, status := range from {
			if to, ok := cells[action][status]; ok {
				text.WriteString(" `" + string(to) + "` |")
			} else {
				text.WriteString(" |")
			}
		}
		text.WriteString("\n")
	}
	return text.String()
}

// Every status can be come by, what is over stays over, and seats are held by live bookings alone.
func TestTransitions(t *testing.T) {
	t.Parallel()
	reached := map[club.BookingStatus]bool{}
	for open := club.First(); len(open) > 0; open = open[1:] {
		if !reached[open[0]] {
			reached[open[0]] = true
			open = append(open, club.Outcomes(open[0])...)
		}
	}
	for _, status := range club.BookingStatuses {
		if !reached[status] {
			t.Errorf("nothing leads to %s", status)
		}
		if status.Live() != (len(club.Outcomes(status)) > 0) {
			t.Errorf("%s lives or not, and something can become of it or not", status)
		}
		if status.Holds() && !status.Live() {
			t.Errorf("%s holds seats and does not live", status)
		}
	}
}
