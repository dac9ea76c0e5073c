package demo

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// Where the club's facts come from. Nothing else tells facts under these names.
const (
	fromTill = "demo-till"
	fromWeb  = "demo-web"
	fromDoor = "demo-door"
)

// Every how many weeks there is a tasting, and of how many of 100 purchases something comes back.
const (
	tastingEvery = 4
	comingBack   = 4
)

// plan is everything that happens in the club, from its opening to its end.
type plan struct {
	opening, end time.Time
	zone         *time.Location
	currency     value.Currency
	locale       string
	people       []*person
	sales        []sale
	weeks        [weeks]happenings
}

// happenings are what is told together at the end of a week.
type happenings struct {
	joins     []loyalty.EnrollMemberInput
	purchases []loyalty.RecordPurchaseInput
	visits    []loyalty.RecordActivityInput
	returns   []loyalty.RecordReturnInput
}

// sale is a purchase on its way into the plan, with what comes back of it, if anything does.
type sale struct {
	loyalty.RecordPurchaseInput
	back *loyalty.RecordReturnInput
}

// newPlan plans the club of a program that opens at an instant.
func newPlan(settings program.Program, opening time.Time) (*plan, error) {
	zone, err := settings.Zone()
	if err != nil {
		return nil, err
	}
	p := &plan{opening: opening, end: opening.Add(weeks * week), zone: zone, currency: settings.Currency, locale: settings.DefaultLocale}
	p.meet()
	for _, one := range p.people {
		p.shop(one)
	}
	p.note()
	return p, nil
}

// at is an instant of the club's n-th day on the clocks of the program.
func (p *plan) at(day, hour, minute int) time.Time {
	year, month, first := p.opening.In(p.zone).Date()
	return time.Date(year, month, first+day, hour, minute, 0, 0, p.zone).UTC()
}

// unit is what a price of 100 hundredths is in minor units.
func (p *plan) unit() int64 {
	unit := int64(100)
	for range p.currency.Exponent() - 2 {
		unit *= 10
	}
	return unit
}

func (p *plan) money(hundredths int64) value.MoneyInput {
	return value.MoneyInput{Amount: value.FormatUnits(hundredths*p.unit()/100, p.currency.Exponent()), Currency: p.currency}
}

// shop plans what the person buys and brings back.
func (p *plan) shop(one *person) {
	joined := int(one.JoinedAt.Sub(p.opening) / (24 * time.Hour))
	for day := joined; day <= weeks*7; {
		every := one.every
		if one.turning > 0 && day-joined > one.turning {
			if one.stops {
				return
			}
			every = one.later
		}
		at := p.at(day, 8+one.random.IntN(12), one.random.IntN(60))
		if at.Before(*one.JoinedAt) {
			at = one.JoinedAt.Add(5 * time.Minute)
		}
		made := p.sell(one, at)
		if at.Before(p.end) {
			p.sales = append(p.sales, made)
		}
		day += 1 + one.random.IntN(2*every-1)
	}
}

func (p *plan) sell(one *person, at time.Time) sale {
	lines, total := p.basket(one.random)
	made := sale{RecordPurchaseInput: loyalty.RecordPurchaseInput{
		Member: loyalty.MemberRef{ExternalID: one.ExternalID}, Source: fromTill, OccurredAt: at, Total: p.money(total), Lines: lines,
	}}
	if one.random.IntN(5) == 0 {
		made.Source = fromWeb
	}
	comesBack, after := one.random.IntN(100) < comingBack, time.Duration(1+one.random.IntN(12))*24*time.Hour
	if comesBack && at.Add(after).Before(p.end) {
		made.back = &loyalty.RecordReturnInput{Source: made.Source, PurchaseSource: made.Source, OccurredAt: at.Add(after)}
		if len(lines) > 1 {
			// The first of several lines; else all of it.
			first := "1"
			made.back.Lines = []loyalty.ReturnLineInput{{LineID: &first, Quantity: lines[0].Quantity}}
		}
	}
	return made
}

// note gives everything its number and its week.
func (p *plan) note() {
	slices.SortStableFunc(p.people, func(a, b *person) int { return a.JoinedAt.Compare(*b.JoinedAt) })
	slices.SortStableFunc(p.sales, func(a, b sale) int { return a.OccurredAt.Compare(b.OccurredAt) })
	// Robin joins before the first week is told.
	for _, one := range p.people[1:] {
		told := p.week(*one.JoinedAt)
		told.joins = append(told.joins, one.EnrollMemberInput)
	}
	for number, one := range p.sales {
		one.ExternalID = "P-" + strconv.Itoa(10_001+number)
		told := p.week(one.OccurredAt)
		told.purchases = append(told.purchases, one.RecordPurchaseInput)
		if one.back != nil {
			one.back.ExternalID, one.back.PurchaseExternalID = "R-"+strconv.Itoa(10_001+number), one.ExternalID
			told := p.week(one.back.OccurredAt)
			told.returns = append(told.returns, *one.back)
		}
	}
	for i := range p.weeks {
		slices.SortStableFunc(p.weeks[i].returns, func(a, b loyalty.RecordReturnInput) int { return a.OccurredAt.Compare(b.OccurredAt) })
	}
	for number := tastingEvery - 1; number < weeks; number += tastingEvery {
		p.taste(number)
	}
}

// week is what is told at the end of the week of an instant.
func (p *plan) week(t time.Time) *happenings {
	return &p.weeks[t.Sub(p.opening)/week]
}

// taste plans who comes to the tasting of a week, on its fourth day.
func (p *plan) taste(number int) {
	at := p.at(7*number+3, 19, 0)
	for _, one := range p.people {
		if one.JoinedAt.After(at) || one.random.IntN(100) >= one.evenings {
			continue
		}
		told := p.week(at)
		told.visits = append(told.visits, loyalty.RecordActivityInput{
			Member: loyalty.MemberRef{ExternalID: one.ExternalID}, Type: checkIn, Source: fromDoor,
			ExternalID: fmt.Sprintf("tasting-%d-%s", 1+number/tastingEvery, *one.ExternalID),
			OccurredAt: at.Add(time.Duration(one.random.IntN(30)) * time.Minute),
			Attributes: []value.Attribute{{Name: "event", Value: "tasting"}},
		})
	}
}

func (p *plan) figures() Figures {
	// Wren comes when all is told.
	figures := Figures{Members: len(p.people) + 1, Purchases: len(p.sales)}
	for i := range p.weeks {
		figures.Returns += len(p.weeks[i].returns)
	}
	return figures
}
