package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/reward"
)

const (
	currency = "USD"
	day      = 24 * time.Hour
	// What a job does is measured in parts, two in each round: alone, and beside purchases. Of the lots that lapse, each member
	// has so many for each part.
	parts       = 2 * rounds
	lotsOfPart  = 2
	maximumLots = 1_000_000
	// What the members that stand apart have at most.
	historyEntries = 100_000
	openLots       = 10_000
	maximumClients = 64
)

// The members that stand apart, by their external ids.
const (
	historian = "bench-historian"
	collector = "bench-collector"
)

// world is what is measured.
type world struct {
	*Bench
	db      *postgres.DB
	service *loyalty.Service
	rewards *reward.Service
	// start is what the clock shows when the measurements begin: midnight.
	start time.Time
	// lapsing is how many of the members have lots that lapse: those with the lowest numbers.
	lapsing int
	reward  id.Reward
	keys    []string
	// campaign greets on birthdays.
	campaign id.Campaign
	// after is the cursor of the page that is asked for deep in the history, of the number page.
	after *string
	page  int
	// environment leads pgbench to its copy.
	environment []string
	online
	filled, toFill int64
}

func externalID(number int) string { return fmt.Sprintf("bench-%d", number) }

// fill makes the club: what members did in the past year is recorded under a clock of then.
func (w *world) fill(ctx context.Context) error {
	w.lapsing = min(w.Members, maximumLots/(lotsOfPart*parts))
	collected := min(openLots, w.Members)
	w.toFill = int64(2*w.Members + parts*w.Members/due + w.lapsing*lotsOfPart*parts + collected)
	defer w.Clock.set(w.start)
	w.Clock.set(w.start.Add(-400 * day))
	if err := w.found(ctx); err != nil {
		return err
	}
	w.Clock.set(w.start.Add(-399 * day))
	if err := w.enroll(ctx); err != nil {
		return err
	}
	if err := w.fillTiers(ctx); err != nil {
		return fmt.Errorf("tiers: %w", err)
	}
	if err := record(ctx, w, w.Members, w.service.RecordPurchases, func(i int) loyalty.RecordPurchaseInput {
		w.Clock.set(w.bought(i))
		return loyalty.RecordPurchaseInput{
			Member: ref(externalID(i + 1)), Source: "bench-fill", ExternalID: fmt.Sprint("first-", i), OccurredAt: w.bought(i), Total: money("50000.00"),
		}
	}); err != nil {
		return fmt.Errorf("purchases: %w", err)
	}
	w.Clock.set(w.start.Add(-20 * day))
	visits := func(i int) loyalty.RecordActivityInput {
		part := i % (lotsOfPart * parts) / lotsOfPart
		return loyalty.RecordActivityInput{
			Member: ref(externalID(i/(lotsOfPart*parts) + 1)), Type: "VISIT", Source: "bench-fill", ExternalID: fmt.Sprint("visit-", i),
			OccurredAt: w.lapse(part).Add(-30 * day),
		}
	}
	if err := record(ctx, w, w.lapsing*lotsOfPart*parts, w.service.RecordActivities, visits); err != nil {
		return fmt.Errorf("visits: %w", err)
	}
	if err := record(ctx, w, collected, w.service.RecordActivities, func(i int) loyalty.RecordActivityInput {
		return loyalty.RecordActivityInput{
			Member: ref(collector), Type: "REVIEW", Source: "bench-fill", ExternalID: fmt.Sprint("review-", i),
			OccurredAt: w.start.Add(-time.Duration(20+i%280) * day),
		}
	}); err != nil {
		return fmt.Errorf("reviews: %w", err)
	}
	if err := w.fillHistory(ctx); err != nil {
		return fmt.Errorf("the long history: %w", err)
	}
	w.Clock.set(w.start.Add(-10 * day))
	if err := w.fillEvents(ctx); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if err := w.fillCare(ctx); err != nil {
		return fmt.Errorf("care: %w", err)
	}
	return settle(ctx, w.db)
}

// lapse is when the lots of a part lapse: a round takes three days.
func (w *world) lapse(part int) time.Time {
	return w.start.Add(time.Duration(part/2*3+part%2+1) * day)
}

// bought is when a member made the first purchase: they were last heard of on 200 different days.
func (w *world) bought(i int) time.Time {
	return w.start.Add(time.Duration(i*200/w.Members-300) * day)
}

