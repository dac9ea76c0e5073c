package care_test

import (
	"testing"
	"time"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// A birth date that is corrected to a day that is over makes no birthday that is too late, which would stand in the way of the one
// that it is corrected to next.
func TestOnce_BirthDateMistyped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-10T00:00:00Z")
	h.campaign(occasion.Birthday, nil)
	member := h.Enroll()
	h.at("2025-05-14T08:00:00Z")
	h.decide()
	h.bornOn(member, "1990-05-13")
	h.decide()
	h.expect(member)
	h.bornOn(member, "1990-05-16")
	h.at("2025-05-16T09:00:00Z")
	h.decide()
	h.expect(member, "birthday:2025 INBOX DELIVERED")
}

// Who corrects its birth date around the turn of the year has one gift, also where no message was allowed that says so.
func TestOnce_GiftOfCorrectedBirthday(t *testing.T) {
	t.Parallel()
	for _, channels := range [][]program.Channel{{program.Email}, {program.Inbox, program.Email}} {
		h := newHouse(t)
		h.at("2025-12-01T00:00:00Z")
		h.campaign(occasion.Birthday, func(campaign *care.Campaign) { campaign.GiftPoints = pointer(int64(50)) }, channels...)
		member := h.Enroll(born(t, "1990-12-31"), reached("one@example.com"))
		h.at("2025-12-31T09:00:00Z")
		h.decide()
		h.bornOn(member, "1990-01-02")
		h.at("2026-01-02T09:00:00Z")
		h.decide()
		if balance := h.balance(member); balance != 50 {
			t.Errorf("%v: %d points within three days", channels, balance)
		}
		h.at("2027-01-02T09:00:00Z")
		h.decide()
		if balance := h.balance(member); balance != 100 {
			t.Errorf("%v: %d points a year later", channels, balance)
		}
		h.books()
	}
}

// A birthday that is not told keeps no room free for itself.
func TestOnce_NoRoomForWhatIsNotSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-01-06T00:00:00Z")
	h.policy(program.CarePolicy{LeapDayBirthday: program.February28, Caps: []program.ContactCap{{Per: value.Period{Days: 1}, Messages: 1}}})
	h.campaign(occasion.Birthday, nil, program.Email)
	h.campaign(occasion.Holiday, func(campaign *care.Campaign) {
		campaign.Class, campaign.SendAt, campaign.Holidays = program.Marketing, 12*60, []string{"christmas-day"}
	}, program.Email)
	member := h.Enroll(born(t, "1990-12-25"), living("Europe/Berlin"))
	h.allow(member, program.Care, program.Email, true)
	h.allow(member, program.Marketing, program.Email, true)
	h.at("2025-12-25T08:00:00Z")
	h.decide()
	h.expect(member, "birthday:2025 EMAIL SUPPRESSED NO_ADDRESS")
	_, err := h.Service.UpdateMember(h.Admin, member.ID, nil, func(member *loyalty.Member) { member.Email = pointer("late@example.com") })
	h.must(err)
	h.at("2025-12-25T11:00:00Z")
	h.decide()
	h.expect(member, "birthday:2025 EMAIL SUPPRESSED NO_ADDRESS", "holiday:christmas-day:2025 EMAIL QUEUED")
}

// A gift is not the member's doing, and a purchase that earns nothing is, also while nobody asked who is missed.
func TestOnce_WinBackKnowsWhoWasHeardOf(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Rule(h.PerAmount(1, "1.00"))
	start := h.Now()
	long := start.AddDate(-3, 0, 0)
	given := h.Enroll(joined(long), born(t, "1990-04-20"))
	h.campaign(occasion.Birthday, func(campaign *care.Campaign) { campaign.GiftPoints = pointer(int64(50)) })
	buying := h.Enroll()
	h.decide()
	h.Clock.Set(start.AddDate(0, 0, 100))
	h.Purchase(buying, "0.10")
	h.decide()
	h.Clock.Set(start.AddDate(0, 0, 101))
	h.campaign(occasion.WinBack, func(campaign *care.Campaign) { campaign.Offset = offset(t, "P120D") })
	h.decide()
	for day := range 140 {
		h.Clock.Set(start.AddDate(0, 0, 101+day).Add(2 * time.Hour))
		h.decide()
	}
	h.expect(given, "birthday:2025 INBOX DELIVERED", "win-back:2025-01-06:P120D INBOX DELIVERED")
	h.expect(buying, "win-back:2025-04-16:P120D INBOX DELIVERED")
}

