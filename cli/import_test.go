package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/cli"
	"regulars/internal/postgres/pgtest"
)

// run carries out a command on a database.
func run(t *testing.T, source string, arguments ...string) (output, messages string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = cli.Run(t.Context(), append(arguments, "--database-url", source), cli.Program{Now: time.Now, Output: &out, Messages: &err})
	return out.String(), err.String(), code
}

func TestImport_Purchases(t *testing.T) {
	t.Parallel()
	source, folder := pgtest.DataSource(t), t.TempDir()
	file, figures, rejects := filepath.Join(folder, "orders.csv"), filepath.Join(folder, "figures.json"), filepath.Join(folder, "rejects.csv")
	imported := func(content string) (output, messages string, code int) {
		t.Helper()
		if err := os.WriteFile(file, []byte("No,member,sku,quantity,price,time\n"+content), 0o600); err != nil {
			t.Fatal(err)
		}
		return run(t, source, "import", "purchases", file, "--columns", "order=No", "--returns-prefix", "C", "--time-zone", "Europe/London",
			"--json", figures, "--rejects", rejects)
	}
	const good = "1,m1,tea,1000,1.50,2024-07-01 10:00\nC1,m1,tea,-1,,2024-07-02 10:00\n2,,tea,1,1.50,2024-07-01 10:00\n"

	output, messages, code := imported(good + "3,m1,tea,some,1.50,2024-07-01 10:00\nC2,m1,cup,-1,,2024-07-02 10:00\n")
	want := `5 lines read, 1 skipped (no member), 1 rejected
1 members enrolled, 0 enrolled before, 0 rejected

                        orders   lines   worth in USD   points
   purchases recorded        1       1       1,500.00        0
             replayed        0       0           0.00        0
             rejected        1       1           0.00        0
     returns recorded        1       1           1.50        0
             replayed        0       0           0.00        0
   without a purchase        1       1           0.00        0
             rejected        0       0           0.00        0

2 return invoices with 2 lines: 1 matched whole, 0 in part, 1 not.
0 points are left to the 1 members of the file.
`
	if difference := cmp.Diff(want, output); difference != "" || code != 1 || !strings.Contains(messages, "rejected lines: 1") || !strings.Contains(messages, rejects) {
		t.Errorf("exit code %d, messages %q, output (-want +got):\n%s", code, messages, difference)
	}
	kept, err := os.ReadFile(rejects)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(string(kept), "\n"); len(lines) != 4 || lines[0] != "line,order,reason" || !strings.HasPrefix(lines[1], "5,3,") || !strings.HasPrefix(lines[2], "6,C2,") {
		t.Errorf("rejects: %q", kept)
	}

	_, messages, code = imported(good)
	if code != 0 || !strings.HasPrefix(messages, "No rule is active") || strings.Count(messages, "\n") != 1 {
		t.Errorf("without rejects: exit code %d, messages %q", code, messages)
	}
	if _, err := os.Stat(rejects); !os.IsNotExist(err) {
		t.Errorf("the rejects of an earlier import are still there: %v", err)
	}
	var found struct {
		Lines     struct{ Read int }
		Purchases struct {
			Replayed struct {
				Orders int
				Worth  string
			}
		}
	}
	content, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &found); err != nil || found.Lines.Read != 3 || found.Purchases.Replayed.Orders != 1 || found.Purchases.Replayed.Worth != "1500.00" {
		t.Errorf("figures: %s, %v", content, err)
	}
}

func TestImport_Members(t *testing.T) {
	t.Parallel()
	source, file := pgtest.DataSource(t), filepath.Join(t.TempDir(), "members.csv")
	if err := os.WriteFile(file, []byte("member,email\nada,first@example.com\nbob,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	output, messages, code := run(t, source, "import", "members", file, "--rejects", file+".rejects")
	if want := "2 lines read, 0 rejected\n2 members enrolled, 0 enrolled before, 0 rejected\n"; output != want || messages != "" || code != 0 {
		t.Errorf("exit code %d, messages %q, output %q, want %q", code, messages, output, want)
	}
}

func TestImport_Misused(t *testing.T) {
	t.Parallel()
	file, content := filepath.Join(t.TempDir(), "orders.csv"), "order,member"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for message, arguments := range map[string][]string{
		"none.csv":          {"none.csv"},
		"--time-zone":       {file, "--time-zone", "Londinium"},
		"--unknown-members": {file, "--unknown-members", "keep"},
		"no pair":           {file, "--columns", "order"},
		"<file>":            {},
		"--rejects: " + file + " is the file to be imported": {file, "--rejects", file},
		"--json: " + file + " is the file to be imported":    {file, "--json", file},
		"there is no folder":      {file, "--json", file + ".folder/figures.json"},
		"is for what is rejected": {file, "--json", file + ".x", "--rejects", file + ".x"},
	} {
		output, messages, code := run(t, "host=/nowhere", append([]string{"import", "purchases"}, arguments...)...)
		if code != 2 || output != "" || !strings.Contains(messages, message) {
			t.Errorf("%v: exit code %d, output %q, messages %q", arguments, code, output, messages)
		}
	}
	if kept, err := os.ReadFile(file); err != nil || string(kept) != content {
		t.Errorf("the file to be imported is %q now, %v", kept, err)
	}
}

func TestDatabase_Malformed(t *testing.T) {
	t.Parallel()
	output, messages, code := run(t, "postgres://regulars:sekret@localhost:1/x%zz", "migrate")
	if code != 2 || output != "" || !strings.Contains(messages, "DATABASE_URL") || strings.Contains(messages, "sekret") {
		t.Errorf("exit code %d, output %q, messages %q", code, output, messages)
	}
}
