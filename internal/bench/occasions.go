package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/internal/identity"
	"regulars/internal/program"
	"regulars/internal/value"
)

const (
	// yearDays is over how many days birthdays and anniversaries are spread.
	yearDays = 365
	// silence is after how many days without a purchase members are asked back.
	silence = 120
	// greeted is at what hour of the day campaigns speak.
	greeted = 9
	// birthdayGift is how many points come with a birthday, for how many months.
	birthdayGift, giftMonths = 50, 3
)

// born is a member's birthday: as many on each day of the year.
func (w *world) born(i int) *value.Date {
	born := value.DateOf(w.start.AddDate(0, 0, i%yearDays))
	born.Year = 1950 + i%50
	return &born
}

// joined is when a member joined: as many on each day of the year, which has nothing to do with the birthday.
func (w *world) joined(i int) *time.Time {
	joined := w.start.AddDate(-3, 0, i*7%yearDays).Add(12 * time.Hour)
	return &joined
}

func (w *world) care() *care.Service {
	return care.New(w.db, w.service, identity.NewSigningKeys(w.db), "http://localhost")
}

// fillCare has care hear what happened so far, makes the campaigns and who allows them, and lets a day of it pass: the database plans
// by tables that are in use.
func (w *world) fillCare(ctx context.Context) error {
	w.Clock.set(w.start.Add(-day))
	if err := w.care().DecideOccasions(ctx, func(int) {}); err != nil {
		return err
	}
	gift, valid := int64(birthdayGift), value.Period{Months: giftMonths}
	for _, one := range []care.SaveCampaignInput{
		{Occasion: occasion.Birthday, Channels: []care.Channel{program.Inbox, program.Email}, GiftPoints: &gift, GiftValidFor: &valid},
		{Occasion: occasion.MembershipAnniversary, Channels: []care.Channel{program.Email}},
		{Occasion: occasion.WinBack, Channels: []care.Channel{program.Email}, Offset: &value.Offset{Period: value.Period{Days: silence}}},
	} {
		one.Name, one.Class, one.SendAt, one.Texts = string(one.Occasion), program.Care, greeted*60, template.Defaults(one.Occasion)
		one.Enabled = true
		made, err := w.care().SaveCampaign(ctx, one)
		if err != nil {
			return err
		}
		if one.Occasion == occasion.Birthday {
			w.campaign = made.ID
		}
	}
	if err := insertConsents(ctx, w.db, w.Clock.Now()); err != nil {
		return err
	}
	w.Clock.set(w.start.Add(greeted*time.Hour - day))
	_, err := w.decide(ctx)
	return err
}

// occasions measures a day's greetings: how fast a day's birthdays are found, the job that decides about birthdays, anniversaries
// and win-backs of a day, and a run of it with nothing to do.
func (w *world) occasions() *measurement {
	found := &series{Line: Line{Name: "occasions", Operation: "birthdays of a day found", Clients: 1}}
	idle := &series{Line: Line{Name: "occasions", Operation: "a run of the job, nothing due", Clients: 1}}
	deciding := w.night("occasions", "occasions decided", "the occasions", func(ctx context.Context, part int) (sample, error) {
		one, looked, err := w.greet(ctx, part)
		found.samples = append(found.samples, looked)
		return one, err
	}, "", 0)
	return &measurement{
		name: "occasions",
		run: func(ctx context.Context, round int) error {
			if err := deciding.run(ctx, round); err != nil {
				return err
			}
			// What the purchases did is heard of first.
			if _, err := w.decide(ctx); err != nil {
				return err
			}
			began := w.Clock.real()
			_, err := w.decide(ctx)
			idle.samples = append(idle.samples, whole(1, w.Clock.real().Sub(began)))
			return err
		},
		lines: func() []Line { return slices.Concat([]Line{found.line()}, deciding.lines(), []Line{idle.line()}) },
	}
}

// greet lets the hour of a part's day come and decides about all of its occasions. What was missed before is done away with first.
func (w *world) greet(ctx context.Context, part int) (decided, found sample, err error) {
	at := w.lapse(part/2*2 + 1).Add(time.Duration(part%2)*day + greeted*time.Hour)
	w.Clock.set(at.Add(-time.Minute))
	if _, err := w.decide(ctx); err != nil {
		return sample{}, sample{}, err
	}
	asked := w.Clock.real()
	birthdays, err := w.care().CountOccasions(ctx, value.DateOf(at), occasion.Birthday)
	if err != nil {
		return sample{}, sample{}, err
	}
	found = whole(birthdays, w.Clock.real().Sub(asked))
	w.Clock.set(at)
	decided, err = w.decide(ctx)
	return decided, found, err
}

// decide runs the job once. It is one operation; what is counted are occasions.
func (w *world) decide(ctx context.Context) (sample, error) {
	count := 0
	began := w.Clock.real()
	if err := w.care().DecideOccasions(ctx, func(by int) { count += by }); err != nil {
		return sample{}, fmt.Errorf("decide about occasions: %w", err)
	}
	return whole(count, w.Clock.real().Sub(began)), nil
}
