package care

import (
	"context"
	"fmt"

	"regulars/internal/postgres"
)

// decision is what is decided about an occasion.
type decision struct {
	*found
	// rulings are those on channels on which nothing was decided before.
	rulings map[Channel]ruling
	gift    *gift
}

// decide decides about occasions, each once, and returns about how many: it writes a message for each channel and gives what is
// given. They are in the order of their priority.
func (s *Service) decide(ctx context.Context, tx *postgres.Tx, round *round, list []*found) (int, error) {
	list, err := s.confirm(ctx, tx, list)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	people, listeners, err := round.meet(ctx, members(list))
	if err != nil {
		return 0, err
	}
	decisions := make([]*decision, len(list))
	for i, one := range list {
		decisions[i] = &decision{found: one, rulings: map[Channel]ruling{}}
		for _, channel := range one.campaign.Channels {
			who := listeners[one.Member]
			about := decidedKey{one.key, channel}
			if who.decided[about] {
				continue
			}
			who.decided[about] = true
			made := judge(round.settings.Care, who, one, channel, tx.Now)
			decisions[i].rulings[channel] = made
			if made.status != Suppressed {
				who.contacts = append(who.contacts, contact{class: one.campaign.Class, channel: channel, key: one.key, yearly: one.yearly, at: made.sendAfter})
			}
		}
	}
	if err := s.give(ctx, tx, decisions); err != nil {
		return 0, err
	}
	var messages []*Message
	texts := newTexts(round.settings)
	for _, one := range decisions {
		for _, channel := range one.campaign.Channels {
			if _, decided := one.rulings[channel]; !decided {
				continue
			}
			messages = append(messages, texts.message(people[one.Member], one, channel, tx.Now))
		}
	}
	if err := insertMessages(ctx, tx, messages); err != nil {
		return 0, fmt.Errorf("write messages: %w", err)
	}
	return len(list), nil
}
