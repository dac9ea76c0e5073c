package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "regulars"

// Groups of rooms that the plan below names together.
var (
	leaves = []string{"internal/actor", "internal/id", "internal/page", "internal/problem", "internal/requestid", "internal/value"}
	pure   = []string{"loyalty/lots", "loyalty/rules", "loyalty/tiers"}
	tables = []string{"internal/audit", "internal/idempotency", "internal/outbox", "internal/program"}
)

// plan says what each package may import of this module: imports flow one way, from the server down to the leaves. A
// package that is not here has no place in the house yet; give it one.
var plan = map[string][]string{
	"internal/problem":   {},
	"internal/requestid": {},
	"internal/actor":     {"internal/problem"},
	"internal/page":      {"internal/problem"},
	"internal/value":     {"internal/problem"},
	"internal/id":        {"internal/problem"},
	"internal/ratelimit": {},

	"loyalty/lots":  leaves,
	"loyalty/rules": leaves,
	"loyalty/tiers": leaves,

	"internal/postgres":          leaves,
	"internal/postgres/embedded": {},
	"internal/postgres/pgtest":   {"internal/postgres", "internal/postgres/embedded"},

	"internal/identity":    all(leaves, []string{"internal/audit", "internal/postgres"}),
	"internal/program":     all(leaves, []string{"internal/postgres"}),
	"internal/audit":       all(leaves, []string{"internal/postgres"}),
	"internal/idempotency": all(leaves, []string{"internal/postgres"}),
	"internal/outbox":      all(leaves, []string{"internal/postgres"}),

	"loyalty/ledger":      all(leaves, tables, pure, []string{"internal/postgres"}),
	"loyalty":             all(leaves, tables, pure, []string{"internal/postgres", "internal/ratelimit", "loyalty/ledger"}),
	"loyalty/reward":      all(leaves, tables, pure, []string{"internal/postgres", "loyalty/ledger", "loyalty"}),
	"loyalty/backtest":    all(leaves, tables, pure, []string{"internal/postgres", "loyalty"}),
	"loyalty/referral":    all(leaves, tables, pure, []string{"internal/postgres", "loyalty/ledger", "loyalty"}),
	"loyalty/reconcile":   all(leaves, tables, pure, []string{"internal/postgres", "loyalty/ledger", "loyalty"}),
	"loyalty/loyaltytest": all(leaves, tables, pure, []string{"internal/postgres", "internal/postgres/pgtest", "loyalty/ledger", "loyalty"}),

	"club/plan":     {"internal/problem", "internal/value"},
	"club/calendar": {"internal/value"},
	"club/waitlist": {"internal/id"},
	"club":          all(leaves, tables, []string{"internal/identity", "internal/postgres", "club/calendar", "club/plan", "club/waitlist", "loyalty", "loyalty/ledger", "loyalty/reconcile", "loyalty/tiers"}),

	"care/occasion":              {"internal/value"},
	"care/template":              {"care/occasion", "internal/problem", "internal/value"},
	"care/delivery":              all(leaves, []string{"internal/program"}),
	"care/delivery/deliverytest": {},
	"care":                       all(leaves, tables, []string{"internal/identity", "internal/postgres", "care/occasion", "care/template", "care/delivery", "club", "loyalty", "loyalty/ledger", "loyalty/reconcile", "loyalty/tiers"}),

	"internal/importer": all(leaves, tables, pure, []string{"internal/postgres", "loyalty/ledger", "loyalty"}),
	"internal/demo":     all(leaves, tables, pure, []string{"care", "care/occasion", "care/template", "care/delivery", "club", "internal/identity", "internal/postgres", "loyalty/ledger", "loyalty", "loyalty/reward"}),

	"internal/bench": all(leaves, tables, pure, []string{"care", "care/occasion", "care/template", "care/delivery", "club", "internal/identity", "internal/postgres", "loyalty/ledger", "loyalty", "loyalty/backtest", "loyalty/reconcile", "loyalty/reward"}),

	"jobs": all(leaves, tables, pure, []string{"internal/identity", "internal/postgres", "loyalty/ledger", "loyalty", "loyalty/backtest", "loyalty/reconcile", "care", "care/occasion", "care/template", "care/delivery", "club"}),

	"graph":           all(leaves, tables, pure, []string{"internal/identity", "internal/postgres", "jobs", "loyalty/ledger", "loyalty", "loyalty/backtest", "loyalty/reconcile", "loyalty/referral", "loyalty/reward", "care", "care/occasion", "care/template", "care/delivery", "club", "graph/generated", "graph/scalars"}),
	"graph/generated": all(leaves, tables, pure, []string{"internal/identity", "jobs", "loyalty/ledger", "loyalty", "loyalty/backtest", "loyalty/reconcile", "loyalty/referral", "loyalty/reward", "care", "care/occasion", "care/template", "care/delivery", "club", "graph/scalars"}),
	"graph/scalars":   {"internal/problem", "internal/value"},

	"internal/web": all(leaves, []string{"internal/postgres", "internal/identity", "internal/program", "internal/ratelimit", "care", "care/occasion", "care/template", "care/delivery", "club", "club/calendar"}),
	"cli": all(leaves, tables, []string{"internal/bench", "internal/postgres", "internal/postgres/embedded", "internal/identity", "internal/importer",
		"internal/demo", "care", "care/delivery", "club", "jobs", "loyalty", "loyalty/reconcile"}),
	"": {"care", "care/delivery", "cli", "club", "graph", "internal/actor", "internal/audit", "internal/demo", "internal/identity", "internal/program", "internal/ratelimit", "internal/web", "jobs", "loyalty", "loyalty/backtest", "loyalty/referral", "loyalty/reward"},
}

