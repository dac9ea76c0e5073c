package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
)

// corrupt changes the books behind everybody's back: BUYER and GIVER in the statement stand for their ids.
func corrupt(t *testing.T, p people, statement string) {
	t.Helper()
	names := strings.NewReplacer("BUYER", quote(p.buyer.ID), "GIVER", quote(p.giver.ID))
	err := p.DB.InTx(t.Context(), func(tx *postgres.Tx) error {
		if _, err := tx.Exec(t.Context(), `set local session_replication_role = replica`); err != nil {
			return err
		}
		rows, err := tx.Exec(t.Context(), names.Replace(statement))
		if rows == 0 {
			t.Errorf("%s: no row was changed", statement)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// tables are all that a test corrupts.
var tables = []string{
	"accounts", "activities", "activity_keys", "adjustments", "debts", "draws", "entries", "evaluations", "ladders", "ladder_tiers", "lots",
	"member_keys", "members", "purchase_lines", "return_lines", "rule_versions", "tier_moves",
}

// save keeps the tables for restore, and drops the constraints that would not let them be corrupted.
func save(t *testing.T, p people) {
	t.Helper()
	statements := []string{
		`alter table lots drop constraint lots_open, drop constraint lots_remaining`,
		`alter table debts drop constraint debts_open`,
	}
	for _, table := range tables {
		statements = append(statements, `create table saved_`+table+` as table `+table)
	}
	execute(t, p, statements...)
}

func restore(t *testing.T, p people) {
	t.Helper()
	statements := []string{`set local session_replication_role = replica`}
	for _, table := range tables {
		var columns string
		if err := p.DB.Get(t.Context(), &columns, `
			select string_agg(quote_ident(column_name), ', ') from information_schema.columns
			where table_schema = 'public' and table_name = $1 and is_generated = 'NEVER'`, table); err != nil {
			t.Fatal(err)
		}
		statements = append(statements, `delete from `+table, `insert into `+table+` (`+columns+`) select `+columns+` from saved_`+table)
	}
	execute(t, p, statements...)
}

func execute(t *testing.T, p people, statements ...string) {
	t.Helper()
	if err := p.DB.InTx(t.Context(), func(tx *postgres.Tx) error {
		for _, statement := range statements {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func quote(member id.Member) string { return "'" + uuid.UUID(member).String() + "'" }

// TestCheck_Corrupt corrupts one row of the numbered timeline that populate makes, and wants that and nothing else told.
func TestCheck_Corrupt(t *testing.T) {
	t.Parallel()
	p := populate(t)
	save(t, p)
	for _, test := range []struct {
		name      string
		statement string
		// want may leave out the end of a line, where ids say no more.
		want []string
	}{
		{"balance after", `update entries set balance_after = 1 where member_id = BUYER and sequence = 6`, []string{
			"BALANCE entries 6: balance_after 155 1"}},
		{"balance", `update accounts set balance = balance + 1 where member_id = BUYER`, []string{"BALANCE accounts 1: balance 231 232"}},
		{"points of an entry", `update entries set points = 41 where member_id = BUYER and sequence = 18`, []string{
			"BALANCE accounts 1: balance 232 231", "BALANCE entries 18: balance_after 51 50", "BALANCE entries 21: balance_after 171 170",
			"BALANCE entries 22: balance_after 231 230", "BALANCE entries 27: balance_after 232 231",
			"EVALUATION entries 18: points 40 41", "LOT lots 18: points 41 40", "LOT lots 18: remaining 41 40"}},
		{"debt", `update accounts set debt = 3 where member_id = BUYER`, []string{"DEBT accounts 1: debt 0 3"}},
		{"next expiry", `update accounts set next_change_at = '2030-01-01Z' where member_id = GIVER`, []string{
			"EXPIRY accounts 1: next_change_at none 2030-01-01T00:00:00Z"}},
		{"last number", `update accounts set sequence = 99 where member_id = BUYER`, []string{"SEQUENCE accounts 1: last number 27 99"}},
		{"account's instant", `update accounts set recorded_at = '2028-05-01T10:00:07Z' where member_id = BUYER`, []string{
			"SEQUENCE accounts 1: recorded_at, not before the last row 2028-05-01T10:00:08.000001Z 2028-05-01T10:00:07Z"}},
		{"an instant out of order", `update activities set recorded_at = '2025-01-06T09:00:00Z' where member_id = BUYER and sequence = 19`, []string{
			"SEQUENCE activities 19: recorded_at, not before the row before it 2025-01-06T10:00:08.000003Z 2025-01-06T09:00:00Z"}},
		{"fact lost", `delete from activities where member_id = BUYER and sequence = 19`, []string{
			"ACTIVITY_KEY activity_keys: key of no fact, or of one that has another none one",
			"EVALUATION evaluations 19: evaluation of no such fact none one",
			"SEQUENCE activities 20: number 19 20"}},

		{"lot's remainder", `update lots set remaining = 9 where member_id = BUYER and sequence = 17`, []string{"LOT lots 17: remaining 10 9"}},
		{"lot's points", `update lots set points = 81 where member_id = BUYER and sequence = 17`, []string{"LOT lots 17: points 80 81"}},
		{"lot shut", `update lots set open = false where member_id = BUYER and sequence = 17`, []string{"LOT lots 17: open true false"}},
		{"lot's expiry", `update lots set expires_at = '2030-01-01Z' where member_id = GIVER and sequence = 3`, []string{
			"LOT lots 3: expires_at none 2030-01-01T00:00:00Z"}},
		{"lot's instant", `update lots set earned_at = '2020-01-01Z' where member_id = GIVER and sequence = 3`, []string{
			"LOT lots 3: earned_at 2025-01-06T10:00:08.000001Z 2020-01-01T00:00:00Z"}},
		{"lot lost", `delete from lots where member_id = BUYER and sequence = 22`, []string{"LOT entries 22: lot one none"}},
		{"lot from nowhere", `insert into lots values (GIVER, 4, 1, 1, '2025-01-01Z', '2025-01-01Z', null, true)`, []string{
			"LOT lots 4: entry that credits it one none"}},

		{"draw's points", `update draws set points = 31 where member_id = BUYER and entry_sequence = 12 and lot_sequence = 4`, []string{
			"DRAW draws 12: draw from lot 4, posted by 12 30 31"}},
		{"draw's lot", `update draws set lot_sequence = 6 where member_id = BUYER and entry_sequence = 12 and lot_sequence = 4`, []string{
			"DRAW draws 12: draw from lot 4, posted by 12 30 none", "DRAW draws 12: draw from lot 6, posted by 12 none 30"}},
		{"draw's payer", `update draws set posted_by = 14 where member_id = BUYER and entry_sequence = 14 and lot_sequence = 17`, []string{
			"DRAW draws 14: draw from lot 17, posted by 14 none 35", "DRAW draws 14: draw from lot 17, posted by 17 35 none"}},
		{"draw lost", `delete from draws where member_id = BUYER and entry_sequence = 10`, []string{"DRAW draws 10: draw from lot 3, posted by 10 20 none"}},

		{"debt's points", `update debts set points = 36 where member_id = BUYER and sequence = 14`, []string{"DEBT debts 14: points 35 36"}},
		{"debt's remainder", `update debts set remaining = 1 where member_id = BUYER and sequence = 14`, []string{"DEBT debts 14: remaining 0 1"}},
		{"debt reopened", `update debts set open = true where member_id = BUYER and sequence = 14`, []string{"DEBT debts 14: open false true"}},
		{"debt lost", `delete from debts where member_id = BUYER and sequence = 15`, []string{"DEBT entries 15: debt one none"}},
		{"debt from nowhere", `insert into debts values (BUYER, 12, 1, 0, false)`, []string{"DEBT debts 12: entry that owes it one none"}},

		{"expiry's instant", `update entries set occurred_at = '2025-01-17Z' where member_id = GIVER and sequence = 5`, []string{
			"EXPIRY entries 5: occurred_at 2025-01-16T10:00:08Z 2025-01-17T00:00:00Z"}},
		{"expiry of what has not expired", `update entries set expires_at = null where member_id = GIVER and sequence = 2`, []string{
			"ADJUSTMENT entries 2: expires_at 2025-01-16T10:00:08Z none",
			"DRAW draws 5: draw from lot 2, posted by 5 none 30", "EXPIRY entries 5: points, none of which had expired 0 -30",
			"LOT lots 2: expires_at none 2025-01-16T10:00:08Z", "LOT lots 2: open true false", "LOT lots 2: remaining 30 0"}},

		{"expiry not posted", `update entries set expires_at = '2026-01-01Z' where member_id = BUYER and sequence = 17`, []string{
			"EXPIRY lots 17: expiry, posted before what was recorded at 2026-02-21T10:00:08Z 2026-01-01T00:00:00Z none",
			"LOT lots 17: expires_at 2026-01-01T00:00:00Z none"}},
		{"evaluation's points", `update evaluations set points = 5 where member_id = BUYER and sequence = 20`, []string{
			"EVALUATION evaluations 20: points 180 5"}},
		{"evaluation's qualifying points", `update evaluations set qualifying = 5 where member_id = BUYER and sequence = 20`, []string{
			"EVALUATION evaluations 20: qualifying 120 5"}},
		{"evaluation unreadable", `update evaluations set outcomes = '{}' where member_id = BUYER and sequence = 20`, []string{
			"EVALUATION evaluations 20: outcomes"}},
		{"evaluation lost", `delete from evaluations where member_id = BUYER and sequence = 20`, []string{
			"EVALUATION activities 20: evaluation one none"}},
		{"grant without an entry", `update evaluations set outcomes = outcomes || outcomes, points = 3, qualifying = 2 where member_id = BUYER and sequence = 26`, []string{
			"EVALUATION evaluations 26: number of entries 2 1", "EVALUATION evaluations 26: points 2 3"}},
		{"award's basis", `update entries set basis = 1 where member_id = BUYER and sequence = 21`, []string{"EVALUATION entries 21: basis 12000 1"}},
		{"award's version", `update entries set rule_version = 2 where member_id = BUYER and sequence = 21`, []string{
			"EVALUATION entries 21: rule_version 1 2"}},
		{"award's rule", `update entries set rule_id = GIVER where member_id = BUYER and sequence = 21`, []string{"EVALUATION entries 21: rule"}},
		{"award of no fact", `update entries set activity_sequence = 24 where member_id = BUYER and sequence = 22`, []string{
			"EVALUATION evaluations 20: number of entries 2 1", "EVALUATION evaluations 24: number of entries 0 1"}},
		{"award of nothing", `update entries set activity_sequence = null where member_id = BUYER and sequence = 22`, []string{
			"EVALUATION entries 22: fact one none", "EVALUATION evaluations 20: number of entries 2 1"}},
		{"rule published later", `update rule_versions set published_at = '2025-01-10Z' where award_points is not null`, []string{
			"RULE entries 17", "RULE entries 3", "RULE entries 6"}},
		{"rule withdrawn", `update rule_versions set published_at = null, effective_from = null where award_multiplier is not null`, []string{
			"RULE entries 18", "RULE entries 22", "RULE entries 4", "RULE entries 8", "RULE entries 8"}},

		{"purchase's total", `update activities set total = 9100 where member_id = BUYER and sequence = 2`, []string{
			"PURCHASE activities 2: total, as the lines add up 9001 9100"}},
		{"line's amount", `update purchase_lines set amount = 3003 where member_id = BUYER and sequence = 2 and line = 2`, []string{
			"PURCHASE activities 2: total, as the lines add up 9003 9000",
			"RETURN return_lines 13: amount in all 3003 3001"}},
		{"lines of a check-in", `insert into purchase_lines values (BUYER, 19, 1, '1', 'TEA', 1, 1, null, null, null)`, []string{
			"PURCHASE activities 19: type of a fact with lines PURCHASE CHECK_IN"}},
		{"lines of nothing", `insert into purchase_lines values (BUYER, 21, 1, '1', 'TEA', 1, 1, null, null, null)`, []string{
			"PURCHASE purchase_lines 21: lines of no such purchase none some"}},

		{"return's total", `update activities set total = 2100 where member_id = BUYER and sequence = 9`, []string{
			"RETURN activities 13: total of all returns, at most the purchase's 9000 9100",
			"REVERSAL entries 10: points -21 -20", "REVERSAL entries 10: qualifying -21 -20",
			"REVERSAL entries 14: points -69 -70", "REVERSAL entries 14: qualifying -69 -70"}},
		{"return of nothing", `update activities set purchase_sequence = 19 where member_id = BUYER and sequence = 13`, []string{
			"RETURN activities 13: purchase with a total one none", "RETURN return_lines 13: line of the purchase one none",
			"RETURN return_lines 13: line of the purchase one none", "REVERSAL entries 14: return of a purchase one none"}},
		{"returned quantity", `update return_lines set quantity = 3000000 where member_id = BUYER and sequence = 13 and line = 1`, []string{
			"RETURN return_lines 13: quantity in all, at most what was sold 3 4"}},
		{"returned amount", `update return_lines set amount = 4001 where member_id = BUYER and sequence = 13 and line = 1`, []string{
			"RETURN return_lines 13: amount in all 6000 6001"}},
		{"returned line", `update return_lines set line = 7 where member_id = BUYER and sequence = 13 and line = 1`, []string{
			"RETURN return_lines 13: line of the purchase one none"}},
		{"reversal's qualifying points", `update entries set qualifying = -19 where member_id = BUYER and sequence = 10`, []string{
			"REVERSAL entries 10: qualifying -20 -19"}},
		{"what is reversed", `update entries set reverses = 4 where member_id = BUYER and sequence = 10`, []string{
			"DRAW draws 10: draw from lot 3, posted by 10 none 20", "DRAW draws 10: draw from lot 4, posted by 10 20 none",
			"DRAW draws 12: draw from lot 3, posted by 12 90 70", "DRAW draws 12: draw from lot 4, posted by 12 10 30", "REVERSAL entries 10: reverses 3 4"}},
		{"reversal of nothing", `update entries set activity_sequence = null where member_id = BUYER and sequence = 15`, []string{
			"REVERSAL activities 13: reversal of entry 4 none", "REVERSAL entries 15: return one none"}},

		{"adjustment's points", `update adjustments set points = 71 where member_id = GIVER and entry_sequence = 3`, []string{
			"ADJUSTMENT entries 3: points 71 70"}},
		{"adjustment lost", `delete from adjustments where member_id = GIVER and entry_sequence = 3`, []string{
			"ADJUSTMENT entries 3: adjustment one none"}},
		{"adjustment without an entry", `insert into adjustments (id, member_id, entry_sequence, points, reason, requested_at, requested_by, status)
			values (GIVER, GIVER, 7, 1, 'x', '2025-01-01Z', 'x', 'POSTED')`, []string{
			"ADJUSTMENT adjustments: entry one none"}},
		{"adjustment that qualifies", `update entries set qualifying = 1 where member_id = GIVER and sequence = 3`, []string{
			"ADJUSTMENT entries 3: qualifying 0 1", "QUALIFYING accounts 1: qualifying 11 10"}},

		{"key of a fact lost", `delete from activity_keys where member_id = BUYER and sequence = 20`, []string{
			"ACTIVITY_KEY activities 20: key one none"}},
		{"key of another's fact", `update activity_keys set member_id = GIVER where member_id = BUYER and sequence = 20`, []string{
			"ACTIVITY_KEY activities 20: the key's member", "ACTIVITY_KEY activity_keys: key of no fact, or of one that has another none one"}},
		{"key of another fact", `update activity_keys set sequence = 24 where member_id = BUYER and sequence = 20`, []string{
			"ACTIVITY_KEY activities 20: the key's fact 20 24", "ACTIVITY_KEY activity_keys: key of no fact, or of one that has another none one"}},
		{"key never placed", `update activity_keys set sequence = null where member_id = BUYER and sequence = 20`, []string{
			"ACTIVITY_KEY activities 20: the key's fact 20 none", "ACTIVITY_KEY activity_keys: key of no fact, or of one that has another none one"}},
		{"number lost", `delete from member_keys where kind = 'NUMBER' and member_id = GIVER`, []string{"MEMBER_KEY member_keys NUMBER: owner"}},
		{"another's e-mail", `update member_keys set member_id = GIVER where kind = 'EMAIL'`, []string{
			"MEMBER_KEY member_keys EMAIL: key that its member does not have none one", "MEMBER_KEY member_keys EMAIL: owner"}},
		{"external id that nobody has", `insert into member_keys values ('EXTERNAL_ID', 'ghost', BUYER)`, []string{
			"MEMBER_KEY member_keys EXTERNAL_ID: key that its member does not have none one"}},
		{"phone changed", `update members set phone = '+491700000000' where id = BUYER`, []string{
			"MEMBER_KEY member_keys PHONE: key that its member does not have none one", "MEMBER_KEY member_keys PHONE: owner"}},

		{"move's tier", `update tier_moves set to_tier_id = (select tier_id from ladder_tiers where version = 3 and rank = 2) where member_id = BUYER and sequence = 25`, []string{
			"STANDING accounts 1: tier_id", "TIER_MOVE tier_moves 25: to_tier_id"}},
		{"move's reason", `update tier_moves set reason = 'LAPSED' where member_id = BUYER and sequence = 23`, []string{
			"TIER_MOVE tier_moves 23: reason REQUALIFIED LAPSED"}},
		{"move's instant", `update tier_moves set at = '2025-01-06T09:30:00Z' where member_id = BUYER and sequence = 7`, []string{
			"TIER_MOVE tier_moves 7: at 2025-01-06T10:00:06Z 2025-01-06T09:30:00Z",
			"TIER_MOVE tier_moves 7: valid_until 2026-01-06T09:30:00Z 2026-01-06T10:00:06Z"}},
		{"move's ladder", `update tier_moves set ladder_version = 2 where member_id = BUYER and sequence = 23`, []string{
			"TIER_MOVE tier_moves 23: ladder_version 3 2"}},
		{"move's end", `update tier_moves set valid_until = '2026-01-07T10:00:06Z' where member_id = BUYER and sequence = 7`, []string{
			"TIER_MOVE tier_moves 23: at, the end of the standing before 2026-01-07T10:00:06Z 2026-01-06T10:00:06Z",
			"TIER_MOVE tier_moves 23: valid_until 2027-01-07T10:00:06Z 2027-01-06T10:00:06Z",
			"TIER_MOVE tier_moves 7: valid_until 2026-01-06T10:00:06Z 2026-01-07T10:00:06Z"}},
		{"move from elsewhere", `update tier_moves set from_tier_id = to_tier_id where member_id = BUYER and sequence = 7`, []string{
			"TIER_MOVE tier_moves 7: from_tier_id"}},
		{"rise lost", `delete from tier_moves where member_id = BUYER and sequence = 7`, []string{
			"SEQUENCE entries 8: number 7 8", "TIER_MOVE entries 6: tier reached with it Silver none"}},
		{"enrollment lost", `delete from tier_moves where member_id = GIVER and sequence = 1`, []string{
			"SEQUENCE entries 2: number 1 2", "TIER_MOVE tier_moves 1: enrollment one none"}},
		{"lapse lost", `delete from tier_moves where member_id = BUYER and sequence = 25`, []string{
			"SEQUENCE activities 26: number 25 26", "STANDING accounts 1: review_at 2027-01-06T10:00:06Z none", "STANDING accounts 1: tier_id", "STANDING accounts 1: tier_since", "STANDING accounts 1: tier_valid_until",
			"TIER_MOVE activities 26: review before it, of the standing that ran out 2027-01-06T10:00:06Z none"}},
		{"joined at another time", `update members set joined_at = '2024-01-06T09:00:00Z' where id = GIVER`, []string{
			"TIER_MOVE accounts 1: joined_at 2024-01-06T09:00:00Z 2025-01-06T09:00:00Z",
			"TIER_MOVE tier_moves 1: at 2024-01-06T09:00:00Z 2025-01-06T09:00:00Z"}},
		{"threshold lowered", `update ladder_tiers set threshold = 9 where version = 3 and rank = 1`, []string{"TIER_MOVE entries 7: tier reached with it Silver none"}},
		{"promotion forgotten", `with made as (insert into ladders values (4, '2028-06-01Z', null, '2028-06-01Z', 'NOW', null))
			insert into ladder_tiers select 4, tier_id, name, rank, least(threshold, rank), benefits from ladder_tiers where version = 3`,
			[]string{"TIER_MOVE accounts 1: tier after the ladder changed Silver Member"}},
		{"account's tier", `update accounts set tier_id = (select tier_id from ladder_tiers where version = 3 and rank = 2) where member_id = GIVER`, []string{
			"STANDING accounts 1: tier_id"}},
		{"account's tier, since", `update accounts set tier_since = '2025-01-07Z' where member_id = GIVER`, []string{"STANDING accounts 1: tier_since"}},
		{"account's tier, until", `update accounts set tier_valid_until = '2035-01-07Z' where member_id = GIVER`, []string{
			"STANDING accounts 1: tier_valid_until none 2035-01-07T00:00:00Z"}},
		{"account's review", `update accounts set review_at = '2035-01-07Z' where member_id = GIVER`, []string{
			"STANDING accounts 1: review_at none 2035-01-07T00:00:00Z"}},
		{"account's floor", `update accounts set tier_floor_id = tier_id, tier_floor_until = '2035-01-07Z' where member_id = GIVER`, []string{
			"STANDING accounts 1: end of the floor none 2035-01-07T00:00:00Z", "STANDING accounts 1: floor"}},
		{"account's ladder", `update accounts set ladder_version = 2 where member_id = GIVER`, []string{"STANDING accounts 1: ladder_version 3 2"}},
		{"qualifying", `update accounts set qualifying = 11 where member_id = GIVER`, []string{"QUALIFYING accounts 1: qualifying 10 11"}},
		{"qualifying for too long", `update accounts set qualifying_until = '2026-02-01Z' where member_id = GIVER`, []string{
			"QUALIFYING accounts 1: qualifying until 2026-02-01T00:00:00Z 0 10"}},
		{"qualifying for ever", `update accounts set qualifying_until = null where member_id = GIVER`, []string{
			"QUALIFYING accounts 1: qualifying_until 2026-01-17T10:00:08Z none"}},

		{"member lost", `delete from members where id = GIVER`, []string{
			"MEMBER_KEY member_keys NUMBER: key that its member does not have none one",
			"MEMBER_KEY member_keys REFERRAL_CODE: key that its member does not have none one", "OWNER members: the member one none"}},
		{"account lost", `delete from accounts where member_id = GIVER`, []string{"OWNER accounts: the account one none"}},
	} {
		corrupt(t, p, test.statement)
		var got []string
		for _, one := range check(t, p.World).Differences {
			table, number, _ := strings.Cut(one.Row, " ")
			if one.Kind == reconcile.Adjustments && table == "adjustments" || table == "activity_keys" {
				number = ""
			}
			got = append(got, strings.Join([]string{
				string(one.Kind), strings.TrimSpace(table+" "+number) + ":", one.What, one.Expected, one.Found}, " "))
		}
		restore(t, p)
		slices.Sort(got)
		for i, line := range got {
			if j := slices.IndexFunc(test.want, func(want string) bool { return strings.HasPrefix(line, want) }); j >= 0 {
				got[i] = test.want[j]
			}
		}
		if wrong := cmp.Diff(test.want, got); wrong != "" {
			t.Errorf("%s: %s", test.name, wrong)
		}
	}
	if report := check(t, p.World); !report.Clean() {
		t.Errorf("restored, the books still differ: %v", report.Differences)
	}
}

func TestCheck_Batches(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	var last id.Member
	for range 3 {
		last = enrollMany(t, w, 400)
	}
	statement := `update accounts set balance = 1 where member_id = ` + quote(last)
	if _, err := w.DB.Exec(w.Admin, statement); err != nil {
		t.Fatal(err)
	}
	report := check(t, w)
	if len(report.Differences) != 1 || report.Differences[0].Member != last.String() || report.Members != 1200 || report.Moves != 1200 {
		t.Errorf("%d members, %d moves, %v", report.Members, report.Moves, report.Differences)
	}
	if wrong := cmp.Diff(map[reconcile.Kind]int{reconcile.Balances: 1}, report.Counts); wrong != "" || report.Clean() {
		t.Error(wrong)
	}
}
