package graph

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/vikstrous/dataloadgen"

	"regulars/care"
	"regulars/club"
	"regulars/internal/id"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/referral"
	"regulars/loyalty/reward"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// A loader gathers what other fields of the same level ask for: for so long, and so much at most. The fields of a long
// list take a few milliseconds to ask, so it is loaded in several parts; waiting longer would slow the short ones.
const (
	loadWait  = time.Millisecond
	loadBatch = 1000
)

// loaders fetch objects by id for all fields that want one, in one statement. They remember, so each root field of a
// mutation has its own: what it answers is what it left behind.
type loaders struct {
	members     *dataloadgen.Loader[id.Member, *loyalty.Member]
	activities  *dataloadgen.Loader[id.Activity, *loyalty.Activity]
	evaluations *dataloadgen.Loader[id.Activity, *rules.Evaluation]
	entries     *dataloadgen.Loader[id.Entry, *ledger.Entry]
	rewards     *dataloadgen.Loader[id.Reward, *reward.Reward]
	redeemable  *dataloadgen.Loader[*reward.Reward, *reward.Redeemability]
	names       *dataloadgen.Loader[id.Entry, *string]
	gifts       *dataloadgen.Loader[id.Adjustment, *bool]
	events      *dataloadgen.Loader[id.Event, *club.Event]
	occurrences *dataloadgen.Loader[id.Occurrence, *club.Occurrence]
	organizers  *dataloadgen.Loader[*club.Event, *[]string]
	*clubLoaders
	*careLoaders
	holdOf    *dataloadgen.Loader[*ledger.Entry, *ledger.Hold]
	budgets   *dataloadgen.Loader[id.Rule, *int64]
	explainer func() (*loyalty.Explainer, error)
	viewer    func() (*loyalty.Member, error)

	service     *loyalty.Service
	catalog     *reward.Service
	referrals   *referral.Service
	club        *club.Service
	eventDates  keyed[id.Event, club.OccurrenceConnection]
	redemptions keyed[id.Member, reward.RedemptionConnection]
	holds       keyed[id.Member, loyalty.HoldConnection]
	histories   keyed[id.Member, loyalty.PointsEntryConnection]
	balances    keyed[id.Member, loyalty.PointsBalance]
	expirations keyed[id.Member, loyalty.Expirations]
	standings   keyed[id.Member, loyalty.TierStanding]
	careers     keyed[id.Member, loyalty.TierHistoryConnection]
	campaigns   *dataloadgen.Loader[id.Campaign, *care.Counts]
	summaries   *dataloadgen.Loader[id.Member, *referral.Summary]
	referred    keyed[id.Member, referral.Connection]
}

// clubLoaders fetch what is booked.
type clubLoaders struct {
	bookable       *dataloadgen.Loader[*club.Occurrence, *club.Bookability]
	viewerBookings *dataloadgen.Loader[id.Occurrence, *club.Booking]
	lapsedSeats    *dataloadgen.Loader[id.Occurrence, *int]
	doors          *dataloadgen.Loader[*club.Occurrence, *club.Door]
	lines          *dataloadgen.Loader[*club.Occurrence, *[]*club.Booking]
	places         *dataloadgen.Loader[*club.Booking, *club.Place]
	tickets        *dataloadgen.Loader[*club.Booking, *string]
	attendees      *dataloadgen.Loader[*club.Booking, *loyalty.Member]
	attendeeTiers  *dataloadgen.Loader[*club.Booking, *tiers.Tier]
	calendars      *dataloadgen.Loader[id.Member, *string]
	roomBookings   keyed[*club.Occurrence, club.BookingConnection]
	memberBookings keyed[id.Member, club.BookingConnection]
}

func newClubLoaders(events *club.Service) *clubLoaders {
	return &clubLoaders{
		bookable:       loader(events.Bookabilities),
		viewerBookings: loader(events.ViewerBookings),
		lapsedSeats:    loader(events.LapsedSeats),
		doors:          loader(events.Doors),
		lines:          loader(events.Lines),
		places:         loader(events.Places),
		tickets:        loader(events.Tickets),
		attendees:      loader(events.Attendees),
		attendeeTiers:  loader(events.AttendeeTiers),
		calendars:      loader(events.CalendarURLs),
	}
}

