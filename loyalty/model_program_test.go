package loyalty_test

import (
	"time"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/lots"
	"regulars/loyalty/tiers"
)

// modelPolicy is a version of the program's policies.
type modelPolicy struct {
	since   time.Time
	returns lots.ReturnPolicy
	expiry  loyalty.ExpiryPolicy
}

// expires is when points lapse that were earned and activated then; activated never: not before they are confirmed.
func (p modelPolicy) expires(earned, activated time.Time, zone *time.Location) time.Time {
	switch p.expiry.Mode {
	case lots.AfterEarning:
		return p.roundUp(p.expiry.After.After(earned, zone), zone)
	case lots.AfterActivation:
		if activated != never {
			return p.roundUp(p.expiry.After.After(activated, zone), zone)
		}
	case lots.OnDate:
		on := p.expiry.On
		for year := on.Year; ; year++ {
			if over := time.Date(year, on.Month, on.Day+1, 0, 0, 0, 0, zone); over.After(earned) {
				return over.UTC()
			}
		}
	case lots.Never, lots.Inactivity:
	}
	return never
}

func (p modelPolicy) roundUp(at time.Time, zone *time.Location) time.Time {
	if p.expiry.RoundUpTo == nil {
		return at
	}
	local, months := at.In(zone), 1
	begins := time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, zone)
	if *p.expiry.RoundUpTo == lots.Year {
		begins, months = time.Date(local.Year(), time.January, 1, 0, 0, 0, 0, zone), 12
	}
	if begins.Equal(at) {
		return at
	}
	return begins.AddDate(0, months, 0).UTC()
}

// modelProgram is what the program says, with all that it said.
type modelProgram struct {
	zone     *time.Location
	policies []modelPolicy
	ladders  []modelLadder
	standing tiers.Policy
}

// modelLadder is the thresholds of tiers by their ranks, since an instant.
type modelLadder struct {
	since      time.Time
	thresholds map[int]int64
}

func (p *modelProgram) policy() modelPolicy { return p.policies[len(p.policies)-1] }

func (p *modelProgram) ladder() modelLadder { return p.ladders[len(p.ladders)-1] }

// idle is when a member first becomes idle of which nothing is heard any more.
func (p *modelProgram) idle(heard time.Time) time.Time {
	for i, policy := range p.policies {
		if policy.expiry.Mode != lots.Inactivity {
			continue
		}
		if heard.Before(policy.since) {
			heard = policy.since
		}
		at := policy.expiry.After.After(heard, p.zone)
		if i+1 == len(p.policies) || at.Before(p.policies[i+1].since) {
			return at
		}
	}
	return never
}

// reached is the highest rank that so many points reach.
func (l modelLadder) reached(points int64) int {
	highest := 0
	for rank, threshold := range l.thresholds {
		if points >= threshold {
			highest = max(highest, rank)
		}
	}
	return highest
}

// career is a member's way through the tiers.
type career struct {
	program *modelProgram
	// earned are qualifying points with the instant at which they count.
	earned []qualifyingPoints
	rank   int
	until  time.Time
}

type qualifyingPoints struct {
	points int
	at     time.Time
}

func (c *career) count(points int, at time.Time) {
	c.earned = append(c.earned, qualifyingPoints{points, at})
}

func (c *career) qualifying(t time.Time) int64 {
	var points int64
	for _, one := range c.earned {
		if one.at.After(c.program.standing.CountsAfter(t, time.Time{})) {
			points += int64(one.points)
		}
	}
	return points
}

// review lets tiers run out that have by t, and returns how often that happened.
func (c *career) review(t time.Time) (reviews int) {
	for ; c.rank > 0 && !t.Before(c.until); reviews++ {
		ladder := c.program.ladders[0]
		for _, one := range c.program.ladders {
			if !one.since.After(c.until) {
				ladder = one
			}
		}
		c.rank = ladder.reached(c.qualifying(c.until))
		c.until = c.program.standing.Validity.After(c.until, c.program.zone)
	}
	return reviews
}

func (c *career) rise(t time.Time) {
	if rank := c.program.ladder().reached(c.qualifying(t)); rank > c.rank {
		c.rank, c.until = rank, c.program.standing.Validity.After(t, c.program.zone)
	}
}

// person is a member as it should be.
type person struct {
	*loyalty.Member
	*purse
	career
	heard time.Time
	// What was done and can be undone.
	sold     []*modelSale
	gifts    []*modelGift
	placed   []*modelPlaced
	redeemed []*modelRedeemed
}

// record is the instant at which something new is recorded of the member at t, once everything is posted that the clock has done.
func (p *person) record(t time.Time) time.Time {
	_, posted := p.run(t)
	reviews := p.review(t)
	if posted {
		reviews++
	}
	p.now = t.Add(time.Duration(reviews) * time.Microsecond)
	return p.now
}

// hear notes that the member did something.
func (p *person) hear(at time.Time) {
	if at.After(p.heard) {
		p.heard = at
	}
	p.idle = p.program.idle(p.heard)
}

// modelRule is what one of the test's rules gives for a purchase.
type modelRule struct {
	every      int64
	qualifying bool
	pending    *value.Period
	confirmed  bool
	lives      *value.Period
}

// lot is what comes of a purchase.
func (r modelRule) lot(program *modelProgram, occurredAt, recordedAt time.Time) modelLot {
	activated := occurredAt
	switch {
	case r.confirmed:
		activated = never
	case r.pending != nil:
		activated = r.pending.After(occurredAt, program.zone)
	}
	made := modelLot{earned: occurredAt, available: activated, expires: r.expires(program.policy(), occurredAt, activated, program.zone)}
	if activated.Before(recordedAt) {
		made.available = recordedAt
	}
	return made
}

func (r modelRule) expires(policy modelPolicy, occurredAt, activated time.Time, zone *time.Location) time.Time {
	switch {
	case r.lives == nil:
		return policy.expires(occurredAt, activated, zone)
	case activated == never:
		return never
	}
	return r.lives.After(activated, zone)
}
