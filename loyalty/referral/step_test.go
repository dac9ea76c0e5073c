package referral

import (
	"testing"
	"time"

	"regulars/loyalty"
)

// TestNext is the states as a table: what becomes of each by what is seen.
func TestNext(t *testing.T) {
	t.Parallel()
	noon := time.Date(2025, time.March, 1, 12, 0, 0, 0, time.UTC)
	final := noon.AddDate(0, 0, 14)
	minimum := int64(1000)
	policy := &loyalty.ReferralPolicy{Minimum: &minimum}
	bought := func(sequence, total int64, returned ...back) sale {
		return sale{Sequence: sequence, OccurredAt: noon, Total: total, back: returned}
	}
	came := func(total int64, at time.Time) back { return back{OccurredAt: at, Total: total} }
	at := func(status Status, edits ...func(*Referral)) Referral {
		one := Referral{Status: status}
		if status != Joined {
			sequence := int64(2)
			one.QualifiedAt, one.PurchaseSequence = &noon, &sequence
		}
		if status == Rewarded {
			one.RewardedAt, one.FinalAt = &noon, &final
		}
		for _, edit := range edits {
			edit(&one)
		}
		return one
	}
	looked := func(known ...Signal) func(*Referral) {
		return func(one *Referral) { one.Signals, one.ReviewedAt = known, &noon }
	}
	shown := func(known ...Signal) func(*Referral) { return func(one *Referral) { one.Signals = known } }
	enough := []sale{bought(2, 1000)}
	for name, one := range map[string]struct {
		from   Referral
		seen   sight
		status Status
		reason Reason
		by     int64
	}{
		"nothing bought":             {at(Joined), sight{policy: policy}, Joined, "", 0},
		"too little":                 {at(Joined), sight{policy: policy, sales: []sale{bought(2, 999)}}, Joined, "", 0},
		"enough":                     {at(Joined), sight{policy: policy, sales: enough}, Qualified, "", 2},
		"no policy":                  {at(Joined), sight{sales: enough}, Joined, "", 0},
		"the first that is enough":   {at(Joined), sight{policy: policy, sales: []sale{bought(2, 999), bought(3, 1000), bought(4, 5000)}}, Qualified, "", 3},
		"came back before":           {at(Joined), sight{policy: policy, sales: []sale{bought(2, 1000, came(1, final))}}, Joined, "", 0},
		"a part, enough left":        {at(Joined), sight{policy: policy, sales: []sale{bought(2, 1500, came(500, noon))}}, Qualified, "", 2},
		"worth something":            {at(Joined), sight{policy: &loyalty.ReferralPolicy{}, sales: []sale{bought(2, 1)}}, Qualified, "", 2},
		"worth nothing":              {at(Joined), sight{policy: &loyalty.ReferralPolicy{}, sales: []sale{bought(2, 0)}}, Joined, "", 0},
		"a signal":                   {at(Joined), sight{policy: policy, sales: enough, shown: []Signal{Velocity}}, UnderReview, "", 2},
		"a signal seen once":         {at(Joined, shown(SameCard)), sight{policy: policy, sales: enough}, UnderReview, "", 2},
		"a signal looked at":         {at(Joined, looked(SameCard)), sight{policy: policy, sales: enough, shown: []Signal{SameCard}}, Qualified, "", 2},
		"another signal after that":  {at(Joined, looked(SameCard)), sight{policy: policy, sales: enough, shown: []Signal{SameDevice}}, UnderReview, "", 2},
		"shared in a household":      {at(Joined), sight{policy: policy, sales: enough, shown: []Signal{SameCard, SameDevice, SameEmail, SamePhone}, household: true}, Qualified, "", 2},
		"fast in a household":        {at(Joined), sight{policy: policy, sales: enough, shown: []Signal{Velocity}, household: true}, UnderReview, "", 2},
		"one person in a household":  {at(Joined), sight{policy: policy, sales: enough, shown: []Signal{SamePerson}, household: true}, UnderReview, "", 2},
		"signals without a purchase": {at(Joined), sight{policy: policy, shown: []Signal{SameCard}}, Joined, "", 0},

		"waits":                     {at(UnderReview, shown(SameCard)), sight{policy: policy, sales: enough, shown: []Signal{SameCard}}, UnderReview, "", 0},
		"waits, came back":          {at(UnderReview, shown(SameCard)), sight{policy: policy, sales: []sale{bought(2, 1000, came(1, noon))}}, Joined, "", 0},
		"waits, a household by now": {at(UnderReview, shown(SameCard)), sight{policy: policy, sales: enough, household: true}, Qualified, "", 0},

		"qualified":            {at(Qualified), sight{policy: policy, sales: enough}, Rewarded, "", 0},
		"qualified, came back": {at(Qualified), sight{policy: policy, sales: []sale{bought(2, 1000, came(1, noon))}}, Joined, "", 0},
		"the month is full":    {at(Qualified), sight{policy: policy, sales: enough, full: true}, Rejected, MonthlyLimit, 0},
		"too many points":      {at(Qualified), sight{policy: policy, sales: enough, overflows: true}, Rejected, TooManyPoints, 0},

		"rewarded":                    {at(Rewarded), sight{policy: policy, sales: enough}, Rewarded, "", 0},
		"rewarded, a part came back":  {at(Rewarded), sight{policy: policy, sales: []sale{bought(2, 1500, came(500, noon))}}, Rewarded, "", 0},
		"rewarded, came back in time": {at(Rewarded), sight{policy: policy, sales: []sale{bought(2, 1000, came(1, final.Add(-1)))}}, Joined, "", 0},
		"rewarded, came back late":    {at(Rewarded), sight{policy: policy, sales: []sale{bought(2, 1000, came(1000, final))}}, Rewarded, "", 0},
		"rewarded, an earlier one is told": {at(Rewarded), sight{policy: policy, sales: []sale{
			{Sequence: 9, OccurredAt: noon.Add(-1), Total: 1000}, bought(2, 1000),
		}}, Rewarded, "", 0},

		"rejected": {at(Rejected), sight{policy: policy, sales: enough}, Rejected, "", 0},
	} {
		got := one.from.next(one.seen)
		by := int64(0)
		if got.by != nil {
			by = got.by.Sequence
		}
		if got.status != one.status || got.reason != one.reason || by != one.by {
			t.Errorf("%s: it becomes %s %s by %d, want %s %s by %d", name, got.status, got.reason, by, one.status, one.reason, one.by)
		}
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	for _, one := range [][2]string{
		{"ada@example.com", "ada@example.com"}, {" A.Da+club@Example.com ", "ada@example.com"}, {"a.d.a@example.com", "ada@example.com"},
		{"ada+@example.com", "ada@example.com"}, {"ada@exam.ple.com", "ada@exam.ple.com"}, {"ada1@example.com", "ada1@example.com"},
	} {
		if got := mailbox(one[0]); got != one[1] {
			t.Errorf("%q leads to %q, want %q", one[0], got, one[1])
		}
	}
}
