package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/postgres"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
	"regulars/loyalty/referral"
)

// TestCheck_Referrals makes one row wrong after the other, and wants that told.
func TestCheck_Referrals(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	referrals := referral.New(w.DB, w.Service, "https://club.example")
	if _, err := w.Service.UpdateProgram(w.Admin, loyalty.ProgramEdit{Referral: &loyalty.ReferralPolicyInput{ReferrerPoints: 50, RefereePoints: 20}}); err != nil {
		t.Fatal(err)
	}
	ada := w.Enroll()
	bob := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ReferralCode = &ada.ReferralCode })
	work := func() {
		t.Helper()
		for done := 1; done > 0; {
			var err error
			if done, err = referrals.Work(w.Admin); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Ada's rows: 1 the first tier, 2 the points, 3 that they were taken back, 4 the points; Bob's: 1 the first tier, 2 the purchase,
	// 3 the points, 4 the return, 5 that they were taken back, 6 the purchase, 7 the points.
	bought := w.Purchase(bob, "10.00")
	work()
	w.Return(bought)
	work()
	w.Purchase(bob, "10.00")
	work()
	if report := check(t, w); !report.Clean() {
		t.Fatal(report.Differences)
	}
	for statement, want := range map[string][]string{
		`update referrals set referrer_points = 51`:             {"ada entries 4 points"},
		`update referrals set referrer_sequence = 2`:            {"ada entries 4 entry that its referral names"},
		`update referrals set final_at = final_at + '1 second'`: {"ada entries 4 available_at", "bob entries 7 available_at"},
		`update referrals set qualified_at = qualified_at - interval '1 second'`: {
			"ada entries 4 occurred_at", "bob entries 7 occurred_at",
		},
		`update referrals set referee_points = null, referee_sequence = null`: {
			"bob entries 7 entry that its referral names", "bob entries 7 points", "bob referrals entries that stand",
		},
		`update referrals set referee_points = 20, referee_sequence = 6`: {"bob entries 7 entry that its referral names"},
		`delete from referrals`: {
			"ada entries 2 referral", "ada entries 3 entry of a referral that it takes back", "bob entries 3 referral",
			"bob entries 5 entry of a referral that it takes back",
		},
		`insert into referrals (referrer_id, id, referee_id, status, signals, referred_at, qualified_at, purchase_sequence, rewarded_at,
			final_at, referrer_points, referrer_sequence, due)
			select referrer_id, gen_random_uuid(), referee_id, status, signals, referred_at, qualified_at, purchase_sequence, rewarded_at,
				final_at, 50, 4, due
			from referrals`: {"ada referrals entries that stand"},
	} {
		if err := w.DB.InTx(w.Admin, func(tx *postgres.Tx) error {
			if _, err := tx.Exec(w.Admin, `create table saved_referrals as table referrals`); err != nil {
				return err
			}
			rows, err := tx.Exec(w.Admin, statement)
			if rows == 0 {
				t.Errorf("%s: no row was changed", statement)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, one := range check(t, w).Differences {
			who := "bob"
			if one.Member == ada.ID.String() {
				who = "ada"
			}
			row := one.Row
			if strings.HasPrefix(row, "referrals") {
				row = "referrals"
			}
			told = append(told, who+" "+row+" "+one.What)
			if one.Kind != reconcile.Referrals {
				t.Errorf("%s: it is told as %s", statement, one.Kind)
			}
		}
		slices.Sort(told)
		if difference := cmp.Diff(want, told); difference != "" {
			t.Errorf("%s: %s", statement, difference)
		}
		if err := w.DB.InTx(w.Admin, func(tx *postgres.Tx) error {
			for _, statement := range []string{`delete from referrals`, `insert into referrals table saved_referrals`, `drop table saved_referrals`} {
				if _, err := tx.Exec(w.Admin, statement); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if report := check(t, w); !report.Clean() {
		t.Fatal(report.Differences)
	}
}
