package care

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// selectConsents reads what members last said of each class and channel, by member, class and channel.
func selectConsents(ctx context.Context, q postgres.Runner, members []id.Member) ([]Consent, error) {
	var consents []Consent
	err := q.Select(ctx, &consents, `
		select distinct on (member_id, class, channel) member_id, class, channel, granted, at, source, text_version
		from consents
		where member_id = any($1::uuid[])
		order by member_id, class, channel, id desc`, pq.StringArray(id.Texts(members)))
	return consents, err
}
