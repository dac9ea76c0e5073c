package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
)

// checkRedemptions compares each redemption with the entry that paid for it, the one that gave the points back, and the code
// under which its voucher is found.
func (b *books) checkRedemptions() {
	entries := map[int64]*ledger.Entry{}
	for i := range b.entries {
		// What holds captured and gave back is none.
		if entry := &b.entries[i]; entry.HoldSequence == nil && (entry.Kind == ledger.Redemption || entry.Kind == ledger.RedemptionCancel) {
			entries[entry.Sequence] = entry
		}
	}
	for _, one := range b.redemptions {
		paid, ok := entries[one.Sequence]
		if !ok || paid.Kind != ledger.Redemption {
			b.expect(Redemptions, "redemptions", one.Sequence, "entry that paid for it", "one", "none")
			continue
		}
		delete(entries, one.Sequence)
		b.expect(Redemptions, "entries", paid.Sequence, "operation_id", one.ID, paid.OperationID)
		b.expect(Redemptions, "entries", paid.Sequence, "recorded_at", one.RedeemedAt, paid.RecordedAt)
		b.expect(Redemptions, "entries", paid.Sequence, "qualifying", int64(0), paid.Qualifying)
		if !one.RewardExists {
			b.expect(Redemptions, "redemptions", one.Sequence, "reward", "one", "none")
		}
		b.expect(Redemptions, "redemptions", one.Sequence, "code under which its voucher is found", one.Code, one.FoundBy)
		if one.CanceledAt == nil {
			continue
		}
		b.expect(Redemptions, "redemptions", one.Sequence, "used_at of what was canceled", nil, one.UsedAt)
		given, ok := entries[*one.CancelSequence]
		if !ok || given.Kind != ledger.RedemptionCancel {
			b.expect(Redemptions, "redemptions", one.Sequence, "entry that gave its points back", "one", "none")
			continue
		}
		delete(entries, given.Sequence)
		b.expect(Redemptions, "entries", given.Sequence, "reverses", one.Sequence, given.ReversesSequence)
		b.expect(Redemptions, "entries", given.Sequence, "points", -paid.Points, given.Points)
		b.expect(Redemptions, "entries", given.Sequence, "recorded_at", *one.CanceledAt, given.RecordedAt)
	}
	for sequence := range entries {
		b.expect(Redemptions, "entries", sequence, "redemption", "one", "none")
	}
}

type redemptionRow struct {
	Member         id.Member  `db:"member_id"`
	Sequence       int64      `db:"sequence"`
	ID             uuid.UUID  `db:"id"`
	RedeemedAt     time.Time  `db:"redeemed_at"`
	UsedAt         *time.Time `db:"used_at"`
	CanceledAt     *time.Time `db:"canceled_at"`
	CancelSequence *int64     `db:"cancel_sequence"`
	RewardExists   bool       `db:"reward_exists"`
	Code           *string    `db:"voucher_code"`
	// FoundBy is Code if that leads here.
	FoundBy *string `db:"found_by"`
}

const selectRedemptions = `
	select redemptions.member_id, redemptions.sequence, redemptions.id, redemptions.redeemed_at, redemptions.used_at,
		redemptions.canceled_at, redemptions.cancel_sequence, redemptions.voucher_code, voucher_codes.code as found_by,
		exists (select from rewards where rewards.id = redemptions.reward_id) as reward_exists
	from redemptions
	left join voucher_codes on voucher_codes.code = redemptions.voucher_code and voucher_codes.member_id = redemptions.member_id
		and voucher_codes.sequence = redemptions.sequence
	where redemptions.member_id > $1 and redemptions.member_id <= $2
	order by redemptions.member_id, redemptions.sequence`

// vouchers lists codes that lead to no voucher.
func (c *check) vouchers(ctx context.Context, tx *postgres.Tx) error {
	var rows []struct {
		Member   id.Member `db:"member_id"`
		Sequence int64     `db:"sequence"`
	}
	if err := tx.Select(ctx, &rows, `
		select voucher_codes.member_id, voucher_codes.sequence
		from voucher_codes
		left join redemptions on redemptions.member_id = voucher_codes.member_id
			and redemptions.sequence = voucher_codes.sequence and redemptions.voucher_code = voucher_codes.code
		where redemptions.id is null`); err != nil {
		return fmt.Errorf("look for stray voucher codes: %w", err)
	}
	for _, row := range rows {
		c.report.Add(Difference{
			Member: row.Member.String(), Kind: Redemptions, Row: fmt.Sprintf("voucher_codes of redemption %d", row.Sequence),
			What: "code of no voucher", Expected: "none", Found: "one",
		})
	}
	return nil
}

// supplies compares how many of each reward are taken with its redemptions.
func (c *check) supplies(ctx context.Context, tx *postgres.Tx) error {
	var rows []struct {
		ID       id.Reward `db:"id"`
		Taken    int64     `db:"taken"`
		Redeemed int64     `db:"redeemed"`
	}
	if err := tx.Select(ctx, &rows, `
		select rewards.id, rewards.taken, coalesce(counted.redeemed, 0) as redeemed
		from rewards
		left join (
			select reward_id, count(*) as redeemed from redemptions where from_supply and canceled_at is null group by reward_id
		) as counted on counted.reward_id = rewards.id
		where rewards.taken <> coalesce(counted.redeemed, 0)
		order by rewards.id`); err != nil {
		return fmt.Errorf("count what is taken of rewards: %w", err)
	}
	for _, row := range rows {
		c.report.Add(Difference{
			Kind: Stock, Row: "rewards " + row.ID.String(), What: "taken", Expected: show(row.Redeemed), Found: show(row.Taken),
		})
	}
	return nil
}
