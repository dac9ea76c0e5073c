package care_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty/loyaltytest"
)

// office is a program with a marketer who saves campaigns.
type office struct {
	*loyaltytest.World
	care     *care.Service
	marketer context.Context
	t        testing.TB
}

func newOffice(t testing.TB) *office {
	t.Helper()
	world := loyaltytest.New(t)
	return &office{
		World: world, t: t, care: care.New(world.DB, world.Service, identity.NewSigningKeys(world.DB), "https://club.example"),
		marketer: world.As(actor.Marketer, "marketer"),
	}
}

// draft is a campaign for an occasion with the texts that come with the program.
func draft(kind care.Occasion, edits ...func(*care.SaveCampaignInput)) care.SaveCampaignInput {
	input := care.SaveCampaignInput{
		Name: "Ours", Occasion: kind, Class: program.Care, Channels: []care.Channel{program.Inbox, program.Email},
		Texts: template.Defaults(kind), SendAt: 9 * 60, Enabled: true,
	}
	for _, edit := range edits {
		edit(&input)
	}
	return input
}

func (d *office) save(input care.SaveCampaignInput) *care.Campaign {
	d.t.Helper()
	saved, err := d.care.SaveCampaign(d.marketer, input)
	if err != nil {
		d.t.Fatal(err)
	}
	return saved
}

func shifted(t testing.TB, text string) *value.Offset {
	t.Helper()
	parsed := offset(t, text)
	return &parsed
}

func TestSaveCampaign(t *testing.T) {
	t.Parallel()
	d := newOffice(t)
	points := int64(100)
	saved := d.save(draft(occasion.Birthday, func(i *care.SaveCampaignInput) {
		i.Name, i.GiftPoints, i.GiftValidFor = "  Birthdays ", &points, &value.Period{Days: 30}
	}))
	now := d.Now().UTC()
	want := &care.Campaign{
		ID: saved.ID, Name: "Birthdays", Occasion: occasion.Birthday, Class: program.Care, Channels: []care.Channel{program.Inbox, program.Email},
		Texts: template.Defaults(occasion.Birthday), SendAt: 9 * 60, GiftPoints: &points, GiftValidFor: &value.Period{Days: 30}, Enabled: true,
		EnabledAt: &now, DecidedAt: &now, Version: 1, CreatedAt: now, ChangedAt: now,
	}
	if difference := cmp.Diff(want, saved, cmpopts.EquateEmpty()); difference != "" {
		t.Errorf("saved (-want +got):\n%s", difference)
	}
	read, err := d.care.Campaign(d.marketer, saved.ID)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(want, read, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); difference != "" {
		t.Errorf("read (-want +got):\n%s", difference)
	}
	all, err := d.care.Campaigns(d.marketer)
	if err != nil || len(all) != 1 || all[0].ID != saved.ID {
		t.Errorf("the campaigns are %v, %v", all, err)
	}
}

// What a campaign is about counts from when that was said: switching it on, or moving it, sends nothing old.
func TestSaveCampaign_Complaint1_NothingOld(t *testing.T) {
	t.Parallel()
	d := newOffice(t)
	off := func(i *care.SaveCampaignInput) { i.Enabled = false }
	saved := d.save(draft(occasion.Holiday, off))
	if saved.EnabledAt != nil || saved.DecidedAt != nil {
		t.Fatalf("a campaign that is off is on since %v", saved.EnabledAt)
	}
	of := func(i *care.SaveCampaignInput) { i.ID = &saved.ID }
	var since time.Time
	for _, step := range []struct {
		name  string
		edits []func(*care.SaveCampaignInput)
		moves bool
	}{
		{"switched on", nil, true},
		{"saved again", nil, false},
		{"renamed", []func(*care.SaveCampaignInput){func(i *care.SaveCampaignInput) { i.Name = "Other" }}, false},
		{"moved", []func(*care.SaveCampaignInput){func(i *care.SaveCampaignInput) { i.Offset = shifted(t, "-P1D") }}, true},
		{"for other holidays", []func(*care.SaveCampaignInput){func(i *care.SaveCampaignInput) {
			i.Offset, i.Holidays = shifted(t, "-P1D"), occasion.HolidayNames()[:1]
		}}, true},
		{"switched off", []func(*care.SaveCampaignInput){off}, false},
		{"switched on again", nil, true},
	} {
		d.Clock.Advance(time.Hour)
		after := d.save(draft(occasion.Holiday, append(step.edits, of)...))
		if step.moves {
			since = d.Now().UTC()
		}
		if !after.EnabledAt.Equal(since) || !after.DecidedAt.Equal(since) {
			t.Errorf("%s: it is on since %s, decided to %s instead of %s", step.name, after.EnabledAt, after.DecidedAt, since)
		}
	}
}

