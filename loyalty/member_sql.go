package loyalty

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const memberColumns = `id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone, joined_at, attributes,
	referral_code, referred_by, referral_until`

func findByKeys(ctx context.Context, q postgres.Runner, keys []memberKey) ([]memberKey, error) {
	kinds := make([]string, len(keys))
	values := make([]string, len(keys))
	ids := make([]id.Member, len(keys))
	for i, key := range keys {
		kinds[i], values[i] = string(key.Kind), key.Value
		if key.Kind == byID {
			ids[i] = id.ParseMember(key.Value)
		}
	}
	var found []memberKey
	err := q.Select(ctx, &found, `
		select wanted.kind, wanted.value, member_keys.member_id
		from unnest($1::text[], $2::text[]) as wanted (kind, value)
		join member_keys on member_keys.kind = wanted.kind and member_keys.value = wanted.value
		union all
		select wanted.kind, wanted.value, members.id
		from unnest($1::text[], $2::text[], $3::uuid[]) as wanted (kind, value, id)
		join members on wanted.kind = 'ID' and members.id = wanted.id`,
		pq.StringArray(kinds), pq.StringArray(values), pq.StringArray(id.Texts(ids)))
	return found, err
}

func selectMembers(ctx context.Context, q postgres.Runner, wanted []id.Member) ([]Member, error) {
	var members []Member
	err := q.Select(ctx, &members, `select `+memberColumns+` from members where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return members, err
}

func lockMember(ctx context.Context, tx *postgres.Tx, wanted id.Member) ([]Member, error) {
	var members []Member
	err := tx.Select(ctx, &members, `select `+memberColumns+` from members where id = $1 for update`, wanted)
	return members, err
}

func insertMembers(ctx context.Context, tx *postgres.Tx, members []*Member) error {
	return postgres.ExecRows(ctx, tx, members, `
		insert into members (id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone,
			joined_at, attributes, recorded_at, referral_code, referred_by, referral_until)
		select id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone, joined_at,
			attributes, recorded_at, referral_code, referred_by, referral_until
		from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[],
			$9::text[], $10::text[], $11::timestamptz[], $12::jsonb[], $13::timestamptz[], $14::text[], $15::uuid[], $16::timestamptz[])
			as made (id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone, joined_at,
				attributes, recorded_at, referral_code, referred_by, referral_until)`,
		func(m *Member) any { return m.ID },
		func(m *Member) any { return m.Number },
		func(m *Member) any { return m.ExternalID },
		func(m *Member) any { return string(m.Status) },
		func(m *Member) any { return m.DisplayName },
		func(m *Member) any { return m.Email },
		func(m *Member) any { return m.Phone },
		func(m *Member) any { return m.BirthDate },
		func(m *Member) any { return m.Locale },
		func(m *Member) any { return m.TimeZone },
		func(m *Member) any { return m.JoinedAt },
		func(m *Member) any { return m.Attributes },
		func(*Member) any { return tx.Now },
		func(m *Member) any { return m.ReferralCode },
		func(m *Member) any { return m.ReferredBy },
		func(m *Member) any { return m.ReferralUntil },
	)
}

func updateMember(ctx context.Context, tx *postgres.Tx, m *Member) error {
	_, err := tx.Exec(ctx, `
		update members set status = $2, external_id = $3, display_name = $4, email = $5, phone = $6, birth_date = $7,
			locale = $8, time_zone = $9, attributes = $10,
			earlier_time_zone = case when time_zone = $9 then earlier_time_zone else time_zone end,
			time_zone_changed_at = case when time_zone = $9 then time_zone_changed_at else $11 end,
			birth_date_changed_at = case when birth_date is not distinct from $7 then birth_date_changed_at else $11 end
		where id = $1`,
		m.ID, m.Status, m.ExternalID, m.DisplayName, m.Email, m.Phone, m.BirthDate, m.Locale, m.TimeZone, m.Attributes, tx.Now)
	return err
}

// claimKeys takes identifiers for their members, in order, and the first of several for the first; it waits for others that are taking the same ones, and
// returns the ones that each member got.
func claimKeys(ctx context.Context, tx *postgres.Tx, keys []memberKey) (map[id.Member][]memberKey, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	kinds := make([]string, len(keys))
	values := make([]string, len(keys))
	members := make([]id.Member, len(keys))
	for i, key := range keys {
		kinds[i], values[i], members[i] = string(key.Kind), key.Value, key.Member
	}
	var claimed []memberKey
	err := tx.Select(ctx, &claimed, `
		insert into member_keys (kind, value, member_id)
		select kind, value, member_id
		from unnest($1::text[], $2::text[], $3::uuid[]) with ordinality as wanted (kind, value, member_id, place)
		order by kind, value collate "C", place
		on conflict (kind, value) do nothing
		returning kind, value, member_id`,
		pq.StringArray(kinds), pq.StringArray(values), pq.StringArray(id.Texts(members)))
	got := make(map[id.Member][]memberKey, len(keys))
	for _, key := range claimed {
		got[key.Member] = append(got[key.Member], key)
	}
	return got, err
}

// releaseKeys gives identifiers back that their members have.
func releaseKeys(ctx context.Context, tx *postgres.Tx, keys []memberKey) error {
	return postgres.ExecRows(ctx, tx, keys, `
		delete from member_keys using unnest($1::text[], $2::text[], $3::uuid[]) as freed (kind, value, member_id)
		where member_keys.kind = freed.kind and member_keys.value = freed.value and member_keys.member_id = freed.member_id`,
		func(key memberKey) any { return string(key.Kind) },
		func(key memberKey) any { return key.Value },
		func(key memberKey) any { return key.Member },
	)
}

const memberFilterSQL = `
	where members.id > $1
		and ($2::text is null or members.status = $2)
		and ($3::uuid is null or exists (
			select from accounts
			where accounts.member_id = members.id and (accounts.tier_id = $3 or accounts.review_at is not null
				or accounts.ladder_version < (select max(version) from ladders where promoted_at is null))))`

// memberQuerySQL narrows by ranges of texts that begin alike: no text has a higher character than the range's end.
const memberQuerySQL = `
		and members.id in (
			select member_id from member_keys
			where kind in ('NUMBER', 'EMAIL', 'PHONE') and value >= $4 and value < $4 || chr(1114111)
			union
			select id from members
			where lower(display_name) collate "C" >= $5 and lower(display_name) collate "C" < $5 || chr(1114111))`

// where is the condition of the filter with its arguments, which start at $1.
func (f MemberFilter) where(after id.Member) (condition string, arguments []any) {
	arguments = []any{after, f.Status, f.TierID}
	identifier, name := f.prefixes()
	if identifier == nil {
		return memberFilterSQL, arguments
	}
	return memberFilterSQL + memberQuerySQL, append(arguments, identifier, name)
}

// selectMatching lists members that the filter may let through: by tier it lets pass what may have run out since.
func selectMatching(ctx context.Context, q postgres.Runner, filter MemberFilter, after id.Member, limit int) ([]*Member, error) {
	condition, arguments := filter.where(after)
	var members []*Member
	err := q.Select(ctx, &members, fmt.Sprintf(`
		select `+memberColumns+` from members%s
		order by members.id
		limit $%d`, condition, len(arguments)+1), append(arguments, limit)...)
	return members, err
}

func countMatching(ctx context.Context, q postgres.Runner, filter MemberFilter) (int, error) {
	condition, arguments := filter.where(id.Member{})
	var members int
	err := q.Get(ctx, &members, `select count(*) from members`+condition, arguments...)
	return members, err
}
