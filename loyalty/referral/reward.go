package referral

import (
	"context"

	"regulars/internal/id"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
)

// reward posts the points of both. They do not count towards tiers, lapse by the program's policy, and are pending until nothing
// can take them back any more. A late reward is final no sooner than it is posted.
func (s *stepping) reward() {
	rewardedAt := s.posting.Instant(s.Referrer)
	if other := s.posting.Instant(s.Referee); other.After(rewardedAt) {
		rewardedAt = other
	}
	finalAt := s.policy.PendingFor.After(*s.QualifiedAt, s.posting.Zone())
	if finalAt.Before(rewardedAt) {
		finalAt = rewardedAt
	}
	s.RewardedAt, s.FinalAt = &rewardedAt, &finalAt
	s.ReferrerPoints, s.ReferrerSequence = s.credit(s.Referrer, s.policy.ReferrerPoints)
	s.RefereePoints, s.RefereeSequence = s.credit(s.Referee, s.policy.RefereePoints)
}

// credit posts points of one side, if there are any.
func (s *stepping) credit(member id.Member, points int64) (credited, sequence *int64) {
	if points == 0 {
		return nil, nil
	}
	recordedAt := s.posting.Next(member)
	entry := s.posting.Credit(ledger.Entry{
		Member: member, Kind: ledger.Accrual, Points: points, OccurredAt: *s.QualifiedAt, RecordedAt: recordedAt, OperationID: s.operation(),
		QualifiesAt: *s.QualifiedAt, AvailableAt: s.FinalAt, ExpiresAt: s.posting.ExpiresAt(*s.QualifiedAt, *s.FinalAt, recordedAt),
	})
	return &entry.Points, &entry.Sequence
}

// takeBack reverses what both got. What is pending is all there; what was spent, since the return was told late, is dealt with by
// the program's return policy.
func (s *stepping) takeBack(ctx context.Context) error {
	var given []id.Entry
	if s.ReferrerSequence != nil {
		given = append(given, id.Entry{Member: s.Referrer, Sequence: *s.ReferrerSequence})
	}
	if s.RefereeSequence != nil {
		given = append(given, id.Entry{Member: s.Referee, Sequence: *s.RefereeSequence})
	}
	entries, err := ledger.EntriesTx(ctx, s.tx, given)
	if err != nil {
		return err
	}
	if err := s.posting.LoadLapsed(ctx, entries); err != nil {
		return err
	}
	for _, entry := range entries {
		if err := s.posting.LoadLots(ctx, entry.Member, []lots.Draw{{Lot: entry.Sequence}}); err != nil {
			return err
		}
		now := s.posting.Next(entry.Member)
		s.posting.Reverse(ledger.Entry{
			Member: entry.Member, Kind: ledger.Reversal, OccurredAt: now, RecordedAt: now, ReversesSequence: &entry.Sequence,
			QualifiesAt: entry.QualifiesAt, OperationID: s.operation(),
		}, entry.Points)
	}
	s.RewardedAt, s.FinalAt = nil, nil
	s.ReferrerPoints, s.ReferrerSequence, s.RefereePoints, s.RefereeSequence = nil, nil, nil, nil
	return nil
}
