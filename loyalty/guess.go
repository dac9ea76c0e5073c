package loyalty

import (
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/ratelimit"
)

// Numbers, e-mail addresses, phone numbers and external ids can be guessed, our own ids cannot. So a look-up by one of those
// that finds nobody the caller may see costs it a guess, and so does hearing that another member has one. A caller without
// guesses is not answered any more, right or wrong, until some are back. What is under way by then goes into debt, which
// is waited off. The program itself is trusted.

// WithGuesses returns the service over the same database in which each caller has the guesses of limiter. Without it
// nobody is limited.
func (s *Service) WithGuesses(limiter *ratelimit.Limiter) *Service {
	return &Service{db: s.db, guesses: limiter}
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

// mayGuess returns problem.RateLimited if the caller is about to guess and has no guess left. Use cases ask before their
// first statement.
func (s *Service) mayGuess(caller actor.Actor, count int) error {
	if s.guesses == nil || count == 0 || caller.Internal() {
		return nil
	}
	if wait := s.guesses.Wait(caller.Caller); wait > 0 {
		return problem.RateLimited(wait, "You have asked for too many members that are not there. Wait, or name members by their ids.")
	}
	return nil
}

// guessed charges the caller for the refs that found nobody.
func (s *Service) guessed(caller actor.Actor, refs []MemberRef, found []id.Member) {
	var missed []MemberRef
	for i, ref := range refs {
		if found[i] == (id.Member{}) {
			missed = append(missed, ref)
		}
	}
	s.charge(caller, guesses(missed))
}

// learned charges the caller for the problems that tell of other members.
func (s *Service) learned(caller actor.Actor, problems []problem.UserError) {
	count := 0
	for _, one := range problems {
		if told, ok := one.(problem.InputError); ok {
			switch told.Code {
			case problem.EmailTaken, problem.PhoneTaken, problem.ExternalIDTaken:
				count++
			default:
			}
		}
	}
	s.charge(caller, count)
}

func (s *Service) charge(caller actor.Actor, count int) {
	if s.guesses != nil && count > 0 && !caller.Internal() {
		s.guesses.Charge(caller.Caller, count)
	}
}
