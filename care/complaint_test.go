package care_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// A birth date that is corrected over the end of the year brings no second gift, also where no message may be sent or only some
// (CiviCRM, pull request 8025: repeated when the date is edited).
func TestGift_Complaint1_OnceWhenTheDateIsEdited(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-12-01T00:00:00Z")
	gift := func(c *care.Campaign) { c.GiftPoints = pointer(int64(50)) }
	h.campaign(occasion.Birthday, gift, program.Email, program.Inbox)
	h.campaign(occasion.MembershipAnniversary, gift, program.Email)
	some := h.Enroll(born(t, "1990-12-31"), reached("some@example.com"))
	none := h.Enroll(joined(time.Date(2023, time.January, 1, 3, 0, 0, 0, time.UTC)), living("America/Los_Angeles"))
	h.at("2025-12-31T18:00:00Z")
	h.decide()
	for _, member := range []*loyalty.Member{some, none} {
		if balance := h.balance(member); balance != 50 {
			t.Fatalf("a gift of %d points", balance)
		}
	}
	h.bornOn(some, "1991-01-02")
	_, err := h.Service.UpdateMember(h.Admin, none.ID, nil, func(member *loyalty.Member) { member.TimeZone = "Asia/Shanghai" })
	h.must(err)
	for at := h.Clock.Now(); at.Before(time.Date(2026, time.January, 3, 0, 0, 0, 0, time.UTC)); at = at.Add(3 * time.Hour) {
		h.Clock.Set(at)
		h.decide()
	}
	for _, member := range []*loyalty.Member{some, none} {
		if balance := h.balance(member); balance != 50 {
			t.Errorf("gifts of %d points: %v", balance, h.said(member))
		}
	}
	h.at("2027-01-02T10:00:00Z")
	h.decide()
	if balance := h.balance(some); balance != 100 {
		t.Errorf("%d points a year later", balance)
	}
	h.books()
}

// A birthday that is decided, and not sent, keeps no place for itself (Mautic #10416: capped without reason).
func TestCaps_Complaint3_NoPlaceForWhatIsNotSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.policy(program.CarePolicy{LeapDayBirthday: program.February28, Caps: []program.ContactCap{{Per: value.Period{Days: 1}, Messages: 1}}})
	h.campaign(occasion.Birthday, nil, program.Webhook)
	h.campaign(occasion.MembershipAnniversary, func(c *care.Campaign) { c.SendAt = 12 * 60 }, program.Email)
	since := joined(time.Date(2024, time.May, 14, 12, 0, 0, 0, time.UTC))
	unreachable := h.Enroll(born(t, "1990-05-14"), reached("unreachable@example.com"), since)
	reachable := h.mailed("reachable", born(t, "1990-05-14"), since)
	for _, member := range []*loyalty.Member{unreachable, reachable} {
		h.allow(member, program.Care, program.Email, true)
		h.allow(member, program.Care, program.Webhook, true)
	}
	h.at("2025-05-14T09:00:00Z")
	h.decide()
	h.at("2025-05-14T12:00:00Z")
	h.decide()
	h.expect(unreachable, "birthday:2025 WEBHOOK SUPPRESSED NO_ADDRESS", "membership-anniversary:2025 EMAIL QUEUED")
	h.expect(reachable, "birthday:2025 WEBHOOK QUEUED", "membership-anniversary:2025 EMAIL SUPPRESSED CAPPED")
}

// Notices that are read once more, and a clock that is set back, repeat nothing (listmonk #2070, #2313; Mautic #2215, #3669).
func TestDecide_Complaint1_Replayed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T08:00:00Z")
	gift := func(c *care.Campaign) { c.GiftPoints = pointer(int64(50)) }
	h.campaign(occasion.Welcome, gift, program.Email, program.Inbox)
	h.campaign(occasion.Birthday, gift)
	member := h.Enroll(born(t, "1990-05-01"), reached("one@example.com"))
	h.allow(member, program.Care, program.Email, true)
	h.at("2025-05-01T10:00:00Z")
	h.decide()
	want := h.said(member)
	if len(want) != 3 || h.balance(member) != 100 {
		t.Fatalf("%v and %d points", want, h.balance(member))
	}
	for _, statement := range []string{
		`update notice_consumers set read_to = 0 where name = 'care'`, `delete from happenings`,
		`update care_campaigns set decided_at = decided_at - interval '1 day'`,
	} {
		if _, err := h.DB.Exec(h.Admin, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		h.decide()
	}
	h.Clock.Advance(-90 * time.Minute)
	h.decide()
	h.Clock.Advance(3 * time.Hour)
	h.decide()
	h.expect(member, want...)
	if balance := h.balance(member); balance != 100 {
		t.Errorf("%d points", balance)
	}
	h.books()
}

