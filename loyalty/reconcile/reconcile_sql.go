package reconcile

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
)

// Rows of a batch are read by the range of its member ids, ($1, $2], in the order of their primary keys.

type memberRow struct {
	ID         id.Member `db:"id"`
	Number     string    `db:"number"`
	ExternalID *string   `db:"external_id"`
	Email      *string   `db:"email"`
	Phone      *string   `db:"phone"`
	JoinedAt   time.Time `db:"joined_at"`
	// ReferralCode is what the member gives to those it invites.
	ReferralCode string `db:"referral_code"`
}

type activityRow struct {
	Member     id.Member `db:"member_id"`
	Sequence   int64     `db:"sequence"`
	Type       string    `db:"type"`
	Source     string    `db:"source"`
	ExternalID string    `db:"external_id"`
	OccurredAt time.Time `db:"occurred_at"`
	RecordedAt time.Time `db:"recorded_at"`
	Total      *int64    `db:"total"`
	Purchase   *int64    `db:"purchase_sequence"`
}

type evaluationRow struct {
	Member     id.Member `db:"member_id"`
	Sequence   int64     `db:"sequence"`
	Points     int64     `db:"points"`
	Qualifying int64     `db:"qualifying"`
	Outcomes   []byte    `db:"outcomes"`
}

type lotRow struct {
	Member      id.Member  `db:"member_id"`
	Sequence    int64      `db:"sequence"`
	Points      int64      `db:"points"`
	Remaining   int64      `db:"remaining"`
	EarnedAt    time.Time  `db:"earned_at"`
	AvailableAt *time.Time `db:"available_at"`
	ExpiresAt   *time.Time `db:"expires_at"`
	Open        bool       `db:"open"`
}

type drawRow struct {
	Member   id.Member `db:"member_id"`
	Entry    int64     `db:"entry_sequence"`
	Lot      int64     `db:"lot_sequence"`
	Points   int64     `db:"points"`
	PostedBy int64     `db:"posted_by"`
}

type debtRow struct {
	Member    id.Member `db:"member_id"`
	Sequence  int64     `db:"sequence"`
	Points    int64     `db:"points"`
	Remaining int64     `db:"remaining"`
	Open      bool      `db:"open"`
}

type holdRow struct {
	Member   id.Member         `db:"member_id"`
	Sequence int64             `db:"sequence"`
	Points   int64             `db:"points"`
	PlacedAt time.Time         `db:"placed_at"`
	EndsAt   time.Time         `db:"ends_at"`
	Status   ledger.HoldStatus `db:"status"`
	ClosedAt *time.Time        `db:"closed_at"`
	Entry    *int64            `db:"entry_sequence"`
	Open     bool              `db:"open"`
	// Draws is a list of pairs: a lot's number and points.
	Draws []byte `db:"draws"`
}

type confirmationRow struct {
	Member     id.Member `db:"member_id"`
	Sequence   int64     `db:"sequence"`
	Activity   int64     `db:"activity_sequence"`
	RecordedAt time.Time `db:"recorded_at"`
}

// soldRow is a purchase's lines together.
type soldRow struct {
	Member   id.Member `db:"member_id"`
	Sequence int64     `db:"sequence"`
	Lines    int64     `db:"lines"`
	Amount   int64     `db:"amount"`
}

// returnedRow is a line that came back, with what was sold on it; nil if there is no such line.
type returnedRow struct {
	Member       id.Member       `db:"member_id"`
	Sequence     int64           `db:"sequence"`
	Purchase     int64           `db:"purchase_sequence"`
	Line         int             `db:"line"`
	Quantity     value.Quantity  `db:"quantity"`
	Amount       int64           `db:"amount"`
	SoldQuantity *value.Quantity `db:"sold_quantity"`
	SoldAmount   *int64          `db:"sold_amount"`
}

type activityKeyRow struct {
	Hash     uuid.UUID `db:"hash"`
	Member   id.Member `db:"member_id"`
	Sequence *int64    `db:"sequence"`
}

type memberKey struct {
	Kind  string `db:"kind"`
	Value string `db:"value"`
}

type memberKeyRow struct {
	memberKey
	Member id.Member `db:"member_id"`
}

