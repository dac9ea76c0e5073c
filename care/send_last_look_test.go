package care_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/care"
	"regulars/care/delivery"
	"regulars/care/delivery/deliverytest"
	"regulars/care/occasion"
	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// What a member last said holds, in whichever order the database comes upon what it said (CiviCRM writes to who has opted out).
func TestSendMessages_Complaint4_LastWord(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	allows, refuses := o.reachable("allows"), o.reachable("refuses")
	for _, granted := range []bool{false, true} {
		o.consent(allows, "EMAIL", granted)
		o.consent(refuses, "EMAIL", !granted)
	}
	// A database that knows how few rows there are reads them as they lie.
	o.exec(`analyze consents`)
	sent, kept := o.queue(allows), o.queue(refuses)
	o.send()
	o.expect("who allows it again", sent, "SENT")
	o.expect("who refuses it again", kept, "SUPPRESSED NO_CONSENT")
}

// Letters that are longer in lower case do not move the place where a page ends.
func TestSendMessages_FooterInPage(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	page := "<html><body><p>" + strings.Repeat("Ⱥ", 40) + "</p></Body></html>"
	o.queue(o.reachable("ann"), func(m *message) { m.html = &page })
	if diff := cmp.Diff(care.Sendings{Sent: 1}, o.send()); diff != "" {
		t.Fatal(diff)
	}
	before, after, _ := strings.Cut(deliverytest.Parse(t, o.mail.Mails()[0]).Parts["text/html"], `<p style="font-size:smaller">`)
	if before != "<html><body><p>"+strings.Repeat("Ⱥ", 40)+"</p>" || !strings.HasSuffix(strings.TrimSpace(after), "</p>\n</Body></html>") {
		t.Errorf("%q, %q", before, after)
	}
}

// A receiver of webhooks that hangs keeps no mail waiting (listmonk #2278: finished with mail unsent).
func TestSendMessages_Complaint1_HangingReceiver(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	hanging, released := make(chan struct{}, 10), make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		hanging <- struct{}{}
		<-released
	}))
	t.Cleanup(receiver.Close)
	release := sync.OnceFunc(func() { close(released) })
	t.Cleanup(release)
	secret, err := delivery.ParseSecret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if err != nil {
		t.Fatal(err)
	}
	o.to.Webhook = delivery.NewWebhook(receiver.URL, secret)
	ann := o.reachable("ann")
	pushed, early := o.queue(ann, func(m *message) { m.channel = "WEBHOOK" }), o.queue(ann)
	ended := make(chan error, 1)
	go func() {
		_, err := o.sending(o.DB).SendMessages(o.Admin, o.to, o.DB, func() {})
		ended <- err
	}()
	<-hanging
	wait := func(one id.Message) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); o.read(one).Status != "SENT"; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("a mail waits for a webhook: %+v", o.read(one))
			}
		}
	}
	wait(early)
	for range 3 {
		wait(o.queue(ann))
	}
	release()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	o.expect("the webhook", pushed, "SENT")
}

// mailing lets a house send mails to a server of the test; send hands over what is due, as often as it is called.
func (h *house) mailing(behavior deliverytest.Behavior) (mails *deliverytest.Server, send func()) {
	h.t.Helper()
	mails = deliverytest.New(h.t, behavior)
	channels := delivery.Channels{Mail: mailerTo(h.t, mails.URL(), fast)}
	return mails, func() {
		h.t.Helper()
		_, err := h.care.SendMessages(h.Admin, channels, h.DB, func() {})
		h.must(err)
	}
}

// mailed enrolls a member that allows care by mail.
func (h *house) mailed(name string, edits ...func(*loyalty.EnrollMemberInput)) *loyalty.Member {
	h.t.Helper()
	member := h.Enroll(append([]func(*loyalty.EnrollMemberInput){reached(name + "@example.com"), named(name)}, edits...)...)
	h.allow(member, program.Care, program.Email, true)
	return member
}

// night is a policy without messages from nine in the evening until half past eight.
func night(t testing.TB) program.CarePolicy {
	t.Helper()
	return program.CarePolicy{LeapDayBirthday: program.February28, QuietFrom: clock(t, "21:00"), QuietTo: clock(t, "08:30")}
}

// party is an event in Berlin at a time of February 2025.
func (h *house) party(day, hour int) id.Occurrence {
	h.t.Helper()
	event, err := h.club.CreateEvent(h.Admin, club.CreateEventInput{
		Name: "Tasting", TimeZone: "Europe/Berlin", StartsAt: value.LocalDateTime{Year: 2025, Month: time.February, Day: day, Hour: hour},
		Duration: value.Period{Clock: 2 * time.Hour}, SeatsPerBooking: 2, OfferValidFor: value.Period{Days: 1}, CheckInOpensBefore: value.Period{Clock: time.Hour},
	})
	h.must(err)
	_, err = h.club.PublishEvent(h.Admin, event.ID)
	h.must(err)
	var occurrence id.Occurrence
	h.must(h.DB.Get(h.Admin, &occurrence, `select id from occurrences where event_id = $1`, event.ID))
	return occurrence
}

