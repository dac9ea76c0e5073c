package loyalty

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
)

// MemberEdit changes what is said of a member; an empty locale or time zone becomes the program's. ID, Number, Status and
// JoinedAt are not its business.
type MemberEdit func(*Member)

// UpdateMember changes a member. Support, admins and MembersWrite change every member, a member itself, but not its
// attributes, which rules may build on. Only admins change the external id, since whoever has it signs in as the member.
// Anything else of that is problem.Forbidden. An e-mail address or phone number that a member changes costs it a try.
//
// Problems: UNKNOWN_MEMBER, INVALID_EMAIL, INVALID_PHONE, INVALID_NAME, INVALID_DATE, INVALID_LOCALE, INVALID_TIME_ZONE,
// INVALID_ATTRIBUTE, INVALID_EXTERNAL_ID, EMAIL_TAKEN, PHONE_TAKEN, EXTERNAL_ID_TAKEN.
func (s *Service) UpdateMember(ctx context.Context, member id.Member, attributes []value.Attribute, edit MemberEdit) (*Member, error) {
	caller, err := actor.Require(ctx, actor.Member, actor.Support, actor.Admin, actor.MembersWrite)
	if err != nil {
		return nil, err
	}
	if attributes != nil && !caller.Has(actor.Support, actor.Admin, actor.MembersWrite) {
		return nil, problem.Forbidden
	}
	var named Member
	edit(&named)
	if err := s.mayTry(caller, contacts(named.keys())); err != nil {
		return nil, err
	}
	paid := false
	return s.changeMember(ctx, caller, member, func(tx *postgres.Tx, changed *Member) error {
		var problems problem.Problems
		before := *changed
		edit(changed)
		if slices.Contains(changedFields(before, *changed), "externalId") && !caller.Has(actor.Admin) {
			return problem.Forbidden
		}
		settings, err := program.Load(ctx, tx)
		if err != nil {
			return err
		}
		changed.Locale = cmp.Or(changed.Locale, settings.DefaultLocale)
		changed.TimeZone = cmp.Or(changed.TimeZone, settings.TimeZone)
		if attributes != nil {
			changed.Attributes = normalizeAttributes(&problems, []string{"attributes"}, attributes)
		}
		changed.normalize(&problems, tx.Now)
		if err := problems.Err(); err != nil || paid {
			return err
		}
		// The transaction may run more than once.
		paid = true
		return s.try(caller, contacts(newKeys(&before, changed)))
	}, nil)
}

// SuspendMember lets a member earn, but not spend, until it is reinstated. Suspending twice changes nothing. For support
// and admins. Problems: UNKNOWN_MEMBER, REASON_REQUIRED.
func (s *Service) SuspendMember(ctx context.Context, member id.Member, reason string) (*Member, error) {
	return s.setStatus(ctx, member, Suspended, "suspendMember", reason)
}

// ReinstateMember ends a suspension. Reinstating twice changes nothing. For support and admins. Problems:
// UNKNOWN_MEMBER, REASON_REQUIRED.
func (s *Service) ReinstateMember(ctx context.Context, member id.Member, reason string) (*Member, error) {
	return s.setStatus(ctx, member, Active, "reinstateMember", reason)
}

func (s *Service) setStatus(ctx context.Context, member id.Member, status MemberStatus, action, reason string) (*Member, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	var before MemberStatus
	return s.changeMember(ctx, caller, member, func(_ *postgres.Tx, changed *Member) error {
		if !Within(reason, MaximumReason) {
			return problem.At(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", MaximumReason)
		}
		before, changed.Status = changed.Status, status
		return nil
	}, func() audit.Change {
		return audit.Change{
			Action: action, Object: member.String(), Before: map[string]any{"status": before},
			After: map[string]any{"status": status, "reason": reason},
		}
	})
}

// changeMember locks the member, lets change edit it, moves its identifiers, and writes it with the change. It is
// UNKNOWN_MEMBER alike for one that the caller may not see and one that does not exist.
func (s *Service) changeMember(ctx context.Context, caller actor.Actor, member id.Member, change func(*postgres.Tx, *Member) error, noted func() audit.Change) (*Member, error) {
	var changed *Member
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		seen, err := s.sight(ctx, tx, caller)
		if err != nil {
			return err
		}
		rows, err := lockMember(ctx, tx, member)
		if err != nil {
			return err
		}
		if len(rows) == 0 || !seen.of(member) {
			return unknownMember("memberId")
		}
		changed = &rows[0]
		before := *changed
		if err := change(tx, changed); err != nil {
			return err
		}
		if err := moveKeys(ctx, tx, &before, changed); err != nil {
			return err
		}
		if err := updateMember(ctx, tx, changed); err != nil {
			return err
		}
		if noted != nil {
			return audit.RecordTx(ctx, tx, caller, noted())
		}
		fields := changedFields(before, *changed)
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "updateMember", Object: member.String(),
			Before: map[string]any{"fields": setFields(before, fields)}, After: map[string]any{"fields": setFields(*changed, fields)},
		})
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// newKeys are the identifiers that the member has after a change and had not before.
func newKeys(before, after *Member) []memberKey {
	return slices.DeleteFunc(after.keys(), func(key memberKey) bool { return slices.Contains(before.keys(), key) })
}

// moveKeys takes the identifiers that are new and gives back those that are not used any more.
func moveKeys(ctx context.Context, tx *postgres.Tx, before, after *Member) error {
	left := slices.DeleteFunc(before.keys(), func(key memberKey) bool { return slices.Contains(after.keys(), key) })
	wanted := newKeys(before, after)
	got, err := claimKeys(ctx, tx, wanted)
	if err != nil {
		return err
	}
	var problems problem.Problems
	for _, key := range wanted {
		if !slices.Contains(got[after.ID], key) {
			problems = append(problems, key.taken())
		}
	}
	if err := problems.Err(); err != nil {
		return err
	}
	return releaseKeys(ctx, tx, left)
}

// changedFields names what differs: changes hold no personal data, so not what it was.
func changedFields(before, after Member) []string {
	var fields []string
	for _, field := range []struct {
		name        string
		left, right any
	}{
		{"externalId", before.ExternalID, after.ExternalID},
		{"displayName", before.DisplayName, after.DisplayName},
		{"email", before.Email, after.Email},
		{"phone", before.Phone, after.Phone},
		{"birthDate", before.BirthDate, after.BirthDate},
		{"locale", before.Locale, after.Locale},
		{"timeZone", before.TimeZone, after.TimeZone},
		{"attributes", before.Attributes, after.Attributes},
	} {
		// None of these types can fail to encode.
		left, _ := json.Marshal(field.left)
		right, _ := json.Marshal(field.right)
		if !bytes.Equal(left, right) {
			fields = append(fields, field.name)
		}
	}
	return fields
}

// setFields are those of the fields that say something of the member.
func setFields(member Member, fields []string) []string {
	blank := Member{Attributes: value.Attributes{}}
	return slices.DeleteFunc(changedFields(blank, member), func(field string) bool { return !slices.Contains(fields, field) })
}
