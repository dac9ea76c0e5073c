package care

import (
	"time"

	"regulars/care/occasion"
	"regulars/internal/id"
	"regulars/internal/value"
)

// candidate is a member of whom an occasion may be due.
type candidate struct {
	Member id.Member `db:"member_id"`
	// Subject names which one it is, where a member has several of the kind; At is when it is, if that is an instant.
	Subject           string      `db:"subject"`
	At                *time.Time  `db:"at"`
	BirthDate         *value.Date `db:"birth_date"`
	JoinedAt          time.Time   `db:"joined_at"`
	RecordedAt        time.Time   `db:"recorded_at"`
	Locale            string      `db:"locale"`
	TimeZone          string      `db:"time_zone"`
	EarlierTimeZone   *string     `db:"earlier_time_zone"`
	TimeZoneChangedAt *time.Time  `db:"time_zone_changed_at"`
	// BirthDateChangedAt is since when the birth date is known, nil: since the member is.
	BirthDateChangedAt *time.Time `db:"birth_date_changed_at"`
	HeardAt            *time.Time `db:"heard_at"`
	BookedAt           *time.Time `db:"booked_at"`
	home               occasion.Home
}

// found is an occasion of a member, of which a campaign says something.
type found struct {
	*candidate
	campaign *Campaign
	// key is the occasion once and for all; yearly is the same for what comes again each year.
	key    string
	yearly string
	// date is the occasion's day where the member lives.
	date   value.Date
	window occasion.Window
	years  int
	// holiday is which one.
	holiday *occasion.Day
	// What confirm adds.
	told told
}

// settle finds out where the candidate lives. A zone that this program does not know is read as the program's.
func (c *candidate) settle(fallback *time.Location) {
	c.home = home(c.TimeZone, fallback)
	if c.EarlierTimeZone == nil || c.TimeZoneChangedAt == nil {
		return
	}
	if zone, err := value.ParseZone(*c.EarlierTimeZone); err == nil {
		c.home.Earlier, c.home.Moved = zone, *c.TimeZoneChangedAt
	}
}

// home is a zone by its name, or what stands for one that this program does not know.
func home(name string, fallback *time.Location) occasion.Home {
	zone, err := value.ParseZone(name)
	if err != nil {
		zone = fallback
	}
	return occasion.Home{Zone: zone}
}
