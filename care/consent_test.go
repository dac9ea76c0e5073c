package care_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"regulars/care"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/program"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// desk is a program that tells its members something, and asks what they allow.
type desk struct {
	*loyaltytest.World
	care *care.Service
	keys *identity.SigningKeys
	t    testing.TB
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{World: loyaltytest.New(t), t: t}
	d.keys = identity.NewSigningKeys(d.DB)
	d.care = care.New(d.DB, d.Service, d.keys, "https://club.example")
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// enroll makes a member who can call.
func (d *desk) enroll(name string) *loyalty.Member {
	d.t.Helper()
	return d.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = &name })
}

// as is the context of the member's own calls.
func (d *desk) as(member *loyalty.Member) context.Context {
	return d.As(actor.Member, *member.ExternalID)
}

// say has a member say of itself what it allows.
func (d *desk) say(member *loyalty.Member, class care.Class, channel care.Channel, granted bool) {
	d.t.Helper()
	_, err := d.care.SetConsent(d.as(member), care.SetConsentInput{Class: class, Channel: channel, Granted: granted, Source: "app"})
	d.must(err)
}

// token is what the links hold in a mail of a class to the member.
func (d *desk) token(member *loyalty.Member, class care.Class, channel care.Channel) string {
	d.t.Helper()
	payload, err := json.Marshal(map[string]any{"m": member.ID, "c": class, "h": channel})
	d.must(err)
	token, err := d.keys.Sign(d.t.Context(), "preferences", payload)
	d.must(err)
	return token
}

// history is all that was said of what the member allows, newest first.
func (d *desk) history(member *loyalty.Member) []*care.Consent {
	d.t.Helper()
	first := 100
	pages, err := d.care.ConsentHistories(d.Admin, []id.Member{member.ID}, &first, nil)
	d.must(err)
	return pages[member.ID].Nodes
}

// allowed is which classes and channels the member allows now.
func (d *desk) allowed(member *loyalty.Member) []string {
	d.t.Helper()
	consents, err := d.care.Consents(d.Admin, []id.Member{member.ID})
	d.must(err)
	allowed := []string{}
	for _, one := range *consents[member.ID] {
		if one.Granted {
			allowed = append(allowed, fmt.Sprintf("%s %s", one.Class, one.Channel))
		}
	}
	return allowed
}

// waits keeps a message that waits to be sent to the member, and returns its id.
func (d *desk) waits(member *loyalty.Member, class care.Class, channel care.Channel) id.Message {
	d.t.Helper()
	made := id.New[id.Message]()
	_, err := d.DB.Exec(d.Admin, `
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, locale, subject, body,
			created_at, send_after, send_before, due_at)
		values ($1, $2, $3, 'BIRTHDAY', $4, '2026-03-01', $5, $6, 'QUEUED', 'en', 'Happy birthday', 'Many happy returns!', $7, $7, $8, $7)`,
		member.ID, made, id.New[id.Campaign](), made.String(), class, channel, d.Now(), d.Now().Add(time.Hour))
	d.must(err)
	return made
}

func reference(member *loyalty.Member) *loyalty.MemberRef {
	ref := loyaltytest.Ref(member)
	return &ref
}

// status is what has become of a message, with why.
func (d *desk) status(message id.Message) string {
	d.t.Helper()
	found, err := d.care.Message(d.Admin, message)
	d.must(err)
	return string(found.Status) + " " + found.Explanation()
}

func same[T any](t testing.TB, what string, want, got T, options ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, options...); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// Whatever is said by whomever, the newest says how it is, what was said stays as it was, and saying the last thing again says
// nothing.
func TestConsent_NewestSaysHowItIs(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rapid.Check(t, func(r *rapid.T) {
		member := d.enroll("ada" + d.Key())
		type said struct {
			granted bool
			source  string
		}
		model := map[string]said{}
		var past []*care.Consent
		steps := rapid.IntRange(1, 12).Draw(r, "steps")
		for range steps {
			d.Clock.Advance(time.Duration(rapid.IntRange(-2, 2).Draw(r, "minutes")) * time.Minute)
			class := rapid.SampledFrom([]care.Class{program.Care, program.Marketing, program.Community}).Draw(r, "class")
			channel := rapid.SampledFrom([]care.Channel{program.Email, program.Webhook}).Draw(r, "channel")
			topic, now := fmt.Sprintf("%s %s", class, channel), said{}
			switch rapid.SampledFrom([]string{"app", "desk", "click", "page", "all"}).Draw(r, "by") {
			case "click":
				now.source = "one-click unsubscribe"
				_, err := d.care.Unsubscribe(t.Context(), d.token(member, class, channel))
				d.must(err)
			case "page":
				now = said{rapid.Bool().Draw(r, "checked"), "preference page"}
				if model[topic].granted == now.granted {
					now = model[topic]
				}
				_, err := d.care.SavePreferences(t.Context(), d.token(member, class, channel), []care.Preference{{Class: class, Channel: channel, Allowed: now.granted}})
				d.must(err)
			case "all":
				_, err := d.care.UnsubscribeFromAll(t.Context(), d.token(member, class, channel))
				d.must(err)
				for each, was := range model {
					if was.granted {
						model[each] = said{false, "preference page"}
					}
				}
				now = model[topic]
			case "app":
				now = said{rapid.Bool().Draw(r, "granted"), "app"}
				d.say(member, class, channel, now.granted)
			case "desk":
				now = said{rapid.Bool().Draw(r, "granted"), "till"}
				_, err := d.care.SetConsent(d.As(actor.Support, "desk"), care.SetConsentInput{
					Member: reference(member), Class: class, Channel: channel, Granted: now.granted, Source: now.source,
				})
				d.must(err)
			}
			if now != (said{}) {
				model[topic] = now
			}

			history := d.history(member)
			same(t, "what was said before", past, history[len(history)-len(past):], cmpopts.EquateEmpty())
			past = history
			newest := map[string]said{}
			for _, one := range slices.Backward(history) {
				newest[fmt.Sprintf("%s %s", one.Class, one.Channel)] = said{one.Granted, one.Source}
			}
			same(t, "the newest", model, newest, cmp.AllowUnexported(said{}))
			for i, one := range history {
				if int(one.Sequence) != len(history)-i || i > 0 && one.Since.After(history[i-1].Since) {
					t.Errorf("number %d, of %s, stands at %d", one.Sequence, one.Since, i)
				}
			}
			allowed := []string{}
			for each, is := range model {
				if is.granted {
					allowed = append(allowed, each)
				}
			}
			same(t, "allowed", allowed, d.allowed(member), cmpopts.SortSlices(func(a, b string) bool { return a < b }))
		}
	})
}

