package graph

import (
	"context"

	"github.com/vikstrous/dataloadgen"

	"regulars/care"
	"regulars/graph/generated"
	"regulars/internal/id"
)

// careLoaders fetch what members are told, and what they allow.
type careLoaders struct {
	care      *care.Service
	consents  *dataloadgen.Loader[id.Member, *[]*care.Consent]
	unread    *dataloadgen.Loader[id.Member, *int]
	agreed    keyed[id.Member, care.ConsentConnection]
	inboxes   keyed[id.Member, care.MessageConnection]
	decisions keyed[id.Member, care.MessageConnection]
}

func newCareLoaders(service *care.Service) *careLoaders {
	return &careLoaders{care: service, consents: loader(service.Consents), unread: loader(service.UnreadCounts)}
}

// allowed is what a member last said of what it allows, nil for whoever may not see it.
func (l *careLoaders) allowed(ctx context.Context, member id.Member) ([]*care.Consent, error) {
	said, err := l.consents.Load(ctx, member)
	if said == nil || err != nil {
		return nil, err
	}
	return *said, nil
}

// consentHistory is a page of all that was said of what a member allows.
func (l *careLoaders) consentHistory(ctx context.Context, member id.Member, first *int, after *string) (*care.ConsentConnection, error) {
	return l.agreed.load(ctx, member, []any{first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*care.ConsentConnection, error) {
		return l.care.ConsentHistories(ctx, members, first, after)
	})
}

// inbox is a page of what a member finds in its inbox.
func (l *careLoaders) inbox(ctx context.Context, member id.Member, first *int, after *string) (*care.MessageConnection, error) {
	return l.inboxes.load(ctx, member, []any{first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*care.MessageConnection, error) {
		return l.care.Inboxes(ctx, members, first, after)
	})
}

// decided is a page of what was decided about messages to a member.
func (l *careLoaders) decided(ctx context.Context, member id.Member, first *int, after *string) (*care.MessageConnection, error) {
	return l.decisions.load(ctx, member, []any{first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*care.MessageConnection, error) {
		return l.care.MemberMessages(ctx, members, first, after)
	})
}

func consentPayload(consents []*care.Consent, err error) (*generated.ConsentPayload, error) {
	problems, err := refused(err)
	return &generated.ConsentPayload{Consents: consents, UserErrors: problems}, err
}

func messagePayload(message *care.Message, err error) (*generated.MessagePayload, error) {
	problems, err := refused(err)
	return &generated.MessagePayload{Message: message, UserErrors: problems}, err
}
