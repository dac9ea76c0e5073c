package club

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
)

// What facts are called that tell who attended.
const (
	attendanceType = "CHECK_IN"
	// awardBatch is how many are recorded in one transaction where somebody waits for it.
	awardBatch = 200
)

// attendance is one time that a member is said to have come, on its way into the books and, if that was wrong, out of them.
type attendance struct {
	Booking      id.Booking    `db:"booking_id"`
	Number       int           `db:"number"`
	OccurrenceID id.Occurrence `db:"occurrence_id"`
	Member       id.Member     `db:"member_id"`
	OccurredAt   time.Time     `db:"occurred_at"`
	// Points are given for coming without a rule; nil: none.
	Points    *int64     `db:"points"`
	ExpiresAt *time.Time `db:"expires_at"`
	Status    string     `db:"status"`
	// ActivitySequence is the fact's number, AdjustmentID what gave the points.
	ActivitySequence *int64         `db:"activity_sequence"`
	AdjustmentID     *id.Adjustment `db:"adjustment_id"`
	Refusal          *string        `db:"refusal"`
	// Of the booking and the event.
	Seats   int      `db:"seats"`
	EventID id.Event `db:"event_id"`
}

// The statuses of attendances.
const (
	attendanceDue      = "DUE"
	attendanceRecorded = "RECORDED"
	attendanceRevoking = "REVOKING"
	attendanceRevoked  = "REVOKED"
	attendanceRefused  = "REFUSED"
)

// key names the fact for ever: the booking and, behind a correction, how often it was said.
func (a *attendance) key() string {
	if a.Number == 1 {
		return a.Booking.String()
	}
	return fmt.Sprintf("%s.%d", a.Booking, a.Number)
}

// attended notes that members came, for what that is worth to be recorded.
func (s *Service) attended(ctx context.Context, tx *postgres.Tx, room *room, came []*Booking) error {
	made := make([]attendance, len(came))
	for i, booking := range came {
		made[i] = attendance{
			Booking: booking.ID, OccurrenceID: room.ID, Member: booking.Member, OccurredAt: room.StartsAt, Points: room.event.AttendancePoints,
		}
		if booking.CheckedInAt != nil {
			made[i].OccurredAt = *booking.CheckedInAt
		}
		if made[i].Points != nil {
			lapses, err := s.loyalty.LapsesTx(ctx, tx, made[i].OccurredAt)
			if err != nil {
				return err
			}
			made[i].ExpiresAt = lapses
		}
	}
	return insertAttendances(ctx, tx, made)
}

// AwardAttendance records what members get for having come, and takes back what was corrected, of at most so many attendances;
// it returns of how many, 0: there is nothing left to do. All is keyed: stopped at any instant it loses none, repeated it adds
// none. For admins; a job calls it.
func (s *Service) AwardAttendance(ctx context.Context, limit int) (int, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return 0, err
	}
	return s.awardOpen(ctx, nil, limit)
}

// awardAll does so for all of one occurrence.
func (s *Service) awardAll(ctx context.Context, occurrence id.Occurrence) error {
	for {
		if done, err := s.awardOpen(ctx, &occurrence, awardBatch); err != nil || done == 0 {
			return err
		}
	}
}

// awardOpen does so for a batch of one occurrence; nil: of all.
func (s *Service) awardOpen(ctx context.Context, occurrence *id.Occurrence, limit int) (int, error) {
	ctx = actor.With(ctx, actor.System(loyalty.ClubSource))
	open, err := selectOpenAttendances(ctx, s.db, occurrence, limit)
	if err != nil || len(open) == 0 {
		return 0, err
	}
	if err := s.recordAttendances(ctx, open); err != nil {
		return 0, err
	}
	for i := range open {
		if err := s.settle(ctx, &open[i]); err != nil {
			return 0, err
		}
	}
	return len(open), s.db.InTx(ctx, func(tx *postgres.Tx) error { return updateAttendances(ctx, tx, open) })
}

// recordAttendances records the facts. One to be taken back may not have got that far: it is recorded first.
func (s *Service) recordAttendances(ctx context.Context, open []attendance) error {
	inputs := make([]loyalty.RecordActivityInput, len(open))
	for i := range open {
		inputs[i] = loyalty.RecordActivityInput{
			Member: loyalty.MemberRef{ID: &open[i].Member}, Type: attendanceType, Source: loyalty.ClubSource, ExternalID: open[i].key(),
			OccurredAt: open[i].OccurredAt, Attributes: []value.Attribute{
				{Name: "event", Value: open[i].EventID.String()}, {Name: "occurrence", Value: open[i].OccurrenceID.String()},
				{Name: "seats", Value: fmt.Sprint(open[i].Seats)},
			},
		}
	}
	answers, err := s.loyalty.RecordActivities(ctx, inputs)
	if err != nil {
		return fmt.Errorf("record attendances: %w", err)
	}
	for i, answer := range answers {
		if len(answer.UserErrors) > 0 {
			refusal := answer.UserErrors[0].Error()
			open[i].Refusal = &refusal
			continue
		}
		open[i].ActivitySequence = &answer.Activity.Sequence
	}
	return nil
}

// settle gives the points of an attendance whose fact is recorded, or takes everything back.
func (s *Service) settle(ctx context.Context, one *attendance) error {
	revoking := one.Status == attendanceRevoking
	switch {
	case one.ActivitySequence == nil && revoking:
		one.Status = attendanceRevoked
		return nil
	case one.ActivitySequence == nil:
		one.Status = attendanceRefused
		return nil
	}
	if one.Points != nil {
		if err := s.give(ctx, one); err != nil {
			return err
		}
	}
	if !revoking {
		one.Status = attendanceRecorded
		return nil
	}
	one.Status = attendanceRevoked
	return s.revoke(ctx, one)
}

// give gives the points of an attendance, once.
func (s *Service) give(ctx context.Context, one *attendance) error {
	posted, err := s.loyalty.AdjustPoints(ctx, loyalty.AdjustPointsInput{
		Member: loyalty.MemberRef{ID: &one.Member}, Points: *one.Points, Reason: "Attendance, booking " + one.Booking.String(), ExpiresAt: one.ExpiresAt,
		IdempotencyKey: "attendance:" + one.key(),
	})
	if problems, told := problem.UserErrors(err); told {
		refusal := problems[0].Error()
		one.Refusal = &refusal
		return nil
	}
	if err != nil {
		return fmt.Errorf("give points of an attendance: %w", err)
	}
	one.AdjustmentID = &posted.Adjustment.ID
	return nil
}

// revoke takes back what an attendance earned and gave, once.
func (s *Service) revoke(ctx context.Context, one *attendance) error {
	const reason = "The attendance was corrected."
	activity := id.Activity{Member: one.Member, Sequence: *one.ActivitySequence}
	if _, err := s.loyalty.RevokeActivity(ctx, activity, reason, "attendance:"+one.key()); err != nil {
		return fmt.Errorf("revoke an attendance: %w", err)
	}
	if one.AdjustmentID == nil {
		return nil
	}
	_, err := s.loyalty.ReverseAdjustment(ctx, loyalty.ReverseAdjustmentInput{
		AdjustmentID: *one.AdjustmentID, Reason: reason, IdempotencyKey: "attendance:" + one.key(),
	})
	// Somebody may have taken it back by hand.
	var told problem.InputError
	if errors.As(err, &told) && told.Code == problem.AlreadyReversed {
		return nil
	}
	return err
}
