package bench

import (
	"context"
	"embed"
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// scripts are what pgbench runs: for each operation the locks that it takes, the rows that it reads and those that it writes,
// at the least.
//
//go:embed scripts/*.sql
var scripts embed.FS

var transactionsPerSecond = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

// pgbench runs a script with so many clients and returns how often in a second.
func (w *world) pgbench(ctx context.Context, script string, clients int) (float64, error) {
	content, err := scripts.ReadFile("scripts/" + script + ".sql")
	if err != nil {
		return 0, err
	}
	arguments := []string{
		"--no-vacuum", "--protocol=prepared", "--file=-", "--client=" + strconv.Itoa(clients),
		"--jobs=" + strconv.Itoa(min(clients, runtime.NumCPU())),
	}
	for name, value := range w.variables() {
		arguments = append(arguments, "--define="+name+"="+value)
	}
	if w.Duration < time.Second {
		arguments = append(arguments, "--transactions=5")
	} else {
		arguments = append(arguments, "--time="+strconv.Itoa(int(math.Ceil(w.Duration.Seconds()))))
	}
	command := exec.CommandContext(ctx, w.Pgbench, arguments...)
	command.Env = append(os.Environ(), w.environment...)
	command.Stdin = strings.NewReader(string(content))
	var messages strings.Builder
	command.Stderr = &messages
	output, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("pgbench, %s: %w: %s", script, err, messages.String())
	}
	found := transactionsPerSecond.FindSubmatch(output)
	if found == nil {
		return 0, fmt.Errorf("pgbench, %s: it said %q", script, output)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// variables are what the scripts know.
func (w *world) variables() map[string]string {
	keyID, _, _ := strings.Cut(strings.TrimPrefix(w.keys[0], "rgl_"), "_")
	return map[string]string{
		"members": strconv.Itoa(w.Members), "key": keyID, "lapsing": strconv.Itoa(w.lapsing), "batch": strconv.Itoa(w.batch()),
		"tiers": strconv.Itoa(min(batchSize, w.running(parts-1))),
		"deep":  strconv.Itoa((w.page - 1) * 20), "lapse": w.lapse(0).Format("20060102T150405Z"),
	}
}
