package graph

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/vikstrous/dataloadgen"

	"regulars/internal/id"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
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
	balances    *dataloadgen.Loader[id.Member, *loyalty.PointsBalance]
	lots        *dataloadgen.Loader[id.Member, *loyalty.OpenLots]
	standings   *dataloadgen.Loader[id.Member, *loyalty.TierStanding]
	activities  *dataloadgen.Loader[id.Activity, *loyalty.Activity]
	evaluations *dataloadgen.Loader[id.Activity, *rules.Evaluation]
	entries     *dataloadgen.Loader[id.Entry, *ledger.Entry]
	explainer   func() (*loyalty.Explainer, error)
	viewer      func() (*loyalty.Member, error)

	service *loyalty.Service
	// histories are loaders of the same page for many members, by what was asked of the page.
	histories map[string]*dataloadgen.Loader[id.Member, *loyalty.PointsEntryConnection]
	mutex     sync.Mutex
}

func newLoaders(ctx context.Context, service *loyalty.Service) *loaders {
	return &loaders{
		members:     loader(service.Members),
		balances:    loader(service.Balances),
		lots:        loader(service.OpenLots),
		standings:   loader(service.Standings),
		activities:  loader(service.Activities),
		evaluations: loader(service.Evaluations),
		entries:     loader(service.Entries),
		explainer:   sync.OnceValues(func() (*loyalty.Explainer, error) { return service.Explainer(ctx) }),
		viewer:      sync.OnceValues(func() (*loyalty.Member, error) { return service.Viewer(ctx) }),
		service:     service,
		histories:   map[string]*dataloadgen.Loader[id.Member, *loyalty.PointsEntryConnection]{},
	}
}

// history is a page of a member's entries; the same page of all members that ask for it comes in one statement.
func (l *loaders) history(ctx context.Context, member id.Member, filter ledger.Filter, first *int, after *string) (*loyalty.PointsEntryConnection, error) {
	asked, err := json.Marshal([]any{filter, first, after})
	if err != nil {
		return nil, err
	}
	l.mutex.Lock()
	histories, ok := l.histories[string(asked)]
	if !ok {
		histories = loader(func(ctx context.Context, members []id.Member) (map[id.Member]*loyalty.PointsEntryConnection, error) {
			return l.service.Histories(ctx, members, filter, first, after)
		})
		l.histories[string(asked)] = histories
	}
	l.mutex.Unlock()
	return histories.Load(ctx, member)
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

func withLoaders(ctx context.Context, service *loyalty.Service) context.Context {
	return context.WithValue(ctx, loadersKey{}, newLoaders(ctx, service))
}

// load returns the loaders of the operation under way, which the handler has put there.
func load(ctx context.Context) *loaders {
	return ctx.Value(loadersKey{}).(*loaders)
}