const (
	selectAccounts = `
		select member_id, sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, joined_at, tier_id, tier_since,
			tier_earned_id, tier_valid_until, tier_grace_until, tier_coming_id, tier_coming_at, tier_floor_id, tier_floor_until, review_at,
			ladder_version, qualifying, qualifying_until
		from accounts where member_id > $1 and member_id <= $2 order by member_id`
	selectActivities = `
		select member_id, sequence, type, source, external_id, occurred_at, recorded_at, total, purchase_sequence
		from activities where member_id > $1 and member_id <= $2 order by member_id, sequence`
	selectEvaluations = `
		select member_id, sequence, points, qualifying, outcomes
		from evaluations where member_id > $1 and member_id <= $2 order by member_id, sequence`
	selectEntries = `
		select member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, activity_sequence, adjustment_id,
			reverses, rule_id, rule_version, basis, qualifying, qualifies_at, expires_at, available_at, lapsed, shortfall,
			hold_sequence, operation_id
		from entries where member_id > $1 and member_id <= $2 order by member_id, sequence`
	selectLots = `
		select member_id, sequence, points, remaining, earned_at, available_at, expires_at, open
		from lots where member_id > $1 and member_id <= $2 order by member_id, sequence`
	selectDraws = `
		select member_id, entry_sequence, lot_sequence, points, posted_by
		from draws where member_id > $1 and member_id <= $2 order by member_id, entry_sequence, lot_sequence`
	selectDebts = `
		select member_id, sequence, points, remaining, open
		from debts where member_id > $1 and member_id <= $2 order by member_id, sequence`
	selectHolds = `
		select holds.member_id, holds.sequence, holds.points, holds.placed_at, holds.ends_at, holds.status, holds.closed_at,
			holds.entry_sequence, holds.open,
			(select coalesce(jsonb_agg(jsonb_build_array(lot_sequence, points) order by lot_sequence), '[]') from hold_draws
				where hold_draws.member_id = holds.member_id and hold_draws.hold_sequence = holds.sequence) as draws
		from holds where member_id > $1 and member_id <= $2 order by member_id, sequence`
	selectConfirmations = `
		select member_id, sequence, activity_sequence, recorded_at
		from confirmations where member_id > $1 and member_id <= $2 order by member_id, sequence`
	selectMoves = `
		select member_id, sequence, at, recorded_at, from_tier_id, reason, to_tier_id, earned_tier_id, valid_until, grace_until,
			coming_tier_id, coming_at, floor_tier_id, floor_until, ladder_version
		from tier_moves where member_id > $1 and member_id <= $2 order by member_id, sequence`
	selectAdjustments = `
		select id, member_id, status, entry_sequence, points, reason, expires_at, requested_at, requested_by, reviewed_at, reviewed_by,
			review_note, reversed_at, reversed_by, reversal_reason, reversal_sequence
		from adjustments where member_id > $1 and member_id <= $2 order by member_id, id`
	selectSold = `
		select member_id, sequence, count(*) as lines, sum(amount)::bigint as amount
		from purchase_lines where member_id > $1 and member_id <= $2
		group by member_id, sequence order by member_id, sequence`
	selectReturned = `
		select returned.member_id, returned.sequence, returned.purchase_sequence, returned.line, returned.quantity,
			returned.amount, sold.quantity as sold_quantity, sold.amount as sold_amount
		from return_lines as returned
		left join purchase_lines as sold on sold.member_id = returned.member_id
			and sold.sequence = returned.purchase_sequence and sold.line = returned.line
		where returned.member_id > $1 and returned.member_id <= $2
		order by returned.member_id, returned.sequence, returned.line`
)

func countMembers(ctx context.Context, tx *postgres.Tx) (int, error) {
	var members int
	err := tx.Get(ctx, &members, `select count(*) from members`)
	return members, err
}

func selectMembers(ctx context.Context, tx *postgres.Tx, after id.Member, limit int) ([]memberRow, error) {
	var members []memberRow
	err := tx.Select(ctx, &members, `
		select id, number, external_id, email, phone, joined_at, referral_code from members where id > $1 order by id limit $2`, after, limit)
	return members, err
}

