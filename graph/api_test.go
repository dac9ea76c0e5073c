package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/care"
	"regulars/club"
	"regulars/graph"
	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/program"
	"regulars/internal/requestid"
	"regulars/internal/value"
	"regulars/jobs"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/referral"
	"regulars/loyalty/reward"
)

var update = flag.Bool("update", false, "write the answers that were given as the ones that are expected")

// TestAPI plays the scripts below testdata, a folder per operation, and compares the answers with the ones beside them.
//
// A script is a file of steps. A line "### ADMIN", "### MEMBER ada", "### CLIENT members:read program:read" or "### nobody"
// says who sends the document that follows; "### later P1Y" moves the clock, "### work" lets referrals be judged, "### backtest" a
// backtest, "### settle" waits for jobs; "### message mem_1 INBOX DELIVERED" decides a message to that member, and a
// fourth word why it is not sent, or later. What looks like {{mem_1}} is the first id of that kind that was answered, and
// {{act_mem_1_2}} that member's fact of number 2.
func TestAPI(t *testing.T) {
	t.Parallel()
	if err := filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".graphql") {
			t.Run(strings.TrimSuffix(filepath.ToSlash(path[len("testdata/"):]), ".graphql"), func(t *testing.T) {
				t.Parallel()
				play(t, path)
			})
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// bounds are those of the API where its operator says nothing else.
var bounds = graph.Limits{Complexity: 30_000, Depth: 15, Introspection: true, Suggestions: true}

// stage is the API over a program of its own, whose clock stands still unless a script moves it.
type stage struct {
	// readings counts how often the time was asked for: once by each transaction, and by most other uses of the database.
	readings  atomic.Int64
	handler   http.Handler
	db        *postgres.DB
	backtests *backtest.Service
	// referrals are judged when a script says so.
	referrals *referral.Service
	jobs      *jobs.Runner
	now       time.Time
	// time is how long an operation may take.
	time time.Duration
	seen map[string]string
	log  bytes.Buffer
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageWithin(t, bounds)
}

func newStageWithin(t *testing.T, bounds graph.Limits) *stage {
	t.Helper()
	s := &stage{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), time: 20 * time.Second, seen: map[string]string{}}
	db := pgtest.NewAt(t, func() time.Time {
		s.readings.Add(1)
		return s.now
	})
	seed(t, db)
	s.db = db
	logger := slog.New(slog.NewTextHandler(&s.log, nil))
	service := loyalty.New(db)
	runner, err := jobs.New(t.Context(), db, jobs.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(runner.Close)
	s.jobs, s.backtests, s.referrals = runner, backtest.New(db, service), referral.New(db, service, "https://club.example")
	s.handler = graph.NewHandler(s.services(service), bounds, logger)
	return s
}

func seed(t *testing.T, db *postgres.DB) {
	t.Helper()
	if _, err := program.Ensure(t.Context(), db, program.Seed{Currency: "EUR", TimeZone: "Europe/Berlin", Start: "2020-01-01T00:00:00Z"}); err != nil {
		t.Fatal(err)
	}
}

func play(t *testing.T, path string) {
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	var answers []string
	for _, step := range strings.Split("\n"+string(script), "\n### ")[1:] {
		who, document, _ := strings.Cut(step, "\n")
		if who == "settle" {
			s.jobs.Wait()
			continue
		}
		if period, ok := strings.CutPrefix(who, "later "); ok {
			parsed, err := value.ParsePeriod(period)
			if err != nil {
				t.Fatal(err)
			}
			s.now = parsed.After(s.now, time.UTC)
			continue
		}
		if decided, ok := strings.CutPrefix(who, "message "); ok {
			s.message(t, strings.Fields(decided))
			continue
		}
		if who == "work" {
			s.work(t)
			continue
		}
		if who == "backtest" {
			if did, err := s.backtests.Work(actor.With(t.Context(), actor.System("test"))); err != nil || !did {
				t.Fatalf("worked: %t, %v", did, err)
			}
			continue
		}
		answers = append(answers, s.ask(t, who, document))
	}
	if strings.Contains(s.log.String(), "operation failed") {
		t.Errorf("the program failed:\n%s", s.log.String())
	}
	got := "[\n" + strings.Join(answers, ",\n") + "\n]\n"
	golden := strings.TrimSuffix(path, ".graphql") + ".json"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(string(want), got); difference != "" {
		t.Error(difference)
	}
}

// work judges referrals until nothing is left to do.
func (s *stage) work(t *testing.T) {
	t.Helper()
	for {
		done, err := s.referrals.Work(actor.With(t.Context(), actor.System("work")))
		if err != nil {
			t.Fatal(err)
		}
		if done == 0 {
			return
		}
	}
}

// services are what the handler of a stage answers with.
func (s *stage) services(service *loyalty.Service) graph.Services {
	return graph.Services{
		Loyalty: service, Rewards: reward.New(s.db, service), Backtests: s.backtests, Referrals: s.referrals, Club: club.New(s.db, service, identity.NewSigningKeys(s.db)).At("https://club.example"), Jobs: s.jobs,
		Care:    care.New(s.db, service, identity.NewSigningKeys(s.db), "https://club.example"),
		Clients: identity.NewClients(s.db, slog.New(slog.DiscardHandler)), Log: audit.NewLog(s.db),
	}
}

// ask sends a document and returns the answer, indented and with stable names for what is random.
func (s *stage) ask(t *testing.T, who, document string) string {
	t.Helper()
	document = placeForm.ReplaceAllStringFunc(document, func(place string) string {
		parts := placeForm.FindStringSubmatch(place)
		return parts[1] + strings.TrimPrefix(s.seen[parts[2]], "mem") + parts[3]
	})
	for name, id := range s.seen {
		document = strings.ReplaceAll(document, "{{"+name+"}}", id)
	}
	document, variables, _ := strings.Cut(document, "\n# variables\n")
	body := map[string]any{"query": document}
	if variables != "" {
		body["variables"] = json.RawMessage(variables)
	}
	status, answer := s.send(t, who, body)
	if status != http.StatusOK && status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(answer), "", "  "); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return s.scrub(indented.String())
}

