package referral

import (
	"context"
	"slices"
	"strings"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
)

// manyReferrals is how many a referrer refers within 24 hours for each of them to be a signal.
const manyReferrals = 6

// sharedAttributes are the attributes of members and facts that tell that two people may be one, and their signals.
var sharedAttributes = map[string]Signal{"phone": SamePhone, "device": SameDevice, "cardToken": SameCard}

// signals are sorted, and none stands twice.
type signals []Signal

// with adds others.
func (s signals) with(others []Signal) signals {
	all := append(slices.Clone(s), others...)
	slices.Sort(all)
	return slices.Compact(all)
}

// SignalNames are the signals as the API shows them.
func (r *Referral) SignalNames() []string {
	names := make([]string, len(r.Signals))
	for i, one := range r.Signals {
		names[i] = string(one)
	}
	return names
}

// shared tells whether the signal is of what people have in common who live together.
func (s Signal) shared() bool { return s != Velocity && s != SamePerson }

// person is a member as far as it can be compared with another one.
type person struct {
	ID          id.Member   `db:"id"`
	Email       *string     `db:"email"`
	DisplayName *string     `db:"display_name"`
	BirthDate   *value.Date `db:"birth_date"`
}

// look finds the signals of a referral.
func look(ctx context.Context, tx *postgres.Tx, r *Referral) ([]Signal, error) {
	people, err := selectPeople(ctx, tx, []id.Member{r.Referrer, r.Referee})
	if err != nil {
		return nil, err
	}
	var found []Signal
	if len(people) == 2 {
		found = people[0].compare(people[1])
	}
	names, err := selectShared(ctx, tx, r.Referrer, r.Referee)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		found = append(found, sharedAttributes[name])
	}
	most, err := countWithinDay(ctx, tx, r, manyReferrals)
	if most >= manyReferrals {
		found = append(found, Velocity)
	}
	return found, err
}

func (p person) compare(other person) []Signal {
	var found []Signal
	if p.Email != nil && other.Email != nil && mailbox(*p.Email) == mailbox(*other.Email) {
		found = append(found, SameEmail)
	}
	if p.BirthDate != nil && other.BirthDate != nil && *p.BirthDate == *other.BirthDate &&
		p.DisplayName != nil && other.DisplayName != nil && strings.EqualFold(*p.DisplayName, *other.DisplayName) {
		found = append(found, SamePerson)
	}
	return found
}

// mailbox is where an address leads at most providers, for whom dots and what follows a plus sign make no other one.
func mailbox(email string) string {
	name, domain, _ := strings.Cut(strings.ToLower(strings.TrimSpace(email)), "@")
	name, _, _ = strings.Cut(name, "+")
	return strings.ReplaceAll(name, ".", "") + "@" + domain
}
