package outbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
)

var instant = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newDatabase(t *testing.T) *postgres.DB {
	t.Helper()
	return pgtest.NewAt(t, func() time.Time { return instant })
}

func numbered(member id.Member, entry int64) outbox.Notice {
	return outbox.Notice{Member: member, Payload: outbox.PointsExpired{Entry: entry, Points: 1, ExpiredAt: instant}}
}

func put(t *testing.T, db *postgres.DB, notices ...outbox.Notice) {
	t.Helper()
	if err := db.InTx(t.Context(), func(tx *postgres.Tx) error { return outbox.PutTx(t.Context(), tx, notices) }); err != nil {
		t.Fatal(err)
	}
}

// read returns what a consumer is given next.
func read(t *testing.T, db *postgres.DB, consumer string, limit int) []outbox.Notice {
	t.Helper()
	var given []outbox.Notice
	count, err := outbox.Consume(t.Context(), db, consumer, limit, func(_ context.Context, _ *postgres.Tx, notices []outbox.Notice) error {
		given = notices
		return nil
	})
	if err != nil || count != len(given) {
		t.Fatalf("%d of %d notices: %v", count, len(given), err)
	}
	return given
}

// entries are the numbers in notices that numbered made.
func entries(notices []outbox.Notice) []int64 {
	numbers := []int64{}
	for _, notice := range notices {
		numbers = append(numbers, notice.Payload.(outbox.PointsExpired).Entry)
	}
	return numbers
}

func expect(t *testing.T, what string, notices []outbox.Notice, want ...int64) {
	t.Helper()
	if difference := cmp.Diff(append([]int64{}, want...), entries(notices)); difference != "" {
		t.Errorf("%s (-want +got):\n%s", what, difference)
	}
}

// Every payload comes back as it was put, in the order in which it was put.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	member, from, to, later := id.New[id.Member](), id.New[id.Tier](), id.New[id.Tier](), instant.Add(time.Hour)
	want := []outbox.Notice{
		{Member: member, Payload: outbox.PointsEarned{Entry: 2, Points: 5, OccurredAt: instant, AvailableAt: &instant, ExpiresAt: &later}},
		{Member: member, Payload: outbox.PointsEarned{Entry: 3, Points: 5, OccurredAt: instant}},
		{Member: member, Payload: outbox.PointsRedeemed{Entry: 4, Points: 9, OccurredAt: instant}},
		{Member: member, Payload: outbox.PointsExpiring{Points: 1, ExpiresAt: later}},
		{Member: member, Payload: outbox.PointsExpired{Entry: 5, Points: 1, ExpiredAt: later}},
		{Member: member, Payload: outbox.TierChanged{To: from, At: instant, Reason: "ENROLLED"}},
		{Member: member, Payload: outbox.TierChanged{From: &from, To: to, At: instant, ValidUntil: &later, Reason: "REACHED"}},
		{Member: member, Payload: outbox.RedemptionChanged{Redemption: 6, Status: outbox.RedemptionUsed, At: instant}},
		{Payload: outbox.PointsExpiring{Points: 2, ExpiresAt: later}},
	}
	put(t, db, want...)
	for i := range want {
		want[i].ID, want[i].RecordedAt = int64(i+1), instant
	}
	if difference := cmp.Diff(want, read(t, db, "all", 100)); difference != "" {
		t.Error(difference)
	}
}

func TestPutTx_Nothing(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	put(t, db)
	expect(t, "of nothing", read(t, db, "all", 10))
}

// Each consumer has its own place, and reads on from it by pages.
func TestConsume_Places(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	member := id.New[id.Member]()
	expect(t, "before all", read(t, db, "early", 2))
	put(t, db, numbered(member, 1), numbered(member, 2), numbered(member, 3))
	expect(t, "first page", read(t, db, "early", 2), 1, 2)
	put(t, db, numbered(member, 4))
	expect(t, "up to the fence", read(t, db, "early", 2), 3)
	expect(t, "behind it", read(t, db, "early", 2), 4)
	expect(t, "at the end", read(t, db, "early", 2))
	expect(t, "whoever comes late", read(t, db, "late", 4), 1, 2, 3, 4)
}

// What was rolled back is not read and stands in nobody's way.
func TestConsume_RolledBack(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	member, failure := id.New[id.Member](), errors.New("no")
	roll := func(entry int64) {
		t.Helper()
		if err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
			return errors.Join(outbox.PutTx(t.Context(), tx, []outbox.Notice{numbered(member, entry)}), failure)
		}); !errors.Is(err, failure) {
			t.Fatal(err)
		}
	}
	roll(1)
	expect(t, "alone", read(t, db, "all", 1))
	roll(2)
	put(t, db, numbered(member, 3))
	roll(4)
	expect(t, "among others", read(t, db, "all", 9), 3)
	put(t, db, numbered(member, 5))
	expect(t, "behind", read(t, db, "all", 9), 5)
}

