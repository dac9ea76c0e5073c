package care_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
)

func named(externalID string) func(*loyalty.EnrollMemberInput) {
	return func(input *loyalty.EnrollMemberInput) { input.ExternalID = &externalID }
}

func speaking(locale string) func(*loyalty.EnrollMemberInput) {
	return func(input *loyalty.EnrollMemberInput) { input.Locale = &locale }
}

func joined(at time.Time) func(*loyalty.EnrollMemberInput) {
	return func(input *loyalty.EnrollMemberInput) { input.JoinedAt = &at }
}

// body is the text of the member's only message.
func (h *house) body(member *loyalty.Member) string {
	h.t.Helper()
	rows := h.messages(member)
	if len(rows) != 1 {
		h.t.Fatalf("the member was told %v", h.said(member))
	}
	return rows[0].Body
}

func (h *house) mentions(member *loyalty.Member, words ...string) {
	h.t.Helper()
	text := h.body(member)
	for _, word := range words {
		if !strings.Contains(text, word) {
			h.t.Errorf("%q is not in:\n%s", word, text)
		}
	}
}

func TestAnniversary(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-12-01T00:00:00Z")
	h.campaign(occasion.MembershipAnniversary, nil)
	// It is still the last day of the year there, and already the first one here.
	west := h.Enroll(joined(time.Date(2023, time.January, 1, 3, 0, 0, 0, time.UTC)), living("America/Los_Angeles"))
	east := h.Enroll(joined(time.Date(2022, time.December, 31, 20, 0, 0, 0, time.UTC)), living("Asia/Shanghai"))
	fresh := h.Enroll()
	for at := time.Date(2025, time.December, 30, 0, 0, 0, 0, time.UTC); at.Before(time.Date(2026, time.January, 3, 0, 0, 0, 0, time.UTC)); at = at.Add(time.Hour) {
		h.Clock.Set(at)
		h.decide()
	}
	h.expect(west, "membership-anniversary:2025 INBOX DELIVERED")
	h.expect(east, "membership-anniversary:2026 INBOX DELIVERED")
	h.expect(fresh)
	h.mentions(west, "3")
}

func TestHoliday(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2026-02-01T00:00:00Z")
	h.campaign(occasion.Holiday, func(campaign *care.Campaign) {
		campaign.Holidays = []string{"lunar-new-year", "christmas-day"}
		campaign.Texts = append(campaign.Texts, careTexts(t, occasion.Holiday, "zh-Hans"))
	})
	shanghai := h.Enroll(speaking("zh-Hans"), living("Asia/Shanghai"))
	hamburg := h.Enroll(speaking("de"), living("Europe/Berlin"))
	london := h.Enroll(speaking("en-GB"), living("Asia/Shanghai"))
	for _, day := range []string{"2026-02-17", "2026-12-25"} {
		at, err := time.Parse(time.DateOnly, day)
		h.must(err)
		for hour := range 36 {
			h.Clock.Set(at.Add(time.Duration(hour-12) * time.Hour))
			h.decide()
		}
	}
	h.expect(shanghai, "holiday:lunar-new-year:2026 INBOX DELIVERED")
	h.expect(hamburg, "holiday:christmas-day:2026 INBOX DELIVERED")
	h.expect(london, "holiday:christmas-day:2026 INBOX DELIVERED")
	h.mentions(shanghai, "春节")
}

// A welcome comes at once where the hour has passed, else at the hour; one that is told of much later is too late.
func TestWelcome(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T04:00:00Z")
	before := h.Enroll()
	h.Clock.Advance(48 * time.Hour)
	h.campaign(occasion.Welcome, nil)
	early := h.Enroll()
	h.decide()
	h.expect(early)
	h.Clock.Advance(5 * time.Hour)
	h.decide()
	afternoon := h.Enroll()
	h.decide()
	h.decide()
	h.expect(before)
	h.expect(early, "welcome:joined INBOX DELIVERED")
	h.expect(afternoon, "welcome:joined INBOX DELIVERED")
	h.Clock.Advance(time.Hour)
	forgotten := h.Enroll()
	h.Clock.Advance(100 * time.Hour)
	h.decide()
	h.expect(forgotten, "welcome:joined INBOX SUPPRESSED TOO_LATE")
}

