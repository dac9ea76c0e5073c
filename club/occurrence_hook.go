package club

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// moved asks those booked on occurrences that were moved to confirm anew. The occurrences are locked.
func (s *Service) moved(_ context.Context, _ *postgres.Tx, _ []id.Occurrence) error { return nil }

// capacityRaised offers seats to who waits for occurrences that have more of them now. The occurrences are locked.
func (s *Service) capacityRaised(_ context.Context, _ *postgres.Tx, _ []id.Occurrence) error {
	return nil
}

// hostCanceled cancels all live bookings of occurrences that do not take place any more, and tells whoever had one. The
// occurrences are locked.
func (s *Service) hostCanceled(_ context.Context, _ *postgres.Tx, _ []id.Occurrence, _ string) error {
	return nil
}

// seated returns the ids of the bookings that hold seats of an occurrence, as the API shows them, oldest first. The occurrence
// is locked.
func (s *Service) seated(_ context.Context, _ *postgres.Tx, _ id.Occurrence) ([]string, error) {
	return []string{}, nil
}

// booked returns the occurrences that a member has a live booking of, and those of bookings that its host canceled since an
// instant.
func (s *Service) booked(_ context.Context, _ postgres.Runner, _ id.Member, _ time.Time) ([]id.Occurrence, error) {
	return nil, nil
}
