package care_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// expect compares what was said to a member.
func (h *house) expect(member *loyalty.Member, want ...string) {
	h.t.Helper()
	if difference := cmp.Diff(want, h.said(member)); difference != "" {
		h.t.Errorf("said at %s (-want +got):\n%s", h.Clock.Now().Format(time.RFC3339), difference)
	}
}

// Birthdays come on their day where the member lives, at nine, once: not a day early (Mautic #9040), and not at two in the
// morning of the next day in UTC+12 (Monica #389).
func TestBirthday(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.campaign(occasion.Birthday, nil)
	auckland := h.Enroll(born(t, "1990-05-14"), living("Pacific/Auckland"))
	honolulu := h.Enroll(born(t, "1990-05-14"), living("Pacific/Honolulu"))
	nobody := h.Enroll(living("Pacific/Honolulu"))
	for at := time.Date(2025, time.May, 12, 0, 30, 0, 0, time.UTC); at.Before(time.Date(2025, time.May, 18, 0, 0, 0, 0, time.UTC)); at = at.Add(time.Hour) {
		h.Clock.Set(at)
		h.decide()
	}
	h.expect(nobody)
	h.expect(auckland, "birthday:2025 INBOX DELIVERED")
	h.expect(honolulu, "birthday:2025 INBOX DELIVERED")
	for member, want := range map[*loyalty.Member]string{auckland: "2025-05-13T21:30:00Z", honolulu: "2025-05-14T19:30:00Z"} {
		if got := h.messages(member)[0].CreatedAt.Format(time.RFC3339); got != want {
			t.Errorf("greeted at %s, want %s", got, want)
		}
	}
	h.at("2026-05-14T21:00:00Z")
	h.decide()
	h.expect(honolulu, "birthday:2025 INBOX DELIVERED", "birthday:2026 INBOX DELIVERED")
	h.expect(auckland, "birthday:2025 INBOX DELIVERED", "birthday:2026 INBOX SUPPRESSED TOO_LATE")
}

// 29 February is 28 February or 1 March, as the program sets it: people disagree (BirthdayBot #192, SMF #5955), and nobody is
// left out (CiviCRM, pull request 30338; Mautic).
func TestBirthday_LeapDay(t *testing.T) {
	t.Parallel()
	for leap, days := range map[program.LeapDayBirthday][]string{
		program.February28: {"2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"},
		program.March1:     {"2025-03-01", "2026-03-01", "2027-03-01", "2028-02-29"},
	} {
		h := newHouse(t)
		h.policy(program.CarePolicy{LeapDayBirthday: leap})
		h.campaign(occasion.Birthday, nil)
		member := h.Enroll(born(t, "2000-02-29"))
		for year := 2025; year < 2029; year++ {
			for day := 25; day < 33; day++ {
				h.Clock.Set(time.Date(year, time.February, day, 10, 0, 0, 0, time.UTC))
				h.decide()
			}
		}
		var got []string
		for _, one := range h.messages(member) {
			if one.Status == "DELIVERED" {
				got = append(got, one.CreatedAt.Format(time.DateOnly))
			}
		}
		if difference := cmp.Diff(days, got); difference != "" {
			t.Errorf("%s (-want +got):\n%s", leap, difference)
		}
	}
}

// A campaign or a member that comes after the hour counts to the end of the day; what was over before does not.
func TestBirthday_CatchUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-14T12:00:00Z")
	first := h.Enroll(born(t, "1990-05-14"))
	yesterday := h.Enroll(born(t, "1990-05-13"))
	h.campaign(occasion.Birthday, nil)
	h.at("2025-05-14T15:00:00Z")
	late := h.Enroll(born(t, "1990-05-14"))
	changed := h.Enroll()
	h.decide()
	day, _ := value.ParseDate("1985-05-14")
	_, err := h.Service.UpdateMember(h.Admin, changed.ID, nil, func(member *loyalty.Member) { member.BirthDate = &day })
	h.must(err)
	h.at("2025-05-14T23:59:00Z")
	h.decide()
	h.at("2025-05-15T00:30:00Z")
	after := h.Enroll(born(t, "1990-05-14"))
	h.decide()
	for _, member := range []*loyalty.Member{first, late, changed} {
		h.expect(member, "birthday:2025 INBOX DELIVERED")
	}
	h.expect(yesterday)
	h.expect(after)
}

