package importer_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/importer"
	"regulars/internal/value"
	"regulars/loyalty"
)

func (c *club) members(content string, edits ...func(*importer.MemberOptions)) *importer.MemberReport {
	c.t.Helper()
	var options importer.MemberOptions
	for _, edit := range edits {
		edit(&options)
	}
	report, err := c.importer().Members(c.Admin, written(c.t, content), options)
	if err != nil {
		c.t.Fatal(err)
	}
	return report
}

func TestMembers(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	const content = "Id,email,phone,name,birthDate,joinedAt,locale,timeZone,shoe size\n" +
		"m1,First@example.com,+441632960001,First Member,1985-12-10,2020-05-01T10:00:00Z,en-GB,Europe/London,38\n" +
		"m2\n"
	with := func(o *importer.MemberOptions) { o.Columns = importer.Columns{"member": "Id"} }
	report := c.members(content, with)
	if report.Lines.Read != 2 || report.Members.Enrolled != 2 || len(report.Rejects) > 0 {
		t.Errorf("report: %+v", report)
	}
	member, err := c.Service.Member(c.Admin, loyalty.MemberRef{ExternalID: new("m1")})
	if err != nil {
		t.Fatal(err)
	}
	want := loyalty.Member{
		ID: member.ID, Number: member.Number, ExternalID: new("m1"), Status: loyalty.Active, DisplayName: new("First Member"), Email: new("First@example.com"),
		Phone: new("+441632960001"), BirthDate: &value.Date{Year: 1985, Month: 12, Day: 10}, Locale: "en-GB", TimeZone: "Europe/London",
		JoinedAt: time.Date(2020, 5, 1, 10, 0, 0, 0, time.UTC), Attributes: member.Attributes, ReferralCode: member.ReferralCode,
	}
	if difference := cmp.Diff(&want, member, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); difference != "" {
		t.Errorf("member (-want +got):\n%s", difference)
	}
	c.Clock.Advance(time.Hour)
	again := c.members(content, with)
	if again.Members.Enrolled != 0 || again.Members.Replayed != 2 || len(again.Rejects) > 0 {
		t.Errorf("again: %+v", again)
	}
}

func TestMembers_Rejects(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	c.file(header + "1,m3,tea,1,1.00,2024-03-01T10:00:00Z\n")
	report := c.members("member,email,birthDate,joinedAt\n" +
		"m1,first@example.com,,\n" +
		"m2,FIRST@example.com,,\n" +
		"m4,nobody,,\n" +
		"m5,,10/12/1985,\n" +
		"m6,,,5/1/2020\n" +
		",nobody@example.com,,\n" +
		"m1,other@example.com,,\n" +
		"m3,third@example.com,,\n" +
		"m8,\"\"x,,\n")
	wantRejects(
		t, report.Rejects,
		importer.Reject{Line: 3, Order: "m2", Reason: "EMAIL_TAKEN"},
		importer.Reject{Line: 4, Order: "m4", Reason: "INVALID_EMAIL"},
		importer.Reject{Line: 5, Order: "m5", Reason: "birthDate"},
		importer.Reject{Line: 6, Order: "m6", Reason: "joinedAt"},
		importer.Reject{Line: 8, Order: "m1", Reason: "the member stands on line 2 already"},
		importer.Reject{Line: 9, Order: "m3", Reason: "EXTERNAL_ID_TAKEN"},
		importer.Reject{Line: 10, Order: "", Reason: "no CSV"},
	)
	if report.Lines.Read != 9 || report.Lines.Skipped["no member"] != 1 || report.Lines.Rejected != 7 || report.Members.Rejected != 7 || report.Members.Enrolled != 1 {
		t.Errorf("report: %+v", report)
	}
}
