package id

import (
	"database/sql/driver"
	"io"

	"github.com/google/uuid"
)

const messagePrefix = "msg"

// Message is the id of a message to a member.
type Message uuid.UUID

// ParseMessage reads the id of a message to a member; the zero id if text is none.
func ParseMessage(text string) Message { return parse[Message](messagePrefix, text) }

func (m Message) String() string { return text(messagePrefix, m) }

// MarshalGQL writes the id as the API shows it.
func (m Message) MarshalGQL(w io.Writer) { write(w, m) }

// UnmarshalGQL reads the id from an argument.
func (m *Message) UnmarshalGQL(value any) error { return read(m, value, ParseMessage) }

// Value gives the id to the database.
func (m Message) Value() (driver.Value, error) { return uuid.UUID(m).Value() }

// Scan takes the id from the database.
func (m *Message) Scan(source any) error { return (*uuid.UUID)(m).Scan(source) }
