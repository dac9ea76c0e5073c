package loyaltytest

import (
	"sync"
	"time"
)

// Clock is a clock that stands until it is told to move. It is safe for concurrent use.
type Clock struct {
	mutex sync.Mutex
	at    time.Time
	step  time.Duration
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.at = c.at.Add(c.step)
	return c.at
}

// Set turns the clock to at.
func (c *Clock) Set(at time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.at = at
}

// Advance turns the clock forward.
func (c *Clock) Advance(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.at = c.at.Add(by)
}

// Tick makes the clock move on by step with every reading, as it does in life.
func (c *Clock) Tick(step time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.step = step
}
