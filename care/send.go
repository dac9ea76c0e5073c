package care

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"regulars/care/delivery"
	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
)

const (
	// senders is how many messages of a channel are with its receiver at once.
	senders = 4
	// looksAgain is how often a channel that has nothing to send looks whether it has, while another one has.
	looksAgain = time.Second
	// claimTime is how long a message is its sender's: longer than handing it over and noting that can take.
	claimTime = 5 * time.Minute
	// maximumAttempts is how often a message is tried.
	maximumAttempts = 10
	// firstPause is between the first attempt and the second; each next one is twice as long, up to longestPause.
	firstPause   = time.Minute
	longestPause = 4 * time.Hour
)

// Sendings counts what became of messages.
type Sendings struct {
	Sent, Bounced, Failed, Expired, Suppressed int
	// Later counts attempts after which a message is tried again.
	Later int
	// Uncertain counts those that were handed over again although they may have arrived.
	Uncertain int
}

// ChannelError tells that nobody takes messages of a channel now, in words for an admin.
type ChannelError struct {
	Channel Channel
	Detail  string
}

func (e *ChannelError) Error() string {
	return fmt.Sprintf("Messages of the channel %s wait: %s", e.Channel, e.Detail)
}

// carrier hands messages of a channel over.
type carrier interface {
	Send(ctx context.Context, message delivery.Message) delivery.Answer
	Rest()
}

// sender hands the messages of one channel over.
type sender struct {
	service *Service
	notes   *postgres.DB
	channel Channel
	carrier carrier
	// turns come as often as one may be handed over; nil: as fast as it goes.
	turns <-chan time.Time
	done  func(status Status, uncertain bool)
}

// SendMessages hands messages that are due over, of the channels that are set up, until there are none, and returns what became
// of them. Each is first asked whether it is still to be sent: not when it is too late, its campaign is off, the member has left,
// withdrawn consent, or has no address that takes mails, nor when what it tells is not so any more; in quiet hours it waits. What is not taken now is tried again after a pause, ten times in all. Any number may send
// at once, and be killed: what a sender leaves behind is sent again after five minutes. That is the one case in which a message
// may arrive twice, and is counted. When ctx ends, what is being handed over is brought to its end and noted, 45 seconds at most.
//
// notes is the same database without a fence: what was sent was sent, also by a run that has lost its place, and a claim guards
// itself. advanced is told of each message that is done with. It returns a ChannelError if nobody takes messages of a channel. For
// the program itself.
func (s *Service) SendMessages(ctx context.Context, channels delivery.Channels, notes *postgres.DB, advanced func()) (Sendings, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return Sendings{}, err
	}
	if !caller.Internal() {
		return Sendings{}, problem.Forbidden
	}
	var counts Sendings
	var counting sync.Mutex
	count := func(status Status, uncertain bool) {
		counting.Lock()
		defer counting.Unlock()
		counts.add(status, uncertain)
		if status != Queued && status != Deferred && status != Sending {
			advanced()
		}
	}
	var all []*sender
	if channels.Mail != nil {
		turns := time.NewTicker(time.Second / time.Duration(channels.Mail.Rate()))
		defer turns.Stop()
		all = append(all, &sender{s, notes, program.Email, channels.Mail, turns.C, count})
	}
	if channels.Webhook != nil {
		all = append(all, &sender{s, notes, program.Webhook, channels.Webhook, nil, count})
	}
	var sending sync.WaitGroup
	var working atomic.Int32
	working.Store(int32(len(all)))
	failures := make([]error, len(all))
	for i, one := range all {
		sending.Go(func() { failures[i] = one.along(ctx, &working) })
	}
	sending.Wait()
	return counts, errors.Join(failures...)
}

func (c *Sendings) add(status Status, uncertain bool) {
	switch status {
	case Sent:
		c.Sent++
	case Bounced:
		c.Bounced++
	case Failed:
		c.Failed++
	case Expired:
		c.Expired++
	case Suppressed:
		c.Suppressed++
	case Queued:
		c.Later++
	default:
	}
	if uncertain {
		c.Uncertain++
	}
}

// along hands over what is due, and what becomes due while other channels are at work, of which working counts those: a receiver
// that hangs keeps no mail waiting.
func (s *sender) along(ctx context.Context, working *atomic.Int32) error {
	var waiting error
	for {
		err := s.all(ctx)
		alone := working.Add(-1) == 0
		if _, waits := errors.AsType[*ChannelError](err); err != nil && !waits {
			return err
		} else if waits {
			waiting = err
		}
		if alone {
			return waiting
		}
		select {
		case <-time.After(looksAgain):
			working.Add(1)
		case <-ctx.Done():
			return errors.Join(waiting, ctx.Err())
		}
	}
}

// all has several hand over what is due. The first of them that cannot go on stops the others.
func (s *sender) all(ctx context.Context) error {
	defer s.carrier.Rest()
	going, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var working sync.WaitGroup
	for range senders {
		working.Go(func() {
			if err := s.contained(going, ctx); err != nil {
				stop(err)
			}
		})
	}
	working.Wait()
	return context.Cause(going)
}

// contained works; a panic is an error, and not the end of the program.
func (s *sender) contained(going, ctx context.Context) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
		}
	}()
	return s.work(going, ctx)
}

// work hands over one message after the other while going goes on.
func (s *sender) work(going, ctx context.Context) error {
	for {
		if err := s.turn(going); err != nil {
			return err
		}
		var claimed *claim
		for decided := true; decided && claimed == nil; {
			var err error
			if claimed, decided, err = s.take(going); err != nil {
				return err
			}
		}
		if claimed == nil {
			return nil
		}
		if err := s.hand(ctx, claimed); err != nil {
			return err
		}
	}
}

