// With the race detector a year takes many minutes, and finds nothing: nothing in it runs beside another. make test runs it apart.
//go:build !race

package care_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/internal/id"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// yearSeed says another seed than 1 for TestYear.
const yearSeed = "TEST_YEAR_SEED"

// The year of TestYear has a 29 February. Each occasion of it is judged by how it would be told on paper: year_model_test.go.
var (
	yearBegins = time.Date(2027, time.December, 28, 12, 0, 0, 0, time.UTC)
	yearEnds   = time.Date(2029, time.January, 3, 12, 0, 0, 0, time.UTC)
	// Nothing runs in between.
	outageBegins = time.Date(2028, time.May, 10, 11, 0, 0, 0, time.UTC)
	outageEnds   = outageBegins.Add(72 * time.Hour)
)

// In Cairo and Santiago clocks change at midnight, in Lord Howe by half an hour.
var yearZones = []string{
	"Pacific/Kiritimati", "Pacific/Auckland", "Australia/Lord_Howe", "Asia/Shanghai", "Asia/Kolkata", "Africa/Cairo", "Europe/Berlin",
	"Europe/London", "America/Sao_Paulo", "America/Santiago", "America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "Pacific/Pago_Pago",
}

var yearHolidays = []string{"new-year", "lunar-new-year", "easter", "christmas-day"}

// tick is how often the night work is called: at most, for it is called where something becomes due.
const tick = 5 * time.Minute

// TestYear lives through a leap year with 2,000 members all over the world, who move, correct their birth dates, join late and
// change what they allow, through changes of clocks and days without cron: everybody is told everything exactly once, on its
// day where it lives, or a row says why not (Mautic #9040, Monica #389, listmonk #1801, BirthdayBot #192).
func TestYear(t *testing.T) {
	t.Parallel()
	seed := uint64(1)
	if text := os.Getenv(yearSeed); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", yearSeed, err)
		}
	}
	for stream, policy := range []program.CarePolicy{
		{LeapDayBirthday: program.February28},
		{
			LeapDayBirthday: program.March1, QuietFrom: clock(t, "20:00"), QuietTo: clock(t, "10:00"),
			Caps: []program.ContactCap{{Per: value.Period{Days: capDays}, Messages: 1}},
		},
	} {
		t.Run(string(policy.LeapDayBirthday), func(t *testing.T) {
			t.Parallel()
			y := &year{house: newHouse(t), random: rand.New(rand.NewPCG(seed, uint64(stream))), due: map[time.Time]bool{}}
			y.model = &model{policy: policy, onMarch1: policy.LeapDayBirthday == program.March1, walls: map[string][]wall{}, feasts: map[string]map[value.Date]string{}}
			defer func() {
				if t.Failed() {
					t.Logf("to see it again: %s=%d", yearSeed, seed)
				}
			}()
			y.found()
			y.enroll(1000)
			y.plan()
			y.live()
			y.judge()
		})
	}
}

// year is a program and what the test knows of it.
type year struct {
	*house
	*model
	random *rand.Rand
	lives  []*life
	// acts are what members do, runs when the night work is called.
	acts []act
	due  map[time.Time]bool
}

// act is something that happens.
type act struct {
	at time.Time
	do func()
}

// life is a member as the test knows it.
type life struct {
	member *loyalty.Member
	locale string
	// What is so, each since an instant.
	zones    []since[*time.Location]
	births   []since[*value.Date]
	consents map[program.MessageClass][]since[bool]
	address  bool
	joined   time.Time
	enrolled time.Time
	heard    []time.Time
}

type since[T any] struct {
	at time.Time
	is T
}

// last is what has been so since the last change until t; there is none before the first.
func last[T any](changes []since[T], t time.Time) (one since[T], exists bool) {
	for _, change := range changes {
		if change.at.After(t) {
			break
		}
		one, exists = change, true
	}
	return one, exists
}