func TestSaveCampaign_Versions(t *testing.T) {
	t.Parallel()
	d := newOffice(t)
	saved := d.save(draft(occasion.Welcome))
	d.Clock.Advance(time.Hour)
	change := func(name string, version int) (*care.Campaign, error) {
		return d.care.SaveCampaign(d.marketer, draft(occasion.Welcome, func(i *care.SaveCampaignInput) { i.ID, i.Name, i.Version = &saved.ID, name, &version }))
	}
	second, err := change("Second", 1)
	if err != nil || second.Version != 2 || !second.ChangedAt.Equal(d.Now()) || !second.CreatedAt.Equal(saved.CreatedAt) {
		t.Fatalf("the change is %+v, %v", second, err)
	}
	_, err = change("Third", 1)
	if found, _ := problem.UserErrors(err); len(found) != 1 || found[0].(problem.ConflictError).CurrentVersion != 2 {
		t.Errorf("an edit of an older version is answered with %v", err)
	}
	if same, err := change("Second", 2); err != nil || same.Version != 2 {
		t.Errorf("saving the same again makes %+v, %v", same, err)
	}
	entries, err := audit.NewLog(d.DB).Entries(d.marketer, nil, nil, pointer(saved.ID.String()))
	if err != nil || len(entries.Edges) != 2 {
		t.Fatalf("the log has %v, %v", entries, err)
	}
	if newest := entries.Edges[0].Node; newest.Action != "saveCareCampaign" || newest.Before == nil || strings.Contains(*newest.After, "thank you for joining") {
		t.Errorf("the log says %+v", newest)
	}
}

