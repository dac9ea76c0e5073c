package care

import (
	"context"
	"slices"
	"time"

	"regulars/care/occasion"
	"regulars/internal/postgres"
	"regulars/internal/value"
)

// holiday is the one of the country on a date that the campaign is about; nil: there is none. Of several it is the first of the
// data file.
func (c *Campaign) holiday(country string, date value.Date) *occasion.Day {
	for _, day := range occasion.HolidaysOn(country, date) {
		if len(c.Holidays) == 0 || slices.Contains(c.Holidays, day.Name) {
			return &day
		}
	}
	return nil
}

// celebrating finds members of countries that have a holiday.
func (s *Service) celebrating(ctx context.Context, q postgres.Runner, fallback *time.Location, wanted search) ([]*candidate, error) {
	date := wanted.date()
	if !slices.ContainsFunc(occasion.Countries(), func(country string) bool { return wanted.campaign.holiday(country, date) != nil }) {
		return nil, nil
	}
	all, err := selectOrigins(ctx, q)
	if err != nil {
		return nil, err
	}
	var origins []origin
	var keys []string
	for _, one := range all {
		day := wanted.campaign.holiday(occasion.Country(one.Locale, one.TimeZone), date)
		if day != nil && (wanted.until.IsZero() || !wanted.until.Before(wanted.campaign.terms().OnDay(date, home(one.TimeZone, fallback)).From)) {
			origins = append(origins, one)
			keys = append(keys, wanted.campaign.holidayKey(day))
		}
	}
	return selectFrom(ctx, q, wanted, origins, keys)
}
