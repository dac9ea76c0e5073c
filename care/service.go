// Package care is what members are told: greetings, thanks and what they need to know, each once, on time where they live, and
// only what they allow.
//
// A [Campaign] says what is said on an occasion. An occasion of a member becomes one [Message] for each channel, decided once:
// queued, deferred, or suppressed with a reason that somebody can read. Senders hand over what is queued. Every exported method
// of Service is one use case and asks first who is calling.
package care

import (
	"time"

	"regulars/care/occasion"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/loyalty"
)

// What care shares with the settings of the program and with the pure core.
type (
	// Class is what kind of message something is.
	Class = program.MessageClass
	// Channel is the way that a message takes.
	Channel = program.Channel
	// Occasion is a kind of occasion.
	Occasion = occasion.Kind
)

// Service is the care of one database. It is safe for concurrent use.
type Service struct {
	db      *postgres.DB
	loyalty *loyalty.Service
	keys    *identity.SigningKeys
	// publicURL is where members find what mails link to, without a slash at the end.
	publicURL string
}

// New returns the care over the database of program, which signs its links with keys and is reached at publicURL, without a
// slash at the end.
func New(db *postgres.DB, program *loyalty.Service, keys *identity.SigningKeys, publicURL string) *Service {
	return &Service{db: db, loyalty: program, keys: keys, publicURL: publicURL}
}

// now is the instant of a reading, as transactions have theirs.
func (s *Service) now() time.Time {
	return s.db.Now().UTC().Truncate(time.Microsecond)
}
