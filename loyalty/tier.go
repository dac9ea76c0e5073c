package loyalty

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// Bounds of the ladder.
const (
	maximumTiers    = 100
	maximumRank     = 1000
	maximumBenefits = 50
)

// TierInput is a tier. Benefits are for people to read; Multiplier and EarlyBooking are nil for none.
type TierInput struct {
	// ID names a tier that there is, where the whole ladder changes.
	ID           *id.Tier
	Name         string
	Rank         int
	Threshold    int64
	Benefits     []string
	Multiplier   *value.Decimal
	EarlyBooking *value.Period
}

// Tiers returns the ladder from the lowest tier up. For every role and ProgramRead.
func (s *Service) Tiers(ctx context.Context) ([]tiers.Tier, error) {
	if _, err := actor.Require(ctx, programReaders...); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return book.ladder.Tiers, nil
}

// Tier returns a tier by its id, also one that was removed, nil if there never was one. For everybody who has signed in:
// whoever works with members comes across tiers in where they stand.
func (s *Service) Tier(ctx context.Context, wanted id.Tier) (*tiers.Tier, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if tier, ok := book.status.Tier(book.ladder.Version, wanted); ok {
		return &tier, nil
	}
	return nil, nil
}

// CreateTier adds a tier to the ladder above the lowest one. Members that reach it hold it at once, or from when the policy
// of tiers says; what tells of that is posted in batches, some of them before it answers, the rest by RecalculateTiers. For marketers and admins.
//
// Problems: INVALID_NAME, INVALID_POINTS, INVALID_DURATION, INVALID_TIERS if ranks and thresholds would not rise together, the
// name stands twice or another field is out of its range.
func (s *Service) CreateTier(ctx context.Context, input TierInput) (*tiers.Tier, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	var made tiers.Tier
	if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := program.Change(ctx, tx, s.db.Now); err != nil {
			return err
		}
		ladders, err := selectLadders(ctx, tx)
		if err != nil {
			return err
		}
		before := ladders[len(ladders)-1]
		var ladder tiers.Ladder
		if ladder, made, err = extend(before, input); err != nil {
			return err
		}
		if ladder.CreatedAt, err = newSince(ctx, tx, before.CreatedAt); err != nil {
			return err
		}
		if err := insertLadder(ctx, tx, ladder, true); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "createTier", Object: made.ID.String(), After: made})
	}); err != nil {
		return nil, err
	}
	// The tier stands now; a caller that has gone does not stop what follows from it.
	return &made, s.promote(context.WithoutCancel(ctx), promptBatches)
}

// extend returns the next version of the ladder, with the tier in its place.
func extend(ladder tiers.Ladder, input TierInput) (tiers.Ladder, tiers.Tier, error) {
	var problems problem.Problems
	if input.ID != nil {
		problems.Add(problem.InvalidTiers, []string{"id"}, "A new tier has no id yet; applyTierChange changes those that there are.")
	}
	tier := input.tier(&problems, id.New[id.Tier]())
	if tier.Threshold < 1 || tier.Threshold > value.MaximumPoints {
		problems.Add(problem.InvalidPoints, []string{"threshold"}, "A threshold is 1 to %d points.", value.MaximumPoints)
	}
	if tier.Rank < 1 || tier.Rank > maximumRank {
		problems.Add(problem.InvalidTiers, []string{"rank"}, "A rank is 1 to %d; rank 0 is %q, which everybody has.", maximumRank, ladder.Base().Name)
	}
	if len(ladder.Tiers) >= maximumTiers {
		problems.Add(problem.InvalidTiers, nil, "A ladder has at most %d tiers.", maximumTiers)
	}
	for _, other := range ladder.Tiers {
		if other.Rank != tier.Rank && cmp.Compare(other.Rank, tier.Rank) != cmp.Compare(other.Threshold, tier.Threshold) {
			problems.Add(problem.InvalidTiers, []string{"threshold"}, "Thresholds rise with ranks: %q has rank %d and threshold %d.", other.Name, other.Rank, other.Threshold)
		}
	}
	extended := tiers.Ladder{Version: ladder.Version + 1, Mode: tiers.Now, ProtectUntil: ladder.ProtectUntil, Tiers: append(slices.Clone(ladder.Tiers), tier)}
	slices.SortFunc(extended.Tiers, func(a, b tiers.Tier) int { return cmp.Compare(a.Rank, b.Rank) })
	return extended, tier, problems.Err()
}

