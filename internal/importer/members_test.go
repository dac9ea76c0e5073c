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
		"ada,Ada@example.com,+441632960001,Ada,1985-12-10,2020-05-01T10:00:00Z,en-GB,Europe/London,38\n" +
		"bob\n"
	with := func(o *importer.MemberOptions) { o.Columns = importer.Columns{"member": "Id"} }
	report := c.members(content, with)
	if report.Lines.Read != 2 || report.Members.Enrolled != 2 || len(report.Rejects) > 0 {
		t.Errorf("report: %+v", report)
	}
	ada, err := c.Service.Member(c.Admin, loyalty.MemberRef{ExternalID: new("ada")})
	if err != nil {
		t.Fatal(err)
	}
	want := loyalty.Member{
		ID: ada.ID, Number: ada.Number, ExternalID: new("ada"), Status: loyalty.Active, DisplayName: new("Ada"), Email: new("Ada@example.com"),
		Phone: new("+441632960001"), BirthDate: &value.Date{Year: 1985, Month: 12, Day: 10}, Locale: "en-GB", TimeZone: "Europe/London",
		JoinedAt: time.Date(2020, 5, 1, 10, 0, 0, 0, time.UTC), Attributes: ada.Attributes,
	}
	if difference := cmp.Diff(&want, ada, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); difference != "" {
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
	c.file(header + "1,eve,tea,1,1.00,2024-03-01T10:00:00Z\n")
	report := c.members("member,email,birthDate,joinedAt\n" +
		"ada,ada@example.com,,\n" +
		"bob,ADA@example.com,,\n" +
		"cy,nobody,,\n" +
		"di,,10/12/1985,\n" +
		"ed,,,5/1/2020\n" +
		",fay@example.com,,\n" +
		"ada,other@example.com,,\n" +
		"eve,eve@example.com,,\n" +
		"gus,\"\"x,,\n")
	wantRejects(
		t, report.Rejects,
		importer.Reject{Line: 3, Order: "bob", Reason: "EMAIL_TAKEN"},
		importer.Reject{Line: 4, Order: "cy", Reason: "INVALID_EMAIL"},
		importer.Reject{Line: 5, Order: "di", Reason: "birthDate"},
		importer.Reject{Line: 6, Order: "ed", Reason: "joinedAt"},
		importer.Reject{Line: 8, Order: "ada", Reason: "IDEMPOTENCY_KEY_REUSED"},
		importer.Reject{Line: 9, Order: "eve", Reason: "EXTERNAL_ID_TAKEN"},
		importer.Reject{Line: 10, Order: "", Reason: "no CSV"},
	)
	if report.Lines.Read != 9 || report.Lines.Skipped["no member"] != 1 || report.Lines.Rejected != 7 || report.Members.Rejected != 7 || report.Members.Enrolled != 1 {
		t.Errorf("report: %+v", report)
	}
}
