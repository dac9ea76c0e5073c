package loyalty_test

import (
	"strings"
	"testing"
	"time"

	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

var day, week = value.Period{Days: 1}, value.Period{Weeks: 1}

func contact(edit loyalty.CarePolicyEdit) loyalty.ProgramEdit {
	return loyalty.ProgramEdit{Care: &edit}
}

func contactCaps(caps ...program.ContactCap) loyalty.ProgramEdit {
	return contact(loyalty.CarePolicyEdit{Caps: caps})
}

func TestCarePolicy(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	read := func() program.CarePolicy {
		t.Helper()
		settings, err := w.Service.Program(w.Admin)
		if err != nil {
			t.Fatal(err)
		}
		return settings.Care
	}
	want := program.CarePolicy{LeapDayBirthday: program.February28}
	equal(t, "a new program: no quiet hours, no caps", want, read())

	caps := []program.ContactCap{{Per: day, Messages: 1}, {Class: pointer(program.Marketing), Channel: pointer(program.Email), Per: week, Messages: 2}}
	edit := contact(loyalty.CarePolicyEdit{LeapDayBirthday: pointer(program.March1), QuietFrom: pointer(value.LocalTime(21 * 60)), QuietTo: pointer(value.LocalTime(8 * 60)), Caps: caps})
	want = program.CarePolicy{LeapDayBirthday: program.March1, QuietFrom: pointer(value.LocalTime(21 * 60)), QuietTo: pointer(value.LocalTime(8 * 60)), Caps: caps}
	equal(t, "what is answered", want, change(t, w, edit).Care)
	equal(t, "what is read", want, read())

	// The same again and nothing at all change nothing, nor does another setting.
	change(t, w, edit)
	change(t, w, contact(loyalty.CarePolicyEdit{}))
	change(t, w, loyalty.ProgramEdit{Name: pointer("Bean Club")})
	equal(t, "what stays", want, read())

	change(t, w, contact(loyalty.CarePolicyEdit{QuietTo: pointer(value.LocalTime(9 * 60))}))
	want.QuietTo = pointer(value.LocalTime(9 * 60))
	equal(t, "moved quiet hours", want, read())
	change(t, w, contact(loyalty.CarePolicyEdit{EndQuietFrom: true, EndQuietTo: true}))
	want.QuietFrom, want.QuietTo = nil, nil
	equal(t, "no quiet hours", want, read())
	change(t, w, contact(loyalty.CarePolicyEdit{Caps: []program.ContactCap{}}))
	want.Caps = nil
	equal(t, "no caps", want, read())
	change(t, w, contact(loyalty.CarePolicyEdit{Caps: []program.ContactCap{}}))

	audited := changes(t, w, "updateProgram")
	equal(t, "how many changes", 5, len(audited))
	equal(t, "audit", changeRow{"updateProgram", "program",
		pointer(`{"care": {"leapDayBirthday": "FEBRUARY_28"}}`),
		pointer(`{"care": {"caps": [{"per": "P1D", "messages": 1}, {"per": "P1W", "class": "MARKETING", "channel": "EMAIL", "messages": 2}], "quietTo": "08:00", "quietFrom": "21:00", "leapDayBirthday": "MARCH_1"}}`),
	}, audited[0])
}

func TestCarePolicy_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	eight := pointer(value.LocalTime(8 * 60))
	marketing, mail := pointer(program.Marketing), pointer(program.Email)
	many := make([]program.ContactCap, 51)
	for i := range many {
		many[i] = program.ContactCap{Per: value.Period{Days: i + 1}, Messages: 1}
	}
	for _, test := range []struct {
		name string
		edit loyalty.ProgramEdit
		want []string
	}{
		{"no end", contact(loyalty.CarePolicyEdit{QuietFrom: eight}), []string{"INVALID_POLICY care/quietTo"}},
		{"no begin", contact(loyalty.CarePolicyEdit{QuietTo: eight}), []string{"INVALID_POLICY care/quietFrom"}},
		{"no hours", contact(loyalty.CarePolicyEdit{QuietFrom: eight, QuietTo: eight}), []string{"INVALID_POLICY care/quietTo"}},
		{"less than nothing", contactCaps(program.ContactCap{Per: day, Messages: -1}), []string{"INVALID_POLICY care/caps/0/messages"}},
		{"too many messages", contactCaps(program.ContactCap{Per: day, Messages: 10_001}), []string{"INVALID_POLICY care/caps/0/messages"}},
		{"in no time", contactCaps(program.ContactCap{Messages: 1}), []string{"INVALID_POLICY care/caps/0/per"}},
		{"in more than a year", contactCaps(program.ContactCap{Per: value.Period{Years: 1, Clock: time.Second}, Messages: 1}), []string{"INVALID_POLICY care/caps/0/per"}},
		{"twice", contactCaps(program.ContactCap{Per: day, Messages: 1}, program.ContactCap{Per: day, Messages: 2}), []string{"INVALID_POLICY care/caps/1/per"}},
		{"twice of a class and a channel", contactCaps(program.ContactCap{Class: marketing, Channel: mail, Per: day, Messages: 1}, program.ContactCap{Class: pointer(program.Marketing), Channel: pointer(program.Email), Per: day, Messages: 2}),
			[]string{"INVALID_POLICY care/caps/1/per"}},
		{"too many caps", contactCaps(many...), []string{"INVALID_POLICY care/caps"}},
	} {
		_, err := w.Service.UpdateProgram(w.Admin, test.edit)
		refused(t, test.name, err, test.want...)
	}
	change(t, w, contactCaps(many[:50]...))
	change(t, w, contactCaps(program.ContactCap{Per: value.Period{Years: 1}, Messages: 10_000}, program.ContactCap{Class: marketing, Per: value.Period{Years: 1}, Messages: 1},
		program.ContactCap{Channel: mail, Per: value.Period{Years: 1}, Messages: 1}, program.ContactCap{Per: day, Messages: 1}))
}

// TestCarePolicy_ZeroCapsNobody: "0 per day" capped everybody (Mautic #10416, #10275). Here it is refused, and says what to do.
func TestCarePolicy_ZeroCapsNobody(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	_, err := w.Service.UpdateProgram(w.Admin, contactCaps(program.ContactCap{Per: day, Messages: 0}))
	refused(t, "a cap of nothing", err, "INVALID_POLICY care/caps/0/messages")
	if !strings.Contains(err.Error(), "leave it out") {
		t.Errorf("it says: %v", err)
	}
}

// TestCarePolicy_NeverCapsService: a cap was applied to transactional mail (Mautic #6729). Here none can name it, and one that
// names no class does not mean it.
func TestCarePolicy_NeverCapsService(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	_, err := w.Service.UpdateProgram(w.Admin, contactCaps(program.ContactCap{Class: pointer(program.Service), Per: day, Messages: 1}))
	refused(t, "a cap of what members need", err, "INVALID_POLICY care/caps/0/class")
}
