package ratelimit_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"regulars/internal/ratelimit"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// clock stands until the test moves it.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func TestTake(t *testing.T) {
	t.Parallel()
	at := &clock{start}
	limiter := ratelimit.New(30, time.Minute, 3, at.now)
	for range 3 {
		if wait := limiter.Take("a", 1); wait != 0 {
			t.Fatalf("the stock has to be waited for: %v", wait)
		}
	}
	for range 5 {
		if wait := limiter.Take("a", 1); wait != 2*time.Second {
			t.Errorf("an empty stock is waited for %v, want 2s; asking in vain must cost nothing", wait)
		}
	}
	if wait := limiter.Take("b", 1); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	at.at = at.at.Add(2 * time.Second)
	if wait := limiter.Take("a", 1); wait != 0 {
		t.Errorf("the refilled stock is waited for %v", wait)
	}
	at.at = at.at.Add(time.Hour)
	for range 3 {
		limiter.Take("a", 1)
	}
	if wait := limiter.Take("a", 1); wait == 0 {
		t.Error("the stock grew beyond its burst")
	}
}

func TestTake_Several(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	limiter := ratelimit.New(1, time.Second, 3, func() time.Time { return now })
	if wait := limiter.Take("a", 2); wait != 0 {
		t.Errorf("two of three wait %v", wait)
	}
	if wait := limiter.Take("a", 3); wait != 2*time.Second {
		t.Errorf("three where one is left wait %v", wait)
	}
	if wait := limiter.Take("a", 1); wait != 0 {
		t.Errorf("what was refused took something: %v", wait)
	}
}

func TestCharge_Debt(t *testing.T) {
	t.Parallel()
	at := &clock{start}
	limiter := ratelimit.New(1, time.Second, 10, at.now)
	if wait := limiter.Wait("a"); wait != 0 {
		t.Errorf("a full stock is waited for %v", wait)
	}
	limiter.Charge("a", 25)
	for range 3 {
		if wait := limiter.Wait("a"); wait != 16*time.Second {
			t.Errorf("a debt of 15 is waited for %v, want 16s", wait)
		}
	}
	at.at = at.at.Add(16 * time.Second)
	if wait := limiter.Wait("a"); wait != 0 {
		t.Errorf("the paid debt is waited for %v", wait)
	}
	limiter.Charge("a", 0)
	if wait := limiter.Wait("a"); wait != 0 {
		t.Errorf("nothing cost %v", wait)
	}
}

// However many keys come, the memory stays bounded: the quiet ones are forgotten, the busy one is not.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	at := &clock{start}
	limiter := ratelimit.New(1, time.Hour, 1, at.now)
	limiter.Take("quiet", 1)
	limiter.Take("busy", 1)
	for i := range 150_000 {
		limiter.Take(strconv.Itoa(i), 1)
		if i%1_000 == 0 && limiter.Take("busy", 1) == 0 {
			t.Fatalf("the busy key was forgotten after %d others", i)
		}
	}
	if wait := limiter.Take("quiet", 1); wait != 0 {
		t.Errorf("the quiet key is still kept: %v", wait)
	}
}

func TestTake_Concurrently(t *testing.T) {
	t.Parallel()
	at := &clock{start}
	limiter := ratelimit.New(1, time.Hour, 100, at.now)
	var taking sync.WaitGroup
	taken := make(chan bool, 400)
	for range 400 {
		taking.Go(func() { taken <- limiter.Take("a", 1) == 0 })
	}
	taking.Wait()
	close(taken)
	count := 0
	for got := range taken {
		if got {
			count++
		}
	}
	if count != 100 {
		t.Errorf("%d of a stock of 100 were taken", count)
	}
}