// restricted says who may import what is not ours: a folder means it and what is below it.
var restricted = []struct {
	imported string
	by       []string
	files    *regexp.Regexp // which of their files; nil: all
}{
	{"github.com/99designs/gqlgen", []string{"graph"}, nil},
	{"github.com/vektah/gqlparser", []string{"graph"}, nil},
	{"github.com/vikstrous/dataloadgen", []string{"graph"}, nil},
	{"github.com/jmoiron/sqlx", []string{"internal/postgres"}, nil},
	{"github.com/lib/pq", []string{"internal/postgres"}, nil},
	{"github.com/lib/pq", []string{"internal", "loyalty", "club", "care", "jobs"}, regexp.MustCompile(`_sql\.go$`)},
	{"github.com/alecthomas/kong", []string{"cli"}, nil},
	{"github.com/golang-jwt/jwt", []string{"internal/identity"}, nil},
	{"github.com/go-jose/go-jose", []string{"internal/identity"}, nil},
	{"github.com/coreos/go-oidc", []string{"internal/identity"}, nil},
	{"golang.org/x/time", []string{"internal/ratelimit"}, nil},
	{"github.com/hashicorp/golang-lru", []string{"internal/ratelimit", "graph"}, nil},
	{"cel.dev/cel-go", []string{"loyalty/rules"}, nil},
	{"github.com/wneessen/go-mail", []string{"care/delivery"}, nil},
	{"github.com/emersion", []string{"care/delivery/deliverytest"}, nil},
	{"github.com/emersion/go-smtp", []string{"care/delivery/deliverytest", "internal/bench"}, nil},
	{"github.com/robfig/cron", []string{"jobs"}, nil},
	{"github.com/teambition/rrule-go", []string{"club/plan"}, nil},
}

// impure is what a pure core never imports.
var impure = []string{"database/sql", "github.com/jmoiron/sqlx", "github.com/lib/pq", "io/fs", "log/slog", "math/rand", "net", "net/http", "os"}

func all(groups ...[]string) []string { return slices.Concat(groups...) }

// source is a file of the program, tests included.
type source struct {
	path   string // from the top, with slashes
	folder string // "" is the top
	lines  int
	syntax *ast.File
}

func (s source) test() bool      { return strings.HasSuffix(s.path, "_test.go") }
func (s source) generated() bool { return ast.IsGenerated(s.syntax) }

func (s source) imports() []string {
	var paths []string
	for _, one := range s.syntax.Imports {
		imported, _ := strconv.Unquote(one.Path.Value)
		paths = append(paths, imported)
	}
	return paths
}

// uses tells whether the file names what a package of the standard library has, by the package's usual name.
func (s source) uses(packagePath, name string) bool {
	if !slices.Contains(s.imports(), packagePath) {
		return false
	}
	found := false
	ast.Inspect(s.syntax, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of, ok := selector.X.(*ast.Ident)
		found = found || ok && of.Name == path.Base(packagePath) && selector.Sel.Name == name
		return true
	})
	return found
}