func TestTierReached(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Tier("Silver", 1, 100)
	h.Tier("Gold", 2, 1000)
	h.PerAmount(1, "1.00")
	h.Rule(h.PerAmount(1, "1.00"))
	h.Clock.Advance(time.Minute)
	h.campaign(occasion.TierReached, func(campaign *care.Campaign) {
		campaign.Texts = []template.Text{{Locale: "en", Body: "{{.Occasion.Tier}} until {{.Occasion.ExpiresOn}}"}}
	})
	member := h.Enroll()
	back := h.Enroll()
	h.Purchase(member, "150.00")
	returned := h.Purchase(back, "150.00")
	h.Return(returned)
	_, err := h.Service.RecalculateTiers(h.Admin, 100)
	h.must(err)
	h.Clock.Advance(time.Minute)
	h.decide()
	h.mentions(member, "Silver until "+h.Standing(member).ValidUntil.Add(-time.Microsecond).Format("2 January 2006"))
	h.Purchase(member, "900.00")
	h.decide()
	if got := h.said(member); len(got) != 2 {
		t.Errorf("two tiers were told as %v", got)
	}
}

// Who keeps its tier is not told that it is at risk.
func TestTierAtRisk(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Tier("Silver", 1, 100)
	h.Rule(h.PerAmount(1, "1.00"))
	h.Clock.Advance(time.Minute)
	h.campaign(occasion.TierAtRisk, func(campaign *care.Campaign) { campaign.Offset = offset(t, "-P30D") })
	risky, safe, base := h.Enroll(), h.Enroll(), h.Enroll()
	h.Purchase(risky, "150.00")
	h.Purchase(safe, "150.00")
	ends := *h.Standing(risky).ValidUntil
	h.Clock.Set(ends.AddDate(0, 0, -60))
	h.Purchase(safe, "150.00")
	for day := range 35 {
		h.Clock.Set(ends.AddDate(0, 0, day-34).Truncate(24 * time.Hour).Add(10 * time.Hour))
		h.decide()
		if day < 3 {
			h.expect(risky)
		}
	}
	h.mentions(risky, "Silver")
	h.expect(safe)
	h.expect(base)
}

// What was spent meanwhile is not announced.
func TestPointsExpiring(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.campaign(occasion.PointsExpiring, func(campaign *care.Campaign) { campaign.Offset = offset(t, "-P14D") })
	keeping, spending := h.Enroll(), h.Enroll()
	lapses := h.Now().AddDate(0, 0, 40)
	for _, member := range []*loyalty.Member{keeping, spending} {
		h.Adjust(member, 120, func(input *loyalty.AdjustPointsInput) { input.ExpiresAt = &lapses })
	}
	for day := range 40 {
		h.Clock.Set(lapses.AddDate(0, 0, day-40).Add(time.Hour))
		_, err := h.Service.AnnounceExpiries(h.Admin, value.Period{Days: 30}, 100)
		h.must(err)
		if day == 15 {
			h.Adjust(spending, -120)
		}
		h.decide()
		if day < 25 {
			h.expect(keeping)
		}
	}
	h.expect(spending)
	h.expect(keeping, fmt.Sprintf("points-expiring:%d:-P14D INBOX DELIVERED", lapses.Unix()))
	h.mentions(keeping, "120")
	if at := h.messages(keeping)[0].CreatedAt; at.Sub(lapses.AddDate(0, 0, -14)).Abs() > 24*time.Hour {
		t.Errorf("announced at %s", at)
	}
}