// Work that fails has done nothing and is given the same again.
func TestConsume_Failure(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	if _, err := db.Exec(t.Context(), `create table effects (entry bigint)`); err != nil {
		t.Fatal(err)
	}
	put(t, db, numbered(id.New[id.Member](), 1))
	failure := errors.New("no")
	for _, fails := range []error{failure, nil} {
		count, err := outbox.Consume(t.Context(), db, "all", 10, func(ctx context.Context, tx *postgres.Tx, notices []outbox.Notice) error {
			_, err := tx.Exec(ctx, `insert into effects values ($1)`, entries(notices)[0])
			return errors.Join(err, fails)
		})
		if want := map[bool]int{true: 1, false: 0}[fails == nil]; !errors.Is(err, fails) || count != want {
			t.Errorf("%d, %v", count, err)
		}
	}
	expect(t, "then", read(t, db, "all", 10))
	var effects int
	if err := db.Get(t.Context(), &effects, `select count(*) from effects`); err != nil || effects != 1 {
		t.Errorf("%d effects, %v", effects, err)
	}
}

// What work puts is read by the next one, by the same consumer, too.
func TestConsume_WorkPuts(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	member := id.New[id.Member]()
	put(t, db, numbered(member, 1))
	if _, err := outbox.Consume(t.Context(), db, "all", 10, func(ctx context.Context, tx *postgres.Tx, _ []outbox.Notice) error {
		return outbox.PutTx(ctx, tx, []outbox.Notice{numbered(member, 2)})
	}); err != nil {
		t.Fatal(err)
	}
	expect(t, "next", read(t, db, "all", 10), 2)
	expect(t, "another consumer", read(t, db, "other", 10), 1, 2)
}

// Of several that are the same consumer one works and the others go away at once. Other consumers work meanwhile, on what
// is put meanwhile, too.
func TestConsume_OneAtATime(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	member := id.New[id.Member]()
	put(t, db, numbered(member, 1))
	count, err := outbox.Consume(t.Context(), db, "all", 10, func(context.Context, *postgres.Tx, []outbox.Notice) error {
		put(t, db, numbered(member, 2))
		expect(t, "the same consumer", read(t, db, "all", 10))
		expect(t, "another consumer", read(t, db, "other", 10), 1, 2)
		return nil
	})
	if err != nil || count != 1 {
		t.Fatalf("%d, %v", count, err)
	}
	expect(t, "the same consumer, later", read(t, db, "all", 10), 2)
}

// A notice that a newer program wrote waits for it, and so does what is behind.
func TestConsume_Unknown(t *testing.T) {
	t.Parallel()
	for _, shape := range []string{`'points.burned', 1`, `'points.expired', 2`} {
		db := newDatabase(t)
		put(t, db, numbered(id.New[id.Member](), 1))
		if _, err := db.Exec(t.Context(), `insert into notices (type, version, payload, recorded_at) select `+shape+`, '{}', recorded_at from notices`); err != nil {
			t.Fatal(err)
		}
		expect(t, "before it", read(t, db, "all", 1), 1)
		_, err := outbox.Consume(t.Context(), db, "all", 1, func(context.Context, *postgres.Tx, []outbox.Notice) error {
			t.Errorf("%s was given to work", shape)
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "read notice 2: a newer program wrote it") {
			t.Errorf("%s: %v", shape, err)
		}
	}
}

// In a cluster that the database was restored into, numbers of transactions begin anew.
func TestConsume_Restored(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	member := id.New[id.Member]()
	put(t, db, numbered(member, 1), numbered(member, 2), numbered(member, 3))
	expect(t, "before", read(t, db, "all", 1), 1)
	if changed, err := db.Exec(t.Context(), `update notice_consumers set fence_transaction = '900000000000'`); err != nil || changed != 1 {
		t.Fatal(changed, err)
	}
	put(t, db, numbered(member, 4))
	expect(t, "restored", read(t, db, "all", 10), 2, 3, 4)
}

func TestPrune(t *testing.T) {
	t.Parallel()
	now := instant
	db := pgtest.NewAt(t, func() time.Time { return now })
	member := id.New[id.Member]()
	for number := range int64(4) {
		put(t, db, numbered(member, number+1))
		now = now.Add(24 * time.Hour)
	}
	// More than one statement deletes at once.
	many := make([]outbox.Notice, 2500)
	for i := range many {
		many[i] = numbered(member, 5)
	}
	put(t, db, many...)
	prune := func(before time.Time, want int) {
		t.Helper()
		if deleted, err := outbox.Prune(t.Context(), db, before); err != nil || deleted != want {
			t.Errorf("%d were deleted, want %d (%v)", deleted, want, err)
		}
	}
	expect(t, "slow", read(t, db, "slow", 2), 1, 2)
	expect(t, "fast", read(t, db, "fast", 3), 1, 2, 3)
	prune(instant, 0)
	prune(instant.Add(time.Microsecond), 1)
	prune(now.Add(time.Hour), 1)
	expect(t, "slow reads on", read(t, db, "slow", 2), 3, 4)
	for len(read(t, db, "slow", 1000)) > 0 {
	}
	for len(read(t, db, "fast", 1000)) > 0 {
	}
	prune(now, 2)
	prune(now.Add(time.Hour), 2500)
	put(t, db, numbered(member, 6))
	expect(t, "slow, at the end", read(t, db, "slow", 2), 6)
}

// What nobody reads is kept no longer than what everybody has read.
func TestPrune_WithoutConsumers(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	put(t, db, numbered(id.New[id.Member](), 1))
	if deleted, err := outbox.Prune(t.Context(), db, instant.Add(time.Microsecond)); err != nil || deleted != 1 {
		t.Errorf("%d were deleted (%v)", deleted, err)
	}
}
