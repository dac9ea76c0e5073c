package care_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/club"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

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

// Who moves east on the day on which it is to be told that its tier is at risk is told, though nine o'clock was before it came.
func TestTierAtRisk_Moved(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Tier("Silver", 1, 100)
	h.Rule(h.PerAmount(1, "1.00"))
	h.Clock.Advance(time.Minute)
	h.campaign(occasion.TierAtRisk, func(c *care.Campaign) { c.Offset = offset(t, "-P30D") })
	member := h.Enroll(living("America/Los_Angeles"))
	h.Purchase(member, "150.00")
	ends := *h.Standing(member).ValidUntil
	day := ends.AddDate(0, 0, -30).Truncate(24 * time.Hour)
	for hour := range 48 {
		h.Clock.Set(day.Add(time.Duration(hour-24) * time.Hour))
		h.decide()
		if hour == 36 {
			h.expect(member)
			_, err := h.Service.UpdateMember(h.Admin, member.ID, nil, func(member *loyalty.Member) { member.TimeZone = "Asia/Tokyo" })
			h.must(err)
		}
	}
	if got := h.said(member); len(got) != 1 {
		t.Errorf("a tier that ends at %s is told as %v", ends, got)
	}
}

// A channel that is added in the course of the day tells of the gift that was given.
func TestGift_ChannelAdded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	made := h.campaign(occasion.Birthday, func(c *care.Campaign) { c.GiftPoints = pointer(int64(50)) }, program.Email)
	member := h.Enroll(born(t, "1990-05-14"))
	h.at("2025-05-14T09:00:00Z")
	h.decide()
	_, err := h.DB.Exec(h.Admin, `update care_campaigns set channels = '{EMAIL,INBOX}', version = 2 where id = $1`, made)
	h.must(err)
	h.decide()
	h.expect(member, "birthday:2025 EMAIL SUPPRESSED NO_ADDRESS", "birthday:2025 INBOX DELIVERED")
	if body := h.messages(member)[1].Body; !strings.Contains(body, "50 points") {
		t.Errorf("no gift is told of: %s", body)
	}
	if balance := h.balance(member); balance != 50 {
		t.Errorf("%d points", balance)
	}
}

// Who was a member long before it was recorded, as an import does, is not welcomed.
func TestWelcome_Imported(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.campaign(occasion.Welcome, nil)
	h.Clock.Advance(24 * time.Hour)
	member := h.Enroll(joined(time.Date(2023, time.January, 1, 3, 0, 0, 0, time.UTC)))
	h.Clock.Advance(12 * time.Hour)
	h.decide()
	h.expect(member)
}

// An event that is moved up behind the time of its reminder is told of at once, and not to whom it was booked behind that time.
func TestEventReminder_MovedUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.campaign(occasion.EventReminder, func(c *care.Campaign) { c.Offset = offset(t, "-P5D") })
	comes, late := h.mailed("comes"), h.mailed("late")
	moved := h.party(20, 19)
	h.book(comes, moved)
	h.at("2025-02-09T10:00:00Z")
	h.decide()
	_, err := h.club.EditOccurrences(h.Admin, club.EditOccurrencesInput{
		OccurrenceID: moved, Scope: club.This, StartsAt: &value.LocalDateTime{Year: 2025, Month: time.February, Day: 11, Hour: 19},
	})
	h.must(err)
	h.book(late, moved)
	for range 30 {
		h.decide()
		h.Clock.Advance(time.Hour)
	}
	if got := h.said(comes); len(got) != 1 || !strings.HasSuffix(got[0], "INBOX DELIVERED") {
		t.Errorf("an event that was moved up is told as %v", got)
	}
	h.expect(late)
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
