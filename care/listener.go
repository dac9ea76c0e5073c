package care

import (
	"bytes"
	"context"
	"time"

	"regulars/care/occasion"
	"regulars/internal/id"
	"regulars/internal/program"
	"regulars/internal/value"
)

// contact is a message that a member got, or is about to get.
type contact struct {
	class   Class
	channel Channel
	key     string
	yearly  string
	// at is when it was or will be sent.
	at time.Time
}

// listener is a member as the contact policy sees it.
type listener struct {
	left bool
	// addressed tells on which channels the member can be reached.
	addressed map[Channel]bool
	refused   bool // a mail server refuses its address for good
	zone      *time.Location
	consents  map[consentTopic]bool
	contacts  []contact
	// decided are messages that were decided, also those that are not sent.
	decided map[decidedKey]bool
	// awaited are those of today that come later and go before others.
	awaited []awaited
}

// decidedKey is what a message is the only one for.
type decidedKey struct {
	key     string
	channel Channel
}

// awaited is a message that a member is to get today on an occasion of some priority.
type awaited struct {
	priority int
	class    Class
	channel  Channel
	day      value.Date
	key      string
}

// meet reads members as the policy sees them.
func (r *round) meet(ctx context.Context, wanted []id.Member) (map[id.Member]*person, map[id.Member]*listener, error) {
	rows, err := selectPeople(ctx, r.tx, wanted)
	if err != nil {
		return nil, nil, err
	}
	people, listeners := map[id.Member]*person{}, map[id.Member]*listener{}
	for _, one := range rows {
		people[one.Member] = one
		listeners[one.Member] = &listener{
			left: one.Status == left, zone: home(one.TimeZone, r.zone).Zone, consents: map[consentTopic]bool{},
			addressed: map[Channel]bool{}, decided: map[decidedKey]bool{},
		}
		for _, channel := range program.Channels {
			listeners[one.Member].addressed[channel] = reachable(channel, one.Email, one.Phone, one.ExternalID)
		}
	}
	held, err := selectRefusedAddresses(ctx, r.tx, wanted)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range held {
		// Who has named another address since is written to again.
		if email := people[one.Member].Email; email != nil && bytes.Equal(addressHash(*email), one.Hash) {
			listeners[one.Member].refused = true
		}
	}
	consents, err := selectConsents(ctx, r.tx, wanted)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range consents {
		listeners[one.Member].consents[consentTopic{one.Class, one.Channel}] = one.Granted
	}
	since := r.tx.Now.Add(-again)
	for _, limit := range r.settings.Care.Caps {
		if from := limit.Per.Before(r.tx.Now, time.UTC).AddDate(0, 0, -1); from.Before(since) {
			since = from
		}
	}
	contacts, err := selectContacts(ctx, r.tx, wanted, since)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range contacts {
		who := listeners[one.Member]
		who.decided[decidedKey{one.Key, one.Channel}] = true
		if !one.Counts {
			continue
		}
		who.contacts = append(who.contacts, contact{class: one.Class, channel: one.Channel, key: one.Key, yearly: yearly(one.Occasion, one.Key), at: one.At})
	}
	if len(r.settings.Care.Caps) > 0 {
		for _, one := range people {
			r.await(one, listeners[one.Member])
		}
	}
	return people, listeners, nil
}

// await finds what comes to a member today by its own dates and is not decided.
func (r *round) await(one *person, who *listener) {
	today := value.DateOf(r.tx.Now.In(who.zone))
	for _, campaign := range r.campaigns {
		if campaign.Occasion != occasion.Birthday && campaign.Occasion != occasion.MembershipAnniversary {
			continue
		}
		own := one.candidate
		own.settle(r.zone)
		located := campaign.locate(&own, r.settings, today)
		if located == nil || located.window.Day != today || located.window.Late(r.tx.Now) {
			continue
		}
		for _, channel := range campaign.Channels {
			reached := who.addressed[channel] && (channel != program.Email || !who.refused)
			allowed := !asksConsent(campaign.Class, channel) || who.consents[consentTopic{campaign.Class, channel}]
			if !who.decided[decidedKey{located.key, channel}] && reached && allowed {
				who.awaited = append(who.awaited, awaited{priority: campaign.priority(), class: campaign.Class, channel: channel, day: today, key: located.key})
			}
		}
	}
}