func below(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

func sources(t *testing.T) []source {
	t.Helper()
	var found []source
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			name := entry.Name()
			if name != "." && strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || file == "data" {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(file) != ".go" {
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, content, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(file)
		folder := path.Dir(slashed)
		if folder == "." {
			folder = ""
		}
		found = append(found, source{slashed, folder, strings.Count(string(content), "\n"), syntax})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestArrows(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		allowed, known := plan[file.folder]
		if !known {
			t.Errorf("%s: the package %q has no place in the plan of arch_test.go", file.path, file.folder)
			continue
		}
		if file.test() {
			continue
		}
		for _, imported := range file.imports() {
			ours, ok := strings.CutPrefix(imported, module+"/")
			if ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s must not import %s", file.path, ours)
			}
		}
	}
}

// TestPlan proves that the plan has no circles and that every room in it exists.
func TestPlan(t *testing.T) {
	t.Parallel()
	built := map[string]bool{}
	for _, file := range sources(t) {
		built[file.folder] = true
	}
	reached := map[string]bool{}
	var visit func(room string, way []string)
	visit = func(room string, way []string) {
		if slices.Contains(way, room) {
			t.Fatalf("the plan has a circle: %v", append(way, room))
		}
		if reached[room] {
			return
		}
		for _, next := range plan[room] {
			visit(next, append(slices.Clone(way), room))
		}
		reached[room] = true
	}
	for _, room := range slices.Sorted(maps.Keys(plan)) {
		visit(room, nil)
		if !built[room] {
			t.Errorf("the plan of arch_test.go has a room that is not built: %q", room)
		}
	}
}

func TestRestrictedImports(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		for _, imported := range file.imports() {
			if slices.Contains(append(slices.Clone(pure), "club/plan", "club/calendar", "club/waitlist", "care/occasion", "care/template"), file.folder) && !file.test() && slices.Contains(impure, imported) {
				t.Errorf("%s is pure and must not import %s", file.path, imported)
			}
			governed, permitted := false, false
			for _, rule := range restricted {
				if !below(imported, rule.imported) {
					continue
				}
				governed = true
				for _, folder := range rule.by {
					permitted = permitted || below(file.folder, folder) && (rule.files == nil || rule.files.MatchString(file.path))
				}
			}
			if governed && !permitted && !file.test() {
				t.Errorf("%s must not import %s", file.path, imported)
			}
		}
	}
}

// TestClock lets the clock be read only where it is handed in: everywhere else time is an argument, so that tests step it.
func TestClock(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		injects := file.path == "server.go" || below(file.folder, "internal/postgres")
		if !file.test() && !injects && (file.uses("time", "Now") || file.uses("time", "Since") || file.uses("time", "Until")) {
			t.Errorf("%s reads the clock", file.path)
		}
	}
}

// TestFileSize keeps files readable in one sitting.
func TestFileSize(t *testing.T) {
	t.Parallel()
	const limit = 400
	for _, file := range sources(t) {
		if file.lines > limit && !file.test() && !file.generated() {
			t.Errorf("%s has %d lines; %d is the limit", file.path, file.lines, limit)
		}
	}
}

// TestNoFloats keeps value countable. Conditions are the exception: CEL has no decimals, and they only compare.
func TestNoFloats(t *testing.T) {
	t.Parallel()
	conditions := regexp.MustCompile(`^loyalty/rules/condition[a-z_]*\.go$`)
	for _, file := range sources(t) {
		counts := below(file.folder, "loyalty") || file.folder == "internal/value"
		if !counts || conditions.MatchString(file.path) {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if name, ok := node.(*ast.Ident); ok && (name.Name == "float64" || name.Name == "float32") {
				t.Errorf("%s uses %s", file.path, name.Name)
			}
			return true
		})
	}
}

// TestStatements keeps the database's clock and unnamed columns out of SQL. The columns of unnest are its arguments.
func TestStatements(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`(?i)\bnow\(\)|\bcurrent_(timestamp|date|time)\b|\bclock_timestamp\(|\bselect\s+([a-z_]+\.)?\*`)
	for _, file := range sources(t) {
		if !strings.HasSuffix(file.path, "_sql.go") {
			continue
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if found := forbidden.FindString(strings.ReplaceAll(literal.Value, "select * from unnest(", "")); found != "" {
					t.Errorf("%s has %q in a statement", file.path, found)
				}
			}
			return true
		})
	}
}

// TestNothingSkipped keeps tests from leaving themselves out.
func TestNothingSkipped(t *testing.T) {
	t.Parallel()
	for _, file := range sources(t) {
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if selector, ok := node.(*ast.SelectorExpr); ok && file.test() {
				if name := selector.Sel.Name; name == "Skip" || name == "Skipf" || name == "SkipNow" {
					t.Errorf("%s calls %s", file.path, name)
				}
			}
			return true
		})
	}
}
