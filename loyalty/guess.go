package loyalty

import (
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/ratelimit"
)

// Numbers, e-mail addresses, phone numbers, external ids and codes can be guessed, our own ids cannot. So a look-up by one of
// those that finds nothing the caller may see costs it a guess. A caller without guesses is not answered any more, right or wrong,
// until some are back. What is under way by then goes into debt, which is waited off. Guesses are charged after their
// transaction, which may run more than once.
//
// A member hears of others only when it takes an e-mail address or a phone number: that one is taken. So each that it names
// costs it a try beforehand, taken or free. Support, admins and MembersWrite have no tries to run out of: they are told of
// members anyway, or enroll people who come to a shop, and one visitor must not stop the sign-ups of all others.
//
// The program itself is trusted.

// WithGuesses returns the service over the same database in which each caller has the guesses of the one limiter and, if it
// is only a member, the tries of the other. A limiter that is nil limits nobody.
func (s *Service) WithGuesses(guesses, tries *ratelimit.Limiter) *Service {
	return &Service{db: s.db, guesses: guesses, tries: tries}
}

// guesses are how many guesses looking up refs may cost.
func guesses(refs []MemberRef) int {
	count := 0
	for _, ref := range refs {
		if ref.ID == nil {
			count++
		}
	}
	return count
}

// MayGuess returns problem.RateLimited if the caller is about to guess and has no guess left. Use cases ask before their
// first statement.
func (s *Service) MayGuess(caller actor.Actor, count int) error {
	if s.guesses == nil || count == 0 || caller.Internal() {
		return nil
	}
	if wait := s.guesses.Wait(caller.Caller); wait > 0 {
		return problem.RateLimited(wait, "You have guessed too often. Wait, or name members by their ids.")
	}
	return nil
}

// guessed charges the caller for the refs that found nobody. found is empty where they were not looked up.
func (s *Service) guessed(caller actor.Actor, refs []MemberRef, found []id.Member) {
	var missed []MemberRef
	for i, member := range found {
		if member == (id.Member{}) {
			missed = append(missed, refs[i])
		}
	}
	s.Charge(caller, guesses(missed))
}

// Charge takes so many guesses from the caller.
func (s *Service) Charge(caller actor.Actor, count int) {
	if s.guesses != nil && count > 0 && !caller.Internal() {
		s.guesses.Charge(caller.Caller, count)
	}
}

// mayTry returns problem.RateLimited if the caller names contacts and has no try left. Use cases ask before their first
// statement.
func (s *Service) mayTry(caller actor.Actor, contacts int) error {
	if contacts > 0 && s.tried(caller) {
		return outOfTries(s.tries.Wait(caller.Caller))
	}
	return nil
}

// try takes a try for each of the contacts from the caller, or returns problem.RateLimited.
func (s *Service) try(caller actor.Actor, contacts int) error {
	if contacts > 0 && s.tried(caller) {
		return outOfTries(s.tries.Take(caller.Caller, contacts))
	}
	return nil
}

// tried tells whether the caller has tries to pay with.
func (s *Service) tried(caller actor.Actor) bool {
	return s.tries != nil && !caller.Has(actor.Support, actor.Admin, actor.MembersWrite)
}

func outOfTries(wait time.Duration) error {
	if wait > 0 {
		return problem.RateLimited(wait, "You have named too many e-mail addresses and phone numbers.")
	}
	return nil
}

// contacts counts the keys that say how to reach somebody.
func contacts(keys []memberKey) int {
	count := 0
	for _, key := range keys {
		if key.Kind == byEmail || key.Kind == byPhone {
			count++
		}
	}
	return count
}
