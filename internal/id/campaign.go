package id

import (
	"database/sql/driver"
	"io"

	"github.com/google/uuid"
)

const campaignPrefix = "cmp"

// Campaign is the id of a care campaign.
type Campaign uuid.UUID

// ParseCampaign reads the id of a care campaign; the zero id if text is none.
func ParseCampaign(text string) Campaign { return parse[Campaign](campaignPrefix, text) }

func (c Campaign) String() string { return text(campaignPrefix, c) }

// MarshalGQL writes the id as the API shows it.
func (c Campaign) MarshalGQL(w io.Writer) { write(w, c) }

// UnmarshalGQL reads the id from an argument.
func (c *Campaign) UnmarshalGQL(value any) error { return read(c, value, ParseCampaign) }

// Value gives the id to the database.
func (c Campaign) Value() (driver.Value, error) { return uuid.UUID(c).Value() }

// Scan takes the id from the database.
func (c *Campaign) Scan(source any) error { return (*uuid.UUID)(c).Scan(source) }
