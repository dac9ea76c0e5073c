package id_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"regulars/internal/id"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	member := id.Member(uuid.MustParse("0192f0c1-2345-7abc-8def-0123456789ab"))
	for got, want := range map[string]string{
		member.String():          "mem_069f1g938nxbs3ff04hmasw9nc",
		id.Tier(member).String(): "tie_069f1g938nxbs3ff04hmasw9nc",
		id.Activity{Member: member, Sequence: 12}.String(): "act_069f1g938nxbs3ff04hmasw9nc_12",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if texts := id.Texts([]id.Member{member}); texts[0] != "0192f0c1-2345-7abc-8def-0123456789ab" {
		t.Errorf("the database reads %v", texts)
	}
}

// What is no id reads as the zero id.
func TestParse_Malformed(t *testing.T) {
	t.Parallel()
	member := id.New[id.Member]()
	text := member.String()
	entry := id.Entry{Member: member, Sequence: 7}.String()
	for _, bad := range []string{
		"", "mem_", text[4:], strings.ToUpper(text), text + "0", text[:len(text)-1], " " + text, strings.Replace(text, "mem_", "tie_", 1),
		text[:len(text)-1] + "z", uuid.UUID(member).String(), text + "_1", "mem_" + strings.Repeat("é", 13),
	} {
		if parsed := id.ParseMember(bad); parsed != (id.Member{}) {
			t.Errorf("%q was read as %s", bad, parsed)
		}
	}
	for _, bad := range []string{
		"", "ent_", entry + "x", strings.TrimSuffix(entry, "_7"), strings.TrimSuffix(entry, "7"), strings.TrimSuffix(entry, "7") + "0",
		strings.TrimSuffix(entry, "7") + "-7", strings.TrimSuffix(entry, "7") + "+7", strings.TrimSuffix(entry, "7") + "07",
		strings.TrimSuffix(entry, "7") + "9223372036854775808", strings.Replace(entry, "ent_", "act_", 1), "ent__7",
	} {
		if parsed := id.ParseEntry(bad); parsed != (id.Entry{}) {
			t.Errorf("%q was read as %s", bad, parsed)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var raw [16]byte
		copy(raw[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "raw"))
		sequence := rapid.Int64Range(1, 1<<63-1).Draw(t, "sequence")
		if raw == ([16]byte{}) {
			raw[0] = 1
		}
		member := id.Member(raw)
		activity, entry := id.Activity{Member: member, Sequence: sequence}, id.Entry{Member: member, Sequence: sequence}
		if id.ParseMember(member.String()) != member || id.ParseTier(id.Tier(raw).String()) != id.Tier(raw) ||
			id.ParseRule(id.Rule(raw).String()) != id.Rule(raw) || id.ParseAdjustment(id.Adjustment(raw).String()) != id.Adjustment(raw) ||
			id.ParseActivity(activity.String()) != activity || id.ParseEntry(entry.String()) != entry {
			t.Fatalf("%x does not come back", raw)
		}
	})
}

// Texts sort as the ids do, and later ids behind earlier ones.
func TestOrder(t *testing.T) {
	t.Parallel()
	made := make([]id.Member, 200)
	for i := range made {
		made[i] = id.New[id.Member]()
	}
	if !slices.IsSortedFunc(made, id.Compare) {
		t.Error("ids do not sort by their creation")
	}
	if !slices.IsSortedFunc(made, func(a, b id.Member) int { return strings.Compare(a.String(), b.String()) }) {
		t.Error("texts do not sort as ids do")
	}
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	member := id.New[id.Member]()
	var written bytes.Buffer
	member.MarshalGQL(&written)
	if written.String() != `"`+member.String()+`"` {
		t.Errorf("the API shows %s", written.String())
	}
	var read id.Member
	if err := read.UnmarshalGQL(member.String()); err != nil || read != member {
		t.Errorf("the API reads %s (%v)", read, err)
	}
	if err := read.UnmarshalGQL(json.Number("7")); err != nil || read != (id.Member{}) {
		t.Errorf("a number is read as %s (%v)", read, err)
	}
	if err := read.UnmarshalGQL(7.5); err == nil {
		t.Error("a fraction was read")
	}
	rule := id.New[id.Rule]()
	encoded, err := json.Marshal(rule)
	if err != nil {
		t.Fatal(err)
	}
	var decoded id.Rule
	if err := json.Unmarshal(encoded, &decoded); err != nil || decoded != rule {
		t.Errorf("%s came back as %s (%v)", rule, decoded, err)
	}
	stored, err := member.Value()
	if err != nil {
		t.Fatal(err)
	}
	var scanned id.Member
	if err := scanned.Scan(stored); err != nil || scanned != member {
		t.Errorf("%v came back as %s (%v)", stored, scanned, err)
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add("ent_06ayhg936hxbs3fg04hmaw9k1c_12")
	f.Fuzz(func(t *testing.T, text string) {
		if parsed := id.ParseEntry(text); parsed != (id.Entry{}) && parsed.String() != text {
			t.Errorf("%q was read as %s", text, parsed)
		}
	})
}
