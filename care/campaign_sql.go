package care

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
)

const campaignColumns = `id, name, occasion, class, channels, templates, send_at, shift, holidays, gift_points, gift_valid_for, enabled,
	enabled_at, decided_at, version, created_at, changed_at`

// campaignRow is a campaign as it is kept.
type campaignRow struct {
	ID           id.Campaign     `db:"id"`
	Name         string          `db:"name"`
	Occasion     Occasion        `db:"occasion"`
	Class        Class           `db:"class"`
	Channels     pq.StringArray  `db:"channels"`
	Templates    []byte          `db:"templates"`
	SendAt       value.LocalTime `db:"send_at"`
	Shift        value.Offset    `db:"shift"`
	Holidays     pq.StringArray  `db:"holidays"`
	GiftPoints   *int64          `db:"gift_points"`
	GiftValidFor *value.Period   `db:"gift_valid_for"`
	Enabled      bool            `db:"enabled"`
	EnabledAt    *time.Time      `db:"enabled_at"`
	DecidedAt    *time.Time      `db:"decided_at"`
	Version      int             `db:"version"`
	CreatedAt    time.Time       `db:"created_at"`
	ChangedAt    time.Time       `db:"changed_at"`
}

func (r campaignRow) campaign() (*Campaign, error) {
	made := &Campaign{
		ID: r.ID, Name: r.Name, Occasion: r.Occasion, Class: r.Class, SendAt: r.SendAt, Offset: r.Shift, Holidays: r.Holidays,
		GiftPoints: r.GiftPoints, GiftValidFor: r.GiftValidFor, Enabled: r.Enabled, EnabledAt: r.EnabledAt, DecidedAt: r.DecidedAt,
		Version: r.Version, CreatedAt: r.CreatedAt, ChangedAt: r.ChangedAt,
	}
	for _, channel := range r.Channels {
		made.Channels = append(made.Channels, Channel(channel))
	}
	if err := json.Unmarshal(r.Templates, &made.Texts); err != nil {
		return nil, fmt.Errorf("read the texts of %s: %w", r.ID, err)
	}
	return made, nil
}

// selectCampaigns reads campaigns in the order in which they were made; with enabled, only those that are on.
func selectCampaigns(ctx context.Context, q postgres.Runner, enabled bool) ([]*Campaign, error) {
	var rows []campaignRow
	if err := q.Select(ctx, &rows, `select `+campaignColumns+` from care_campaigns where enabled or not $1 order by id`, enabled); err != nil {
		return nil, err
	}
	campaigns := make([]*Campaign, len(rows))
	for i, row := range rows {
		made, err := row.campaign()
		if err != nil {
			return nil, err
		}
		campaigns[i] = made
	}
	return campaigns, nil
}
