package club

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// At returns the service with the address at which people and apps reach the program, without a slash at the end.
func (s *Service) At(publicURL string) *Service {
	moved := *s
	moved.publicURL = publicURL
	return &moved
}

// ClubCalendarURL is the address of ClubFeed.
func (s *Service) ClubCalendarURL() string { return s.publicURL + "/calendar/club.ics" }

// EventCalendarURL is the address of an event's EventFeed.
func (s *Service) EventCalendarURL(event id.Event) string {
	return s.publicURL + "/calendar/event/" + event.String() + ".ics"
}

// OccurrenceCalendarURL is the address of an occurrence's OccurrenceFile.
func (s *Service) OccurrenceCalendarURL(occurrence id.Occurrence) string {
	return s.publicURL + "/calendar/occurrence/" + occurrence.String() + ".ics"
}

// SetCalendarLinkInput says what becomes of the secret address of the calling member's feed.
type SetCalendarLinkInput struct {
	// Active tells whether there is a new one; false: there is none any more.
	Active bool
}

// CalendarLink is the secret address of a member's feed. It is shown once: only a hash of its secret is kept.
type CalendarLink struct {
	Member *loyalty.Member
	// URL is nil if there is none.
	URL *string
}

// SetCalendarLink makes a secret address of the feed of what the calling member has booked, or ends it. One that it had before
// is good for nothing any more. For members that have enrolled. Problems: UNKNOWN_MEMBER.
func (s *Service) SetCalendarLink(ctx context.Context, input SetCalendarLinkInput) (*CalendarLink, error) {
	caller, err := actor.Require(ctx, actor.Member)
	if err != nil {
		return nil, err
	}
	member, err := s.loyalty.Viewer(ctx)
	if err != nil {
		return nil, err
	}
	if member == nil {
		return nil, problem.At(problem.UnknownMember, nil, "You have not enrolled yet.")
	}
	link := &CalendarLink{Member: member}
	token := newToken()
	if input.Active {
		url := s.publicURL + "/calendar/member/" + token + ".ics"
		link.URL = &url
	}
	return link, s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if input.Active {
			err = upsertLink(ctx, tx, member.ID, hash(token))
		} else {
			err = deleteLink(ctx, tx, member.ID)
		}
		if err != nil {
			return err
		}
		// That it was done is recorded, not the secret.
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "setCalendarLink", Object: member.ID.String(), After: map[string]any{"active": input.Active},
		})
	})
}

func newToken() string {
	secret := make([]byte, 32)
	// It never fails: the program ends before.
	_, _ = rand.Read(secret)
	return base64.RawURLEncoding.EncodeToString(secret)
}

func hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// MemberFeed returns what the member booked whose secret address has this token, nil if there is none: dates that it comes
// or came to, and those that were canceled lately. It is for everybody who knows the address.
func (s *Service) MemberFeed(ctx context.Context, token string) ([]byte, error) {
	members, err := selectLinked(ctx, s.db, hash(token))
	if err != nil || len(members) == 0 {
		return nil, err
	}
	dates, err := s.booked(ctx, s.db, members[0], s.now().Add(-keptCanceled))
	if err != nil {
		return nil, err
	}
	return s.dates(ctx, dates, calendarName)
}
