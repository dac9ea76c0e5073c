package ledger

import (
	"context"
	"fmt"
	"slices"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
)

// TellTx puts notices that are about no points. It locks the accounts of their members first, which is what keeps a member's
// notices in order: the caller takes no other lock after it.
func TellTx(ctx context.Context, tx *postgres.Tx, notices []outbox.Notice) error {
	if len(notices) == 0 {
		return nil
	}
	members := make([]id.Member, len(notices))
	for i, notice := range notices {
		members[i] = notice.Member
	}
	slices.SortFunc(members, id.Compare)
	if _, err := lockAccounts(ctx, tx, slices.Compact(members)); err != nil {
		return fmt.Errorf("lock accounts: %w", err)
	}
	return outbox.PutTx(ctx, tx, notices)
}