func zoneAt(l *life, t time.Time) *time.Location {
	one, exists := last(l.zones, t)
	if !exists {
		one = l.zones[0]
	}
	return one.is
}

// found switches everything on.
func (y *year) found() {
	y.t.Helper()
	y.Clock.Set(yearBegins.Add(-time.Hour))
	y.Rule(y.PerAmount(1, "1.00"))
	y.Clock.Set(yearBegins)
	y.house.policy(y.model.policy)
	y.campaign(occasion.Birthday, func(campaign *care.Campaign) {
		campaign.GiftPoints, campaign.GiftValidFor = pointer(int64(50)), &value.Period{Days: 60}
	}, program.Inbox, program.Email)
	y.campaign(occasion.MembershipAnniversary, nil, program.Email)
	y.campaign(occasion.Holiday, func(campaign *care.Campaign) {
		campaign.Class, campaign.SendAt, campaign.Holidays = program.Marketing, 8*60, yearHolidays
	}, program.Email)
	y.campaign(occasion.Welcome, func(campaign *care.Campaign) { campaign.Class = program.Service })
	y.campaign(occasion.WinBack, func(campaign *care.Campaign) {
		campaign.Class, campaign.Offset = program.Marketing, value.Offset{Period: value.Period{Days: winBackDays}}
	}, program.Email)
}

// birth is a day of birth: many are where calendars are hard, and in the outage.
func (y *year) birth() *value.Date {
	born := value.DateOf(time.Date(1940+y.random.IntN(65), time.January, 1+y.random.IntN(365), 0, 0, 0, 0, time.UTC))
	for share, day := range []value.Date{{Month: time.February, Day: 29}, {Month: time.February, Day: 28}, {Month: time.March, Day: 1},
		{Month: time.December, Day: 31}, {Month: time.January, Day: 1}, {Month: time.May, Day: 10 + y.random.IntN(4)}} {
		if y.random.IntN(17) == share {
			born.Month, born.Day = day.Month, day.Day
		}
	}
	if born.Month == time.February && born.Day == 29 {
		born.Year -= born.Year % 4
	}
	if y.random.IntN(7) == 0 {
		born.Year = value.UnknownYear
	}
	return &born
}

// zoneNamed is a time zone; each has one pointer.
func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := value.ParseZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func (y *year) zone() *time.Location {
	y.t.Helper()
	return zoneNamed(y.t, yearZones[y.random.IntN(len(yearZones))])
}

// joinings are when those joined who were there before: some on days that clocks elsewhere show as others.
var joinings = []string{
	"2020-02-29T11:00:00Z", "2021-03-01T05:00:00Z", "2022-12-31T20:00:00Z", "2023-01-01T03:00:00Z", "2023-02-28T12:00:00Z", "2024-02-29T23:30:00Z",
	"2024-05-11T04:00:00Z", "2025-05-12T18:00:00Z", "2025-08-08T08:00:00Z", "2026-02-28T10:30:00Z", "2026-10-04T14:15:00Z", "2027-04-30T22:15:00Z",
	"2027-09-05T03:30:00Z", "2027-12-20T12:00:00Z",
}

// person is a member to be.
func (y *year) person(number int) (*life, loyalty.EnrollMemberInput) {
	one := &life{
		locale: []string{"en", "de", "en-US", "zh-Hans", "pt-BR", "en-GB"}[y.random.IntN(6)], address: y.random.IntN(5) > 0,
		zones: []since[*time.Location]{{is: y.zone()}}, consents: map[program.MessageClass][]since[bool]{},
	}
	input := loyalty.EnrollMemberInput{
		IdempotencyKey: y.Key(), Locale: &one.locale, TimeZone: pointer(one.zones[0].is.String()), ExternalID: pointer(fmt.Sprint("y", number)),
	}
	if y.random.IntN(20) > 0 {
		input.BirthDate = y.birth()
		one.births = []since[*value.Date]{{is: input.BirthDate}}
	}
	if one.address {
		input.Email = pointer(fmt.Sprintf("y%d@example.com", number))
	}
	return one, input
}

