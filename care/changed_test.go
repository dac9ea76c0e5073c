package care_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/club"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

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

// What the sender has held is known again where it is decided, whatever lower case the database knows.
func TestDecide_HeldAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.campaign(occasion.Birthday, func(campaign *care.Campaign) { campaign.Class = program.Service }, program.Email)
	member := h.Enroll(born(t, "1990-05-14"), reached("İD@example.com"))
	held := sha256.Sum256([]byte(strings.ToLower("İD@example.com")))
	_, err := h.DB.Exec(h.Admin, `insert into refused_addresses (member_id, address_hash, reason, refused_at) values ($1, $2, 'unknown user', $3)`,
		member.ID, held[:], h.Clock.Now())
	h.must(err)
	h.at("2025-05-14T09:00:00Z")
	h.decide()
	h.expect(member, "birthday:2025 EMAIL SUPPRESSED BOUNCED_ADDRESS")
}
