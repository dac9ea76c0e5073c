package care

import (
	"context"
	"sync"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
)

// The lists of messages.
type (
	// MessageConnection is a page of messages.
	MessageConnection = page.Connection[*Message]
	// MessageEdge is a message in a page.
	MessageEdge = page.Edge[*Message]
)

// MessageFilter narrows a list of messages; everything that is given must match.
type MessageFilter struct {
	CampaignID *id.Campaign
	Status     *Status
	Reason     *Reason
	Channel    *Channel
}

const messagePages = "message"

// messageArguments reads which page of messages is asked for: what is older than the message of its id, the zero id: from the
// newest on.
func messageArguments(first *int, after *string) (page.Arguments, id.Message, error) {
	arguments, err := page.Parse(messagePages, first, after)
	if err != nil {
		return page.Arguments{}, id.Message{}, err
	}
	before := id.ParseMessage(arguments.After)
	if arguments.After != "" && before == (id.Message{}) {
		return page.Arguments{}, id.Message{}, problem.BadUserInput("after is not a cursor of this list")
	}
	return arguments, before, nil
}

func messageKey(message *Message) string { return message.ID.String() }

// Messages lists what was decided about messages to all members, newest first, also what was not sent. For support and admins.
func (s *Service) Messages(ctx context.Context, filter MessageFilter, first *int, after *string) (*MessageConnection, error) {
	if _, err := actor.Require(ctx, actor.Support, actor.Admin); err != nil {
		return nil, err
	}
	arguments, before, err := messageArguments(first, after)
	if err != nil {
		return nil, err
	}
	messages, err := selectMessages(ctx, s.db, filter, before, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	return page.New(messagePages, arguments, messages, messageKey,
		func(ctx context.Context) (int, error) { return countMessages(ctx, s.db, filter) }), nil
}

// MemberMessages lists what was decided about messages to members, each one's newest first, also what was not sent. Support and
// admins see those of all members, everybody else of none.
func (s *Service) MemberMessages(ctx context.Context, wanted []id.Member, first *int, after *string) (map[id.Member]*MessageConnection, error) {
	caller, err := actor.Require(ctx)
	if err != nil || !caller.Has(actor.Support, actor.Admin) {
		return nil, err
	}
	return s.pages(ctx, wanted, everyMessage, first, after)
}

// pages makes a page of the messages of each of the members, all of the same page.
func (s *Service) pages(ctx context.Context, members []id.Member, which selection, first *int, after *string) (map[id.Member]*MessageConnection, error) {
	arguments, before, err := messageArguments(first, after)
	if err != nil {
		return nil, err
	}
	now := s.now()
	listed, err := which.list(ctx, s.db, members, now, before, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	// Whoever asks for one total gets all of them counted together.
	counts := sync.OnceValues(func() (map[id.Member]int, error) { return which.count(ctx, s.db, members, now) })
	pages := make(map[id.Member]*MessageConnection, len(members))
	for _, member := range members {
		pages[member] = page.New(messagePages, arguments, listed[member], messageKey, func(context.Context) (int, error) {
			all, err := counts()
			return all[member], err
		})
	}
	return pages, nil
}

// Message returns a message by its id, nil if there is none or the caller may not see it: support and admins see all, a member
// what is in its inbox.
func (s *Service) Message(ctx context.Context, wanted id.Message) (*Message, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	if caller.Has(actor.Support, actor.Admin) {
		return selectMessage(ctx, s.db, wanted)
	}
	viewer, err := s.loyalty.Viewer(ctx)
	if err != nil || viewer == nil {
		return nil, err
	}
	return selectInboxMessage(ctx, s.db, viewer.ID, wanted, s.now())
}
