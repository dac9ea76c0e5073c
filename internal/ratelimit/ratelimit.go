// Package ratelimit bounds how often each of many callers may do something. It counts in this process alone: two replicas
// allow twice as much.
package ratelimit

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// maximumKeys bounds the memory, to some 20 MB. Beyond it the key that was quiet for longest starts afresh.
const maximumKeys = 100_000

// Limiter gives each key a stock of its own, which refills steadily. It is safe for concurrent use.
type Limiter struct {
	refill rate.Limit
	burst  int
	now    func() time.Time
	stocks *lru.Cache[string, *rate.Limiter]
}

// New returns a limiter whose stocks start full with burst and refill by count in every per, by the clock now. All
// numbers are at least 1.
func New(count int, per time.Duration, burst int, now func() time.Time) *Limiter {
	stocks, err := lru.New[string, *rate.Limiter](maximumKeys)
	if err != nil {
		panic(err) // for a size below 1
	}
	return &Limiter{refill: rate.Limit(float64(count) / per.Seconds()), burst: burst, now: now, stocks: stocks}
}

// Take takes count from the stock of key and returns 0. If it has fewer it takes nothing and returns how long until it has
// them.
func (l *Limiter) Take(key string, count int) time.Duration {
	now := l.now()
	if stock := l.stock(key); !stock.AllowN(now, count) {
		return l.until(stock, now, count)
	}
	return 0
}

// Wait returns how long until the stock of key has one: 0 if it has one now. It takes nothing.
func (l *Limiter) Wait(key string) time.Duration {
	return l.until(l.stock(key), l.now(), 1)
}

// Charge takes count from the stock of key, which may go below nothing: the debt has to be refilled first.
func (l *Limiter) Charge(key string, count int) {
	now, stock := l.now(), l.stock(key)
	for ; count > 0; count -= l.burst {
		stock.ReserveN(now, min(count, l.burst))
	}
}

func (l *Limiter) stock(key string) *rate.Limiter {
	if known, ok := l.stocks.Get(key); ok {
		return known
	}
	made := rate.NewLimiter(l.refill, l.burst)
	if known, ok, _ := l.stocks.PeekOrAdd(key, made); ok {
		return known
	}
	return made
}

func (l *Limiter) until(stock *rate.Limiter, now time.Time, count int) time.Duration {
	missing := float64(count) - stock.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return max(time.Nanosecond, time.Duration(missing/float64(l.refill)*float64(time.Second)))
}
