package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// online is the server as its clients reach it.
type online struct {
	url  string
	http *http.Client
	// number makes keys that were never used.
	number atomic.Int64
}

func (w *world) connect(url string) {
	w.url = url + "/graphql"
	w.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: maximumClients, DisableCompression: true}}
}

// caller is one client: it has a key and a connection of its own, and waits for each answer before it asks again.
type caller struct {
	*world
	key    string
	random *rand.Rand
}

// member is one of the members, all of them alike.
func (c *caller) member() string { return externalID(1 + c.random.IntN(c.Members)) }

// unique is a text that was never given out.
func (c *caller) unique() string { return fmt.Sprint(c.number.Add(1)) }

// ask sends an operation and returns the answer. One that says that anything is wrong is an error.
func (c *caller) ask(ctx context.Context, document string, variables any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+c.key)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	for _, wrong := range []string{`"errors":`, `"userErrors":[{`, `:null`} {
		if bytes.Contains(answer, []byte(wrong)) || response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("the server answered %s: %.1000s", response.Status, answer)
		}
	}
	return answer, nil
}

// sample is what a measurement of one round found.
type sample struct {
	perSecond float64
	// took is how long each operation took, sorted.
	took []time.Duration
	// peakMemory is how much memory the process had at most, in bytes; 0: nobody looked, or the system does not tell.
	peakMemory int64
}

// quantile is how long so many of 100 operations took at most, in milliseconds.
func (s sample) quantile(percent int) float64 {
	if len(s.took) == 0 {
		return 0
	}
	return float64(s.took[(len(s.took)-1)*percent/100].Nanoseconds()) / 1_000_000
}

// load has clients do work, again and again, until done says so, and then until each has its last answer.
func (w *world) load(ctx context.Context, clients int, work func(context.Context, *caller) error, done func(since time.Duration) bool) (sample, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	took := make([][]time.Duration, clients)
	var group sync.WaitGroup
	began := w.Clock.real()
	for i := range clients {
		one := &caller{world: w, key: w.keys[i], random: rand.New(rand.NewPCG(uint64(i), uint64(w.number.Add(1))))}
		group.Go(func() {
			for ctx.Err() == nil && !done(w.Clock.real().Sub(began)) {
				asked := w.Clock.real()
				if err := work(ctx, one); err != nil {
					cancel(err)
					return
				}
				took[i] = append(took[i], w.Clock.real().Sub(asked))
			}
		})
	}
	group.Wait()
	lasted := w.Clock.real().Sub(began)
	if err := context.Cause(ctx); err != nil {
		return sample{}, err
	}
	found := sample{took: slices.Concat(took...)}
	slices.Sort(found.took)
	found.perSecond = float64(len(found.took)) / lasted.Seconds()
	return found, nil
}
