package lots_test

import (
	"testing"
	"time"

	"regulars/loyalty/lots"
)

// A member with points that become available and lapse, a hold, and points that lapse when the member idles.
func owner() lots.Holding {
	return lots.Holding{
		Lots: []lots.Lot{
			lot(1, 1, on(10), on(20)),
			lot(2, 2, nil, nil),
			lot(3, 4, on(0), nil),
			{Sequence: 4, Points: 40, Remaining: 8, EarnedAt: start, AvailableAt: on(0), ExpiresAt: on(30)},
			{Sequence: 5, Points: 40, EarnedAt: start, AvailableAt: on(0), ExpiresAt: on(12)},
		},
		Holds: []lots.Hold{{Sequence: 50, EndsAt: day(15), Draws: []lots.Draw{{Lot: 5, Points: 16}, {Lot: 4, Points: 32}}}},
		Idle:  on(40),
	}
}

func TestBalance_ByTheClock(t *testing.T) {
	t.Parallel()
	h := owner()
	before := owner()
	for _, test := range []struct {
		name string
		at   time.Time
		want lots.Balance
	}{
		{"at first", day(0), lots.Balance{Available: 12, Pending: 3, Held: 48}},
		{"just before a lot is available", day(10).Add(-instant), lots.Balance{Available: 12, Pending: 3, Held: 48}},
		{"when it is", day(10), lots.Balance{Available: 13, Pending: 2, Held: 48}},
		{"when a lot lapses that is all set aside", day(12), lots.Balance{Available: 13, Pending: 2, Held: 48}},
		{"just before a hold ends", day(15).Add(-instant), lots.Balance{Available: 13, Pending: 2, Held: 48}},
		{"when it ends, and a part lapses at once", day(15), lots.Balance{Available: 45, Pending: 2}},
		{"just before a lot lapses", day(20).Add(-instant), lots.Balance{Available: 45, Pending: 2}},
		{"when it lapses", day(20), lots.Balance{Available: 44, Pending: 2}},
		{"when the next one lapses", day(30), lots.Balance{Available: 4, Pending: 2}},
		{"just before the member idles", day(40).Add(-instant), lots.Balance{Available: 4, Pending: 2}},
		{"when it idles", day(40), lots.Balance{}},
	} {
		same(t, test.name, test.want, h.Balance(test.at))
	}
	same(t, "reading changes nothing", before, h)
	same(t, "owned", int64(5), lots.Balance{Available: 4, Pending: 3, Held: 7, Debt: 9}.Owned())
}

func TestExpirations(t *testing.T) {
	t.Parallel()
	h := owner()
	h.Credit(lot(6, 64, on(25), on(20)), day(0))
	h.Credit(lot(7, 128, on(0), on(15)), day(0))
	before := h.Clone()
	all := []lots.Expiration{
		{Points: 128 + 16, At: day(15)}, {Points: 1 + 64, At: day(20)}, {Points: 8 + 32, At: day(30)}, {Points: 2 + 4, At: day(40)},
	}
	for name, test := range map[string]struct {
		at, until time.Time
		want      []lots.Expiration
	}{
		"all":                              {day(0), day(90), all},
		"until just before one":            {day(0), day(20).Add(-instant), all[:1]},
		"until one, which is included":     {day(0), day(20), all[:2]},
		"from just before one":             {day(15).Add(-instant), day(20), all[:2]},
		"from one, which has lapsed":       {day(15), day(30), all[1:3]},
		"nothing between":                  {day(21), day(29), nil},
		"nothing more":                     {day(40), day(90), nil},
		"what is held lapses when it ends": {day(12), day(14), nil},
	} {
		same(t, name, test.want, h.Expirations(test.at, test.until))
	}
	same(t, "reading changes nothing", before, h)
	debtor := lots.Holding{Lots: []lots.Lot{{Sequence: 1, Points: 5, ExpiresAt: on(20), AvailableAt: on(0)}}, Debts: []lots.Debt{debt(9, 3)}}
	debtor.Holds = []lots.Hold{{Sequence: 30, EndsAt: day(10), Draws: []lots.Draw{{Lot: 1, Points: 5}}}}
	same(t, "what will have paid a debt lapses no more", []lots.Expiration{{Points: 2, At: day(20)}}, debtor.Expirations(day(0), day(90)))
}

