// Package club is what members do together: events, when they take place, and who comes.
//
// An Event is what it is and the plan of its dates; an Occurrence is one date, with its seats. Every exported method of
// Service is one use case and one transaction, and asks first who is calling. An organizer has the events that it owns and
// those shared with it; of any other it hears what it would hear of one that does not exist.
package club

import (
	"time"

	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/loyalty"
)

// Service is the club of one database. It is safe for concurrent use.
type Service struct {
	db      *postgres.DB
	loyalty *loyalty.Service
	keys    *identity.SigningKeys
	// publicURL is where calendars find their feeds.
	publicURL string
}

// New returns the club over the database of program, which signs its tickets with keys.
func New(db *postgres.DB, program *loyalty.Service, keys *identity.SigningKeys) *Service {
	return &Service{db: db, loyalty: program, keys: keys}
}

// now is the instant of a reading, as transactions have theirs.
func (s *Service) now() time.Time {
	return s.db.Now().UTC().Truncate(time.Microsecond)
}
