package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"regulars/loyalty/ledger"
)

// row is one numbered row of a member: exactly one of its pointers is set.
type row struct {
	sequence   int64
	recordedAt time.Time
	activity   *activityRow
	entry      *ledger.Entry
	move       *moveRow
	hold       *holdRow
	confirm    *confirmationRow
}

func (r row) table() string {
	switch {
	case r.activity != nil:
		return "activities"
	case r.entry != nil:
		return "entries"
	case r.hold != nil:
		return "holds"
	case r.confirm != nil:
		return "confirmations"
	}
	return "tier_moves"
}

// checkAll compares the books with what they should be. Differences of owners end it: there is nothing to rebuild then.
func (b *books) checkAll() {
	if b.identity == nil {
		b.differs(Owners, "members", "the member", "one", "none")
		return
	}
	if b.account == nil {
		b.differs(Owners, "accounts", "the account", "one", "none")
		return
	}
	timeline := b.timeline()
	b.checkSequence(timeline)
	b.checkKeys()
	b.checkFacts()
	b.checkReturns()
	b.checkRedemptions()
	b.checkReferrals()
	b.checkAdjustments()
	b.checkPostings(timeline)
	b.checkStanding(timeline)
}

// timeline is the member's numbered rows in order.
func (b *books) timeline() []row {
	timeline := make([]row, 0, len(b.activities)+len(b.entries)+len(b.moves))
	for i := range b.activities {
		one := &b.activities[i]
		timeline = append(timeline, row{sequence: one.Sequence, recordedAt: one.RecordedAt, activity: one})
	}
	for i := range b.entries {
		one := &b.entries[i]
		timeline = append(timeline, row{sequence: one.Sequence, recordedAt: one.RecordedAt, entry: one})
	}
	for i := range b.moves {
		one := &b.moves[i]
		timeline = append(timeline, row{sequence: one.Sequence, recordedAt: one.RecordedAt, move: one})
	}
	for i := range b.holds {
		one := &b.holds[i]
		timeline = append(timeline, row{sequence: one.Sequence, recordedAt: one.PlacedAt, hold: one})
	}
	for i := range b.confirms {
		one := &b.confirms[i]
		timeline = append(timeline, row{sequence: one.Sequence, recordedAt: one.RecordedAt, confirm: one})
	}
	slices.SortStableFunc(timeline, func(a, b row) int { return cmp.Compare(a.sequence, b.sequence) })
	return timeline
}

func (b *books) checkSequence(timeline []row) {
	var last row
	for _, next := range timeline {
		b.expect(Sequences, next.table(), next.sequence, "number", last.sequence+1, next.sequence)
		if next.recordedAt.Before(last.recordedAt) {
			b.expect(Sequences, next.table(), next.sequence, "recorded_at, not before the row before it", last.recordedAt, next.recordedAt)
		}
		last = next
	}
	b.expect(Sequences, "accounts", 1, "last number", last.sequence, b.account.Sequence)
	if b.account.RecordedAt.Before(last.recordedAt) {
		b.expect(Sequences, "accounts", 1, "recorded_at, not before the last row", last.recordedAt, b.account.RecordedAt)
	}
}

// expectedKeys are the keys under which the member should be found.
func (b *books) expectedKeys() []memberKey {
	if b.identity == nil {
		return nil
	}
	keys := []memberKey{{Kind: "NUMBER", Value: b.identity.Number}, {Kind: "REFERRAL_CODE", Value: b.identity.ReferralCode}}
	if b.identity.ExternalID != nil {
		keys = append(keys, memberKey{Kind: "EXTERNAL_ID", Value: *b.identity.ExternalID})
	}
	if b.identity.Email != nil {
		keys = append(keys, memberKey{Kind: "EMAIL", Value: emailKey(*b.identity.Email)})
	}
	if b.identity.Phone != nil {
		keys = append(keys, memberKey{Kind: "PHONE", Value: *b.identity.Phone})
	}
	return keys
}

func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func (b *books) checkKeys() {
	for _, key := range b.expectedKeys() {
		found := "none"
		if owner, ok := b.memberKeys[key]; ok {
			found = owner.String()
		}
		if found != b.member.String() {
			b.differs(MemberKeys, "member_keys "+key.Kind, "owner", b.member.String(), found)
		}
	}
	for _, activity := range b.activities {
		// Reading the keys has hashed it before.
		hash, _ := activity.key()
		key, ok := b.keys[hash]
		if !ok {
			b.expect(ActivityKeys, "activities", activity.Sequence, "key", "one", "none")
			continue
		}
		b.expect(ActivityKeys, "activities", activity.Sequence, "the key's member", b.member, key.Member)
		b.expect(ActivityKeys, "activities", activity.Sequence, "the key's fact", activity.Sequence, key.Sequence)
	}
}
