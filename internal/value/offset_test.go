package value_test

import (
	"testing"
	"time"

	"regulars/internal/value"
)

func TestOffset(t *testing.T) {
	t.Parallel()
	berlin, err := value.ParseZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 3, 31, 12, 0, 0, 0, berlin)
	for text, want := range map[string]string{
		"-P7D":  "2026-03-24T11:00:00Z",
		"P1M":   "2026-04-30T10:00:00Z",
		"-PT2H": "2026-03-31T08:00:00Z",
		"PT0S":  "2026-03-31T10:00:00Z",
	} {
		offset, err := value.ParseOffset(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := offset.From(noon, berlin).Format(time.RFC3339); got != want || offset.String() != text {
			t.Errorf("%s (%s) leads to %s, want %s", text, offset, got, want)
		}
	}
	for _, text := range []string{"", "-", "7D", "--P7D", "-P", "+P7D", "P-7D"} {
		if offset, err := value.ParseOffset(text); err == nil {
			t.Errorf("%q was read as %s", text, offset)
		}
	}
	if none, err := value.ParseOffset("-PT0S"); err != nil || none.Before {
		t.Errorf("minus nothing is %v, %v", none, err)
	}
}