// found makes the program's rules, tiers and reward, and the clients with their keys.
func (w *world) found(ctx context.Context) error {
	for i, tier := range []loyalty.TierInput{{Name: "Silver", Rank: 1, Threshold: 1000}, {Name: "Gold", Rank: 2, Threshold: 1_000_000}} {
		w.Clock.set(w.start.Add(-400*day + time.Duration(i)*time.Minute))
		if _, err := w.service.CreateTier(ctx, tier); err != nil {
			return err
		}
	}
	for _, rule := range []loyalty.EarningRuleInput{
		{
			Name: "1 point for every 1.00", Trigger: "PURCHASE", Qualifying: true, Priority: 3,
			Award: loyalty.AwardInput{PerAmount: &loyalty.PerAmountInput{Points: 1, Every: money("1.00"), Rounding: value.Floor}},
		},
		{
			Name: "A bag of beans", Trigger: "PURCHASE", Qualifying: true, Priority: 2, Award: fixed(5),
			Condition: text(`purchase.lines.exists(line, line.category == "Beans")`),
		},
		{Name: "A visit", Trigger: "VISIT", Award: fixed(10), ExpiresAfter: &value.Period{Days: 30}},
		{Name: "A review", Trigger: "REVIEW", Award: fixed(10), ExpiresAfter: &value.Period{Days: 365}},
	} {
		draft, err := w.service.CreateEarningRule(ctx, rule)
		if err != nil {
			return err
		}
		if _, err := w.service.PublishEarningRule(ctx, draft.Rule, nil, nil); err != nil {
			return err
		}
	}
	offered, err := w.rewards.CreateReward(ctx, reward.CreateRewardInput{Name: "A free drink", Kind: reward.Voucher, Cost: 10})
	if err != nil {
		return err
	}
	w.reward = offered.ID
	clients := identity.NewClients(w.db, slog.New(slog.DiscardHandler))
	for i := range maximumClients {
		_, key, err := clients.Create(ctx, identity.CreateClientInput{
			Name: fmt.Sprint("Bench ", i+1), Scopes: []actor.Scope{actor.PurchasesWrite, actor.MembersRead, actor.PointsRedeem, actor.CheckInWrite},
		})
		if err != nil {
			return err
		}
		w.keys = append(w.keys, key)
	}
	return nil
}

func (w *world) enroll(ctx context.Context) error {
	all := w.Members + 2
	for from := 0; from < all; from += loyalty.MaximumBatch {
		inputs := make([]loyalty.EnrollMemberInput, min(loyalty.MaximumBatch, all-from))
		for i := range inputs {
			name := externalID(from + i + 1)
			switch from + i {
			case w.Members:
				name = historian
			case w.Members + 1:
				name = collector
			}
			inputs[i] = loyalty.EnrollMemberInput{
				ExternalID: &name, DisplayName: text("A member"), Email: text(name + "@club.example"), BirthDate: w.born(from + i),
				JoinedAt: w.joined(from + i), IdempotencyKey: name,
			}
		}
		answers, err := w.service.Enroll(ctx, inputs)
		if err != nil {
			return fmt.Errorf("enroll: %w", err)
		}
		for _, answer := range answers {
			if err := refused(answer.UserErrors); err != nil {
				return fmt.Errorf("enroll: %w", err)
			}
		}
		w.advance(len(inputs))
	}
	return nil
}

// fillHistory gives the historian as many entries as ten per member, and finds the page that is asked for.
func (w *world) fillHistory(ctx context.Context) error {
	entries := min(historyEntries, 10*w.Members)
	posted, err := w.service.AdjustPoints(ctx, loyalty.AdjustPointsInput{
		Member: ref(historian), Points: historyEntries + 1, Reason: "To be spent", IdempotencyKey: historian,
	})
	if err != nil {
		return err
	}
	member := posted.Adjustment.Member
	if err := w.db.InTx(ctx, func(tx *postgres.Tx) error {
		return insertAdjustments(ctx, tx, member, entries-1)
	}); err != nil {
		return err
	}
	const size, most = 20, 1000
	w.page = max(min(most, entries/size), 1)
	for walked := 1; walked < w.page; {
		first := min(100, (w.page-walked)*size)
		found, err := w.service.Histories(ctx, []id.Member{member}, ledger.Filter{}, &first, w.after)
		if err != nil {
			return err
		}
		w.after = found[member].PageInfo.EndCursor
		walked += first / size
	}
	return nil
}

// record tells count facts in slices.
func record[T any](ctx context.Context, w *world, count int, tell func(context.Context, []T) ([]loyalty.Recorded, error), fact func(int) T) error {
	for from := 0; from < count; from += loyalty.MaximumBatch {
		inputs := make([]T, min(loyalty.MaximumBatch, count-from))
		for i := range inputs {
			inputs[i] = fact(from + i)
		}
		answers, err := tell(ctx, inputs)
		if err != nil {
			return err
		}
		for _, answer := range answers {
			if err := refused(answer.UserErrors); err != nil {
				return err
			}
		}
		w.advance(len(inputs))
	}
	return nil
}

func (w *world) advance(done int) {
	w.filled += int64(done)
	w.Progress("filling", w.filled, max(w.filled, w.toFill))
}

// refused is the error of something that the program would not take, which is a mistake of the bench.
func refused(problems []problem.UserError) error {
	var errs []error
	for _, one := range problems {
		errs = append(errs, one)
	}
	return errors.Join(errs...)
}

func ref(externalID string) loyalty.MemberRef { return loyalty.MemberRef{ExternalID: &externalID} }

func money(amount value.Decimal) value.MoneyInput {
	return value.MoneyInput{Amount: amount, Currency: currency}
}

func fixed(points int64) loyalty.AwardInput { return loyalty.AwardInput{Fixed: &points} }

func text(said string) *string { return &said }
