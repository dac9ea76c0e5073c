package graph

import (
	"context"
	"strconv"

	"regulars/graph/generated"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/rules"
)

// recorded answers a fact that was sent alone.
func recorded(answer *loyalty.Recorded, err error) (*loyalty.Recorded, error) {
	problems, err := refused(err)
	if len(problems) > 0 {
		return &loyalty.Recorded{Entries: []*ledger.Entry{}, UserErrors: problems}, nil
	}
	return answer, err
}

// recordedAll answers purchases that were sent together; each one's problems lead to it.
func recordedAll(answers []loyalty.Recorded, err error) (*generated.RecordPurchasesPayload, error) {
	for i := range answers {
		answers[i].UserErrors = problem.Below([]string{"purchases", strconv.Itoa(i)}, answers[i].UserErrors)
	}
	problems, err := refused(err)
	return &generated.RecordPurchasesPayload{Results: pointers(answers), UserErrors: problems}, err
}

func memberPayload(member *loyalty.Member, err error) (*generated.MemberPayload, error) {
	problems, err := refused(err)
	return &generated.MemberPayload{Member: member, UserErrors: problems}, err
}

func rulePayload(rule *loyalty.EarningRule, err error) (*generated.EarningRulePayload, error) {
	problems, err := refused(err)
	return &generated.EarningRulePayload{Rule: rule, UserErrors: problems}, err
}

func programPayload(changed *loyalty.Program, err error) (*generated.ProgramPayload, error) {
	problems, err := refused(err)
	return &generated.ProgramPayload{Program: changed, UserErrors: problems}, err
}

// tierPreviewPayload answers previewTierChange.
func tierPreviewPayload(moves []loyalty.TierMove, err error) (*generated.TierChangePreviewPayload, error) {
	problems, err := refused(err)
	if moves == nil || err != nil {
		return &generated.TierChangePreviewPayload{UserErrors: problems}, err
	}
	return &generated.TierChangePreviewPayload{Moves: pointers(moves), UserErrors: problems}, nil
}

// tierChangePayload answers applyTierChange.
func tierChangePayload(changed *loyalty.TierChange, err error) (*generated.TierChangePayload, error) {
	problems, err := refused(err)
	if changed == nil || err != nil {
		return &generated.TierChangePayload{UserErrors: problems}, err
	}
	return &generated.TierChangePayload{Tiers: pointers(changed.Tiers), Moves: pointers(changed.Moves), UserErrors: problems}, nil
}

// programEdit is what an input changes of the program: fields that it leaves out stay, and so do those that are null, but for
// the cost and the referral policy, which null clears.
func programEdit(input generated.UpdateProgramInput) loyalty.ProgramEdit {
	cost, said := input.CostPerPoint.ValueOK()
	referral, inviting := input.Referral.ValueOK()
	return loyalty.ProgramEdit{
		Name: input.Name.Value(), DefaultLocale: input.DefaultLocale.Value(), CostPerPoint: cost, ForgetCost: said && cost == nil,
		ReturnPolicy: input.ReturnPolicy.Value(), Expiry: input.Expiry.Value(), TierPolicy: input.TierPolicy.Value(), AdjustmentCaps: caps(input.AdjustmentCaps.Value()),
		Referral: referral, EndReferral: inviting && referral == nil, Care: carePolicyEdit(input.Care.Value()),
	}
}

// carePolicyEdit is what an input changes of the contact policy, nil if nothing: null ends quiet hours, and nothing else.
func carePolicyEdit(input *generated.CarePolicyInput) *loyalty.CarePolicyEdit {
	if input == nil {
		return nil
	}
	from, saidFrom := input.QuietFrom.ValueOK()
	to, saidTo := input.QuietTo.ValueOK()
	edit := &loyalty.CarePolicyEdit{
		LeapDayBirthday: input.LeapDayBirthday.Value(), QuietFrom: from, QuietTo: to,
		EndQuietFrom: saidFrom && from == nil, EndQuietTo: saidTo && to == nil,
	}
	if given := input.Caps.Value(); given != nil {
		edit.Caps = values(given)
	}
	return edit
}