func (h *house) book(member *loyalty.Member, occurrence id.Occurrence) *club.Booking {
	h.t.Helper()
	answer, err := h.club.Book(h.As(actor.Member, *member.ExternalID), club.BookInput{OccurrenceID: occurrence, Seats: 1, IdempotencyKey: h.Key()})
	h.must(err)
	return answer.Booking
}

// What waits and is irrelevant by the time of sending is not sent, without anybody canceling it (Mautic #4923).
func TestSendMessages_Complaint3_OutdatedReminder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy(night(t))
	mails, send := h.mailing(deliverytest.Behavior{})
	h.campaign(occasion.EventReminder, func(c *care.Campaign) { c.Offset, c.SendAt = offset(t, "-P1D"), 7*60 }, program.Email)
	berlin := living("Europe/Berlin")
	comes, cancels, moves, lost := h.mailed("comes", berlin), h.mailed("cancels", berlin), h.mailed("moves", berlin), h.mailed("lost", berlin)
	stays, moved, called := h.party(10, 19), h.party(10, 20), h.party(10, 21)
	h.book(comes, stays)
	canceled := h.book(cancels, stays)
	h.book(moves, moved)
	h.book(lost, called)
	h.at("2025-02-09T06:30:00Z")
	h.decide()
	for _, member := range []*loyalty.Member{comes, cancels, moves, lost} {
		if got := h.said(member); len(got) != 1 || !strings.HasSuffix(got[0], "EMAIL DEFERRED QUIET_HOURS") {
			t.Fatalf("decided: %v", got)
		}
	}
	_, err := h.club.CancelBooking(h.As(actor.Member, "cancels"), club.CancelBookingInput{BookingID: canceled.ID})
	h.must(err)
	_, err = h.club.EditOccurrences(h.Admin, club.EditOccurrencesInput{
		OccurrenceID: moved, Scope: club.This, StartsAt: &value.LocalDateTime{Year: 2025, Month: time.February, Day: 20, Hour: 19},
	})
	h.must(err)
	_, err = h.club.CancelOccurrence(h.Admin, called, "storm")
	h.must(err)
	h.at("2025-02-09T08:00:00Z")
	send()
	if sent := mails.Mails(); len(sent) != 1 || sent[0].To != "comes@example.com" {
		t.Errorf("%d mails", len(sent))
	}
	for _, member := range []*loyalty.Member{cancels, moves, lost} {
		if got := h.said(member); len(got) != 1 || !strings.HasSuffix(got[0], "EMAIL SUPPRESSED OUTDATED") {
			t.Errorf("%s: %v", *member.ExternalID, got)
		}
	}
	h.books()
}

// Points that were spent, and a tier that is kept, while the message about it waited.
func TestSendMessages_Complaint3_OutdatedPoints(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Tier("Silver", 1, 100)
	h.Rule(h.PerAmount(1, "1.00"))
	h.Clock.Advance(time.Minute)
	mails, send := h.mailing(deliverytest.Behavior{})
	h.campaign(occasion.PointsExpiring, func(c *care.Campaign) { c.Offset = offset(t, "-P14D") }, program.Email)
	h.campaign(occasion.TierAtRisk, func(c *care.Campaign) { c.Offset = offset(t, "-P30D") }, program.Email)
	spends, keeps := h.mailed("spends"), h.mailed("keeps")
	lapses := h.Now().AddDate(0, 0, 20)
	h.Adjust(spends, 120, func(input *loyalty.AdjustPointsInput) { input.ExpiresAt = &lapses })
	h.Purchase(keeps, "150.00")
	_, err := h.Service.AnnounceExpiries(h.Admin, value.Period{Days: 30}, 100)
	h.must(err)
	h.Clock.Set(lapses.AddDate(0, 0, -13))
	h.decide()
	h.Adjust(spends, -120)
	ends := *h.Standing(keeps).ValidUntil
	h.Clock.Set(lapses.AddDate(0, 0, -12))
	send()
	if got := h.said(spends); len(got) != 1 || !strings.HasSuffix(got[0], "EMAIL SUPPRESSED OUTDATED") {
		t.Errorf("points that were spent: %v", got)
	}
	h.Clock.Set(ends.AddDate(0, 0, -29))
	h.decide()
	h.Purchase(keeps, "150.00")
	send()
	if got := h.said(keeps); len(got) != 1 || !strings.HasSuffix(got[0], "EMAIL SUPPRESSED OUTDATED") {
		t.Errorf("a tier that is kept: %v", got)
	}
	if count := len(mails.Mails()); count != 0 {
		t.Errorf("%d mails", count)
	}
}

