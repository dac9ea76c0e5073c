package club

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/identity"
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

// linkPurpose is what addresses of members' calendars are signed for: the typ of the signature.
const linkPurpose = "calendar"

// linkToken is what the secret address of a member's calendar holds, signed: it is reckoned, and nothing of it is kept but
// which one is good.
type linkToken struct {
	Member id.Member `json:"m"`
	// Generation is how many addresses the member had before.
	Generation int `json:"g"`
}

// link is what is kept of a member's calendar's address. Who never changed it has the first one.
type link struct {
	Member     id.Member `db:"member_id"`
	Generation int       `db:"generation"`
	Active     bool      `db:"active"`
}

// SetCalendarLinkInput says what becomes of the secret address of the calling member's feed.
type SetCalendarLinkInput struct {
	// Active tells whether there is a new one; false: there is none any more.
	Active bool
}

// SetCalendarLink makes another secret address of the feed of what the calling member has booked, or ends it. One that it had
// before is good for nothing any more. For members that have enrolled. Problems: UNKNOWN_MEMBER.
func (s *Service) SetCalendarLink(ctx context.Context, input SetCalendarLinkInput) (*loyalty.Member, error) {
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
	return member, s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := upsertLink(ctx, tx, member.ID, input.Active); err != nil {
			return err
		}
		// That it was done is recorded, not the secret.
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "setCalendarLink", Object: member.ID.String(), After: map[string]any{"active": input.Active},
		})
	})
}

// CalendarURLs returns of those of the members that call the secret address of their MemberFeed: every member has one until it
// ends it. It is the same until the member changes it or the signing keys are rotated; the one from before a rotation is
// good until its key is retired. For everybody who has signed in.
func (s *Service) CalendarURLs(ctx context.Context, members []id.Member) (map[id.Member]*string, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	viewer, err := s.loyalty.Viewer(ctx)
	if err != nil || viewer == nil || !slices.Contains(members, viewer.ID) {
		return nil, err
	}
	own, err := selectLink(ctx, s.db, viewer.ID)
	if err != nil || !own.Active {
		return nil, err
	}
	payload, err := json.Marshal(linkToken{Member: own.Member, Generation: own.Generation})
	if err != nil {
		return nil, err
	}
	token, err := s.keys.Sign(ctx, linkPurpose, payload)
	if err != nil {
		return nil, fmt.Errorf("sign the address of a calendar: %w", err)
	}
	url := s.publicURL + "/calendar/member/" + token + ".ics"
	return map[id.Member]*string{viewer.ID: &url}, nil
}

// MemberFeed returns what the member booked whose secret address has this token, nil if it is none or not good any more: dates
// that it comes or came to, and those that were canceled lately. It is for everybody who knows the address.
func (s *Service) MemberFeed(ctx context.Context, token string) ([]byte, error) {
	payload, err := s.keys.Verify(ctx, linkPurpose, token)
	if errors.Is(err, identity.ErrSignature) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var shown linkToken
	if err := json.Unmarshal(payload, &shown); err != nil {
		return nil, fmt.Errorf("read the address of a calendar: %w", err)
	}
	own, err := selectLink(ctx, s.db, shown.Member)
	if err != nil || !own.Active || own.Generation != shown.Generation {
		return nil, err
	}
	dates, err := s.booked(ctx, s.db, own.Member, s.now().Add(-keptCanceled))
	if err != nil {
		return nil, err
	}
	return s.dates(ctx, dates, calendarName)
}