// A run that is stopped between any two of its transactions is gone on with: nobody is told twice, nobody is left out (listmonk
// #2313, #3022; Mautic #13070; CiviCRM, pull request 31600).
func TestDecide_Complaint1_Stopped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	gift := func(c *care.Campaign) { c.GiftPoints = pointer(int64(5)) }
	h.campaign(occasion.Birthday, gift)
	h.campaign(occasion.Birthday, gift, program.Email)
	h.campaign(occasion.Welcome, gift)
	var members []*loyalty.Member
	for range 30 {
		members = append(members, h.Enroll(born(t, "1990-05-14")))
	}
	h.at("2025-05-02T10:00:00Z")
	stopped := 0
	for step := range 12 {
		if step == 6 {
			h.at("2025-05-14T10:00:00Z")
		}
		// The transaction after so many is not committed.
		func() {
			defer func() {
				if recover() != nil {
					stopped++
				}
			}()
			left := step % 6
			_ = h.care.DecideOccasions(h.Admin, func(int) {
				if left--; left < 0 {
					panic("killed")
				}
			})
		}()
	}
	h.decide()
	if stopped < 6 {
		t.Errorf("it was stopped %d times", stopped)
	}
	for _, member := range members {
		got := h.said(member)
		slices.Sort(got)
		if strings.Join(got, ", ") != "birthday:2025 EMAIL SUPPRESSED NO_ADDRESS, birthday:2025 INBOX DELIVERED, welcome:joined INBOX DELIVERED" ||
			h.balance(member) != 10 {
			t.Fatalf("%v and %d points", got, h.balance(member))
		}
	}
	h.books()
}

// Two that decide in the same second say everything once, and give once (Novu #2569, #1633; Mautic #2215, #3669): one of them may
// fail, and nothing is left behind.
func TestDecide_Complaint1_TwoAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	gift := func(c *care.Campaign) { c.GiftPoints = pointer(int64(5)) }
	h.campaign(occasion.Birthday, gift, program.Inbox, program.Email)
	h.campaign(occasion.Welcome, gift)
	var members []*loyalty.Member
	for range 40 {
		members = append(members, h.Enroll(born(t, "1990-05-01")))
	}
	h.at("2025-05-01T10:00:00Z")
	for range 3 {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { _ = h.care.DecideOccasions(h.Admin, func(int) {}) })
		}
		both.Wait()
	}
	h.decide()
	for _, member := range members {
		if got := h.said(member); len(got) != 3 || h.balance(member) != 10 {
			t.Fatalf("%v and %d points", got, h.balance(member))
		}
	}
	h.books()
}

// A birthday whose year is not known is one, nobody without a birth date is greeted on 1 January (Customer.io: 0 as a date greets
// everybody), and who is greeted is greeted once, however often the day's runs come by (CiviCRM, pull request 6606), at the
// member's own nine o'clock (Novu #2808).
func TestBirthday_Complaint2_FirstOfJanuary(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-12-30T00:00:00Z")
	h.campaign(occasion.Birthday, nil)
	nobody := h.Enroll(living("Asia/Tokyo"))
	yearless := h.Enroll(living("Asia/Tokyo"), func(input *loyalty.EnrollMemberInput) {
		input.BirthDate = &value.Date{Year: value.UnknownYear, Month: time.January, Day: 1}
	})
	for h.Clock.Now().Before(time.Date(2026, time.January, 3, 0, 0, 0, 0, time.UTC)) {
		h.decide()
		h.Clock.Advance(20 * time.Minute)
	}
	h.expect(nobody)
	h.expect(yearless, "birthday:2026 INBOX DELIVERED")
	if at := h.messages(yearless)[0].CreatedAt.UTC().Format(time.RFC3339); at != "2026-01-01T00:00:00Z" {
		t.Errorf("greeted at %s", at)
	}
}

// What was said counts once for the caps, also where a channel is added behind it (Mautic #10416: capped without reason), and of two
// campaigns about the same the older one speaks and gives, whichever way they are found.
func TestCaps_Complaint3_EachCountsOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.policy(program.CarePolicy{LeapDayBirthday: program.February28, Caps: []program.ContactCap{{Per: value.Period{Days: 1}, Messages: 2}}})
	made := h.campaign(occasion.Birthday, nil, program.Email)
	gift := func(c *care.Campaign) { c.GiftPoints = pointer(int64(50)) }
	h.campaign(occasion.Birthday, gift, program.Email)
	h.campaign(occasion.Welcome, nil)
	h.campaign(occasion.Welcome, gift)
	member := h.mailed("one", born(t, "1990-05-14"))
	h.allow(member, program.Care, program.Webhook, true)
	h.at("2025-05-01T09:00:00Z")
	h.decide()
	h.at("2025-05-14T09:00:00Z")
	h.decide()
	_, err := h.DB.Exec(h.Admin, `update care_campaigns set channels = '{EMAIL,WEBHOOK}', version = 2 where id = $1`, made)
	h.must(err)
	h.decide()
	h.expect(member, "welcome:joined INBOX DELIVERED", "birthday:2025 EMAIL QUEUED", "birthday:2025 WEBHOOK QUEUED")
	if balance := h.balance(member); balance != 0 {
		t.Errorf("a campaign that does not speak gives %d points", balance)
	}
}
