package ledger

import "regulars/internal/outbox"

// notices tell others what entries moved, in their order. Entries that moved nothing are not told.
func notices(entries []Entry) []outbox.Notice {
	var told []outbox.Notice
	for _, entry := range entries {
		var payload outbox.Payload
		switch {
		case entry.Kind == Expiry:
			payload = outbox.PointsExpired{Entry: entry.Sequence, Points: -entry.Points, ExpiredAt: entry.OccurredAt}
		case entry.Kind == Redemption:
			payload = outbox.PointsRedeemed{Entry: entry.Sequence, Points: -entry.Points, OccurredAt: entry.OccurredAt}
		case entry.Points > 0 && (entry.Kind == RedemptionCancel || entry.Kind == Reversal):
			payload = outbox.PointsRestored{Entry: entry.Sequence, Points: entry.Points, OccurredAt: entry.OccurredAt}
		case entry.Points < 0:
			payload = outbox.PointsTaken{Entry: entry.Sequence, Points: -entry.Points, OccurredAt: entry.OccurredAt}
		case entry.Points > 0:
			payload = outbox.PointsEarned{
				Entry: entry.Sequence, Points: entry.Points, OccurredAt: entry.OccurredAt, AvailableAt: entry.AvailableAt, ExpiresAt: entry.ExpiresAt,
			}
		default:
			continue
		}
		told = append(told, outbox.Notice{Member: entry.Member, Payload: payload})
	}
	return told
}