// agree says what a new member allows.
func (y *year) agree(one *life) {
	y.t.Helper()
	for _, class := range []program.MessageClass{program.Care, program.Marketing} {
		if y.random.IntN(10) < 7 {
			y.consent(one, class, true)
		}
	}
}

func (y *year) consent(one *life, class program.MessageClass, granted bool) {
	y.t.Helper()
	y.allow(one.member, class, program.Email, granted)
	one.consents[class] = append(one.consents[class], since[bool]{y.Clock.Now(), granted})
}

// enroll enrolls those who are there when the year begins.
func (y *year) enroll(count int) {
	y.t.Helper()
	var inputs []loyalty.EnrollMemberInput
	for number := range count {
		one, input := y.person(number)
		joined, err := time.Parse(time.RFC3339, joinings[y.random.IntN(len(joinings))])
		y.must(err)
		input.JoinedAt, one.joined = &joined, joined
		inputs, y.lives = append(inputs, input), append(y.lives, one)
	}
	answers, err := y.Service.Enroll(y.Admin, inputs)
	y.must(err)
	for i, one := range y.lives {
		if len(answers[i].UserErrors) > 0 {
			y.t.Fatalf("enroll: %v", answers[i].UserErrors)
		}
		one.member, one.enrolled, one.heard = answers[i].Member, y.Clock.Now(), []time.Time{y.Clock.Now()}
		y.agree(one)
	}
}

// sometime is an instant of the year at which nothing runs.
func (y *year) sometime() time.Time {
	ticks := int(yearEnds.Sub(yearBegins)/tick) - 2
	return yearBegins.Add(time.Duration(1+y.random.IntN(ticks))*tick + time.Duration(1+y.random.IntN(280))*time.Second)
}

// near is an instant around the birthday of who changes its mind.
func (y *year) near(one *life) time.Time {
	if len(one.births) == 0 || y.random.IntN(2) == 0 {
		return y.sometime()
	}
	born := *one.births[len(one.births)-1].is
	at := time.Date(2028, born.Month, born.Day, 0, 0, 0, 0, time.UTC).Add(time.Duration(y.random.IntN(96)-36) * time.Hour)
	return at.Truncate(tick).Add(time.Duration(1+y.random.IntN(280)) * time.Second)
}

// happens plans an act, and a run behind it.
func (y *year) happens(at time.Time, do func()) {
	y.acts = append(y.acts, act{at, do})
	y.due[at.Truncate(tick).Add(tick)] = true
}

// plan makes up what happens in the year.
func (y *year) plan() {
	y.t.Helper()
	for _, one := range slices.Clone(y.lives) {
		switch y.random.IntN(12) {
		case 0:
			y.move(one, y.near(one))
		case 1:
			y.correct(one)
		case 2:
			y.move(one, y.near(one))
			y.move(one, y.near(one))
			y.correct(one)
		case 3:
			class := []program.MessageClass{program.Care, program.Marketing}[y.random.IntN(2)]
			for range 1 + y.random.IntN(3) {
				y.happens(y.near(one), func() { y.consent(one, class, y.random.IntN(3) == 0) })
			}
		case 4:
			for range 1 + y.random.IntN(3) {
				at := y.sometime()
				y.happens(at, func() {
					y.Purchase(one.member, "10.00")
					one.heard = append(one.heard, at)
				})
			}
		}
	}
	for number := range 60 {
		y.join(10000 + number)
	}
	slices.SortFunc(y.acts, func(a, b act) int { return a.at.Compare(b.at) })
}

