package care

// Each statement lists what differs; one snapshot is read by all of them.
const (
	wrongGifts = `
		select gifts.member_id, 'gifts ' || gifts.occasion_key as row, checked.what, checked.expected, checked.found
		from gifts
		left join adjustments on adjustments.id = gifts.adjustment_id
		left join entries on entries.member_id = adjustments.member_id and entries.sequence = adjustments.entry_sequence
		cross join lateral (values
			('adjustment', 'one', 'none', adjustments.id is null),
			('member', gifts.member_id::text, adjustments.member_id::text, adjustments.member_id <> gifts.member_id),
			('entry', 'one', 'none', entries.member_id is null),
			('points', gifts.points::text, entries.points::text, entries.points <> gifts.points),
			('expires_at', coalesce(gifts.expires_at::text, 'never'), coalesce(entries.expires_at::text, 'never'),
				entries.expires_at is distinct from gifts.expires_at)
		) as checked (what, expected, found, differs)
		where checked.differs
		order by gifts.member_id, gifts.occasion_key, checked.what`

	strayGifts = `
		select adjustments.member_id, 'adjustments ' || adjustments.id as row, 'gifts' as what, '1' as expected, count(gifts.member_id)::text as found
		from adjustments
		left join gifts on gifts.adjustment_id = adjustments.id and gifts.member_id = adjustments.member_id
		where adjustments.requested_by = $1
		group by adjustments.member_id, adjustments.id
		having count(gifts.member_id) <> 1
		order by adjustments.id`

	wrongMessages = `
		select messages.member_id, 'messages ' || messages.id as row, checked.what, checked.expected, checked.found
		from messages
		left join care_campaigns on care_campaigns.id = messages.campaign_id
		left join members on members.id = messages.member_id
		cross join lateral (values
			('campaign', 'one', 'none', care_campaigns.id is null),
			('member', 'one', 'none', members.id is null),
			('occasion_key', replace(lower(messages.occasion), '_', '-') || ':…', messages.occasion_key,
				not starts_with(messages.occasion_key, replace(lower(messages.occasion), '_', '-') || ':')),
			('text', 'none', 'one', messages.status = 'SUPPRESSED' and (messages.body <> '' or messages.subject is not null or messages.html is not null)),
			('sent_at of a message that is ' || messages.status,
				case when messages.status in ('SENT', 'DELIVERED') then 'an instant' else 'none' end, coalesce(messages.sent_at::text, 'none'),
				messages.status in ('SENT', 'DELIVERED') and messages.sent_at is null
					or messages.status in ('QUEUED', 'DEFERRED', 'SUPPRESSED') and messages.sent_at is not null),
			('sent_at', 'from ' || messages.send_after || ' on', messages.sent_at::text, messages.sent_at < messages.send_after),
			('sent_at', 'before ' || messages.send_before, coalesce(messages.handed_at, messages.sent_at)::text,
				messages.sent_at is not null and coalesce(messages.handed_at, messages.sent_at) >= messages.send_before),
			('window', 'one', 'none', messages.status not in ('SUPPRESSED', 'FAILED') and messages.send_after >= messages.send_before)
		) as checked (what, expected, found, differs)
		where checked.differs
		order by messages.member_id, messages.id, checked.what`
)
