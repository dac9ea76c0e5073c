package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"regulars/care"
	"regulars/club"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/reward"
)

// builder tells the program what is planned. Everything it does may have been done before and then changes nothing.
type builder struct {
	service *loyalty.Service
	rewards *reward.Service
	club    *club.Service
	care    *care.Service
	clock   *clock
	plan    *plan
}

func (b *builder) build(ctx context.Context, progress func(done, total int)) error {
	b.clock.at = b.plan.opening
	if err := b.enroll(ctx, []loyalty.EnrollMemberInput{b.plan.people[0].EnrollMemberInput}); err != nil {
		return err
	}
	if err := b.found(ctx); err != nil {
		return err
	}
	for number := range b.plan.weeks {
		if err := b.tell(ctx, number); err != nil {
			return err
		}
		progress(number+1, weeks)
	}
	if err := b.announce(ctx); err != nil {
		return err
	}
	if err := b.promise(ctx); err != nil {
		return err
	}
	return b.close(ctx)
}

// found makes the program's tiers, rules and rewards.
func (b *builder) found(ctx context.Context) error {
	if err := b.service.FinishPromotions(ctx); err != nil {
		return err
	}
	for _, one := range ladder {
		b.pass(time.Second)
		if err := b.addTier(ctx, one); err != nil {
			return err
		}
	}
	for _, one := range b.plan.rules() {
		b.pass(time.Second)
		if err := b.publish(ctx, one); err != nil {
			return err
		}
	}
	return b.offer(ctx)
}

// pass lets time pass.
func (b *builder) pass(d time.Duration) { b.clock.at = b.clock.at.Add(d) }

// tell records what happened in a week: what staff did on its third day, everything else at its end.
func (b *builder) tell(ctx context.Context, number int) error {
	if number == anniversary {
		b.pass(time.Second)
		if err := b.publish(ctx, b.plan.campaign()); err != nil {
			return err
		}
	}
	if number == lastEvening {
		if err := b.gather(ctx); err != nil {
			return err
		}
	}
	b.clock.at = b.plan.opening.Add(time.Duration(number)*week + 2*24*time.Hour)
	for i, one := range corrections {
		if one.week == number {
			if err := b.correct(ctx, i, one); err != nil {
				return err
			}
		}
	}
	b.clock.at = b.plan.opening.Add(time.Duration(number+1) * week)
	told := b.plan.weeks[number]
	if err := b.enroll(ctx, told.joins); err != nil {
		return err
	}
	if err := record(ctx, told.purchases, b.service.RecordPurchases); err != nil {
		return fmt.Errorf("purchases of week %d: %w", number, err)
	}
	if err := record(ctx, told.visits, b.service.RecordActivities); err != nil {
		return fmt.Errorf("visits of week %d: %w", number, err)
	}
	if err := record(ctx, told.returns, b.service.RecordReturns); err != nil {
		return fmt.Errorf("returns of week %d: %w", number, err)
	}
	return nil
}

// close suspends a member and enrolls Wren, by whom the club is known to be complete.
func (b *builder) close(ctx context.Context) error {
	late, err := find(ctx, b.service, suspended)
	if err != nil {
		return err
	}
	if late.Status != loyalty.Suspended {
		if _, err := b.service.SuspendMember(ctx, late.ID, suspensionReason); err != nil {
			return fmt.Errorf("suspend %s: %w", suspended, err)
		}
	}
	return b.enroll(ctx, []loyalty.EnrollMemberInput{b.plan.newPerson("Wren Newcomer", wren, b.plan.end).EnrollMemberInput})
}

func (b *builder) enroll(ctx context.Context, inputs []loyalty.EnrollMemberInput) error {
	for slice := range slices.Chunk(inputs, loyalty.MaximumBatch) {
		answers, err := b.service.Enroll(ctx, slice)
		if err != nil {
			return fmt.Errorf("enroll: %w", err)
		}
		for i, answer := range answers {
			if err := refused(answer.UserErrors); err != nil {
				return fmt.Errorf("enroll %s: %w", *slice[i].ExternalID, err)
			}
		}
	}
	return nil
}

// record hands facts over in slices.
func record[T any](ctx context.Context, inputs []T, tell func(context.Context, []T) ([]loyalty.Recorded, error)) error {
	for slice := range slices.Chunk(inputs, loyalty.MaximumBatch) {
		answers, err := tell(ctx, slice)
		if err != nil {
			return err
		}
		for _, answer := range answers {
			if err := refused(answer.UserErrors); err != nil {
				return err
			}
		}
	}
	return nil
}

// refused is the error of a fact that the program would not take, which is a mistake in the plan.
func refused(problems []problem.UserError) error {
	var errs []error
	for _, one := range problems {
		errs = append(errs, one)
	}
	return errors.Join(errs...)
}