func TestSaveCampaign_Refused(t *testing.T) {
	t.Parallel()
	d := newOffice(t)
	welcome := d.save(draft(occasion.Welcome)).ID
	absent := id.New[id.Campaign]()
	set := func(edit func(*care.SaveCampaignInput)) func(*care.SaveCampaignInput) { return edit }
	shift := func(text string) func(*care.SaveCampaignInput) {
		return func(i *care.SaveCampaignInput) { i.Offset = shifted(t, text) }
	}
	for _, test := range []struct {
		kind care.Occasion
		edit func(*care.SaveCampaignInput)
		want string
	}{
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.ID = &absent }), "UNKNOWN_CAMPAIGN input.id"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.ID = &welcome }), "INVALID_CAMPAIGN input.occasion"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Name = " " }), "INVALID_NAME input.name"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Name = strings.Repeat("x", 201) }), "INVALID_NAME input.name"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Channels = nil }), "INVALID_CAMPAIGN input.channels"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Channels = []care.Channel{program.Email, program.Email} }), "INVALID_CAMPAIGN input.channels.1"},
		{occasion.Birthday, shift("P61D"), "INVALID_DURATION input.offset"},
		{occasion.Birthday, shift("PT2H"), "INVALID_DURATION input.offset"},
		{occasion.Birthday, shift("-P1M"), "INVALID_DURATION input.offset"},
		{occasion.Welcome, shift("-PT1H"), "INVALID_DURATION input.offset"},
		{occasion.TierReached, shift("P61D"), "INVALID_DURATION input.offset"},
		{occasion.PointsExpiring, shift("-P31D"), "INVALID_DURATION input.offset"},
		{occasion.PointsExpiring, shift("P1D"), "INVALID_DURATION input.offset"},
		{occasion.TierAtRisk, shift("P0D"), "INVALID_DURATION input.offset"},
		{occasion.EventReminder, shift("P1D"), "INVALID_DURATION input.offset"},
		{occasion.WinBack, shift("P6D"), "INVALID_DURATION input.offset"},
		{occasion.WinBack, shift("P4Y"), "INVALID_DURATION input.offset"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Holidays = occasion.HolidayNames()[:1] }), "INVALID_CAMPAIGN input.holidays"},
		{occasion.Holiday, set(func(i *care.SaveCampaignInput) { i.Holidays = []string{"no such day"} }), "INVALID_CAMPAIGN input.holidays.0"},
		{occasion.EventReminder, set(func(i *care.SaveCampaignInput) { i.GiftPoints = pointer(int64(5)) }), "INVALID_CAMPAIGN input.giftPoints"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.GiftPoints = pointer(int64(0)) }), "INVALID_POINTS input.giftPoints"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.GiftValidFor = &value.Period{Days: 1} }), "INVALID_CAMPAIGN input.giftValidFor"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.GiftPoints, i.GiftValidFor = pointer(int64(5)), &value.Period{} }), "INVALID_DURATION input.giftValidFor"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Texts = i.Texts[1:] }), "INVALID_TEMPLATE input.templates en 1"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Texts = append(i.Texts, i.Texts[0]) }), "INVALID_CAMPAIGN input.templates.2.locale"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Texts[1].Locale = "xx-what-is-this" }), "INVALID_LOCALE input.templates.1.locale"},
		{occasion.Birthday, set(func(i *care.SaveCampaignInput) { i.Texts[1].Body = "a\n{{.Member.Secret}}" }), "INVALID_TEMPLATE input.templates.1.body zh-Hans 2"},
	} {
		_, err := d.care.SaveCampaign(d.marketer, draft(test.kind, test.edit))
		if got := said(err); got != test.want {
			t.Errorf("for %s: %q instead of %q", test.kind, got, test.want)
		}
	}
	for _, role := range []actor.Role{actor.Member, actor.Organizer, actor.Support} {
		if _, err := d.care.SaveCampaign(d.As(role, "somebody"), draft(occasion.Birthday)); err == nil {
			t.Errorf("%s saves a campaign", role)
		}
	}
}

// said is the codes and paths of problems.
func said(err error) string {
	found, _ := problem.UserErrors(err)
	var all []string
	for _, one := range found {
		switch at := one.(type) {
		case problem.InputError:
			all = append(all, string(at.Code)+" "+strings.Join(at.Path, "."))
		case problem.InvalidTemplateError:
			all = append(all, string(at.Code)+" "+strings.Join(at.Path, ".")+" "+at.Locale+" "+string(rune('0'+at.Line)))
		}
	}
	return strings.Join(all, "; ")
}

func TestSaveCampaign_UsualOffsets(t *testing.T) {
	t.Parallel()
	d := newOffice(t)
	for kind, want := range map[care.Occasion]string{
		occasion.Birthday: "PT0S", occasion.PointsExpiring: "-P30D", occasion.TierAtRisk: "-P30D", occasion.EventReminder: "-P1D", occasion.WinBack: "P90D",
	} {
		if got := d.save(draft(kind)).Offset; got != offset(t, want) {
			t.Errorf("%s is said %s instead of %s", kind, got, want)
		}
	}
	for kind, text := range map[care.Occasion]string{
		occasion.Birthday: "-P2W", occasion.EventReminder: "-PT2H", occasion.WinBack: "P1Y", occasion.Welcome: "PT2H",
	} {
		if got := d.save(draft(kind, func(i *care.SaveCampaignInput) { i.Offset = shifted(t, text) })).Offset.String(); got != text {
			t.Errorf("%s is said %s instead of %s", kind, got, text)
		}
	}
}