func (s *stage) send(t *testing.T, who string, body map[string]any) (int, string) {
	t.Helper()
	answer := s.answer(t.Context(), t, who, body)
	return answer.Code, answer.Body.String()
}

// answer sends an operation that its client gives up when ctx ends.
func (s *stage) answer(ctx context.Context, t *testing.T, who string, body map[string]any) *httptest.ResponseRecorder {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(encoded))
	request.Header.Set("Content-Type", "application/json")
	ctx, cancel := context.WithTimeout(requestid.With(request.Context(), "the-request"), s.time)
	defer cancel()
	if role, rest, _ := strings.Cut(who, " "); role == "CLIENT" {
		caller := actor.Actor{Caller: "test|" + who, Client: "test"}
		for _, scope := range strings.Fields(rest) {
			caller.Scopes = append(caller.Scopes, actor.Scope(scope))
		}
		ctx = actor.With(ctx, caller)
	} else if role != "nobody" {
		caller := actor.Actor{Caller: "test|" + who, Roles: []actor.Role{actor.Role(role)}}
		if role == string(actor.Member) {
			caller.ExternalID = rest
		}
		ctx = actor.With(ctx, caller)
	}
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, request.WithContext(ctx))
	return recorder
}

var (
	idForm     = regexp.MustCompile(`\b(mem|tie|rul|adj|cli|hld|rew|red|aud|ref|hsh|run|bkt|evt|occ|bkg|msg|cmp)_[0-9a-z]{26}\b`)
	placeForm  = regexp.MustCompile(`{{(act|ent|mov|cns)_(mem_\d+)(_\d+)}}`)
	ownedForm  = regexp.MustCompile(`\b(act|ent|mov|cns)_([0-9a-z]{26})_`)
	numberForm = regexp.MustCompile(`"number": "[\d*]{8}\d{4}"`)
	codeForm   = regexp.MustCompile(`\b[2-9A-Z]{5}(-[2-9A-Z]{5}){2}\b`)
	inviteForm = regexp.MustCompile(`\b[2-9A-Z]{5}-[2-9A-Z]{5}\b`)
	ticketForm = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}`)
	keyForm    = regexp.MustCompile(`"rgl_[a-z2-7]{16}_[a-z2-7]{52}"`)
	keyIDForm  = regexp.MustCompile(`"id": "[a-z2-7]{16}"`)
	cursorForm = regexp.MustCompile(`"(cursor|startCursor|endCursor)": "[^"]+"`)
)

// scrub names ids by the order in which they were seen, and hides what is random.
func (s *stage) scrub(answer string) string {
	answer = ownedForm.ReplaceAllStringFunc(answer, func(found string) string {
		parts := ownedForm.FindStringSubmatch(found)
		return parts[1] + "_" + s.name("mem_"+parts[2]) + "_"
	})
	answer = idForm.ReplaceAllStringFunc(answer, s.name)
	answer = codeForm.ReplaceAllStringFunc(answer, func(code string) string { return s.named("voucher", code) })
	answer = inviteForm.ReplaceAllStringFunc(answer, func(code string) string { return s.named("invite", code) })
	answer = numberForm.ReplaceAllString(answer, `"number": "<number>"`)
	answer = ticketForm.ReplaceAllStringFunc(answer, func(ticket string) string { return s.named("ticket", ticket) })
	answer = keyForm.ReplaceAllString(answer, `"<key>"`)
	answer = keyIDForm.ReplaceAllString(answer, `"id": "<key id>"`)
	return cursorForm.ReplaceAllString(answer, `"$1": "<cursor>"`)
}

func (s *stage) name(id string) string { return s.named(id[:3], id) }

func (s *stage) named(kind, found string) string {
	for name, known := range s.seen {
		if known == found {
			return name
		}
	}
	for number := 1; ; number++ {
		if name := fmt.Sprintf("%s_%d", kind, number); s.seen[name] == "" {
			s.seen[name] = found
			return name
		}
	}
}
