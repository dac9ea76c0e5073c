package care

import (
	"context"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/loyalty"
)

// maximumSource and maximumTextVersion bound what proves a consent, in characters.
const (
	maximumSource      = 200
	maximumTextVersion = 200
)

// Consent is what was said once of what a member allows. It never changes; the newest of a class and channel says how it is.
type Consent struct {
	Member id.Member `db:"member_id"`
	// Sequence counts what was said of the member, over all classes and channels.
	Sequence int64   `db:"sequence"`
	Class    Class   `db:"class"`
	Channel  Channel `db:"channel"`
	Granted  bool    `db:"granted"`
	// Since is when it was said, Source where.
	Since  time.Time `db:"at"`
	Source string    `db:"source"`
	// TextVersion is which words the member agreed to, nil: that was not said.
	TextVersion *string `db:"text_version"`
	// By is the caller that recorded it, "link:…" with the member's id for whoever opened a link of one of its mails.
	By string `db:"actor"`
}

// IsNode marks it as one of the API's nodes.
func (Consent) IsNode() {}

// Owner returns of whom it was said.
func (c *Consent) Owner() id.Member { return c.Member }

// ID names it for ever.
func (c *Consent) ID() id.Consent { return id.Consent{Member: c.Member, Sequence: c.Sequence} }

// asksConsent tells whether messages of a class need the member's consent on a channel: what it needs does not, and nothing
// does where it looks by itself.
func asksConsent(class Class, channel Channel) bool {
	return class != program.Service && channel != program.Inbox
}

// SetConsentInput says what a member allows, or does not.
type SetConsentInput struct {
	// Member is who said so, nil: the calling member.
	Member  *loyalty.MemberRef
	Class   Class
	Channel Channel
	Granted bool
	// Source is where it was said, in 1 to 200 characters.
	Source string
	// TextVersion is which words the member agreed to, in 1 to 200 characters; nil: not said.
	TextVersion *string
}

func (i SetConsentInput) check() error {
	var problems problem.Problems
	if i.Class == program.Service {
		problems.Add(problem.InvalidConsent, []string{"class"}, "Messages of the class SERVICE need no consent: they are sent whether allowed or not.")
	}
	if i.Channel == program.Inbox {
		problems.Add(problem.InvalidConsent, []string{"channel"}, "The inbox needs no consent: the member looks there by itself.")
	}
	if !loyalty.Within(i.Source, maximumSource) {
		problems.Add(problem.InvalidSource, []string{"source"}, "A source has 1 to %d characters.", maximumSource)
	}
	if i.TextVersion != nil && !loyalty.Within(*i.TextVersion, maximumTextVersion) {
		problems.Add(problem.InvalidConsent, []string{"textVersion"}, "A text's version has 1 to %d characters.", maximumTextVersion)
	}
	return problems.Err()
}

// SetConsent records what a member allows, and returns all that it last said, by class and channel. What was said last about
// the class and channel, from the same source and of the same text, is not recorded again. What is withdrawn holds at once:
// messages that wait are suppressed. A member says it of itself, support, admins and MembersWrite of anybody. Problems:
// UNKNOWN_MEMBER, INVALID_CONSENT, INVALID_SOURCE.
func (s *Service) SetConsent(ctx context.Context, input SetConsentInput) ([]*Consent, error) {
	caller, err := actor.Require(ctx, actor.Member, actor.Support, actor.Admin, actor.MembersWrite)
	if err != nil {
		return nil, err
	}
	var now []*Consent
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		member, err := s.loyalty.SubjectTx(ctx, tx, caller, input.Member, "member")
		if err != nil {
			return err
		}
		if err := input.check(); err != nil {
			return err
		}
		book, err := openConsents(ctx, tx, member.ID)
		if err != nil {
			return err
		}
		said := consentTopic{input.Class, input.Channel}
		before := book.last[said]
		recorded, err := book.record(ctx, tx, []Consent{{
			Class: input.Class, Channel: input.Channel, Granted: input.Granted, Source: input.Source, TextVersion: input.TextVersion,
			By: caller.Caller,
		}})
		if err != nil {
			return err
		}
		if recorded > 0 {
			change := audit.Change{Action: "setConsent", Object: member.ID.String(), After: book.last[said].change()}
			if before != nil {
				change.Before = before.change()
			}
			if err := audit.RecordTx(ctx, tx, caller, change); err != nil {
				return err
			}
		}
		now = book.newest()
		return nil
	})
	return now, err
}

// change is what of it stands among the changes of staff: the source is free text, which the history of consents holds.
func (c *Consent) change() map[string]any {
	return map[string]any{"class": c.Class, "channel": c.Channel, "granted": c.Granted}
}
