package care

import (
	"time"

	"regulars/internal/id"
	"regulars/internal/program"
)

// Consent is what a member last said about messages of a class on a channel.
type Consent struct {
	Member  id.Member `db:"member_id"`
	Class   Class     `db:"class"`
	Channel Channel   `db:"channel"`
	Granted bool      `db:"granted"`
	// Since is when it was said, Source where.
	Since  time.Time `db:"at"`
	Source string    `db:"source"`
	// TextVersion is which words the member agreed to, nil: that was not said.
	TextVersion *string `db:"text_version"`
}

// asksConsent tells whether messages of a class need the member's consent on a channel: what it needs does not, and nothing
// does where it looks by itself.
func asksConsent(class Class, channel Channel) bool {
	return class != program.Service && channel != program.Inbox
}
