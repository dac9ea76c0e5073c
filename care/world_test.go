package care_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/lib/pq"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/club"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
)

// house is a program that cares.
type house struct {
	*loyaltytest.World
	care *care.Service
	club *club.Service
	t    testing.TB
}

func newHouse(t testing.TB) *house {
	t.Helper()
	world := loyaltytest.New(t)
	keys := identity.NewSigningKeys(world.DB)
	return &house{
		World: world, t: t, care: care.New(world.DB, world.Service, keys, "http://localhost:8080"), club: club.New(world.DB, world.Service, keys),
	}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// at sets the clock.
func (h *house) at(text string) {
	h.t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	h.must(err)
	h.Clock.Set(at)
}

// decide runs the night work once and returns about how many occasions was decided.
func (h *house) decide() int {
	h.t.Helper()
	decided := 0
	h.must(h.care.DecideOccasions(h.Admin, func(count int) { decided += count }))
	return decided
}

// campaign switches one on that speaks in the shipped English words, in the inbox unless channels are named.
func (h *house) campaign(kind occasion.Kind, edit func(*care.Campaign), channels ...program.Channel) id.Campaign {
	h.t.Helper()
	if len(channels) == 0 {
		channels = []program.Channel{program.Inbox}
	}
	now := h.Clock.Now()
	made := &care.Campaign{
		ID: id.New[id.Campaign](), Name: "Test", Occasion: kind, Class: program.Care, Channels: channels, Texts: template.Defaults(kind)[:1],
		SendAt: 9 * 60, Enabled: true, EnabledAt: &now, Version: 1,
	}
	if edit != nil {
		edit(made)
	}
	texts, err := json.Marshal(made.Texts)
	h.must(err)
	var names []string
	for _, channel := range made.Channels {
		names = append(names, string(channel))
	}
	_, err = h.DB.Exec(h.Admin, `
		insert into care_campaigns (id, name, occasion, class, channels, templates, send_at, shift, holidays, gift_points, gift_valid_for, enabled,
			enabled_at, decided_at, created_at, changed_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, true, $12, $12, $12, $12)`,
		made.ID, made.Name, string(made.Occasion), string(made.Class), pq.StringArray(names), string(texts), made.SendAt, made.Offset,
		pq.StringArray(append([]string{}, made.Holidays...)), made.GiftPoints, made.GiftValidFor, now)
	h.must(err)
	return made.ID
}

// policy sets the contact policy.
func (h *house) policy(policy program.CarePolicy) {
	h.t.Helper()
	_, err := h.DB.Exec(h.Admin, `update program set care = $1`, policy)
	h.must(err)
}

// allow notes that a member allows or refuses messages.
func (h *house) allow(member *loyalty.Member, class program.MessageClass, channel program.Channel, granted bool) {
	h.t.Helper()
	_, err := h.care.SetConsent(h.Admin, care.SetConsentInput{
		Member: &loyalty.MemberRef{ID: &member.ID}, Class: class, Channel: channel, Granted: granted, Source: "test",
	})
	h.must(err)
}

// row is a message as these tests look at it.
type row struct {
	Member    id.Member `db:"member_id"`
	Key       string    `db:"occasion_key"`
	Channel   string    `db:"channel"`
	Status    string    `db:"status"`
	Reason    string    `db:"reason"`
	Subject   string    `db:"subject"`
	Body      string    `db:"body"`
	CreatedAt time.Time `db:"created_at"`
	SendAfter time.Time `db:"send_after"`
}

// messages are those of a member, in the order in which they were decided.
func (h *house) messages(member *loyalty.Member) []row {
	h.t.Helper()
	var rows []row
	h.must(h.DB.Select(h.Admin, &rows, `
		select member_id, occasion_key, channel, status, coalesce(reason, '') as reason, coalesce(subject, '') as subject, body, created_at, send_after
		from messages where member_id = $1 order by id`, member.ID))
	return rows
}

// said is what became of the member's messages, as key, channel, status and reason.
func (h *house) said(member *loyalty.Member) []string {
	h.t.Helper()
	var lines []string
	for _, one := range h.messages(member) {
		line := one.Key + " " + one.Channel + " " + one.Status
		if one.Reason != "" {
			line += " " + one.Reason
		}
		lines = append(lines, line)
	}
	return lines
}

// balance is what the member has to spend.
func (h *house) balance(member *loyalty.Member) int64 {
	h.t.Helper()
	balances, err := h.Service.Balances(h.Admin, []id.Member{member.ID}, nil)
	h.must(err)
	return balances[member.ID].Available
}

func born(t testing.TB, text string) func(*loyalty.EnrollMemberInput) {
	t.Helper()
	day, err := value.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return func(input *loyalty.EnrollMemberInput) { input.BirthDate = &day }
}

func living(zone string) func(*loyalty.EnrollMemberInput) {
	return func(input *loyalty.EnrollMemberInput) { input.TimeZone = &zone }
}

func reached(address string) func(*loyalty.EnrollMemberInput) {
	return func(input *loyalty.EnrollMemberInput) { input.Email = &address }
}

func offset(t testing.TB, text string) value.Offset {
	t.Helper()
	parsed, err := value.ParseOffset(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// books proves the books of all floors.
func (h *house) books() {
	h.t.Helper()
	report, err := reconcile.Check(h.Admin, h.DB, nil, club.CheckBooks, care.CheckBooks)
	h.must(err)
	if !report.Clean() {
		h.t.Errorf("the books differ: %+v", report.Differences)
	}
}

// careTexts is the shipped text of a locale.
func careTexts(t testing.TB, kind occasion.Kind, locale string) template.Text {
	t.Helper()
	for _, text := range template.Defaults(kind) {
		if text.Locale == locale {
			return text
		}
	}
	t.Fatalf("there is no text of %s in %s", kind, locale)
	return template.Text{}
}

// bornOn corrects a birth date.
func (h *house) bornOn(member *loyalty.Member, text string) {
	h.t.Helper()
	day, err := value.ParseDate(text)
	h.must(err)
	_, err = h.Service.UpdateMember(h.Admin, member.ID, nil, func(member *loyalty.Member) { member.BirthDate = &day })
	h.must(err)
}
