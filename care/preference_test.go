package care_test

import (
	"testing"

	"regulars/care"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/program"
	"regulars/loyalty"
)

// Complaint 4: whoever unsubscribes from one thing gets nothing any more, not even what it needs (emailflare #190): a click is about
// the class and the channel of its mail.
func TestUnsubscribe_Complaint4_HasAScope(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	member := d.enroll("ada")
	for _, class := range []care.Class{program.Care, program.Marketing, program.Community} {
		d.say(member, class, program.Email, true)
	}
	d.say(member, program.Marketing, program.Webhook, true)
	needed := d.waits(member, program.Service, program.Email)
	for range 2 {
		shown, err := d.care.Unsubscribe(t.Context(), d.token(member, program.Marketing, program.Email))
		d.must(err)
		same(t, "shown", &care.Preferences{
			Program: "Regulars", Locale: "en", Class: program.Marketing, Channel: program.Email, All: []care.Preference{
				{Class: program.Care, Channel: program.Email, Allowed: true}, {Class: program.Care, Channel: program.Webhook},
				{Class: program.Marketing, Channel: program.Email}, {Class: program.Marketing, Channel: program.Webhook, Allowed: true},
				{Class: program.Community, Channel: program.Email, Allowed: true}, {Class: program.Community, Channel: program.Webhook},
			},
		}, shown)
		same(t, "written down", 5, len(d.history(member)))
	}
	shown, err := d.care.Unsubscribe(t.Context(), d.token(member, program.Service, program.Email))
	d.must(err)
	same(t, "what is needed", true, shown.Needed)
	same(t, "written down", 5, len(d.history(member)))
	same(t, "what the member needs", "QUEUED It is sent as soon as a sender takes it.", d.status(needed))
}

// Complaint 4: scanners that follow the links of mails unsubscribe whole companies (Rock #7034, useSend #412, noptin #954, listmonk
// #1454): looking changes nothing.
func TestPreferences_Complaint4_LookingChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	member := d.enroll("ada")
	d.say(member, program.Marketing, program.Email, true)
	for range 3 {
		_, err := d.care.Preferences(t.Context(), d.token(member, program.Marketing, program.Email))
		d.must(err)
	}
	same(t, "allowed", []string{"MARKETING EMAIL"}, d.allowed(member))
	same(t, "written down", 1, len(d.history(member)))
}

// Complaint 4: mails go on to people who opted out (CiviCRM). A page that was open before says nothing of what was not touched on it.
func TestSavePreferences_Complaint4_OldPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	member := d.enroll("ada")
	d.say(member, program.Marketing, program.Email, true)
	token := d.token(member, program.Marketing, program.Email)
	_, err := d.care.Unsubscribe(t.Context(), token)
	d.must(err)
	_, err = d.care.SavePreferences(t.Context(), token, []care.Preference{
		{Class: program.Care, Channel: program.Email, Allowed: true}, {Class: program.Service, Channel: program.Email},
		{Class: program.Care, Channel: program.Inbox}, {Class: "NONSENSE", Channel: "PIGEON", Allowed: true},
	})
	d.must(err)
	same(t, "allowed", []string{"CARE EMAIL"}, d.allowed(member))
	same(t, "written down", 3, len(d.history(member)))
}

// A link is good for as long as its key and its member are there; a signature for another purpose is none.
func TestPreferences_BadLink(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	member := d.enroll("ada")
	retired := d.token(member, program.Care, program.Email)
	rotated, err := d.keys.Rotate(d.Admin)
	d.must(err)
	keys, err := d.keys.List(d.Admin)
	d.must(err)
	for _, key := range keys {
		if key.ID != rotated.ID {
			d.must(d.keys.Retire(d.Admin, key.ID))
		}
	}
	calendar, err := d.keys.Sign(t.Context(), "calendar", []byte(`{"m":"`+member.ID.String()+`"}`))
	d.must(err)
	for name, token := range map[string]string{
		"none": "", "nonsense": "eyJ.x.y", "retired": retired, "for a calendar": calendar,
		"of nobody": d.token(&loyalty.Member{ID: id.New[id.Member]()}, program.Care, program.Email),
	} {
		shown, err := d.care.Preferences(t.Context(), token)
		d.must(err)
		clicked, err := d.care.Unsubscribe(t.Context(), token)
		d.must(err)
		saved, err := d.care.SavePreferences(t.Context(), token, []care.Preference{{Class: program.Care, Channel: program.Email, Allowed: true}})
		d.must(err)
		ended, err := d.care.UnsubscribeFromAll(t.Context(), token)
		d.must(err)
		if shown != nil || clicked != nil || saved != nil || ended != nil {
			t.Errorf("%s: %v, %v, %v, %v", name, shown, clicked, saved, ended)
		}
	}
	same(t, "written down", 0, len(d.history(member)))
}

// Members see what they are told themselves, and nobody else's.
func TestInbox_OfOthers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada, eve := d.enroll("ada"), d.enroll("eve")
	asked := []id.Member{ada.ID, eve.ID}
	inboxes, err := d.care.Inboxes(d.as(ada), asked, nil, nil)
	d.must(err)
	consents, err := d.care.Consents(d.as(ada), asked)
	d.must(err)
	unread, err := d.care.UnreadCounts(d.as(ada), asked)
	d.must(err)
	if len(inboxes) != 1 || inboxes[ada.ID] == nil || len(consents) != 1 || consents[ada.ID] == nil || len(unread) != 1 || unread[ada.ID] == nil {
		t.Errorf("ada sees %v, %v and %v", inboxes, consents, unread)
	}
	inboxes, err = d.care.Inboxes(d.As(actor.Marketer, "marketer"), asked, nil, nil)
	d.must(err)
	same(t, "marketers see", 0, len(inboxes))
}
