package jobs

import "time"

const (
	// attempts is how often a run is begun for one due time.
	attempts = 3
	// pause is how long after a failure.
	pause = 10 * time.Minute
)

// state is where a job stands: what has been taken up, and its newest run, whose fields are nil if it has none.
type state struct {
	Name         string     `db:"name"`
	DueAfter     time.Time  `db:"due_after"`
	Status       *Status    `db:"status"`
	ScheduledFor *time.Time `db:"scheduled_for"`
	Attempt      *int       `db:"attempt"`
	FinishedAt   *time.Time `db:"finished_at"`
}

// open tells whether a record says that the job is running.
func (s state) open() bool { return s.Status != nil && *s.Status == Running }

// due is the run that is to begin at now, nil for none: for the last time that nobody has taken up, else again for the one
// before if its newest run did not succeed.
func (s state) due(times schedule, now time.Time) *Run {
	const timetable = "system:timetable"
	attempt := 1
	if at := times.last(s.DueAfter, now); !at.IsZero() {
		return &Run{ScheduledFor: at.UTC(), Attempt: &attempt, StartedBy: timetable}
	}
	if times.cron == nil || s.Attempt == nil || *s.Attempt >= attempts || !s.ScheduledFor.Equal(s.DueAfter) {
		return nil
	}
	if *s.Status != Interrupted && (*s.Status != Failed || now.Before(s.FinishedAt.Add(pause))) {
		return nil
	}
	attempt = *s.Attempt + 1
	return &Run{ScheduledFor: s.DueAfter, Attempt: &attempt, StartedBy: timetable}
}