// Who corrects its birth date is greeted once a year, and who moves is not forgotten.
func TestBirthday_Changed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-12-01T00:00:00Z")
	h.campaign(occasion.Birthday, nil)
	member := h.Enroll(born(t, "1990-12-31"))

	h.at("2025-12-31T10:00:00Z")
	h.decide()
	// In the same year, and just behind it.
	h.bornOn(member, "1990-12-30")
	h.decide()
	h.bornOn(member, "1991-01-02")
	h.at("2026-01-02T10:00:00Z")
	h.decide()
	h.expect(member, "birthday:2025 INBOX DELIVERED", "birthday:2026 INBOX SUPPRESSED DUPLICATE")
	h.at("2027-01-02T10:00:00Z")
	h.decide()
	if got := h.said(member); got[len(got)-1] != "birthday:2027 INBOX DELIVERED" {
		t.Errorf("a year later: %v", got)
	}

	mover := h.Enroll(born(t, "1990-05-14"), living("America/Los_Angeles"))
	h.at("2027-05-14T13:00:00Z") // 06:00 in Los Angeles, 01:00 of the next day in Auckland
	h.decide()
	h.expect(mover)
	_, err := h.Service.UpdateMember(h.Admin, mover.ID, nil, func(member *loyalty.Member) { member.TimeZone = "Pacific/Auckland" })
	h.must(err)
	h.decide()
	h.expect(mover, "birthday:2027 INBOX DELIVERED")
	_, err = h.Service.UpdateMember(h.Admin, mover.ID, nil, func(member *loyalty.Member) { member.TimeZone = "America/Los_Angeles" })
	h.must(err)
	h.at("2027-05-14T20:00:00Z")
	h.decide()
	h.expect(mover, "birthday:2027 INBOX DELIVERED")
}

// An outage of days greets nobody late, and says so (listmonk #1801).
func TestBirthday_Outage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-10T12:00:00Z")
	h.campaign(occasion.Birthday, func(campaign *care.Campaign) { campaign.GiftPoints = pointer(int64(50)) })
	h.decide()
	missed := h.Enroll(born(t, "1990-05-12"))
	today := h.Enroll(born(t, "1990-05-16"))
	h.at("2025-05-16T18:00:00Z")
	h.decide()
	h.expect(missed, "birthday:2025 INBOX SUPPRESSED TOO_LATE")
	h.expect(today, "birthday:2025 INBOX DELIVERED")
	if h.balance(missed) != 0 || h.balance(today) != 50 {
		t.Errorf("gifts of %d and %d points", h.balance(missed), h.balance(today))
	}
	if again := h.decide(); again != 0 {
		t.Errorf("%d occasions were decided twice", again)
	}
}

// Gifts come once for the occasion, whatever is sent, and lapse as the campaign says.
func TestGift(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	gift := func(campaign *care.Campaign) {
		campaign.GiftPoints, campaign.GiftValidFor = pointer(int64(50)), &value.Period{Days: 30}
	}
	h.campaign(occasion.Birthday, gift, program.Email)
	h.campaign(occasion.Birthday, gift, program.Inbox)
	member := h.Enroll(born(t, "1990-05-14"), reached("one@example.com"))
	h.allow(member, program.Care, program.Email, true)
	h.allow(member, program.Care, program.Email, false)
	h.at("2025-05-14T09:00:00Z")
	h.decide()
	h.expect(member, "birthday:2025 EMAIL SUPPRESSED NO_CONSENT", "birthday:2025 INBOX DELIVERED")
	if balance := h.balance(member); balance != 50 {
		t.Errorf("the member has %d points", balance)
	}
	h.at("2025-06-13T09:00:00Z")
	if balance := h.balance(member); balance != 0 {
		t.Errorf("the member has %d points a month later", balance)
	}
	h.books()
}

func TestJudge_Reasons(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.campaign(occasion.Birthday, nil, program.Email, program.Webhook)
	allowed := h.Enroll(born(t, "1990-05-14"), reached("allowed@example.com"), named("allowed"))
	silent := h.Enroll(born(t, "1990-05-14"), reached("silent@example.com"), named("silent"))
	nowhere := h.Enroll(born(t, "1990-05-14"))
	bounced := h.Enroll(born(t, "1990-05-14"), reached("Bounced@example.com"), named("bounced"))
	for _, member := range []*loyalty.Member{allowed, nowhere, bounced} {
		h.allow(member, program.Care, program.Email, true)
	}
	// Consent to one class says nothing about another.
	h.allow(silent, program.Marketing, program.Email, true)
	h.allow(allowed, program.Care, program.Webhook, true)
	_, err := h.DB.Exec(h.Admin, `
		insert into refused_addresses (member_id, address_hash, reason, refused_at) values ($1, sha256('bounced@example.com'), 'unknown user', $2)`,
		bounced.ID, h.Clock.Now())
	h.must(err)
	h.at("2025-05-14T09:00:00Z")
	h.decide()
	h.expect(allowed, "birthday:2025 EMAIL QUEUED", "birthday:2025 WEBHOOK QUEUED")
	h.expect(silent, "birthday:2025 EMAIL SUPPRESSED NO_CONSENT", "birthday:2025 WEBHOOK SUPPRESSED NO_CONSENT")
	h.expect(nowhere, "birthday:2025 EMAIL SUPPRESSED NO_ADDRESS", "birthday:2025 WEBHOOK SUPPRESSED NO_ADDRESS")
	h.expect(bounced, "birthday:2025 EMAIL SUPPRESSED BOUNCED_ADDRESS", "birthday:2025 WEBHOOK SUPPRESSED NO_CONSENT")
}