func newLoaders(ctx context.Context, services Services) *loaders {
	service, catalog, referrals, events := services.Loyalty, services.Rewards, services.Referrals, services.Club
	return &loaders{
		members:     loader(service.Members),
		activities:  loader(service.Activities),
		evaluations: loader(service.Evaluations),
		entries:     loader(service.Entries),
		rewards:     loader(catalog.RewardsByID),
		redeemable:  loader(catalog.Redeemabilities),
		names:       loader(catalog.Names),
		gifts:       loader(service.Gifts),
		events:      loader(events.EventsByID),
		occurrences: loader(events.OccurrencesByID),
		organizers:  loader(events.Organizers),
		clubLoaders: newClubLoaders(events),
		careLoaders: newCareLoaders(services.Care),
		holdOf:      loader(service.HoldsOfEntries),
		budgets:     loader(service.BudgetsUsed),
		explainer:   sync.OnceValues(func() (*loyalty.Explainer, error) { return service.Explainer(ctx) }),
		viewer:      sync.OnceValues(func() (*loyalty.Member, error) { return service.Viewer(ctx) }),
		service:     service,
		catalog:     catalog,
		referrals:   referrals,
		campaigns:   loader(services.Care.Counts),
		summaries:   loader(referrals.Summaries),
		club:        events,
	}
}

// history is a page of a member's entries.
func (l *loaders) history(ctx context.Context, member id.Member, filter ledger.Filter, first *int, after *string) (*loyalty.PointsEntryConnection, error) {
	return l.histories.load(ctx, member, []any{filter, first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*loyalty.PointsEntryConnection, error) {
		return l.service.Histories(ctx, members, filter, first, after)
	})
}

// held is a page of a member's holds.
func (l *loaders) held(ctx context.Context, member id.Member, open *bool, first *int, after *string) (*loyalty.HoldConnection, error) {
	return l.holds.load(ctx, member, []any{open, first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*loyalty.HoldConnection, error) {
		return l.service.Holds(ctx, members, open, first, after)
	})
}

// balance is what a member owns at an instant, nil: now.
func (l *loaders) balance(ctx context.Context, member id.Member, asOf *time.Time) (*loyalty.PointsBalance, error) {
	return l.balances.load(ctx, member, asOf, func(ctx context.Context, members []id.Member) (map[id.Member]*loyalty.PointsBalance, error) {
		return l.service.Balances(ctx, members, asOf)
	})
}

// standing is where a member stands at an instant, nil: now.
func (l *loaders) standing(ctx context.Context, member id.Member, asOf *time.Time) (*loyalty.TierStanding, error) {
	return l.standings.load(ctx, member, asOf, func(ctx context.Context, members []id.Member) (map[id.Member]*loyalty.TierStanding, error) {
		standings, err := l.service.Standings(ctx, members, asOf)
		if err != nil || len(standings) == len(members) {
			return standings, err
		}
		// Whoever meets members at an event sees where they stand.
		met, err := l.club.AttendeeStandings(ctx, members, asOf)
		maps.Copy(met, standings)
		return met, err
	})
}

// tierHistory is a page of how a member came to stand where it does.
func (l *loaders) tierHistory(ctx context.Context, member id.Member, first *int, after *string) (*loyalty.TierHistoryConnection, error) {
	return l.careers.load(ctx, member, []any{first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*loyalty.TierHistoryConnection, error) {
		return l.service.TierHistories(ctx, members, first, after)
	})
}

// keyed is loaders of what takes arguments beside an id: what is asked for with the same ones comes in one statement.
type keyed[K comparable, V any] struct {
	mutex   sync.Mutex
	loaders map[string]*dataloadgen.Loader[K, *V]
}

func (k *keyed[K, V]) load(ctx context.Context, key K, arguments any, fetch func(context.Context, []K) (map[K]*V, error)) (*V, error) {
	asked, err := json.Marshal(arguments)
	if err != nil {
		return nil, err
	}
	k.mutex.Lock()
	one, ok := k.loaders[string(asked)]
	if !ok {
		if k.loaders == nil {
			k.loaders = map[string]*dataloadgen.Loader[K, *V]{}
		}
		one = loader(fetch)
		k.loaders[string(asked)] = one
	}
	k.mutex.Unlock()
	return one.Load(ctx, key)
}

// loader makes one of a use case that answers many ids at once; what it leaves out is absent or invisible, and nil.
func loader[K comparable, V any](fetch func(context.Context, []K) (map[K]*V, error)) *dataloadgen.Loader[K, *V] {
	return dataloadgen.NewLoader(func(ctx context.Context, keys []K) ([]*V, []error) {
		found, err := fetch(ctx, keys)
		values := make([]*V, len(keys))
		errs := make([]error, len(keys))
		for i, key := range keys {
			values[i], errs[i] = found[key], err
		}
		return values, errs
	}, dataloadgen.WithWait(loadWait), dataloadgen.WithBatchCapacity(loadBatch))
}

type loadersKey struct{}

func withLoaders(ctx context.Context, services Services) context.Context {
	return context.WithValue(ctx, loadersKey{}, newLoaders(ctx, services))
}

// load returns the loaders of the operation under way, which the handler has put there.
func load(ctx context.Context) *loaders {
	return ctx.Value(loadersKey{}).(*loaders)
}
