package care

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// insertHappenings notes what happened, unless that is noted.
func insertHappenings(ctx context.Context, tx *postgres.Tx, happened []happening) error {
	return postgres.ExecRows(ctx, tx, happened, `
		insert into happenings (member_id, occasion, subject, at)
		select member_id, occasion, subject, at from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as made (member_id, occasion, subject, at)
		on conflict (member_id, occasion, subject) do nothing`,
		func(one happening) any { return one.Member },
		func(one happening) any { return string(one.Occasion) },
		func(one happening) any { return one.Subject },
		func(one happening) any { return one.At },
	)
}

// selectHappeningsOf reads what happened of members by their subjects.
func selectHappeningsOf(ctx context.Context, q postgres.Runner, wanted []happening) ([]*candidate, error) {
	members, kinds, subjects := make([]id.Member, len(wanted)), make([]string, len(wanted)), make([]string, len(wanted))
	for i, one := range wanted {
		members[i], kinds[i], subjects[i] = one.Member, string(one.Occasion), one.Subject
	}
	var list []*candidate
	err := q.Select(ctx, &list, `
		select `+personColumns+`, happenings.subject, happenings.at
		from unnest($1::uuid[], $2::text[], $3::text[]) as wanted (member_id, occasion, subject)
		join happenings on happenings.member_id = wanted.member_id and happenings.occasion = wanted.occasion and happenings.subject = wanted.subject
		join members on members.id = happenings.member_id`,
		pq.StringArray(id.Texts(members)), pq.StringArray(kinds), pq.StringArray(subjects))
	return list, err
}

// updateHearings notes when members were last heard of. Their accounts know: not everything that is told of a member is its own
// doing, gifts are not.
func updateHearings(ctx context.Context, q postgres.Runner, heard []id.Member) error {
	if len(heard) == 0 {
		return nil
	}
	_, err := q.Exec(ctx, `
		insert into hearings (member_id, heard_on)
		select member_id, (heard_at at time zone 'UTC')::date from accounts where member_id = any($1::uuid[])
		on conflict (member_id) do update set heard_on = excluded.heard_on
		where hearings.heard_on < excluded.heard_on`, pq.StringArray(id.Texts(heard)))
	return err
}

// updateAllHearings does the same for everybody, once a day: no notice tells of a purchase that earns nothing, and nobody looks
// again at who was missed already.
func updateAllHearings(ctx context.Context, tx *postgres.Tx) error {
	_, err := tx.Exec(ctx, `
		update hearings set heard_on = (accounts.heard_at at time zone 'UTC')::date
		from accounts
		where accounts.member_id = hearings.member_id and accounts.heard_at >= (hearings.heard_on + 1)::timestamp at time zone 'UTC'`)
	return err
}