func TestNextChange(t *testing.T) {
	t.Parallel()
	held := lots.Hold{Sequence: 30, EndsAt: day(12), Draws: []lots.Draw{{Lot: 9, Points: 1}}}
	empty := lots.Lot{Sequence: 8, Points: 4, AvailableAt: on(4), ExpiresAt: on(5)}
	for name, test := range map[string]struct {
		holding lots.Holding
		at      time.Time
		want    *time.Time
	}{
		"a lot becomes available":              {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(10), on(20))}}, day(0), on(10)},
		"just before it does":                  {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(10), on(20))}}, day(10).Add(-instant), on(10)},
		"when it does, it lapses next":         {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(10), on(20))}}, day(10), on(20)},
		"when it has lapsed":                   {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(10), on(20))}}, day(20), nil},
		"the earliest of several":              {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), on(20)), lot(2, 5, on(0), on(11)), lot(3, 5, on(0), on(30))}}, day(10), on(11)},
		"a hold ends before":                   {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), on(20))}, Holds: []lots.Hold{held}}, day(10), on(12)},
		"a hold has ended":                     {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), on(20))}, Holds: []lots.Hold{held}}, day(12), on(20)},
		"an empty lot changes nothing":         {lots.Holding{Lots: []lots.Lot{empty}}, day(0), nil},
		"never":                                {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), nil)}}, day(10), nil},
		"not before it is confirmed":           {lots.Holding{Lots: []lots.Lot{lot(1, 5, nil, nil)}}, day(10), nil},
		"the member idling is somebody else's": {lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), nil)}, Idle: on(11)}, day(10), nil},
		"nothing":                              {lots.Holding{}, day(10), nil},
	} {
		same(t, name, test.want, test.holding.NextChange(test.at))
	}
}

func TestReverse(t *testing.T) {
	t.Parallel()
	type policies map[lots.ReturnPolicy]lots.Reversal
	every := func(made lots.Reversal) policies {
		return policies{lots.MayGoNegative: made, lots.WithinBalance: made, lots.OnlyPending: made}
	}
	own := func(points int64) []lots.Draw { return []lots.Draw{{Lot: 5, Points: points}} }
	for name, test := range map[string]struct {
		lots   []lots.Lot
		held   int64 // of what can be spent
		points int64
		lapsed int64
		want   policies
	}{
		"its own lot, whole": {
			lots: []lots.Lot{lot(1, 9, on(0), on(20)), lot(5, 7, on(0), nil)}, points: 7,
			want: policies{
				lots.MayGoNegative: {Own: own(7)},
				lots.WithinBalance: {Own: own(7)},
				lots.OnlyPending:   {Shortfall: 7},
			},
		},
		"its own lot, a part": {
			lots: []lots.Lot{lot(1, 9, on(0), on(20)), lot(5, 7, on(0), nil)}, points: 3,
			want: policies{
				lots.MayGoNegative: {Own: own(3)},
				lots.WithinBalance: {Own: own(3)},
				lots.OnlyPending:   {Shortfall: 3},
			},
		},
		"its own lot, pending":     {lots: []lots.Lot{lot(1, 9, on(0), on(20)), lot(5, 7, on(11), nil)}, points: 7, want: every(lots.Reversal{Own: own(7)})},
		"its own lot, unconfirmed": {lots: []lots.Lot{lot(1, 9, on(0), on(20)), lot(5, 7, nil, nil)}, points: 7, want: every(lots.Reversal{Own: own(7)})},
		"its own lot, just available": {
			lots: []lots.Lot{lot(5, 7, on(10), nil)}, points: 7,
			want: policies{
				lots.MayGoNegative: {Own: own(7)},
				lots.WithinBalance: {Own: own(7)},
				lots.OnlyPending:   {Shortfall: 7},
			},
		},
		"all of it lapsed": {
			lots: []lots.Lot{lot(1, 9, on(0), nil), {Sequence: 5, Points: 7, AvailableAt: on(0), ExpiresAt: on(5)}}, points: 7, lapsed: 7,
			want: every(lots.Reversal{Lapsed: 7}),
		},
		"what lapsed and was not posted yet is not drawn": {
			lots: []lots.Lot{lot(5, 7, on(0), on(10))}, points: 7,
			want: policies{
				lots.MayGoNegative: {Owed: 7},
				lots.WithinBalance: {Shortfall: 7},
				lots.OnlyPending:   {Shortfall: 7},
			},
		},
		"a part lapsed, which counts; the other was spent": {
			lots: []lots.Lot{lot(1, 9, on(0), nil), {Sequence: 5, Points: 7, AvailableAt: on(0), ExpiresAt: on(5)}}, points: 7, lapsed: 4,
			want: policies{
				lots.MayGoNegative: {Lapsed: 4, Others: []lots.Draw{{Lot: 1, Points: 3}}},
				lots.WithinBalance: {Lapsed: 4, Others: []lots.Draw{{Lot: 1, Points: 3}}},
				lots.OnlyPending:   {Lapsed: 4, Shortfall: 3},
			},
		},
		"no more lapsed than is taken back": {
			lots: []lots.Lot{{Sequence: 5, Points: 7, AvailableAt: on(0), ExpiresAt: on(5)}}, points: 2, lapsed: 4,
			want: every(lots.Reversal{Lapsed: 2}),
		},
		"spent; others in burn order, and then pending ones": {
			lots: []lots.Lot{
				lot(1, 2, on(0), nil), lot(2, 2, on(0), on(20)), lot(3, 2, on(11), on(12)), lot(4, 2, on(0), on(10)),
				{Sequence: 5, Points: 7, AvailableAt: on(0)}, lot(6, 2, nil, nil),
			},
			points: 7,
			want: policies{
				lots.MayGoNegative: {Others: []lots.Draw{{Lot: 2, Points: 2}, {Lot: 1, Points: 2}, {Lot: 3, Points: 2}, {Lot: 6, Points: 1}}},
				lots.WithinBalance: {Others: []lots.Draw{{Lot: 2, Points: 2}, {Lot: 1, Points: 2}, {Lot: 3, Points: 2}, {Lot: 6, Points: 1}}},
				lots.OnlyPending:   {Shortfall: 7},
			},
		},
		"spent, and nothing else is there": {
			lots: []lots.Lot{lot(1, 2, on(0), nil), {Sequence: 5, Points: 7, Remaining: 1, AvailableAt: on(0)}, lot(6, 1, nil, nil)}, points: 7,
			want: policies{
				lots.MayGoNegative: {Own: own(1), Others: []lots.Draw{{Lot: 1, Points: 2}, {Lot: 6, Points: 1}}, Owed: 3},
				lots.WithinBalance: {Own: own(1), Others: []lots.Draw{{Lot: 1, Points: 2}, {Lot: 6, Points: 1}}, Shortfall: 3},
				lots.OnlyPending:   {Shortfall: 7},
			},
		},
		"what a hold sets aside stays there": {
			lots: []lots.Lot{lot(1, 2, on(0), nil), lot(5, 7, on(0), on(20))}, held: 8, points: 7,
			want: policies{
				lots.MayGoNegative: {Others: []lots.Draw{{Lot: 1, Points: 1}}, Owed: 6},
				lots.WithinBalance: {Others: []lots.Draw{{Lot: 1, Points: 1}}, Shortfall: 6},
				lots.OnlyPending:   {Shortfall: 7},
			},
		},
		"nothing": {lots: []lots.Lot{lot(5, 7, on(0), nil)}, want: every(lots.Reversal{})},
	} {
		for policy, want := range test.want {
			h := lots.Holding{Lots: append([]lots.Lot{}, test.lots...)}
			if test.held > 0 {
				h.Reserve(30, test.held, day(90), day(10))
			}
			before := h.Balance(day(10))
			made := h.Reverse(5, test.points, test.lapsed, policy, day(10))
			same(t, name+", "+string(policy), want, made)
			same(t, name+", every point, "+string(policy), test.points, made.Taken()+made.Lapsed+made.Shortfall)
			if made.Owed > 0 {
				h.Owe(60, made.Owed)
			}
			same(t, name+", owned afterwards, "+string(policy), before.Owned()-made.Taken(), h.Balance(day(10)).Owned())
			same(t, name+", held afterwards, "+string(policy), test.held, h.Balance(day(10)).Held)
		}
	}
}

