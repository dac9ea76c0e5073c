package care

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/program"
)

// Where members say by links of mails what they allow.
const (
	oneClickSource = "one-click unsubscribe"
	pageSource     = "preference page"
)

// linkCaller is before the id of the member under which what a link did is recorded: whoever has the mail has the link.
const linkCaller = "link:"

// Preference is whether a member allows messages of a class on a channel.
type Preference struct {
	Class   Class
	Channel Channel
	Allowed bool
}

// Preferences is what the pages show to which the links in a mail lead: nothing that tells who the member is.
type Preferences struct {
	// Program is its name, Locale the member's.
	Program string
	Locale  string
	// Class and Channel are of the message in which the link stands. Needed tells that such messages need no consent, which
	// nobody can withdraw then.
	Class   Class
	Channel Channel
	Needed  bool
	// All are those that need consent, by class and channel.
	All []Preference
}

// Preferences returns what the member allows in one of whose mails the token stands, nil if it is none or not good any more. It
// changes nothing. It is for everybody who has the token, like everything that a token does.
func (s *Service) Preferences(ctx context.Context, token string) (*Preferences, error) {
	link, err := s.readLink(ctx, token)
	if link == nil || err != nil {
		return nil, err
	}
	shown, err := link.preferences(ctx, s.db)
	if shown == nil || err != nil {
		return nil, err
	}
	consents, err := selectConsents(ctx, s.db, []id.Member{link.Member})
	allowed := make(map[consentTopic]bool, len(consents))
	for _, one := range consents {
		allowed[consentTopic{one.Class, one.Channel}] = one.Granted
	}
	return shown.of(func(about consentTopic) bool { return allowed[about] }), err
}

// Unsubscribe withdraws the member's consent to messages of the class and channel of the one in which the token stands, and to
// nothing else (RFC 8058). Again it changes nothing, and so it does for a class that needs no consent. It returns what is allowed
// then, nil if the token is none or not good any more.
func (s *Service) Unsubscribe(ctx context.Context, token string) (*Preferences, error) {
	return s.follow(ctx, token, oneClickSource, func(link *linkToken, _ *consentBook) []Preference {
		if !asksConsent(link.Class, link.Channel) {
			return nil
		}
		return []Preference{{Class: link.Class, Channel: link.Channel}}
	})
}

// SavePreferences records what the member has changed on a page that showed its Preferences, and returns what is allowed then,
// nil if the token is none or not good any more. What is not in changed stays as it is, also where it is not as the page showed
// it; a class and channel that need no consent are left out.
func (s *Service) SavePreferences(ctx context.Context, token string, changed []Preference) (*Preferences, error) {
	return s.follow(ctx, token, pageSource, func(_ *linkToken, book *consentBook) []Preference {
		var said []Preference
		for _, about := range consentTopics() {
			for _, one := range changed {
				if (consentTopic{one.Class, one.Channel}) == about && one.Allowed != book.allows(about) {
					said = append(said, one)
					break
				}
			}
		}
		return said
	})
}

// UnsubscribeFromAll withdraws all that the member allows, and returns what is allowed then, nil if the token is none or not good
// any more.
func (s *Service) UnsubscribeFromAll(ctx context.Context, token string) (*Preferences, error) {
	return s.follow(ctx, token, pageSource, func(_ *linkToken, book *consentBook) []Preference {
		var said []Preference
		for _, about := range consentTopics() {
			if book.allows(about) {
				said = append(said, Preference{Class: about.class, Channel: about.channel})
			}
		}
		return said
	})
}

// follow records what say makes of the token's link, in one transaction.
func (s *Service) follow(ctx context.Context, token, source string, say func(*linkToken, *consentBook) []Preference) (*Preferences, error) {
	link, err := s.readLink(ctx, token)
	if link == nil || err != nil {
		return nil, err
	}
	var shown *Preferences
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if shown, err = link.preferences(ctx, tx); shown == nil || err != nil {
			return err
		}
		book, err := openConsents(ctx, tx, link.Member)
		if err != nil {
			return err
		}
		var said []Consent
		for _, one := range say(link, book) {
			said = append(said, Consent{
				Class: one.Class, Channel: one.Channel, Granted: one.Allowed, Source: source, By: linkCaller + link.Member.String(),
			})
		}
		_, err = book.record(ctx, tx, said)
		shown = shown.of(book.allows)
		return err
	})
	return shown, err
}

// readLink returns what a token holds, nil if it is none or not good any more.
func (s *Service) readLink(ctx context.Context, token string) (*linkToken, error) {
	payload, err := s.keys.Verify(ctx, linkPurpose, token)
	if errors.Is(err, identity.ErrSignature) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var link linkToken
	if err := json.Unmarshal(payload, &link); err != nil {
		return nil, fmt.Errorf("read a link of a message: %w", err)
	}
	return &link, nil
}

// preferences is what the link's pages show besides what is allowed, nil: there is no such member.
func (l *linkToken) preferences(ctx context.Context, q postgres.Runner) (*Preferences, error) {
	locale, err := selectLocale(ctx, q, l.Member)
	if locale == nil || err != nil {
		return nil, err
	}
	settings, err := program.Load(ctx, q)
	return &Preferences{
		Program: settings.Name, Locale: *locale, Class: l.Class, Channel: l.Channel, Needed: !asksConsent(l.Class, l.Channel),
	}, err
}

// of fills in what is allowed.
func (p *Preferences) of(allows func(consentTopic) bool) *Preferences {
	p.All = nil
	for _, about := range consentTopics() {
		p.All = append(p.All, Preference{Class: about.class, Channel: about.channel, Allowed: allows(about)})
	}
	return p
}