// move is to another zone.
func (y *year) move(one *life, at time.Time) {
	y.t.Helper()
	zone := y.zone()
	if at.After(outageBegins.AddDate(0, 0, -1)) && at.Before(outageEnds) {
		at = at.AddDate(0, 0, 5) // in two zones at once, nobody can say what was missed
	}
	y.happens(at, func() {
		if zoneAt(one, at) == zone {
			return
		}
		_, err := y.Service.UpdateMember(y.Admin, one.member.ID, nil, func(member *loyalty.Member) { member.TimeZone = zone.String() })
		y.must(err)
		one.zones = append(one.zones, since[*time.Location]{at, zone})
	})
	y.dueIn(one, zone)
}

// correct is of a birth date: to one that is near now, or any.
func (y *year) correct(one *life) {
	y.t.Helper()
	at, born := y.near(one), y.birth()
	if y.random.IntN(2) == 0 {
		close := at.AddDate(0, 0, y.random.IntN(5)-2)
		born.Month, born.Day = close.Month(), close.Day()
		if born.Month == time.February && born.Day == 29 && born.Year != value.UnknownYear {
			born.Year -= born.Year % 4
		}
	}
	y.happens(at, func() {
		if before, exists := last(one.births, at); exists && *before.is == *born {
			return
		}
		_, err := y.Service.UpdateMember(y.Admin, one.member.ID, nil, func(member *loyalty.Member) { member.BirthDate = born })
		y.must(err)
		one.births = append(one.births, since[*value.Date]{at, born})
	})
	y.dueOn(*born, one.zones[0].is)
}

// join is of a new member.
func (y *year) join(number int) {
	y.t.Helper()
	one, input := y.person(number)
	at := y.sometime()
	one.joined, one.enrolled, one.heard = at, at, []time.Time{at}
	y.happens(at, func() {
		answers, err := y.Service.Enroll(y.Admin, []loyalty.EnrollMemberInput{input})
		y.must(err)
		one.member = answers[0].Member
		y.agree(one)
	})
	y.lives = append(y.lives, one)
}

// dueOn calls the night work when a birthday begins.
func (y *year) dueOn(born value.Date, zone *time.Location) {
	for in := 2027; in <= 2029; in++ {
		day := celebrated(born, in, y.onMarch1)
		y.due[time.Date(day.Year, day.Month, day.Day, 9, 0, 0, 0, zone).UTC()] = true
	}
}

// dueIn calls the night work when something of a member becomes due in a zone.
func (y *year) dueIn(one *life, zone *time.Location) {
	for _, born := range one.births {
		y.dueOn(*born.is, zone)
	}
	y.dueOn(value.DateOf(one.joined.In(zone)), zone)
	country := occasion.Country(one.locale, zone.String())
	for day := yearBegins; day.Before(yearEnds); day = day.AddDate(0, 0, 1) {
		if date := value.DateOf(day); y.feast(country, date) != "" {
			y.due[time.Date(date.Year, date.Month, date.Day, 8, 0, 0, 0, zone).UTC()] = true
		}
	}
	for _, heard := range one.heard {
		y.due[winBack(heard, zone)] = true
	}
	hour := time.Date(one.joined.In(zone).Year(), one.joined.In(zone).Month(), one.joined.In(zone).Day(), 9, 0, 0, 0, zone).UTC()
	y.due[hour] = true
}

// schedule are all instants at which the night work is called: when something becomes due, and by the hour around changes of
// clocks and the leap day.
func (y *year) schedule() []time.Time {
	y.t.Helper()
	for _, one := range y.lives {
		y.dueIn(one, one.zones[0].is)
	}
	hourly := func(from, to time.Time) {
		for at := from; at.Before(to); at = at.Add(time.Hour) {
			y.due[at] = true
		}
	}
	hourly(time.Date(2028, time.February, 28, 0, 0, 0, 0, time.UTC), time.Date(2028, time.March, 2, 12, 0, 0, 0, time.UTC))
	for _, name := range yearZones {
		zone := zoneNamed(y.t, name)
		for at := yearBegins; at.Before(yearEnds); at = at.Add(time.Hour) {
			_, before := at.In(zone).Zone()
			if _, after := at.Add(time.Hour).In(zone).Zone(); before != after {
				hourly(at.Add(-3*time.Hour), at.Add(18*time.Hour))
			}
		}
	}
	var all []time.Time
	for at := range y.due {
		if !at.Before(yearBegins) && at.Before(yearEnds) && (at.Before(outageBegins) || !at.Before(outageEnds)) {
			all = append(all, at)
		}
	}
	all = append(all, yearEnds)
	slices.SortFunc(all, time.Time.Compare)
	return slices.Compact(all)
}