// What was given by hand is undone whether it can be spent or not; only what is missing is dealt with by policy.
func TestUndo(t *testing.T) {
	t.Parallel()
	own := []lots.Draw{{Lot: 5, Points: 4}}
	for name, test := range map[string]struct {
		available, expires *time.Time
		policy             lots.ReturnPolicy
		want               lots.Reversal
	}{
		"may go negative":              {on(0), nil, lots.MayGoNegative, lots.Reversal{Own: own, Lapsed: 1, Others: []lots.Draw{{Lot: 1, Points: 1}}, Owed: 1}},
		"within the balance":           {on(0), nil, lots.WithinBalance, lots.Reversal{Own: own, Lapsed: 1, Others: []lots.Draw{{Lot: 1, Points: 1}}, Shortfall: 1}},
		"only pending, can be spent":   {on(0), nil, lots.OnlyPending, lots.Reversal{Own: own, Lapsed: 1, Shortfall: 2}},
		"only pending, and it is":      {on(11), nil, lots.OnlyPending, lots.Reversal{Own: own, Lapsed: 1, Shortfall: 2}},
		"what has lapsed is not drawn": {on(0), on(10), lots.OnlyPending, lots.Reversal{Lapsed: 1, Shortfall: 6}},
	} {
		h := lots.Holding{Lots: []lots.Lot{
			lot(1, 1, on(0), nil), {Sequence: 5, Points: 7, Remaining: 4, AvailableAt: test.available, ExpiresAt: test.expires},
		}}
		same(t, name, test.want, h.Undo(5, 7, 1, test.policy, day(10)))
	}
}
