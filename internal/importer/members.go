package importer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"regulars/internal/idempotency"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
)

// Columns of a file of members besides the external id; a file may lack any of them.
const (
	emailColumn     = "email"
	phoneColumn     = "phone"
	nameColumn      = "name"
	birthDateColumn = "birthDate"
	joinedAtColumn  = "joinedAt"
	localeColumn    = "locale"
	timeZoneColumn  = "timeZone"
)

// MemberOptions say how to read a file of members.
type MemberOptions struct {
	// Columns names those of member (the external id), email, phone, name, birthDate, joinedAt, locale and timeZone that
	// the file calls something else.
	Columns Columns
	// Zone is where the clock of joinedAt was, whatever offset it has; nil: the offset is believed, and needed.
	Zone *time.Location
}

// MemberReport says what became of a file of members.
type MemberReport struct {
	Lines   Lines   `json:"lines"`
	Members Members `json:"members"`
	// Rejects is what was not taken, in the order of the file.
	Rejects []Reject `json:"-"`
}

// row is a member of a file on its way in.
type row struct {
	line   int
	member string
	input  loyalty.EnrollMemberInput
}

// Members imports a file of members, one on a line, encoded like a file of purchases. Everybody has an external id, and
// all else that a line leaves empty is as at an enrollment that does not mention it. Who was imported before with the same
// data is a replay; a member with other data, or that joined in another way, is rejected and stays as it is.
//
// An error means that the import was not finished: the report, if there is one, says how far it came, and importing the
// file again goes on there.
func (i *Importer) Members(ctx context.Context, path string, options MemberOptions) (report *MemberReport, err error) {
	opened, err := openFile(path, func(done, total int64) { i.Progress(Enrolling, done, total) })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.on.Close()) }()
	text, err := opened.text()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	rows, err := newTable(text, options.Columns, []string{memberColumn},
		[]string{emailColumn, phoneColumn, nameColumn, birthDateColumn, joinedAtColumn, localeColumn, timeZoneColumn})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	report = &MemberReport{Lines: Lines{Skipped: map[string]int{}}}
	defer func() { sortRejects(report.Rejects) }()
	times := &instants{zone: options.Zone}
	var some []row
	named := map[string]row{}
	for {
		wrong, ok, err := rows.next()
		if err != nil {
			return report, fmt.Errorf("read behind line %d: %w", rows.line, err)
		}
		if !ok {
			return report, i.join(ctx, some, report)
		}
		report.Lines.Read++
		if wrong != "" {
			report.reject(rows.line, "", wrong)
			continue
		}
		if rows.value(memberColumn) == "" {
			report.Lines.Skipped[noMember]++
			continue
		}
		one, err := newRow(rows, times)
		if err != nil {
			report.reject(one.line, one.member, err.Error())
			continue
		}
		if first, twice := named[one.member]; twice && !reflect.DeepEqual(first.input, one.input) {
			report.reject(one.line, one.member, fmt.Sprintf("the member stands on line %d already, with other data", first.line))
			continue
		}
		named[one.member] = one
		if some = append(some, one); len(some) == batch {
			if err := i.join(ctx, some, report); err != nil {
				return report, err
			}
			some = some[:0]
		}
	}
}

func (r *MemberReport) reject(line int, member, reason string) {
	r.Rejects = append(r.Rejects, Reject{Line: line, Order: member, Reason: reason})
	r.Lines.Rejected++
	r.Members.Rejected++
}

func newRow(from *table, times *instants) (row, error) {
	given := func(field string) *string {
		if text := from.value(field); text != "" {
			return &text
		}
		return nil
	}
	made := row{line: from.line, member: from.value(memberColumn), input: loyalty.EnrollMemberInput{
		ExternalID: given(memberColumn), Email: given(emailColumn), Phone: given(phoneColumn), DisplayName: given(nameColumn),
		Locale: given(localeColumn), TimeZone: given(timeZoneColumn),
	}}
	key, err := idempotency.Hash([]string{"import members", made.member})
	if err != nil {
		return made, err
	}
	made.input.IdempotencyKey = key.String()
	if text := given(birthDateColumn); text != nil {
		date, err := value.ParseDate(*text)
		if err != nil {
			return made, fmt.Errorf("%s: %w", birthDateColumn, err)
		}
		made.input.BirthDate = &date
	}
	if text := given(joinedAtColumn); text != nil {
		at, err := times.parse(*text)
		if err != nil {
			return made, fmt.Errorf("%s: %w", joinedAtColumn, err)
		}
		made.input.JoinedAt = &at
	}
	return made, nil
}

// join enrolls the members of rows.
func (i *Importer) join(ctx context.Context, rows []row, report *MemberReport) error {
	if len(rows) == 0 {
		return nil
	}
	inputs := make([]loyalty.EnrollMemberInput, len(rows))
	for at, one := range rows {
		inputs[at] = one.input
	}
	enrollments, err := i.Service.Enroll(ctx, inputs)
	if err != nil {
		return fmt.Errorf("enroll members: %w", err)
	}
	for at, one := range rows {
		switch answer := enrollments[at]; {
		case len(answer.UserErrors) > 0:
			report.reject(one.line, one.member, problem.Problems(answer.UserErrors).Error())
		case *answer.Replayed:
			report.Members.Replayed++
		default:
			report.Members.Enrolled++
		}
	}
	return nil
}