// Many who speak of a member at once are written down one after the other, and nobody of them twice.
func TestSetConsent_AtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Clock.Tick(time.Microsecond)
	member := d.enroll("ada")
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			_, err := d.care.SetConsent(d.As(actor.Support, "desk"), care.SetConsentInput{
				Member: reference(member), Class: program.Care, Channel: program.Email, Granted: i%2 == 0, Source: fmt.Sprint(i / 2),
			})
			if err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			if _, err := d.care.Unsubscribe(t.Context(), d.token(member, program.Care, program.Email)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	history := d.history(member)
	if len(history) < 25 {
		t.Errorf("only %d were written", len(history))
	}
	for i, one := range history {
		if int(one.Sequence) != len(history)-i {
			t.Errorf("number %d stands at %d of %d", one.Sequence, i, len(history))
		}
		if older := i + 1; older < len(history) && history[older].Source == one.Source && history[older].Granted == one.Granted {
			t.Errorf("%s is said twice in a row", one.Source)
		}
	}
	want := []string{}
	if history[0].Granted {
		want = []string{"CARE EMAIL"}
	}
	same(t, "allowed", want, d.allowed(member))
}

// What is withdrawn is not sent any more, also if it waited already, and nothing else is held back.
func TestSetConsent_Complaint3_WhatWaitsIsNotSent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada, eve := d.enroll("ada"), d.enroll("eve")
	withdrawn := d.waits(ada, program.Marketing, program.Email)
	kept := []id.Message{
		d.waits(ada, program.Marketing, program.Webhook), d.waits(ada, program.Care, program.Email),
		d.waits(ada, program.Service, program.Email), d.waits(eve, program.Marketing, program.Email),
	}
	d.say(ada, program.Marketing, program.Email, true)
	same(t, "allowed", "QUEUED It is sent as soon as a sender takes it.", d.status(withdrawn))
	d.say(ada, program.Marketing, program.Email, false)
	same(t, "withdrawn", "SUPPRESSED Not sent because the member does not allow messages of the class MARKETING by e-mail.", d.status(withdrawn))
	for _, one := range kept {
		same(t, "kept", "QUEUED It is sent as soon as a sender takes it.", d.status(one))
	}
}

// Complaint 4: nobody can prove who agreed to what, where and to which words (listmonk #1106, #1329; keila #575), and what was
// said is written over (SuiteCRM #5549).
func TestConsent_Complaint4_Proof(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	member, version := d.enroll("ada"), "2026-02"
	_, err := d.care.SetConsent(d.as(member), care.SetConsentInput{
		Class: program.Marketing, Channel: program.Email, Granted: true, Source: "app, sign-up", TextVersion: &version,
	})
	d.must(err)
	agreed := d.Now().UTC()
	d.Clock.Advance(time.Hour)
	_, err = d.care.Unsubscribe(t.Context(), d.token(member, program.Marketing, program.Email))
	d.must(err)
	same(t, "history", []*care.Consent{
		{Member: member.ID, Sequence: 2, Class: program.Marketing, Channel: program.Email, Since: agreed.Add(time.Hour),
			Source: "one-click unsubscribe", By: "link:" + member.ID.String()},
		{Member: member.ID, Sequence: 1, Class: program.Marketing, Channel: program.Email, Granted: true, Since: agreed,
			Source: "app, sign-up", TextVersion: &version, By: "test|ada"},
	}, d.history(member), cmpopts.EquateApproxTime(time.Microsecond))
	for _, statement := range []string{`update consents set granted = true`, `delete from consents`, `truncate consents`} {
		if _, err := d.DB.Exec(d.Admin, statement); err == nil {
			t.Errorf("%s is not refused", statement)
		}
	}
}
