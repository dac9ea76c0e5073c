package care

import (
	"cmp"
	"context"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
)

// consentTopic is what a consent is about.
type consentTopic struct {
	class   Class
	channel Channel
}

// consentTopics are all for which messages need the member's consent, by class and channel.
func consentTopics() []consentTopic {
	var asked []consentTopic
	for _, class := range program.MessageClasses {
		for _, channel := range program.Channels {
			if asksConsent(class, channel) {
				asked = append(asked, consentTopic{class, channel})
			}
		}
	}
	return asked
}

// consentBook is what a member last said of each topic, while nobody else says anything of it.
type consentBook struct {
	member id.Member
	last   map[consentTopic]*Consent
	// sequence is the last one, and at when that was said.
	sequence int64
	at       time.Time
}

// openConsents reads the member's consents, which do not change until the transaction ends.
func openConsents(ctx context.Context, tx *postgres.Tx, member id.Member) (*consentBook, error) {
	if err := lockConsents(ctx, tx, member); err != nil {
		return nil, err
	}
	consents, err := selectConsents(ctx, tx, []id.Member{member})
	if err != nil {
		return nil, err
	}
	book := &consentBook{member: member, last: make(map[consentTopic]*Consent, len(consents))}
	for i := range consents {
		one := &consents[i]
		book.last[consentTopic{one.Class, one.Channel}] = one
		if one.Sequence > book.sequence {
			book.sequence, book.at = one.Sequence, one.Since
		}
	}
	return book, nil
}

// allows tells whether the member allows messages about the topic.
func (b *consentBook) allows(about consentTopic) bool {
	last := b.last[about]
	return last != nil && last.Granted
}

// record writes what is said of the member, each of another topic, and suppresses what waits to be sent and is not allowed any
// more. What only says the last thing again, from the same source and of the same text, is left out; it returns how many are not.
func (b *consentBook) record(ctx context.Context, tx *postgres.Tx, said []Consent) (int, error) {
	// The clock of the server that spoke last may be ahead of this one's.
	if tx.Now.After(b.at) {
		b.at = tx.Now
	}
	recorded := 0
	for _, one := range said {
		about := consentTopic{one.Class, one.Channel}
		if last := b.last[about]; last != nil && last.says(one) {
			continue
		}
		b.sequence++
		one.Member, one.Sequence, one.Since = b.member, b.sequence, b.at
		if err := insertConsent(ctx, tx, one); err != nil {
			return 0, err
		}
		if !one.Granted {
			if err := suppressWaiting(ctx, tx, b.member, about); err != nil {
				return 0, err
			}
		}
		b.last[about] = &one
		recorded++
	}
	return recorded, nil
}

// says tells whether the other one says nothing else.
func (c *Consent) says(other Consent) bool {
	same := c.TextVersion == other.TextVersion || c.TextVersion != nil && other.TextVersion != nil && *c.TextVersion == *other.TextVersion
	return same && c.Granted == other.Granted && c.Source == other.Source
}

// newest is what the member last said, in the order of topics.
func (b *consentBook) newest() []*Consent {
	said := make([]*Consent, 0, len(b.last))
	for _, one := range b.last {
		said = append(said, one)
	}
	slices.SortFunc(said, byTopic)
	return said
}

func byTopic(a, b *Consent) int {
	return cmp.Or(
		cmp.Compare(slices.Index(program.MessageClasses, a.Class), slices.Index(program.MessageClasses, b.Class)),
		cmp.Compare(slices.Index(program.Channels, a.Channel), slices.Index(program.Channels, b.Channel)))
}