// Who joined on what is 28 February for clocks in one place and 1 March in another is greeted in leap years, too.
func TestOnce_JoinedAtTheEndOfFebruary(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2028-01-01T00:00:00Z")
	h.campaign(occasion.MembershipAnniversary, nil)
	east := h.Enroll(joined(time.Date(2023, time.February, 28, 12, 0, 0, 0, time.UTC)), living("Pacific/Kiritimati"))
	west := h.Enroll(joined(time.Date(2023, time.March, 1, 5, 0, 0, 0, time.UTC)), living("Pacific/Pago_Pago"))
	for at := time.Date(2028, time.February, 27, 12, 0, 0, 0, time.UTC); at.Before(time.Date(2028, time.March, 3, 0, 0, 0, 0, time.UTC)); at = at.Add(time.Hour) {
		h.Clock.Set(at)
		h.decide()
	}
	h.expect(east, "membership-anniversary:2028 INBOX DELIVERED")
	h.expect(west, "membership-anniversary:2028 INBOX DELIVERED")
	for member, want := range map[*loyalty.Member]string{east: "2028-02-29T19:00:00Z", west: "2028-02-28T20:00:00Z"} {
		if got := h.messages(member)[0].CreatedAt.UTC().Format(time.RFC3339); got != want {
			t.Errorf("greeted at %s, want %s", got, want)
		}
	}
}

// A clock that is set back, campaigns that are switched off and on or saved anew, and several about one occasion tell nothing
// twice, and nothing is lost by them.
func TestOnce_Unsteady(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-14T00:00:00Z")
	first := h.campaign(occasion.Birthday, func(campaign *care.Campaign) { campaign.GiftPoints = pointer(int64(50)) })
	h.campaign(occasion.Birthday, func(campaign *care.Campaign) { campaign.GiftPoints = pointer(int64(70)) }, program.Inbox, program.Email)
	h.campaign(occasion.Welcome, nil)
	h.campaign(occasion.Welcome, nil)
	early, late := h.Enroll(born(t, "1990-05-14")), h.Enroll(born(t, "1990-05-14"), living("America/New_York"))
	h.at("2025-05-14T10:00:00Z")
	h.decide()
	h.at("2025-05-14T04:00:00Z")
	h.decide()
	change := func(statement string) {
		t.Helper()
		_, err := h.DB.Exec(h.Admin, statement, first, h.Clock.Now())
		h.must(err)
	}
	change(`update care_campaigns set enabled = false, version = version + 1, changed_at = $2 where id = $1`)
	h.at("2025-05-14T14:00:00Z")
	h.decide()
	change(`update care_campaigns set enabled = true, version = version + 1, enabled_at = $2, decided_at = $2 where id = $1`)
	for range 3 {
		h.Clock.Advance(5 * time.Minute)
		h.decide()
	}
	for _, member := range []*loyalty.Member{early, late} {
		got := map[string]int{}
		for _, line := range h.said(member) {
			got[line]++
		}
		for _, line := range []string{"birthday:2025 INBOX DELIVERED", "birthday:2025 EMAIL SUPPRESSED NO_ADDRESS", "welcome:joined INBOX DELIVERED"} {
			if got[line] != 1 || len(got) != 3 {
				t.Errorf("told %v", got)
			}
		}
	}
	// The first campaign was off when the birthday came in New York.
	if h.balance(early) != 50 || h.balance(late) != 70 {
		t.Errorf("%d and %d points", h.balance(early), h.balance(late))
	}
	h.books()
}
