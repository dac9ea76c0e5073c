package care

import (
	"context"
	"encoding/json"
	"fmt"

	"regulars/internal/id"
)

// linkPurpose is what the links in mails are signed for: the typ of the signature.
const linkPurpose = "preferences"

// linkToken is what the links in a mail hold, signed: nothing of it is kept.
type linkToken struct {
	Member id.Member `json:"m"`
	// Class and Channel are of the message: one click withdraws consent to these alone.
	Class   Class   `json:"c"`
	Channel Channel `json:"h"`
}

// links are where a mail leads its member without signing in.
type links struct {
	// Unsubscribe takes a POST that withdraws consent to the message's class on its channel (RFC 8058); a GET shows a page.
	Unsubscribe string
	// Preferences is a page about everything that the member allows.
	Preferences string
}

// links returns those of a message. They are good as long as the key that signed them is not retired.
func (s *Service) links(ctx context.Context, message *Message) (links, error) {
	payload, err := json.Marshal(linkToken{Member: message.Member, Class: message.Class, Channel: message.Channel})
	if err != nil {
		return links{}, err
	}
	token, err := s.keys.Sign(ctx, linkPurpose, payload)
	if err != nil {
		return links{}, fmt.Errorf("sign the links of a message: %w", err)
	}
	return links{Unsubscribe: s.publicURL + "/unsubscribe/" + token, Preferences: s.publicURL + "/preferences/" + token}, nil
}
