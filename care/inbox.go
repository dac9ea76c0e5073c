package care

import (
	"context"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

// Inboxes lists what members find in their inboxes, each one's newest first: messages of the channel INBOX that are delivered and
// whose time has come. Of those of the members that the caller may see: support and admins see all, a member its own.
func (s *Service) Inboxes(ctx context.Context, wanted []id.Member, first *int, after *string) (map[id.Member]*MessageConnection, error) {
	members, err := s.sees(ctx, wanted, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.pages(ctx, members, inboxMessages, first, after)
}

// UnreadCounts returns how many messages in their inboxes members have not read, of those of the members that the caller may see.
// Who sees which says Inboxes.
func (s *Service) UnreadCounts(ctx context.Context, wanted []id.Member) (map[id.Member]*int, error) {
	members, err := s.sees(ctx, wanted, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	counted, err := unreadMessages.count(ctx, s.db, members, s.now())
	counts := make(map[id.Member]*int, len(members))
	for _, member := range members {
		count := counted[member]
		counts[member] = &count
	}
	return counts, err
}

// MarkRead notes that the calling member has read a message of its inbox; the first time stays. For members. Problems:
// UNKNOWN_MESSAGE, alike for one that does not exist, one of another member, and one that is not in the inbox.
func (s *Service) MarkRead(ctx context.Context, wanted id.Message) (*Message, error) {
	if _, err := actor.Require(ctx, actor.Member); err != nil {
		return nil, err
	}
	viewer, err := s.loyalty.Viewer(ctx)
	if err != nil {
		return nil, err
	}
	// Who has not enrolled has no inbox, and is answered by the same statements.
	var own id.Member
	if viewer != nil {
		own = viewer.ID
	}
	var read *Message
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := markRead(ctx, tx, own, wanted); err != nil {
			return err
		}
		if read, err = selectInboxMessage(ctx, tx, own, wanted, tx.Now); err != nil {
			return err
		}
		if read == nil {
			return problem.At(problem.UnknownMessage, []string{"messageId"}, "Your inbox has no such message.")
		}
		return nil
	})
	return read, err
}