// live lets the year pass.
func (y *year) live() {
	y.t.Helper()
	y.show(y.schedule())
	next := 0
	for _, at := range y.runs {
		for ; next < len(y.acts) && !y.acts[next].at.After(at); next++ {
			y.Clock.Set(y.acts[next].at)
			y.acts[next].do()
		}
		y.Clock.Set(at)
		y.decide()
		y.send()
	}
	y.t.Logf("%d runs, %d acts", len(y.runs), len(y.acts))
}

// send hands over at once what is to be sent, when it is to be sent: a consent that is withdrawn later changes nothing of it.
func (y *year) send() {
	y.t.Helper()
	_, err := y.DB.Exec(y.Admin, `update messages set status = 'SENT', sent_at = send_after, due_at = null where due_at is not null`)
	y.must(err)
}

// kept is a message as it is in the database.
type kept struct {
	Member    id.Member `db:"member_id"`
	Key       string    `db:"occasion_key"`
	Channel   string    `db:"channel"`
	Status    string    `db:"status"`
	CreatedAt time.Time `db:"created_at"`
}

// judge compares what was told with what should be.
func (y *year) judge() {
	y.t.Helper()
	var rows []kept
	y.must(y.DB.Select(y.Admin, &rows, `
		select member_id, occasion_key, channel, status || coalesce(' ' || reason, '') as status, created_at from messages`))
	var gifts []kept
	y.must(y.DB.Select(y.Admin, &gifts, `
		select member_id, occasion_key, 'GIFT' as channel, points::text as status, given_at as created_at from gifts`))
	got := map[id.Member]map[string]string{}
	counts := map[string]int{}
	for _, one := range append(rows, gifts...) {
		if got[one.Member] == nil {
			got[one.Member] = map[string]string{}
		}
		got[one.Member][one.Key+" "+one.Channel] = one.Status + " at " + one.CreatedAt.UTC().Format(time.RFC3339)
		counts[one.Channel+" "+one.Status]++
	}
	wrong := 0
	for _, one := range y.lives {
		want := y.told(one)
		for _, key := range sortedKeys(want, got[one.member.ID]) {
			if got, want := got[one.member.ID][key], want[key]; got != want {
				if wrong++; wrong <= 20 {
					y.t.Errorf("%s: %s\n got %q\nwant %q\n%s", one.member.ID, key, got, want, one)
				}
			}
		}
	}
	if wrong > 20 {
		y.t.Errorf("and %d more", wrong-20)
	}
	y.t.Logf("%v", counts)
	y.books()
}

func sortedKeys(maps ...map[string]string) []string {
	var keys []string
	for _, one := range maps {
		for key := range one {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (l *life) String() string {
	text := fmt.Sprintf("joined %s, enrolled %s, speaks %s", l.joined.Format(time.RFC3339), l.enrolled.Format(time.RFC3339), l.locale)
	for _, zone := range l.zones {
		text += fmt.Sprintf("; in %s since %s", zone.is, zone.at.Format(time.RFC3339))
	}
	for _, born := range l.births {
		text += fmt.Sprintf("; born %s since %s", born.is, born.at.Format(time.RFC3339))
	}
	for _, heard := range l.heard {
		text += fmt.Sprintf("; heard %s", heard.Format(time.RFC3339))
	}
	return text + fmt.Sprintf("; allows %v; address %t", l.consents, l.address)
}