// caps are nil only where nothing was said.
func caps(given []*loyalty.AdjustmentCap) []loyalty.AdjustmentCap {
	if given == nil {
		return nil
	}
	return values(given)
}

func adjustPointsPayload(ctx context.Context, posted *loyalty.AdjustmentPosted, err error) (*generated.AdjustPointsPayload, error) {
	problems, err := refused(err)
	if posted == nil || err != nil {
		return &generated.AdjustPointsPayload{UserErrors: problems}, err
	}
	member, err := load(ctx).members.Load(ctx, posted.MemberID)
	return &generated.AdjustPointsPayload{
		Adjustment: posted.Adjustment, Entry: posted.Entry, Member: member, Replayed: &posted.Replayed,
	}, err
}

// holdPayload answers holdPoints.
func holdPayload(ctx context.Context, answer *loyalty.HoldAnswer, err error) (*generated.HoldPointsPayload, error) {
	problems, err := refused(err)
	if answer == nil || err != nil {
		return &generated.HoldPointsPayload{UserErrors: problems}, err
	}
	member, err := load(ctx).members.Load(ctx, answer.Hold.Member)
	return &generated.HoldPointsPayload{Hold: answer.Hold, Member: member, Replayed: &answer.Replayed}, err
}

// capturePayload answers captureHold and refundCapture.
func capturePayload(ctx context.Context, answer *loyalty.HoldAnswer, err error) (*generated.CaptureHoldPayload, error) {
	problems, err := refused(err)
	if answer == nil || err != nil {
		return &generated.CaptureHoldPayload{UserErrors: problems}, err
	}
	member, err := load(ctx).members.Load(ctx, answer.Hold.Member)
	return &generated.CaptureHoldPayload{Hold: answer.Hold, Entry: answer.Entry, Member: member, Replayed: &answer.Replayed}, err
}

// releasePayload answers releaseHold.
func releasePayload(ctx context.Context, answer *loyalty.HoldAnswer, err error) (*generated.ReleaseHoldPayload, error) {
	problems, err := refused(err)
	if answer == nil || err != nil {
		return &generated.ReleaseHoldPayload{UserErrors: problems}, err
	}
	member, err := load(ctx).members.Load(ctx, answer.Hold.Member)
	return &generated.ReleaseHoldPayload{Hold: answer.Hold, Member: member}, err
}

// previewPayload answers previewPurchase.
func previewPayload(evaluation *rules.Evaluation, err error) (*generated.PreviewPurchasePayload, error) {
	problems, err := refused(err)
	if len(problems) > 0 {
		evaluation = nil
	}
	return &generated.PreviewPurchasePayload{Evaluation: evaluation, UserErrors: problems}, err
}

// orNone is 0 for a number that is not there.
func orNone(number *int64) int64 {
	if number == nil {
		return 0
	}
	return *number
}

// memberEdit is what an input changes of a member: fields that it leaves out stay, null clears.
func memberEdit(input generated.UpdateMemberInput) ([]value.Attribute, loyalty.MemberEdit) {
	var attributes []value.Attribute
	if given, ok := input.Attributes.ValueOK(); ok {
		attributes = values(given)
	}
	return attributes, func(member *loyalty.Member) {
		if externalID, ok := input.ExternalID.ValueOK(); ok {
			member.ExternalID = externalID
		}
		if email, ok := input.Email.ValueOK(); ok {
			member.Email = email
		}
		if phone, ok := input.Phone.ValueOK(); ok {
			member.Phone = phone
		}
		if name, ok := input.DisplayName.ValueOK(); ok {
			member.DisplayName = name
		}
		if birthDate, ok := input.BirthDate.ValueOK(); ok {
			member.BirthDate = birthDate
		}
		if locale, ok := input.Locale.ValueOK(); ok {
			member.Locale = orEmpty(locale)
		}
		if zone, ok := input.TimeZone.ValueOK(); ok {
			member.TimeZone = orEmpty(zone)
		}
	}
}