func TestSaveCampaign_AtMost(t *testing.T) {
	t.Parallel()
	d := newOffice(t)
	saved := d.save(draft(occasion.Welcome))
	if _, err := d.DB.Exec(d.Admin, `
		insert into care_campaigns (id, name, occasion, class, channels, templates, send_at, shift, enabled, created_at, changed_at)
		select gen_random_uuid(), 'Another', 'WELCOME', 'CARE', '{INBOX}', '[]', '09:00', 'PT0S', false, $1, $1 from generate_series(1, 199)`, d.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.care.SaveCampaign(d.marketer, draft(occasion.Welcome)); said(err) != "INVALID_CAMPAIGN " {
		t.Errorf("campaign 201 is answered with %v", err)
	}
	d.save(draft(occasion.Welcome, func(i *care.SaveCampaignInput) { i.ID, i.Name = &saved.ID, "Changed" }))
}

func TestCounts(t *testing.T) {
	t.Parallel()
	d := newOffice(t)
	first, second := d.save(draft(occasion.Birthday)).ID, d.save(draft(occasion.Welcome)).ID
	for at, one := range []struct {
		campaign       id.Campaign
		status, reason string
		uncertain      int
	}{
		{first, "QUEUED", "", 0},
		{first, "DEFERRED", "QUIET_HOURS", 0},
		{first, "DEFERRED", "CAPPED", 0},
		{first, "SENT", "", 1},
		{first, "SENT", "", 0},
		{first, "SUPPRESSED", "NO_CONSENT", 0},
		{first, "SUPPRESSED", "NO_CONSENT", 0},
		{first, "SUPPRESSED", "CAPPED", 0},
		{first, "DELIVERED", "", 0},
	} {
		if _, err := d.DB.Exec(d.Admin, `
			insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, reason, locale, body, created_at,
				send_after, send_before, due_at, uncertain)
			values (gen_random_uuid(), gen_random_uuid(), $1, 'BIRTHDAY', 'birthday:' || $2::int, '2026-03-01', 'CARE', 'EMAIL', $3::text, nullif($4, ''), 'en', '', $5,
				$5, $5, case when $3 in ('QUEUED', 'DEFERRED') then $5::timestamptz end, $6)`, one.campaign, at, one.status, one.reason, d.Now(), one.uncertain); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := d.care.Counts(d.marketer, []id.Campaign{first, second})
	if err != nil {
		t.Fatal(err)
	}
	want := map[id.Campaign]*care.Counts{
		first: {
			Queued: 1, Deferred: 2, Sent: 2, Delivered: 1, Uncertain: 1,
			Suppressed: []care.Suppression{{Reason: care.Capped, Count: 1}, {Reason: care.NoConsent, Count: 2}},
		},
		second: {Suppressed: []care.Suppression{}},
	}
	if difference := cmp.Diff(want, counts); difference != "" {
		t.Errorf("the counts (-want +got):\n%s", difference)
	}
}

// Marketers see no members: they try a text with a sample.
func TestPreviewText(t *testing.T) {
	t.Parallel()
	d := newOffice(t)
	member := d.Enroll().ID
	input := care.PreviewTextInput{Occasion: occasion.Birthday, Text: template.Text{Locale: "en", Body: "Hi {{.Member.DisplayName}} of {{.Program.Name}}"}}
	filled, err := d.care.PreviewText(d.marketer, input)
	if err != nil || !strings.HasPrefix(filled.Body, "Hi Alex of ") {
		t.Errorf("the preview is %v, %v", filled, err)
	}
	input.MemberID = &member
	if _, err := d.care.PreviewText(d.marketer, input); said(err) != "UNKNOWN_MEMBER input.memberId" {
		t.Errorf("a marketer is answered %v", err)
	}
	if filled, err = d.care.PreviewText(d.As(actor.Support, "support"), input); err != nil || strings.HasPrefix(filled.Body, "Hi Alex") {
		t.Errorf("the preview is %v, %v", filled, err)
	}
	holiday := care.PreviewTextInput{Occasion: occasion.Holiday, Text: template.Text{Locale: "zh-Hans", Body: "{{.Occasion.Holiday}}"}}
	if filled, err = d.care.PreviewText(d.marketer, holiday); err != nil || filled.Body != "新年" {
		t.Errorf("the preview is %v, %v", filled, err)
	}
	input.Text.Body = "{{range .Member}}{{end}}"
	if _, err := d.care.PreviewText(d.marketer, input); said(err) != "INVALID_TEMPLATE input.template.body en 1" {
		t.Errorf("a text that is no template is answered with %v", err)
	}
}
