package rules

import (
	"slices"
	"time"
)

// Life is what was done to a rule as a whole, whichever of its versions serves.
type Life struct {
	// EndedAt is from when on the rule serves no more; nil: it was not ended.
	EndedAt *time.Time `json:"endedAt"`
	// Pauses are when it does not serve, oldest first.
	Pauses []Pause `json:"pauses"`
}

// Pause is [From, To) by when facts occurred; To is nil while it lasts.
type Pause struct {
	From time.Time  `json:"from" db:"paused_at"`
	To   *time.Time `json:"to" db:"resumed_at"`
}

// Ended tells whether the rule is over at t.
func (l Life) Ended(t time.Time) bool { return l.EndedAt != nil && !t.Before(*l.EndedAt) }

// Paused is the pause that t lies in, nil if there is none or the rule has ended.
func (l Life) Paused(t time.Time) *Pause {
	i := slices.IndexFunc(l.Pauses, func(one Pause) bool { return !t.Before(one.From) && (one.To == nil || t.Before(*one.To)) })
	if i < 0 || l.Ended(t) {
		return nil
	}
	return &l.Pauses[i]
}

// rests says why the rule awards nothing that occurred at t; false if it may.
func (l Life) rests(t time.Time) (Reason, bool) {
	switch {
	case l.Ended(t):
		return RuleEnded, true
	case l.Paused(t) != nil:
		return RulePaused, true
	}
	return "", false
}