// orEmpty is what a cleared text is to the domain, which puts the program's in its place.
func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// orNull is what an empty text is to the API.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func historyFilter(filter *generated.PointsEntryFilter) ledger.Filter {
	if filter == nil {
		return ledger.Filter{}
	}
	return ledger.Filter{Kinds: filter.Kind.Value(), From: filter.From.Value(), To: filter.To.Value()}
}

// visible leaves whoever may not see the rules only the outcomes that gave something or were limited: the others are none of its
// business, nor how large budgets are.
func visible(ctx context.Context, outcomes []rules.Outcome) []*rules.Outcome {
	caller, _ := actor.From(ctx)
	staff := caller.Has(actor.Marketer, actor.Support, actor.Admin, actor.ProgramRead)
	shown := make([]*rules.Outcome, 0, len(outcomes))
	for i := range outcomes {
		if staff || outcomes[i].Status == rules.Applied || outcomes[i].Status == rules.Limited {
			shown = append(shown, &outcomes[i])
		}
	}
	return shown
}

// activity is the fact behind an entry, nil if there is none.
func (l *loaders) activity(ctx context.Context, entry *ledger.Entry) (*loyalty.Activity, error) {
	if entry.ActivitySequence == nil {
		return nil, nil
	}
	return l.activities.Load(ctx, id.Activity{Member: entry.Member, Sequence: *entry.ActivitySequence})
}

// lookAhead is how far expiring points are looked for where nothing is said.
var lookAhead = value.Period{Days: 90}

// expiring is what of a balance lapses within a period; most members have nothing that does, and ask for nothing.
func (l *loaders) expiring(ctx context.Context, balance *loyalty.PointsBalance, within *value.Period) ([]*lots.Expiration, error) {
	if !balance.Lapses {
		return []*lots.Expiration{}, nil
	}
	if within == nil {
		within = &lookAhead
	}
	owned, err := l.expirations.load(ctx, balance.Member, balance.AsOf, func(ctx context.Context, members []id.Member) (map[id.Member]*loyalty.Expirations, error) {
		return l.service.Expirations(ctx, members, balance.AsOf)
	})
	if err != nil || owned == nil {
		return []*lots.Expiration{}, err
	}
	return pointers(owned.Expiring(*within)), nil
}

// hold is the hold of which an entry captured points or gave some back, nil if there is none.
func (l *loaders) hold(ctx context.Context, entry *ledger.Entry) (*ledger.Hold, error) {
	if entry.HoldSequence == nil {
		return nil, nil
	}
	return l.holdOf.Load(ctx, entry)
}

// entry is one of the member's entries by its number, nil for none.
func (l *loaders) entry(ctx context.Context, member id.Member, sequence *int64) (*ledger.Entry, error) {
	if sequence == nil {
		return nil, nil
	}
	return l.entries.Load(ctx, id.Entry{Member: member, Sequence: *sequence})
}

// evaluation is why an entry is as large as it is, nil if no rule decided that.
func (l *loaders) evaluation(ctx context.Context, entry *ledger.Entry) (*rules.Evaluation, error) {
	if entry.ActivitySequence == nil {
		return nil, nil
	}
	return l.evaluations.Load(ctx, id.Activity{Member: entry.Member, Sequence: *entry.ActivitySequence})
}

func pointers[T any](values []T) []*T {
	list := make([]*T, len(values))
	for i := range values {
		list[i] = &values[i]
	}
	return list
}

func values[T any](pointers []*T) []T {
	list := make([]T, len(pointers))
	for i, pointer := range pointers {
		list[i] = *pointer
	}
	return list
}

func texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}