// turn waits until the next message may be handed over.
func (s *sender) turn(ctx context.Context) error {
	if s.turns == nil {
		return ctx.Err()
	}
	select {
	case <-s.turns:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// claim is a message that is to be handed over now, and nobody else's.
type claim struct {
	*Message
	to recipient
}

// take claims the message that is due longest; nil if there is none, or, with decided, if it is not to be sent and there may be
// others. From here on it may have arrived: it is claimed in the last moment before it is handed over.
func (s *sender) take(ctx context.Context) (claimed *claim, decided bool, err error) {
	var became Status
	var again bool
	err = s.service.db.InTx(ctx, func(tx *postgres.Tx) error {
		claimed, decided = nil, false
		message, err := selectDueMessage(ctx, tx, s.channel, tx.Now)
		if message == nil || err != nil {
			return err
		}
		to, err := selectRecipient(ctx, tx, message)
		if err != nil {
			return err
		}
		decided = true
		status, reason, until := verdict(message, to, tx.Now)
		became, again = status, status == Sending && message.HandedAt != nil
		switch {
		case until != nil:
			return deferMessage(ctx, tx, message, reason, *until)
		case status != Sending:
			return settleMessage(ctx, tx, message, status, reason)
		}
		claimed = &claim{message, *to}
		return claimMessage(ctx, tx, message, tx.Now, tx.Now.Add(claimTime))
	})
	if err != nil {
		return nil, false, fmt.Errorf("take a message: %w", err)
	}
	if decided {
		s.done(became, again)
	}
	return claimed, decided, nil
}

// hand gives the message to the carrier and notes what became of it.
func (s *sender) hand(ctx context.Context, claimed *claim) error {
	finishing := context.WithoutCancel(ctx)
	outdated, err := s.service.outdated(finishing, claimed.Message)
	if err != nil {
		return fmt.Errorf("look whether %s is still so: %w", claimed.ID, err)
	}
	if outdated {
		s.done(Suppressed, false)
		return s.drop(finishing, claimed)
	}
	message, failed := s.service.filled(finishing, claimed)
	answer := delivery.Answer{Outcome: delivery.Unreachable, Detail: "The program met a fault; the log says more."}
	if failed == nil {
		answer = s.carrier.Send(ctx, message)
	}
	status, err := s.note(ctx, claimed, answer)
	if err != nil {
		return fmt.Errorf("note what became of %s: %w", claimed.ID, errors.Join(err, failed))
	}
	s.done(status, false)
	if failed == nil && answer.Outcome == delivery.Unreachable {
		return &ChannelError{s.channel, answer.Detail}
	}
	return failed
}

// drop is done with a message that is not so any more: it was not handed over.
func (s *sender) drop(ctx context.Context, claimed *claim) error {
	return s.notes.InTx(ctx, func(tx *postgres.Tx) error {
		_, err := updateNoted(ctx, tx, claimed.Message, noted{Status: Suppressed, Reason: pointer(Outdated), Untried: true})
		return err
	})
}

// note writes what became of a message, as long as this program lives: what is not noted is sent again.
func (s *sender) note(ctx context.Context, claimed *claim, answer delivery.Answer) (Status, error) {
	const (
		tries    = 6
		patience = 5 * time.Second
		pause    = 100 * time.Millisecond
	)
	for try := 0; ; try++ {
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		status, err := noteAnswer(noting, s.notes, claimed, answer)
		cancel()
		// Who was told to stop has no time, or no say any more.
		if err == nil || try+1 == tries || ctx.Err() != nil {
			return status, err
		}
		waiting := time.NewTimer(pause << try)
		select {
		case <-waiting.C:
		case <-ctx.Done():
			waiting.Stop()
		}
	}
}

func noteAnswer(ctx context.Context, db *postgres.DB, claimed *claim, answer delivery.Answer) (status Status, err error) {
	err = db.InTx(ctx, func(tx *postgres.Tx) error {
		noted := noted{Status: Failed, Reason: pointer(NotAccepted)}
		if answer.Detail != "" {
			noted.Detail = &answer.Detail
		}
		switch answer.Outcome {
		case delivery.Accepted:
			noted.Status, noted.Reason, noted.Detail, noted.SentAt = Sent, nil, nil, &tx.Now
		case delivery.AddressRefused:
			noted.Status, noted.Reason = Bounced, pointer(BouncedAddress)
		case delivery.Refused:
		case delivery.Unreachable:
			// Nobody took any message: that is no attempt of this one.
			noted.Status, noted.Reason, noted.DueAt, noted.Untried = Queued, nil, pointer(tx.Now.Add(firstPause)), true
		case delivery.Later:
			if claimed.Attempts < maximumAttempts {
				noted.Status, noted.Reason, noted.DueAt = Queued, nil, pointer(tx.Now.Add(max(backoff(claimed.Attempts), answer.After)))
			}
		}
		noted.Uncertain = answer.Uncertain
		status = noted.Status
		held, err := updateNoted(ctx, tx, claimed.Message, noted)
		if err != nil || !held || noted.Status != Bounced {
			return err
		}
		return insertRefusedAddress(ctx, tx, claimed.Member, addressHash(*claimed.to.Email), answer.Code, tx.Now)
	})
	return status, err
}

// backoff is how long to wait after so many attempts. It varies by a quarter, so that what failed together does not come back
// together.
func backoff(attempts int) time.Duration {
	pause := min(firstPause<<(attempts-1), longestPause)
	return pause + rand.N(pause/4)
}

func pointer[T any](value T) *T { return &value }