// tier is the tier with that id, with what is wrong with it below path; its place on the ladder is not looked at.
func (i TierInput) tier(problems *problem.Problems, known id.Tier, path ...string) tiers.Tier {
	wrong := func(code problem.Code, field, format string, arguments ...any) {
		problems.Add(code, append(slices.Clone(path), field), format, arguments...)
	}
	made := tiers.Tier{ID: known, Name: strings.TrimSpace(i.Name), Rank: i.Rank, Threshold: i.Threshold, Benefits: i.Benefits}
	if !Within(made.Name, maximumName) {
		wrong(problem.InvalidName, "name", "A name has 1 to %d characters.", maximumName)
	}
	if len(i.Benefits) > maximumBenefits || slices.ContainsFunc(i.Benefits, func(one string) bool { return !Within(one, maximumValue) }) {
		wrong(problem.InvalidTiers, "benefits", "At most %d benefits of 1 to %d characters are kept.", maximumBenefits, maximumValue)
	}
	if i.Multiplier != nil {
		multiplier, err := i.Multiplier.Units(value.QuantityPlaces)
		if err != nil || multiplier < rules.Million || multiplier > maximumMultiplier {
			wrong(problem.InvalidTiers, "multiplier", "A multiplier is 1 to 1000, and has at most %d decimal places.", value.QuantityPlaces)
		}
		if multiplier > rules.Million {
			made.Multiplier = &multiplier
		}
	}
	if i.EarlyBooking != nil && *i.EarlyBooking != (value.Period{}) {
		if !mayLast(*i.EarlyBooking) {
			wrong(problem.InvalidDuration, "earlyBooking", "Members book at most %d years earlier.", maximumWait)
		}
		made.EarlyBooking = i.EarlyBooking
	}
	return made
}

// over is the input with what it leaves out as the tier has it that there is.
func (i TierInput) over(before tiers.Ladder, known id.Tier) TierInput {
	if was, ok := before.Tier(known); ok {
		if i.Benefits == nil {
			i.Benefits = was.Benefits
		}
		if i.Multiplier == nil {
			i.Multiplier = was.Factor()
		}
		if i.EarlyBooking == nil {
			i.EarlyBooking = was.EarlyBooking
		}
	}
	return i
}

// ladderOf makes the next version of the ladder of all tiers that there shall be: each is one that there is, by its id or else
// by its name, or a new one.
func ladderOf(before tiers.Ladder, inputs []TierInput) (tiers.Ladder, error) {
	var problems problem.Problems
	next := tiers.Ladder{Version: before.Version + 1, ProtectUntil: before.ProtectUntil}
	if len(inputs) == 0 || len(inputs) > maximumTiers {
		return next, problem.At(problem.InvalidTiers, []string{"tiers"}, "A ladder has 1 to %d tiers.", maximumTiers)
	}
	names := map[string]bool{}
	for i, known := range match(&problems, before, inputs) {
		path := []string{"tiers", strconv.Itoa(i)}
		tier := inputs[i].over(before, known).tier(&problems, known, path...)
		wrong := func(code problem.Code, field, format string, arguments ...any) {
			problems.Add(code, append(slices.Clone(path), field), format, arguments...)
		}
		if name := strings.ToLower(tier.Name); names[name] {
			wrong(problem.InvalidTiers, "name", "Another tier has this name.")
		} else {
			names[name] = true
		}
		switch lowest := known == before.Base().ID; {
		case lowest && (tier.Rank != 0 || tier.Threshold != 0):
			wrong(problem.InvalidTiers, "rank", "%q, which everybody has, keeps rank 0 and threshold 0.", before.Base().Name)
		case lowest:
		case tier.Rank < 1 || tier.Rank > maximumRank:
			wrong(problem.InvalidTiers, "rank", "A rank is 1 to %d; rank 0 is %q, which everybody has.", maximumRank, before.Base().Name)
		case tier.Threshold < 1 || tier.Threshold > value.MaximumPoints:
			wrong(problem.InvalidPoints, "threshold", "A threshold is 1 to %d points.", value.MaximumPoints)
		}
		for j, other := range next.Tiers {
			if by := cmp.Compare(other.Rank, tier.Rank); by == 0 || by != cmp.Compare(other.Threshold, tier.Threshold) {
				wrong(problem.InvalidTiers, "threshold", "Ranks differ and thresholds rise with them: tier %d has rank %d and threshold %d.", j, other.Rank, other.Threshold)
			}
		}
		next.Tiers = append(next.Tiers, tier)
	}
	if !slices.ContainsFunc(next.Tiers, func(tier tiers.Tier) bool { return tier.ID == before.Base().ID }) {
		problems.Add(problem.InvalidTiers, []string{"tiers"}, "%q, which everybody has, cannot be removed: name it with rank 0.", before.Base().Name)
	}
	slices.SortStableFunc(next.Tiers, func(a, b tiers.Tier) int { return cmp.Compare(a.Rank, b.Rank) })
	return next, problems.Err()
}

// match says which tier each input is: one of the ladder, or a new one.
func match(problems *problem.Problems, before tiers.Ladder, inputs []TierInput) []id.Tier {
	matched, taken := make([]id.Tier, len(inputs)), map[id.Tier]bool{}
	for i, input := range inputs {
		if input.ID == nil {
			continue
		}
		if _, ok := before.Tier(*input.ID); !ok || taken[*input.ID] {
			problems.Add(problem.InvalidTiers, []string{"tiers", strconv.Itoa(i), "id"}, "There is no such tier, or it stands here twice.")
		}
		matched[i], taken[*input.ID] = *input.ID, true
	}
	for i, input := range inputs {
		if input.ID != nil {
			continue
		}
		matched[i] = id.New[id.Tier]()
		for _, tier := range before.Tiers {
			if strings.EqualFold(tier.Name, strings.TrimSpace(input.Name)) && !taken[tier.ID] {
				matched[i], taken[tier.ID] = tier.ID, true
			}
		}
	}
	return matched
}
