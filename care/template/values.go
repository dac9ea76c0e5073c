package template

import (
	"slices"

	"regulars/care/occasion"
	"regulars/internal/value"
)

// Values are all that a text may show of a member, the program and an occasion: plain data, and nothing that leads further.
// Fill shows dates and instants as the text's locale writes them. What is not known is empty or 0, and false in an if.
type Values struct {
	Member   Member
	Program  Program
	Occasion Occasion
}

// Member is what a text may show of a member.
type Member struct {
	// DisplayName is what the member likes to be called, "": it has not said.
	DisplayName string
	// Number is the number on the member's card.
	Number string
}

// Program is what a text may show of the program.
type Program struct {
	Name string
}

// Occasion is what a text may show of an occasion. Which fields mean something depends on its kind, as [Fields] lists.
type Occasion struct {
	// Date is the occasion's day where the member lives, whenever it is said.
	Date value.Date
	// Years is how old the member gets, 0: its year of birth is not known; on an anniversary how many years it has been a member.
	Years int
	// Holiday is the holiday's name in the text's locale.
	Holiday string
	// Tier is the name of the tier that was reached or ends.
	Tier string
	// Points are those that lapse.
	Points int64
	// ExpiresOn is the last day of the points, or of the tier, nil: not known.
	ExpiresOn *value.Date
	// Event is the title of the event, StartsAt what the clocks there show when it starts, Venue where it is, "": not said.
	Event    string
	StartsAt *value.LocalDateTime
	Venue    string
	// GiftPoints come with the message, 0: none do; GiftExpiresOn is their last day, nil: they do not lapse.
	GiftPoints    int64
	GiftExpiresOn *value.Date
}

// Field is something that a text may show or ask for.
type Field struct {
	// Name is as it is written, e.g. .Member.DisplayName.
	Name string
	// Type is string or int.
	Type        string
	Description string
	// Example is a piece of a template with the field.
	Example string
	// Occasions are those whose texts may use it.
	Occasions []occasion.Kind
}

// field is a field with how its value is found: what is documented is what there is.
type field struct {
	group, name, description, example string
	shape                             shape
	occasions                         []occasion.Kind
	get                               func(in Values, locale string) any
}

// Gifts are the occasions with which points may come.
var Gifts = []occasion.Kind{
	occasion.Birthday, occasion.MembershipAnniversary, occasion.Holiday, occasion.Welcome, occasion.TierReached, occasion.EventThanks, occasion.WinBack,
}

var events = []occasion.Kind{occasion.EventReminder, occasion.EventThanks}

var fields = []field{
	{"Member", "DisplayName", "What the member likes to be called; empty if it has not said.", "{{with .Member.DisplayName}}Dear {{.}}{{else}}Hello{{end}},",
		text, occasion.Kinds, func(in Values, _ string) any { return in.Member.DisplayName }},
	{"Member", "Number", "The number on the member's card.", "Your card: {{.Member.Number}}",
		text, occasion.Kinds, func(in Values, _ string) any { return in.Member.Number }},
	{"Program", "Name", "The name of the program.", "Your {{.Program.Name}}",
		text, occasion.Kinds, func(in Values, _ string) any { return in.Program.Name }},
	{"Occasion", "Date", "The day of the occasion where the member lives, as the text's language writes it.", "On {{.Occasion.Date}}",
		text, occasion.Kinds, func(in Values, locale string) any { return date(locale, &in.Occasion.Date) }},
	{"Occasion", "Years", "How old the member gets, 0 if its year of birth is not known; on an anniversary how many years it has been a member.",
		"{{if .Occasion.Years}}{{.Occasion.Years}} years{{end}}", number,
		[]occasion.Kind{occasion.Birthday, occasion.MembershipAnniversary}, func(in Values, _ string) any { return int64(in.Occasion.Years) }},
	{"Occasion", "Holiday", "The name of the holiday.", "{{.Occasion.Holiday}}",
		text, []occasion.Kind{occasion.Holiday}, func(in Values, _ string) any { return in.Occasion.Holiday }},
	{"Occasion", "Tier", "The name of the tier that was reached or ends.", "Welcome to {{.Occasion.Tier}}",
		text, []occasion.Kind{occasion.TierReached, occasion.TierAtRisk}, func(in Values, _ string) any { return in.Occasion.Tier }},
	{"Occasion", "Points", "How many points lapse.", "{{number .Occasion.Points}} points",
		number, []occasion.Kind{occasion.PointsExpiring}, func(in Values, _ string) any { return in.Occasion.Points }},
	{"Occasion", "ExpiresOn", "The last day of the points, or of the tier; empty if it is not known.", "{{with .Occasion.ExpiresOn}}until {{.}}{{end}}",
		text, []occasion.Kind{occasion.TierReached, occasion.TierAtRisk, occasion.PointsExpiring},
		func(in Values, locale string) any { return date(locale, in.Occasion.ExpiresOn) }},
	{"Occasion", "Event", "The title of the event.", "{{.Occasion.Event}}",
		text, events, func(in Values, _ string) any { return in.Occasion.Event }},
	{"Occasion", "StartsAt", "When the event starts, on the clocks there.", "{{.Occasion.StartsAt}}",
		text, events, func(in Values, locale string) any { return moment(locale, in.Occasion.StartsAt) }},
	{"Occasion", "Venue", "Where the event takes place; empty if that is not said.", "{{with .Occasion.Venue}}at {{.}}{{end}}",
		text, events, func(in Values, _ string) any { return in.Occasion.Venue }},
	{"Occasion", "GiftPoints", "The points that come with the message; 0 if none do.", "{{if .Occasion.GiftPoints}}We gave you {{number .Occasion.GiftPoints}} points.{{end}}",
		number, Gifts, func(in Values, _ string) any { return in.Occasion.GiftPoints }},
	{"Occasion", "GiftExpiresOn", "The last day of the points that come with the message; empty if they do not lapse.", "{{with .Occasion.GiftExpiresOn}}They are good until {{.}}.{{end}}",
		text, Gifts, func(in Values, locale string) any { return date(locale, in.Occasion.GiftExpiresOn) }},
}

// Fields lists what texts may use; which occasions have it says [Field.Occasions].
func Fields() []Field {
	listed := make([]Field, len(fields))
	for i, one := range fields {
		listed[i] = Field{Name: one.path(), Type: one.shape.String(), Description: one.description, Example: one.example, Occasions: one.occasions}
	}
	return listed
}

// FieldsOf lists what the texts for a kind of occasion may use.
func FieldsOf(kind occasion.Kind) []Field {
	return slices.DeleteFunc(Fields(), func(one Field) bool { return !slices.Contains(one.Occasions, kind) })
}

func (f field) path() string { return "." + f.group + "." + f.name }
