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
	return campaigns(rows)
}

func selectCampaignsByID(ctx context.Context, q postgres.Runner, wanted []id.Campaign) ([]*Campaign, error) {
	var rows []campaignRow
	err := q.Select(ctx, &rows, `select `+campaignColumns+` from care_campaigns where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	if err != nil {
		return nil, err
	}
	return campaigns(rows)
}

func campaigns(rows []campaignRow) ([]*Campaign, error) {
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

// lockCampaigns keeps campaigns from being saved or moved on by others until the transaction ends; they can be read.
func lockCampaigns(ctx context.Context, tx *postgres.Tx) error {
	_, err := tx.Exec(ctx, `lock table care_campaigns in share row exclusive mode`)
	return err
}

func countCampaigns(ctx context.Context, q postgres.Runner) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from care_campaigns`)
	return count, err
}

func insertCampaign(ctx context.Context, tx *postgres.Tx, c *Campaign) error {
	arguments, err := campaignArguments(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		insert into care_campaigns (`+campaignColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`, arguments...)
	return err
}

func updateCampaign(ctx context.Context, tx *postgres.Tx, c *Campaign) error {
	arguments, err := campaignArguments(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		update care_campaigns set name = $2, occasion = $3, class = $4, channels = $5, templates = $6, send_at = $7, shift = $8, holidays = $9,
			gift_points = $10, gift_valid_for = $11, enabled = $12, enabled_at = $13, decided_at = $14, version = $15, created_at = $16, changed_at = $17
		where id = $1`, arguments...)
	return err
}

// campaignArguments are the values of campaignColumns.
func campaignArguments(c *Campaign) ([]any, error) {
	texts, err := json.Marshal(c.Texts)
	if err != nil {
		return nil, fmt.Errorf("write the texts of %s: %w", c.ID, err)
	}
	channels := make(pq.StringArray, len(c.Channels))
	for i, one := range c.Channels {
		channels[i] = string(one)
	}
	return []any{
		c.ID, c.Name, c.Occasion, c.Class, channels, string(texts), c.SendAt, c.Offset, pq.StringArray(append([]string{}, c.Holidays...)),
		c.GiftPoints, c.GiftValidFor, c.Enabled, c.EnabledAt, c.DecidedAt, c.Version, c.CreatedAt, c.ChangedAt,
	}, nil
}

// countRow is how many messages of a campaign have a status and a reason.
type countRow struct {
	Campaign  id.Campaign `db:"campaign_id"`
	Status    Status      `db:"status"`
	Reason    *Reason     `db:"reason"`
	Count     int         `db:"count"`
	Uncertain int         `db:"uncertain"`
}

func selectCounts(ctx context.Context, q postgres.Runner, wanted []id.Campaign) ([]countRow, error) {
	var rows []countRow
	err := q.Select(ctx, &rows, `
		select campaign_id, status, reason, count(*) as count, sum(uncertain) as uncertain
		from messages
		where campaign_id = any($1::uuid[])
		group by campaign_id, status, reason
		order by campaign_id, status, reason`, pq.StringArray(id.Texts(wanted)))
	return rows, err
}
