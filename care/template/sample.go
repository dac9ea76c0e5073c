package template

import (
	"slices"
	"time"

	"regulars/care/occasion"
	"regulars/internal/value"
)

// Sample returns values to try a text with: those of somebody who does not exist, with everything known that the kind has.
func Sample(kind occasion.Kind) Values {
	day := value.Date{Year: 2027, Month: time.March, Day: 14}
	later := value.Date{Year: 2027, Month: time.April, Day: 13}
	made := Values{Member: Member{DisplayName: "Alex", Number: "700000000012"}, Program: Program{Name: "Corner Club"}, Occasion: Occasion{Date: day}}
	switch kind {
	case occasion.Birthday:
		made.Occasion.Years = 40
	case occasion.MembershipAnniversary:
		made.Occasion.Years = 3
	case occasion.Holiday:
		made.Occasion.Holiday = "New Year"
	case occasion.TierReached, occasion.TierAtRisk:
		made.Occasion.Tier, made.Occasion.ExpiresOn = "Gold", &later
	case occasion.PointsExpiring:
		made.Occasion.Points, made.Occasion.ExpiresOn = 1250, &later
	case occasion.EventReminder, occasion.EventThanks:
		starts := value.LocalDateTimeOf(time.Date(2027, time.March, 14, 19, 30, 0, 0, time.UTC))
		made.Occasion.Event, made.Occasion.StartsAt, made.Occasion.Venue = "An evening of tea", &starts, "Market Square 1"
	case occasion.Welcome, occasion.WinBack:
	}
	if slices.Contains(Gifts, kind) {
		made.Occasion.GiftPoints, made.Occasion.GiftExpiresOn = 100, &later
	}
	return made
}
