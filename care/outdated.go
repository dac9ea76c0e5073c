package care

import (
	"context"
	"strings"
	"time"

	"regulars/care/occasion"
	"regulars/internal/postgres"
)

// outdated tells whether what a message tells is not so any more: its event was moved or canceled, its points were spent, its tier
// is kept or lost. Dates of birth and the like stay.
func (s *Service) outdated(ctx context.Context, message *Message) (bool, error) {
	about := &found{
		campaign: &Campaign{Occasion: message.Occasion},
		// What lies ahead of the member is over when it is too late to tell of it.
		candidate: &candidate{Member: message.Member, At: &message.SendBefore},
	}
	about.Subject = strings.TrimPrefix(message.OccasionKey, prefix(message.Occasion))
	about.home.Zone = time.UTC
	switch list, gone := []*found{about}, map[*found]bool{}; message.Occasion {
	case occasion.TierAtRisk:
		err := s.confirmAtRisk(ctx, list, gone)
		return gone[about], err
	case occasion.PointsExpiring:
		err := s.confirmExpiring(ctx, list, gone)
		return gone[about], err
	case occasion.TierReached, occasion.EventReminder, occasion.EventThanks:
		err := s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
			var err error
			list, err = s.confirm(ctx, tx, list)
			return err
		})
		return len(list) == 0, err
	case occasion.Birthday, occasion.MembershipAnniversary, occasion.Holiday, occasion.Welcome, occasion.WinBack:
	}
	return false, nil
}
