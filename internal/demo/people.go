package demo

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"regulars/internal/value"
	"regulars/loyalty"
)

// The first and the last member of the club, by their external ids.
const (
	robin = "robin"
	wren  = "wren"
)

// Names that nobody has: a quality and an animal.
var (
	qualities = []string{"Patient", "Curious", "Sleepy", "Cheerful", "Thrifty", "Gentle", "Punctual", "Hungry", "Tidy", "Dapper",
		"Quiet", "Sunny", "Clever", "Early", "Late", "Bookish"}
	animals = []string{"Otter", "Heron", "Badger", "Hedgehog", "Magpie", "Squirrel", "Tortoise", "Walrus", "Puffin", "Alpaca",
		"Beaver", "Dormouse", "Pelican", "Lynx", "Toad"}
	locales = []string{"en-US", "en-GB", "de-DE", "fr-FR", "es-MX", "ja-JP"}
	// Area codes of the North American plan; behind each of them 555-0100 to 555-0199 are kept for fiction.
	areaCodes = []string{"202", "212", "312", "415", "617"}
)

// habit is how a member shops.
type habit struct {
	// every is how many days lie between two visits, on average; later, if not 0, is that after turning days.
	every, turning, later int
	// stops tells that the member does not come any more after turning days.
	stops bool
	// evenings is how many of 100 tastings the member comes to.
	evenings int
}

var (
	daily      = habit{every: 4, evenings: 40}
	devoted    = habit{every: 8, evenings: 40}
	regular    = habit{every: 16, evenings: 15}
	occasional = habit{every: 40, evenings: 4}
	fading     = habit{every: 6, turning: 100, later: 50, evenings: 8}
	lost       = habit{every: 10, turning: 80, stops: true, evenings: 5}
)

// habits by how many of 20 members have them.
var habits = []habit{
	daily, devoted, regular, regular, regular, regular, regular, occasional, occasional, occasional, occasional,
	occasional, occasional, occasional, occasional, occasional, fading, fading, fading, lost,
}

// person is a member with what the plan needs to know.
type person struct {
	loyalty.EnrollMemberInput
	habit
	// random decides all that the person does, so that nobody's doings depend on anybody else's.
	random *rand.Rand
}

func email(externalID string) string {
	return strings.ReplaceAll(externalID, "-", ".") + "@example.com"
}

func (p *plan) newPerson(name, externalID string, joinedAt time.Time) *person {
	mail := email(externalID)
	return &person{
		EnrollMemberInput: loyalty.EnrollMemberInput{
			ExternalID: &externalID, DisplayName: &name, Email: &mail, JoinedAt: &joinedAt, IdempotencyKey: "demo:" + externalID,
		},
		random: rand.New(rand.NewPCG(seed, uint64(len(p.people)))),
	}
}

// meet makes the people, in the order in which they appear in the plan, which is not that in which they join.
func (p *plan) meet() {
	first := p.newPerson("Robin Redbreast", robin, p.opening)
	first.habit = habit{every: 7, evenings: 60}
	p.people = append(p.people, first)
	for number := range len(qualities) * len(animals) {
		quality, animal := qualities[number%len(qualities)], animals[number/len(qualities)]
		one := p.newPerson(quality+" "+animal, strings.ToLower(quality+"-"+animal), time.Time{})
		p.describe(one, number)
		p.people = append(p.people, one)
	}
}

func (p *plan) describe(one *person, number int) {
	random := one.random
	one.habit = habits[number%len(habits)]
	// The club opens with a crowd and grows at an even pace from then on.
	day := 1 + random.IntN(weeks*7-15)
	if random.IntN(10) < 3 {
		day = 1 + random.IntN(30)
	}
	joinedAt := p.at(day, 9+random.IntN(11), random.IntN(60))
	one.JoinedAt = &joinedAt
	if random.IntN(10) < 6 {
		phone := "+1" + areaCodes[number/100%len(areaCodes)] + "5550" + strconv.Itoa(100+number%100)
		one.Phone = &phone
	}
	if random.IntN(10) < 5 {
		one.BirthDate = &value.Date{Year: 1950 + random.IntN(55), Month: time.Month(1 + random.IntN(12)), Day: 1 + random.IntN(28)}
	}
	if random.IntN(10) < 4 {
		one.Locale = &locales[random.IntN(len(locales))]
	}
}