// Reminders come before the event, with the member's clocks (CiviCRM, pull request 2132), follow a date that is moved, and who
// has canceled gets none.
func TestEventReminderAndThanks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.campaign(occasion.EventReminder, func(campaign *care.Campaign) { campaign.Offset = offset(t, "-P1D") })
	h.campaign(occasion.EventThanks, func(campaign *care.Campaign) { campaign.Offset = offset(t, "P1D") })
	event, err := h.club.CreateEvent(h.Admin, club.CreateEventInput{
		Name: "Tasting", TimeZone: "Europe/Berlin", StartsAt: value.LocalDateTime{Year: 2025, Month: time.February, Day: 10, Hour: 19},
		Duration: value.Period{Clock: 2 * time.Hour}, SeatsPerBooking: 2, OfferValidFor: value.Period{Days: 1}, CheckInOpensBefore: value.Period{Clock: time.Hour},
		Venue: pointer("Cellar"),
	})
	h.must(err)
	_, err = h.club.PublishEvent(h.Admin, event.ID)
	h.must(err)
	var occurrence id.Occurrence
	h.must(h.DB.Get(h.Admin, &occurrence, `select id from occurrences`))
	book := func(member *loyalty.Member) *club.Booking {
		answer, err := h.club.Book(h.As(actor.Member, *member.ExternalID), club.BookInput{OccurrenceID: occurrence, Seats: 1, IdempotencyKey: h.Key()})
		h.must(err)
		return answer.Booking
	}
	comes, cancels, late := h.Enroll(named("comes"), living("Asia/Shanghai")), h.Enroll(named("cancels")), h.Enroll(named("late"))
	booking, canceled := book(comes), book(cancels)
	_, err = h.club.CancelBooking(h.As(actor.Member, "cancels"), club.CancelBookingInput{BookingID: canceled.ID})
	h.must(err)
	h.at("2025-02-10T01:00:00Z") // 09:00 in Shanghai, where the event is on the 11th
	h.decide()
	h.mentions(comes, "Tasting", "Cellar")
	h.at("2025-02-10T12:00:00Z")
	lateBooking := book(late)
	h.decide()
	h.expect(cancels)
	h.expect(late)
	moved := value.LocalDateTime{Year: 2025, Month: time.February, Day: 20, Hour: 19}
	_, err = h.club.EditOccurrences(h.Admin, club.EditOccurrencesInput{OccurrenceID: occurrence, Scope: club.This, StartsAt: &moved})
	h.must(err)
	h.at("2025-02-20T02:00:00Z")
	h.decide()
	if got := h.said(comes); len(got) != 2 {
		t.Errorf("a date that was moved is told as %v", got)
	}
	h.at("2025-02-20T22:00:00Z")
	_, err = h.club.CompleteEnded(h.Admin, 10)
	h.must(err)
	_, err = h.club.CorrectAttendance(h.Admin, club.CorrectAttendanceInput{BookingID: booking.ID, Attended: true, Reason: "came"})
	h.must(err)
	h.decide()
	h.at("2025-02-22T03:00:00Z")
	h.decide()
	if got := h.said(comes); len(got) != 3 || !strings.HasPrefix(got[2], "event-thanks:") {
		t.Errorf("said %v", got)
	}
	if got := h.said(late); slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, "event-thanks:") }) {
		t.Errorf("%s did not come and is thanked", lateBooking.ID)
	}
}

// Nothing heard for 30 days: once for each lapse.
func TestWinBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Rule(h.PerAmount(1, "1.00"))
	h.Clock.Advance(time.Minute)
	h.campaign(occasion.WinBack, func(campaign *care.Campaign) {
		campaign.Offset, campaign.GiftPoints = offset(t, "P30D"), pointer(int64(25))
	})
	quiet, buying, returning := h.Enroll(), h.Enroll(), h.Enroll()
	start := h.Now()
	for day := range 100 {
		h.Clock.Set(start.AddDate(0, 0, day).Add(2 * time.Hour))
		if day%20 == 5 {
			h.Purchase(buying, "10.00")
		}
		// Nothing tells of a purchase that earns nothing.
		if day == 20 || day == 60 {
			h.Purchase(returning, "0.10")
		}
		h.decide()
	}
	h.expect(buying)
	h.expect(quiet, "win-back:2025-01-06:P30D INBOX DELIVERED")
	h.expect(returning, "win-back:2025-01-26:P30D INBOX DELIVERED", "win-back:2025-03-07:P30D INBOX DELIVERED")
	if h.balance(quiet) != 25 {
		t.Errorf("the member has %d points", h.balance(quiet))
	}
	h.books()
}