func selectActivityKeys(ctx context.Context, tx *postgres.Tx, hashes []uuid.UUID) ([]activityKeyRow, error) {
	var keys []activityKeyRow
	err := tx.Select(ctx, &keys, `select hash, member_id, sequence from activity_keys where hash = any($1::uuid[])`,
		pq.StringArray(id.Texts(hashes)))
	return keys, err
}

func selectMemberKeys(ctx context.Context, tx *postgres.Tx, wanted []memberKey) ([]memberKeyRow, error) {
	kinds, err := postgres.Array(wanted, func(key memberKey) string { return key.Kind })
	if err != nil {
		return nil, err
	}
	values, err := postgres.Array(wanted, func(key memberKey) string { return key.Value })
	if err != nil {
		return nil, err
	}
	var keys []memberKeyRow
	err = tx.Select(ctx, &keys, `
		select member_keys.kind, member_keys.value, member_keys.member_id
		from unnest($1::text[], $2::text[]) as wanted (kind, value)
		join member_keys on member_keys.kind = wanted.kind and member_keys.value = wanted.value`, kinds, values)
	return keys, err
}

// strayKey is a key that should not be; Key names it without telling what a person is known by.
type strayKey struct {
	Key    string    `db:"key"`
	Member id.Member `db:"member_id"`
	// Value and Email are of a member's e-mail key, whose case the database may fold differently.
	Value string  `db:"value"`
	Email *string `db:"email"`
}

// The statements of strays join whole tables: the database does it on its disk, and only strays come here.

func eachStrayActivityKey(ctx context.Context, tx *postgres.Tx, visit func(strayKey)) error {
	return each(ctx, tx, visit, `
		select activity_keys.hash::text as key, activity_keys.member_id, '' as value, null as email
		from activity_keys
		left join activities on activities.member_id = activity_keys.member_id and activities.sequence = activity_keys.sequence
		where activities.member_id is null
			and not (activity_keys.sequence is null and exists (select from waiting_returns where waiting_returns.hash = activity_keys.hash))
		union all
		-- A return that waits has its key, and its purchase is not there.
		select 'of a waiting return ' || waiting_returns.hash, purchase.member_id, '', null
		from waiting_returns
		left join activity_keys as own on own.hash = waiting_returns.hash and own.sequence is null
		left join activity_keys as purchase on purchase.hash = waiting_returns.purchase_hash
		where own.hash is null or purchase.sequence is not null
		union all
		select min(hash::text), member_id, '', null
		from activity_keys
		where sequence is not null
		group by member_id, sequence
		having count(*) > 1`)
}

func eachStrayMemberKey(ctx context.Context, tx *postgres.Tx, visit func(strayKey)) error {
	return each(ctx, tx, visit, `
		select member_keys.kind as key, member_keys.member_id, member_keys.value,
			case when member_keys.kind = 'EMAIL' then members.email end as email
		from member_keys
		left join members on members.id = member_keys.member_id
		where members.id is null or member_keys.value is distinct from case member_keys.kind
			when 'NUMBER' then members.number
			when 'EXTERNAL_ID' then members.external_id
			when 'PHONE' then members.phone
			when 'REFERRAL_CODE' then members.referral_code
			else lower(members.email)
		end`)
}

func each(ctx context.Context, tx *postgres.Tx, visit func(strayKey), statement string) error {
	rows, err := tx.Rows(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var stray strayKey
		if err := rows.StructScan(&stray); err != nil {
			return err
		}
		visit(stray)
	}
	return rows.Err()
}

// selectPromoted tells whether everything is posted that changes of the ladder have done.
func selectPromoted(ctx context.Context, tx *postgres.Tx) (bool, error) {
	var promoted bool
	err := tx.Get(ctx, &promoted, `select not exists (select from ladders where promoted_at is null)`)
	return promoted, err
}

// selectRange reads the rows of a range of members.
func selectRange[T any](ctx context.Context, tx *postgres.Tx, statement string, after, through id.Member) ([]T, error) {
	var rows []T
	err := tx.Select(ctx, &rows, statement, after, through)
	return rows, err
}