func clock(t testing.TB, text string) *value.LocalTime {
	t.Helper()
	at, err := value.ParseLocalTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return &at
}

// In quiet hours nothing is sent: it waits for their end, or is left if it were too late then (listmonk #2681, #2374).
func TestQuietHours(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.policy(program.CarePolicy{LeapDayBirthday: program.February28, QuietFrom: clock(t, "21:00"), QuietTo: clock(t, "08:30")})
	h.campaign(occasion.Birthday, func(campaign *care.Campaign) { campaign.SendAt = 6 * 60 }, program.Email, program.Inbox)
	h.campaign(occasion.Welcome, func(campaign *care.Campaign) { campaign.Class = program.Service }, program.Email)
	early := h.Enroll(born(t, "1990-05-14"), reached("early@example.com"), living("Asia/Shanghai"))
	h.allow(early, program.Care, program.Email, true)
	h.at("2025-05-01T02:00:00Z")
	h.decide()
	h.at("2025-05-13T22:00:00Z") // 06:00 in Shanghai
	h.decide()
	h.expect(early, "welcome:joined EMAIL QUEUED", "birthday:2025 EMAIL DEFERRED QUIET_HOURS", "birthday:2025 INBOX DELIVERED")
	if at := h.messages(early)[1].SendAfter.Format(time.RFC3339); at != "2025-05-14T00:30:00Z" {
		t.Errorf("it is sent from %s on", at)
	}
	late := h.Enroll(born(t, "1990-05-15"), reached("late@example.com"))
	h.allow(late, program.Care, program.Email, true)
	h.at("2025-05-15T21:30:00Z")
	h.decide()
	if got := h.said(late); !slices.Contains(got, "birthday:2025 EMAIL SUPPRESSED QUIET_HOURS") {
		t.Errorf("late in the evening: %v", got)
	}
}

// Caps count each message once, never keep one waiting for weeks (Mautic, pull request 4761), leave what members need alone
// (Mautic #6729), and a birthday goes before what is less.
func TestCaps(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.policy(program.CarePolicy{LeapDayBirthday: program.February28, Caps: []program.ContactCap{{Per: value.Period{Days: 1}, Messages: 1}}})
	h.campaign(occasion.Birthday, func(campaign *care.Campaign) { campaign.SendAt = 12 * 60 }, program.Email, program.Inbox)
	h.campaign(occasion.MembershipAnniversary, func(campaign *care.Campaign) { campaign.Class = program.Marketing }, program.Email)
	h.campaign(occasion.Welcome, func(campaign *care.Campaign) { campaign.Class = program.Service }, program.Email)
	joined := time.Date(2024, time.May, 14, 12, 0, 0, 0, time.UTC)
	both := h.Enroll(born(t, "1990-05-14"), reached("both@example.com"), func(input *loyalty.EnrollMemberInput) { input.JoinedAt = &joined })
	one := h.Enroll(reached("one@example.com"), func(input *loyalty.EnrollMemberInput) { input.JoinedAt = &joined })
	for _, member := range []*loyalty.Member{both, one} {
		h.allow(member, program.Care, program.Email, true)
		h.allow(member, program.Marketing, program.Email, true)
	}
	h.decide()
	h.at("2025-05-14T09:00:00Z")
	needed := h.Enroll(reached("needed@example.com"))
	h.decide()
	h.at("2025-05-14T12:00:00Z")
	h.decide()
	h.expect(both, "membership-anniversary:2025 EMAIL SUPPRESSED CAPPED", "birthday:2025 EMAIL QUEUED", "birthday:2025 INBOX DELIVERED")
	h.expect(one, "membership-anniversary:2025 EMAIL QUEUED")
	h.expect(needed, "welcome:joined EMAIL QUEUED")
}

// A text that cannot be filled, since a later program understands templates otherwise, keeps nobody else waiting.
func TestDecide_InvalidText(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.campaign(occasion.Birthday, func(campaign *care.Campaign) {
		campaign.Texts[0].Body = "{{.Member.Nothing}}"
		campaign.GiftPoints = pointer(int64(50))
	})
	h.campaign(occasion.Birthday, nil, program.Webhook)
	member := h.Enroll(born(t, "1990-05-14"), named("one"))
	h.allow(member, program.Care, program.Webhook, true)
	h.at("2025-05-14T09:00:00Z")
	h.decide()
	h.expect(member, "birthday:2025 INBOX FAILED INVALID_TEXT", "birthday:2025 WEBHOOK QUEUED")
	if balance := h.balance(member); balance != 50 {
		t.Errorf("the member has %d points", balance)
	}
	h.books()
}
