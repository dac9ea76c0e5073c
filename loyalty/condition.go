package loyalty

import (
	"context"

	"regulars/internal/actor"
	"regulars/loyalty/rules"
)

// ConditionFields lists all that conditions of rules may use, so that an editor can complete them. For marketers, support, admins
// and ProgramRead.
func (s *Service) ConditionFields(ctx context.Context) ([]rules.ConditionField, error) {
	if _, err := actor.Require(ctx, actor.Marketer, actor.Support, actor.Admin, actor.ProgramRead); err != nil {
		return nil, err
	}
	return rules.ConditionFields(), nil
}
