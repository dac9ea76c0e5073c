package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"regulars/care/delivery/deliverytest"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
)

// TestFaults_Care kills the one or the other of two programs over one database with -9, while members join and buy and every job
// runs as often as it can: each member is told each occasion once on each channel, has each gift once, and gets each mail once,
// but for those of which a sender died between the mail server's answer and the commit, which are counted.
func TestFaults_Care(t *testing.T) {
	t.Parallel()
	const rounds = 6
	mails := deliverytest.New(t, deliverytest.Behavior{})
	source := pgtest.DataSource(t)
	environment := []string{
		"REGULARS_DATA=" + t.TempDir(), "DATABASE_URL=" + source, "REGULARS_CURRENCY=EUR", "REGULARS_CALLER_RATE=100000",
		"REGULARS_SMTP_URL=" + mails.URL(), "REGULARS_MAIL_FROM=club@example.com", "REGULARS_MAIL_RATE=10000",
		"REGULARS_JOBS=care-occasions=* * * * *;expire-points=* * * * *;recalculate-tiers=* * * * *;check-books=* * * * *;announce-expiries=* * * * *",
	}
	replicas := []*served{startServing(t, environment), startServing(t, environment)}
	token, _, _ := run(t, environment, "token", "--role", "ADMIN")
	clients := []*mixed{{token: strings.TrimSpace(token)}, {token: strings.TrimSpace(token)}}
	for i, replica := range replicas {
		clients[i].url.Store(&replica.url)
	}
	ask := func(document string) string {
		t.Helper()
		status, answer := clients[0].post(t, document)
		if status != http.StatusOK || !strings.Contains(answer, `"userErrors":[]`) {
			t.Fatalf("%s\nis answered %d: %s", document, status, answer)
		}
		return answer
	}
	made := ask(`mutation { createEarningRule(input: {name: "A point a euro", qualifying: true,
		award: {perAmount: {points: 1, every: {amount: "1", currency: "EUR"}}}}) { rule { id } userErrors { code } } }`)
	ask(fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { userErrors { code } } }`, ruleForm.FindString(made)))
	ask(`mutation { createTier(input: {name: "Silver", rank: 1, threshold: 10}) { userErrors { code } } }`)
	for occasion, more := range map[string]string{"BIRTHDAY": `giftPoints: 50`, "WELCOME": "", "TIER_REACHED": ""} {
		ask(fmt.Sprintf(`mutation { saveCareCampaign(input: {name: %q, occasion: %s, class: SERVICE, channels: [INBOX, EMAIL], enabled: true, %s,
			templates: [{locale: "en", subject: "Hello", body: "Hello {{.Member.DisplayName}}"}]}) { userErrors { code } } }`, occasion, occasion, more))
	}

	stop := make(chan struct{})
	var working sync.WaitGroup
	var joined atomic.Int64
	for client := range 8 {
		working.Go(func() { joinAndBuy(t, clients[client%2], client, &joined, stop) })
	}
	for _, client := range clients {
		working.Go(func() {
			for stopped := false; !stopped; {
				for _, job := range []string{"care-occasions", "send-messages", "expire-points", "recalculate-tiers", "announce-expiries", "check-books"} {
					client.post(t, fmt.Sprintf(`mutation { runJob(input: {job: %q}) { run { id } } }`, job))
				}
				select {
				case <-stop:
					stopped = true
				case <-time.After(time.Duration(rand.IntN(100)) * time.Millisecond):
				}
			}
		})
	}
	for round := range rounds {
		for wanted, deadline := joined.Load()+20, time.Now().Add(time.Minute); joined.Load() < wanted; {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: nobody joins", round)
			}
			time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
		}
		victim := rand.IntN(2)
		replicas[victim].end(t, syscall.SIGKILL)
		replicas[victim] = startServing(t, environment)
		clients[victim].url.Store(&replicas[victim].url)
	}
	close(stop)
	working.Wait()
	for _, replica := range replicas {
		replica.end(t, syscall.SIGTERM)
	}
	db, err := postgres.Open(t.Context(), source, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	// Nobody is left who holds a message: it need not be waited for.
	if _, err := db.Exec(t.Context(), `update messages set due_at = claimed_at where status = 'SENDING'`); err != nil {
		t.Fatal(err)
	}
	settle(t, environment, db)
	proveCare(t, db, mails)
	if output, messages, code := run(t, environment, "check"); code != 0 {
		t.Errorf("the books disagree (exit code %d):\n%s%s", code, output, messages)
	}
}

// joinAndBuy enrolls members whose birthday is today, and lets them buy what raises their tier, until stop is closed.
func joinAndBuy(t *testing.T, client *mixed, number int, joined *atomic.Int64, stop <-chan struct{}) {
	for serial := 0; ; serial++ {
		select {
		case <-stop:
			return
		default:
		}
		// It is noon where they live.
		now := time.Now().UTC()
		ahead := 12 - now.Hour()
		birthday := now.Add(time.Duration(ahead) * time.Hour)
		zone := fmt.Sprintf("Etc/GMT%+d", -ahead)
		name := fmt.Sprintf("c%d-%d", number, serial)
		enroll := fmt.Sprintf(`mutation { enrollMember(input: {externalId: %q, email: "%s@example.com", birthDate: "1604-%s", timeZone: %q, idempotencyKey: %q})
			{ userErrors { code } } }`, name, name, birthday.Format("01-02"), zone, name)
		buy := fmt.Sprintf(`mutation { recordPurchase(input: {member: {externalId: %q}, source: "till", externalId: %q, occurredAt: %q,
			total: {amount: "25.00", currency: "EUR"}}) { userErrors { code } } }`, name, name, now.Format(time.RFC3339))
		for _, document := range []string{enroll, buy} {
			// Who is cut off says it again.
			for {
				status, answer := client.post(t, document)
				if status == http.StatusOK {
					if !strings.Contains(answer, `"userErrors":[]`) {
						t.Errorf("%s\nis answered %s", document, answer)
						return
					}
					break
				}
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		}
		joined.Add(1)
	}
}

// settle runs the jobs to their end.
func settle(t *testing.T, environment []string, db *postgres.DB) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		for _, job := range []string{"care-occasions", "send-messages"} {
			if output, messages, code := run(t, environment, "job", "run", job); code != 0 {
				t.Fatalf("%s ends with %d: %s%s", job, code, output, messages)
			}
		}
		var open int
		if err := db.Get(t.Context(), &open, `select count(*) from messages where due_at is not null`); err != nil {
			t.Fatal(err)
		}
		if open == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages are never sent", open)
		}
		time.Sleep(time.Second)
	}
}

// proveCare compares what members were told, given and sent with what should be.
func proveCare(t *testing.T, db *postgres.DB, mails *deliverytest.Server) {
	t.Helper()
	count := func(statement string, arguments ...any) int {
		t.Helper()
		var number int
		if err := db.Get(t.Context(), &number, statement, arguments...); err != nil {
			t.Fatal(err)
		}
		return number
	}
	for what, statement := range map[string]string{
		"members whose gifts are not one": `
			select count(*) from members where 1 <> (select count(*) from gifts where gifts.member_id = members.id)
				or 1 <> (select count(*) from adjustments where adjustments.member_id = members.id)`,
		"members who were not told of their birthday, or that they are members, once on each channel": `
			select count(*) from members cross join unnest(array['BIRTHDAY', 'WELCOME']) as said (occasion) cross join unnest(array['EMAIL', 'INBOX']) as way (channel)
			where 1 <> (select count(*) from messages where messages.member_id = members.id and messages.occasion = said.occasion
				and messages.channel = way.channel and messages.status in ('SENT', 'DELIVERED'))`,
		"members in a tier who were not told so once": `
			select count(*) from accounts cross join unnest(array['EMAIL', 'INBOX']) as way (channel)
			where (qualifying > 0)::int <> (select count(*) from messages where messages.member_id = accounts.member_id and messages.occasion = 'TIER_REACHED'
				and messages.channel = way.channel and messages.status in ('SENT', 'DELIVERED'))`,
		"runs without an end": `select count(*) from job_runs where status = 'RUNNING'`,
	} {
		if wrong := count(statement); wrong > 0 {
			t.Errorf("%d %s", wrong, what)
		}
	}
	taken := mails.Mails()
	sent, uncertain := count(`select count(*) from messages where channel = 'EMAIL' and status = 'SENT'`), count(`select sum(uncertain)::int from messages`)
	if len(taken) < sent || len(taken) > sent+uncertain {
		t.Errorf("%d mails came of %d, and %d may have come twice", len(taken), sent, uncertain)
	}
	copies := map[string]int{}
	for _, one := range taken {
		copies[deliverytest.Parse(t, one).Header.Get("Message-Id")]++
	}
	if len(copies) != sent {
		t.Errorf("%d different mails came of %d", len(copies), sent)
	}
	t.Logf("%d members, %d mails, %d of them twice, %d uncertain; %d runs interrupted", count(`select count(*) from members`), len(taken), len(taken)-len(copies),
		uncertain, count(`select count(*) from job_runs where status = 'INTERRUPTED'`))
}
