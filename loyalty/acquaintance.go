package loyalty

import (
	"context"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// AcquaintancesTx returns those of the members that exist as a receipt shows them: without what others know them by, and without
// anything to reach them with. It does not authorize.
func (s *Service) AcquaintancesTx(ctx context.Context, q postgres.Runner, wanted []id.Member) (map[id.Member]*Member, error) {
	rows, err := selectMembers(ctx, q, wanted)
	found := make(map[id.Member]*Member, len(rows))
	for i := range rows {
		rows[i].withhold()
		found[rows[i].ID] = &rows[i]
	}
	return found, err
}
