package care

import (
	"context"
	"time"

	"regulars/care/occasion"
	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

// ForgetMessages deletes so many messages that were decided before an instant and are done with, read or not, and as many
// happenings from before; it returns how many of both. Until then a message stands for its occasion: without it a member that
// changes its birth date would be greeted twice in a year. For the program itself.
func (s *Service) ForgetMessages(ctx context.Context, before time.Time, limit int) (int, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return 0, err
	}
	if !caller.Internal() {
		return 0, problem.Forbidden
	}
	var deleted int64
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		messages, err := deleteMessages(ctx, tx, before, limit)
		if err != nil {
			return err
		}
		happenings, err := deleteHappenings(ctx, tx, occasion.Kinds, before, limit)
		deleted = messages + happenings
		return err
	})
	return int(deleted), err
}