// A mail that could not be handed over by day is not handed over at night, nor where the member is by now (listmonk #2681).
func TestSendMessages_Complaint3_QuietWhenTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.policy(night(t))
	away := true
	mails, send := h.mailing(deliverytest.Behavior{From: func(string) error {
		if away {
			return deliverytest.Refusal(451, [3]int{4, 3, 0}, "later")
		}
		return nil
	}})
	h.campaign(occasion.Birthday, func(c *care.Campaign) { c.SendAt = 20*60 + 55 }, program.Email)
	h.campaign(occasion.Welcome, nil, program.Email)
	h.campaign(occasion.TierReached, nil, program.Email)
	greeted := h.mailed("greeted", born(t, "1990-05-14"))
	h.at("2025-05-14T20:30:00Z")
	welcome := h.mailed("welcome")
	moves := h.mailed("moves", living("America/New_York"))
	h.decide()
	h.at("2025-05-14T20:55:00Z")
	h.decide()
	send()
	away = false
	h.at("2025-05-14T21:30:00Z")
	_, err := h.Service.UpdateMember(h.Admin, moves.ID, nil, func(member *loyalty.Member) { member.TimeZone = "Europe/London" })
	h.must(err)
	send()
	if count := len(mails.Mails()); count != 0 {
		t.Errorf("%d mails at night", count)
	}
	if got := h.said(greeted); got[len(got)-1] != "birthday:2025 EMAIL SUPPRESSED QUIET_HOURS" {
		t.Errorf("a birthday that is over in the morning: %v", got)
	}
	h.expect(welcome, "welcome:joined EMAIL DEFERRED QUIET_HOURS")
	h.at("2025-05-15T08:30:00Z")
	send()
	h.expect(welcome, "welcome:joined EMAIL SENT")
	h.expect(moves, "welcome:joined EMAIL SENT")
	h.books()
}

// A campaign that is switched off says nothing more, also of what waits (Mautic #4923).
func TestSendMessages_Complaint3_SwitchedOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	h.policy(night(t))
	mails, send := h.mailing(deliverytest.Behavior{})
	wrong := h.campaign(occasion.Birthday, func(c *care.Campaign) { c.SendAt = 6 * 60 }, program.Email)
	member := h.mailed("one", born(t, "1990-05-14"))
	h.at("2025-05-14T06:00:00Z")
	h.decide()
	_, err := h.DB.Exec(h.Admin, `update care_campaigns set enabled = false where id = $1`, wrong)
	h.must(err)
	h.at("2025-05-14T09:00:00Z")
	send()
	h.expect(member, "birthday:2025 EMAIL SUPPRESSED SWITCHED_OFF")
	if row := h.messages(member)[0]; len(mails.Mails()) != 0 || row.Body != "" || row.Subject != "" {
		t.Errorf("%d mails, and %q is kept", len(mails.Mails()), row.Body)
	}
}

// Who a member is stands in members, bookings and messages, and nowhere else: not in what was changed, told to others or run.
func TestCare_PersonalDataStays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.at("2025-05-01T00:00:00Z")
	_, send := h.mailing(deliverytest.Behavior{Rcpt: func(to string) error {
		return deliverytest.Refusal(550, [3]int{5, 1, 1}, "no such user "+to)
	}})
	h.campaign(occasion.Birthday, func(c *care.Campaign) { c.GiftPoints = pointer(int64(50)) }, program.Email, program.Inbox)
	member := h.mailed("zerbinetta", born(t, "1990-05-14"), func(input *loyalty.EnrollMemberInput) { input.DisplayName = pointer("Zerbinetta") })
	h.at("2025-05-14T09:00:00Z")
	h.decide()
	send()
	h.expect(member, "birthday:2025 EMAIL BOUNCED BOUNCED_ADDRESS", "birthday:2025 INBOX DELIVERED")
	var tables []string
	h.must(h.DB.Select(h.Admin, &tables, `select tablename from pg_tables where schemaname = 'public' order by tablename`))
	var held []string
	for _, table := range tables {
		var rows int
		h.must(h.DB.Get(h.Admin, &rows, `select count(*) from `+table+` as one where one::text ilike '%zerbinetta%'`))
		if rows > 0 {
			held = append(held, table)
		}
	}
	// By the keys a member is found by its address.
	if diff := cmp.Diff([]string{"member_keys", "members", "messages"}, held); diff != "" {
		t.Error(diff)
	}
}
