package reward_test

import (
	"fmt"
	"testing"
	"time"

	"regulars/internal/value"
	"regulars/loyalty/reward"
)

// The audit has what was redeemed and used, once, without the code.
func TestAudit_Redemptions(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, coffee := s.rich("ada", 100), s.offer()
	input := s.input(ada, coffee)
	var made *reward.Answer
	for range 2 {
		var err error
		if made, err = s.rewards.RedeemReward(s.Admin, input); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.use(made.Redemption); err != nil {
		t.Fatal(err)
	}
	_, err := s.use(made.Redemption)
	refused(t, "again", err, "ALREADY_USED code")
	var changes []string
	if err := s.DB.Select(s.Admin, &changes, `select concat_ws(' ', action, before::text, after::text) from changes where object = $1 order by id`,
		made.Redemption.ID.String()); err != nil {
		t.Fatal(err)
	}
	equal(t, "changes", []string{
		fmt.Sprintf(`redeemReward {"entry": %q, "member": %q, "reward": %q, "status": "ISSUED"}`, made.Redemption.EntryID(), ada.ID, coffee.ID),
		`useVoucher {"status": "ISSUED"} {"status": "USED"}`,
	}, changes)
}

// What is given anew as it is changes nothing.
func TestAudit_NothingChanged(t *testing.T) {
	t.Parallel()
	s := open(t)
	from := s.Now()
	edit := func(one *reward.Reward) {
		berlin := from.In(time.FixedZone("", 3600))
		until := berlin.AddDate(1, 0, 0)
		one.Stock, one.PerMemberLimit, one.AvailableFrom, one.AvailableUntil = pointer(3), pointer(1), &berlin, &until
		one.VoucherValidFor = &value.Period{Days: 30}
	}
	made := s.offer()
	for _, want := range []int{2, 2} {
		if _, err := s.rewards.UpdateReward(s.Admin, made.ID, edit); err != nil {
			t.Fatal(err)
		}
		var count int
		if err := s.DB.Get(s.Admin, &count, `select count(*) from changes where object = $1`, made.ID.String()); err != nil {
			t.Fatal(err)
		}
		equal(t, "changes", want, count)
	}
}
