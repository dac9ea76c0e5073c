package reconcile_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/postgres"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
	"regulars/loyalty/reward"
)

// TestCheck_Redemptions makes one row wrong after the other, and wants that told.
func TestCheck_Redemptions(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	rewards := reward.New(w.DB, w.Service)
	ten := 10
	offered, err := rewards.CreateReward(w.Admin, reward.CreateRewardInput{Name: "A coffee", Kind: reward.Voucher, Cost: 5, Stock: &ten})
	if err != nil {
		t.Fatal(err)
	}
	member := w.Enroll()
	w.Adjust(member, 100)
	ref := loyaltytest.Ref(member)
	var last *reward.Answer
	for range 2 {
		if last, err = rewards.RedeemReward(w.Admin, reward.RedeemInput{Member: &ref, RewardID: offered.ID, IdempotencyKey: w.Key()}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := rewards.CancelRedemption(w.Admin, reward.CancelInput{
		RedemptionID: last.Redemption.ID, Reason: "A test", IdempotencyKey: w.Key(),
	}); err != nil {
		t.Fatal(err)
	}
	// Rows are numbered: 1 the first tier, 2 the points, 3 and 4 the redemptions, 5 the cancel.
	if report := check(t, w); !report.Clean() {
		t.Fatal(report.Differences)
	}
	for statement, want := range map[string][]string{
		`update redemptions set redeemed_at = redeemed_at - interval '1 second' where sequence = 3`: {
			"entries 3 recorded_at",
		},
		`update redemptions set id = gen_random_uuid() where sequence = 3`: {"entries 3 operation_id"},
		`update redemptions set reward_id = gen_random_uuid() where sequence = 3`: {
			"redemptions 3 reward", "rewards taken",
		},
		`update redemptions set from_supply = false where sequence = 3`: {"rewards taken"},
		`update rewards set taken = 0`:                                  {"rewards taken"},
		`delete from redemptions where sequence = 3`: {
			"entries 3 redemption", "rewards taken", "voucher_codes code of no voucher",
		},
		`update redemptions set canceled_at = null, canceled_by = null, cancel_reason = null, cancel_sequence = null`: {
			"entries 5 redemption", "rewards taken",
		},
		`update redemptions set cancel_sequence = 3 where sequence = 4`: {
			"entries 5 redemption", "redemptions 4 entry that gave its points back",
		},
		`update redemptions set canceled_at = canceled_at + interval '1 second' where sequence = 4`: {"entries 5 recorded_at"},
		`update voucher_codes set sequence = 4 where sequence = 3`: {
			"redemptions 3 code under which its voucher is found", "voucher_codes code of no voucher",
		},
		`delete from voucher_codes where sequence = 3`: {"redemptions 3 code under which its voucher is found"},
	} {
		tables := []string{"redemptions", "rewards", "voucher_codes"}
		if err := w.DB.InTx(w.Admin, func(tx *postgres.Tx) error {
			for _, table := range tables {
				if _, err := tx.Exec(w.Admin, `create table saved_`+table+` as table `+table); err != nil {
					return err
				}
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
			row := one.Row
			if one.Kind == reconcile.Stock {
				row = "rewards"
			} else if one.What == "code of no voucher" {
				row = "voucher_codes"
			}
			told = append(told, row+" "+one.What)
		}
		slices.Sort(told)
		if difference := cmp.Diff(want, told); difference != "" {
			t.Errorf("%s: %s", statement, difference)
		}
		if err := w.DB.InTx(w.Admin, func(tx *postgres.Tx) error {
			for _, table := range tables {
				for _, statement := range []string{`delete from ` + table, `insert into ` + table + ` table saved_` + table, `drop table saved_` + table} {
					if _, err := tx.Exec(w.Admin, statement); err != nil {
						return err
					}
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
