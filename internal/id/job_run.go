package id

import (
	"database/sql/driver"
	"io"

	"github.com/google/uuid"
)

// JobRun is the id of a run of a job.
type JobRun uuid.UUID

// ParseJobRun reads the id of a run of a job; the zero id if text is none.
func ParseJobRun(text string) JobRun { return parse[JobRun](jobRunPrefix, text) }

func (r JobRun) String() string { return text(jobRunPrefix, r) }

// MarshalGQL writes the id as the API shows it.
func (r JobRun) MarshalGQL(w io.Writer) { write(w, r) }

// UnmarshalGQL reads the id from an argument.
func (r *JobRun) UnmarshalGQL(value any) error { return read(r, value, ParseJobRun) }

// Value gives the id to the database.
func (r JobRun) Value() (driver.Value, error) { return uuid.UUID(r).Value() }

// Scan takes the id from the database.
func (r *JobRun) Scan(source any) error { return (*uuid.UUID)(r).Scan(source) }
