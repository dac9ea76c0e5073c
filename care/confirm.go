package care

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"regulars/care/occasion"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
)

// told is what a message tells of an occasion, besides its date.
type told struct {
	tier      string
	points    int64
	expiresOn *value.Date
	event     string
	startsAt  *value.LocalDateTime
	venue     string
}

// confirm leaves out what is no longer so, and finds out what is told of the rest.
func (s *Service) confirm(ctx context.Context, tx *postgres.Tx, list []*found) ([]*found, error) {
	of := map[Occasion][]*found{}
	for _, one := range list {
		of[one.campaign.Occasion] = append(of[one.campaign.Occasion], one)
	}
	gone := map[*found]bool{}
	for kind, some := range of {
		var err error
		switch kind {
		case occasion.TierReached:
			err = s.confirmReached(ctx, tx, some, gone)
		case occasion.TierAtRisk:
			err = s.confirmAtRisk(ctx, some, gone)
		case occasion.PointsExpiring:
			err = s.confirmExpiring(ctx, some, gone)
		case occasion.EventReminder, occasion.EventThanks:
			err = confirmBooked(ctx, tx, some, gone)
		case occasion.Birthday, occasion.MembershipAnniversary, occasion.Holiday, occasion.Welcome, occasion.WinBack:
		}
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(list, func(one *found) bool { return gone[one] }), nil
}

// confirmReached leaves out tiers that are not held any more.
func (s *Service) confirmReached(ctx context.Context, tx *postgres.Tx, list []*found, gone map[*found]bool) error {
	held, err := s.loyalty.HeldUntilTx(ctx, tx, members(list))
	for _, one := range list {
		tier, ok := held[one.Member]
		one.told.tier = tier.Name
		if tier.Until != nil {
			one.told.expiresOn = lastDay(*tier.Until, one.home.Zone)
		}
		gone[one] = !ok || tier.ID != id.ParseTier(begins(one.Subject))
	}
	return err
}

// confirmAtRisk leaves out tiers that will be kept. What it reads is not in the transaction: members' standings take a
// snapshot of their own.
func (s *Service) confirmAtRisk(ctx context.Context, list []*found, gone map[*found]bool) error {
	standings, err := s.loyalty.AcquaintanceStandings(ctx, members(list), nil)
	for _, one := range list {
		standing := standings[one.Member]
		if standing == nil || standing.Keep == nil || standing.ValidUntil == nil || !standing.ValidUntil.Equal(*one.At) {
			gone[one] = true
			continue
		}
		one.told.tier, one.told.points, one.told.expiresOn = standing.Tier.Name, standing.Keep.Missing, lastDay(*one.At, one.home.Zone)
	}
	return err
}

// confirmExpiring leaves out points that were spent, or that lapse later than was thought.
func (s *Service) confirmExpiring(ctx context.Context, list []*found, gone map[*found]bool) error {
	owned, err := s.loyalty.Expirations(ctx, members(list), nil)
	for _, one := range list {
		one.told.expiresOn = lastDay(*one.At, one.home.Zone)
		if all := owned[one.Member]; all != nil {
			for _, lapsing := range all.Expiring(announced) {
				if lapsing.At.Equal(*one.At) {
					one.told.points += lapsing.Points
				}
			}
		}
		// What has lapsed was there, and it is too late to tell.
		gone[one] = one.told.points == 0 && one.At.After(s.now())
	}
	return err
}

// announced is how long before they lapse points are announced at the earliest, with some room for months and zones.
var announced = value.Period{Days: 62}

// lastDay is the day that ends at, or holds, an instant before which something counts.
func lastDay(at time.Time, zone *time.Location) *value.Date {
	day := value.DateOf(at.Add(-time.Microsecond).In(zone))
	return &day
}

// begins is the id with which a subject begins.
func begins(subject string) string {
	first, _, _ := strings.Cut(subject, ":")
	return first
}

// confirmBooked finds out about the events of bookings, and leaves out those whose bookings are not there any more.
func confirmBooked(ctx context.Context, tx *postgres.Tx, list []*found, gone map[*found]bool) error {
	wanted := make([]uuid.UUID, len(list))
	for i, one := range list {
		var err error
		if wanted[i], err = uuid.Parse(begins(one.Subject)); err != nil {
			return fmt.Errorf("read the booking of an occasion: %w", err)
		}
	}
	booked, err := selectBooked(ctx, tx, wanted)
	for i, one := range list {
		event, ok := booked[wanted[i]]
		if !ok || one.campaign.Occasion == occasion.EventThanks && event.Status != "ATTENDED" ||
			one.campaign.Occasion == occasion.EventReminder && (!event.Expected || !event.StartsAt.Equal(*one.At)) {
			gone[one] = true
			continue
		}
		one.told.event, one.told.startsAt = event.Name, &event.StartsLocal
		if event.Venue != nil {
			one.told.venue = *event.Venue
		}
	}
	return err
}
