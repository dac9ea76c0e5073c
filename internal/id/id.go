// Package id holds the ids of the program's nouns: one Go type each, in the API an opaque text with a prefix that tells
// the noun, in the database a UUID (version 7, so that they sort by creation) or, for what belongs to a member, the
// member's UUID with a sequence number.
//
// A text that is no id of its noun reads as the zero id, which no row has: a malformed id is answered like an absent one.
package id

import (
	"bytes"
	"database/sql/driver"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Crockford's alphabet in lower case: no letters that are mistaken for digits, and texts sort as their bytes do.
var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Prefixes of the ids in the API, by noun.
const (
	memberPrefix        = "mem"
	tierPrefix          = "tie"
	rulePrefix          = "rul"
	adjustmentPrefix    = "adj"
	activityPrefix      = "act"
	entryPrefix         = "ent"
	clientPrefix        = "cli"
	holdPrefix          = "hld"
	rewardPrefix        = "rew"
	redemptionPrefix    = "red"
	auditEntryPrefix    = "aud"
	jobRunPrefix        = "run"
	waitingReturnPrefix = "wai"
	backtestPrefix      = "bkt"
	tierMovePrefix      = "mov"
	referralPrefix      = "ref"
	householdPrefix     = "hsh"
)

// Member is the id of a member.
type Member uuid.UUID

// Tier is the id of a tier.
type Tier uuid.UUID

// Rule is the id of an earning rule, over all its versions.
type Rule uuid.UUID

// Adjustment is the id of an adjustment.
type Adjustment uuid.UUID

// Client is the id of a machine client.
type Client uuid.UUID

// AuditEntry is the id of a change that was recorded.
type AuditEntry uuid.UUID

// Activity is the id of a fact: the member's, with its sequence number there.
type Activity struct {
	Member   Member
	Sequence int64
}

// Entry is the id of a points entry: the member's, with its sequence number there.
type Entry struct {
	Member   Member
	Sequence int64
}

// Hold is the id of a hold.
type Hold uuid.UUID

// Redemption is the id of a redemption.
type Redemption uuid.UUID

// Reward is the id of a reward.
type Reward uuid.UUID

// WaitingReturn is the id of a return that waits for its purchase.
type WaitingReturn uuid.UUID

// New returns a new random id, later ones sorting behind earlier ones.
func New[T ~[16]byte]() T {
	return T(uuid.Must(uuid.NewV7()))
}

// Texts returns ids as PostgreSQL reads an array of UUIDs.
func Texts[T ~[16]byte](ids []T) []string {
	texts := make([]string, len(ids))
	for i, one := range ids {
		texts[i] = uuid.UUID(one).String()
	}
	return texts
}

// Compare orders ids as PostgreSQL orders UUIDs.
func Compare[T ~[16]byte](a, b T) int {
	left, right := [16]byte(a), [16]byte(b)
	return bytes.Compare(left[:], right[:])
}

func (m Member) String() string        { return text(memberPrefix, m) }
func (t Tier) String() string          { return text(tierPrefix, t) }
func (r Rule) String() string          { return text(rulePrefix, r) }
func (a Adjustment) String() string    { return text(adjustmentPrefix, a) }
func (c Client) String() string        { return text(clientPrefix, c) }
func (a AuditEntry) String() string    { return text(auditEntryPrefix, a) }
func (a Activity) String() string      { return numbered(activityPrefix, a.Member, a.Sequence) }
func (e Entry) String() string         { return numbered(entryPrefix, e.Member, e.Sequence) }
func (h Hold) String() string          { return text(holdPrefix, h) }
func (r Redemption) String() string    { return text(redemptionPrefix, r) }
func (r Reward) String() string        { return text(rewardPrefix, r) }
func (r WaitingReturn) String() string { return text(waitingReturnPrefix, r) }

// ParseMember reads a member's id; the zero id if text is none.
func ParseMember(text string) Member { return parse[Member](memberPrefix, text) }

// ParseTier reads a tier's id; the zero id if text is none.
func ParseTier(text string) Tier { return parse[Tier](tierPrefix, text) }

// ParseRule reads a rule's id; the zero id if text is none.
func ParseRule(text string) Rule { return parse[Rule](rulePrefix, text) }

// ParseAdjustment reads an adjustment's id; the zero id if text is none.
func ParseAdjustment(text string) Adjustment { return parse[Adjustment](adjustmentPrefix, text) }

// ParseClient reads a machine client's id; the zero id if text is none.
func ParseClient(text string) Client { return parse[Client](clientPrefix, text) }

// ParseAuditEntry reads an audit entry's id; the zero id if text is none.
func ParseAuditEntry(text string) AuditEntry { return parse[AuditEntry](auditEntryPrefix, text) }

// ParseActivity reads an activity's id; the zero id if text is none.
func ParseActivity(text string) Activity {
	member, sequence := parseNumbered(activityPrefix, text)
	return Activity{Member: member, Sequence: sequence}
}

// ParseEntry reads an entry's id; the zero id if text is none.
func ParseEntry(text string) Entry {
	member, sequence := parseNumbered(entryPrefix, text)
	return Entry{Member: member, Sequence: sequence}
}

// ParseHold reads a hold's id; the zero id if text is none.
func ParseHold(text string) Hold { return parse[Hold](holdPrefix, text) }

// ParseRedemption reads a redemption's id; the zero id if text is none.
func ParseRedemption(text string) Redemption { return parse[Redemption](redemptionPrefix, text) }

// ParseReward reads a reward's id; the zero id if text is none.
func ParseReward(text string) Reward { return parse[Reward](rewardPrefix, text) }

// ParseWaitingReturn reads the id of a return that waits for its purchase; the zero id if text is none.
func ParseWaitingReturn(text string) WaitingReturn {
	return parse[WaitingReturn](waitingReturnPrefix, text)
}

// MarshalGQL writes the id as the API shows it.
func (m Member) MarshalGQL(w io.Writer) { write(w, m) }

// MarshalGQL writes the id as the API shows it.
func (t Tier) MarshalGQL(w io.Writer) { write(w, t) }

// MarshalGQL writes the id as the API shows it.
func (r Rule) MarshalGQL(w io.Writer) { write(w, r) }

// MarshalGQL writes the id as the API shows it.
func (a Adjustment) MarshalGQL(w io.Writer) { write(w, a) }

// MarshalGQL writes the id as the API shows it.
func (c Client) MarshalGQL(w io.Writer) { write(w, c) }

// MarshalGQL writes the id as the API shows it.
func (a AuditEntry) MarshalGQL(w io.Writer) { write(w, a) }

// MarshalGQL writes the id as the API shows it.
func (a Activity) MarshalGQL(w io.Writer) { write(w, a) }

// MarshalGQL writes the id as the API shows it.
func (e Entry) MarshalGQL(w io.Writer) { write(w, e) }

// MarshalGQL writes the id as the API shows it.
func (h Hold) MarshalGQL(w io.Writer) { write(w, h) }

// MarshalGQL writes the id as the API shows it.
func (r Redemption) MarshalGQL(w io.Writer) { write(w, r) }

// MarshalGQL writes the id as the API shows it.
func (r Reward) MarshalGQL(w io.Writer) { write(w, r) }

// MarshalGQL writes the id as the API shows it.
func (r WaitingReturn) MarshalGQL(w io.Writer) { write(w, r) }

// UnmarshalGQL reads the id from an argument.
func (m *Member) UnmarshalGQL(value any) error { return read(m, value, ParseMember) }

// UnmarshalGQL reads the id from an argument.
func (t *Tier) UnmarshalGQL(value any) error { return read(t, value, ParseTier) }

// UnmarshalGQL reads the id from an argument.
func (r *Rule) UnmarshalGQL(value any) error { return read(r, value, ParseRule) }

// UnmarshalGQL reads the id from an argument.
func (a *Adjustment) UnmarshalGQL(value any) error { return read(a, value, ParseAdjustment) }

// UnmarshalGQL reads the id from an argument.
func (c *Client) UnmarshalGQL(value any) error { return read(c, value, ParseClient) }

// UnmarshalGQL reads the id from an argument.
func (a *AuditEntry) UnmarshalGQL(value any) error { return read(a, value, ParseAuditEntry) }

// UnmarshalGQL reads the id from an argument.
func (a *Activity) UnmarshalGQL(value any) error { return read(a, value, ParseActivity) }

// UnmarshalGQL reads the id from an argument.
func (e *Entry) UnmarshalGQL(value any) error { return read(e, value, ParseEntry) }

// UnmarshalGQL reads the id from an argument.
func (h *Hold) UnmarshalGQL(value any) error { return read(h, value, ParseHold) }

// UnmarshalGQL reads the id from an argument.
func (r *Redemption) UnmarshalGQL(value any) error { return read(r, value, ParseRedemption) }

// UnmarshalGQL reads the id from an argument.
func (r *Reward) UnmarshalGQL(value any) error { return read(r, value, ParseReward) }

// UnmarshalGQL reads the id from an argument.
func (r *WaitingReturn) UnmarshalGQL(value any) error { return read(r, value, ParseWaitingReturn) }

// Value gives the id to the database.
func (m Member) Value() (driver.Value, error) { return uuid.UUID(m).Value() }

// Value gives the id to the database.
func (t Tier) Value() (driver.Value, error) { return uuid.UUID(t).Value() }

// Value gives the id to the database.
func (r Rule) Value() (driver.Value, error) { return uuid.UUID(r).Value() }

// Value gives the id to the database.
func (a Adjustment) Value() (driver.Value, error) { return uuid.UUID(a).Value() }

// Value gives the id to the database.
func (c Client) Value() (driver.Value, error) { return uuid.UUID(c).Value() }

// Value gives the id to the database.
func (h Hold) Value() (driver.Value, error) { return uuid.UUID(h).Value() }

// Value gives the id to the database.
func (r Reward) Value() (driver.Value, error) { return uuid.UUID(r).Value() }

// Value gives the id to the database.
func (r Redemption) Value() (driver.Value, error) { return uuid.UUID(r).Value() }

// Value gives the id to the database.
func (a AuditEntry) Value() (driver.Value, error) { return uuid.UUID(a).Value() }

// Value gives the id to the database.
func (r WaitingReturn) Value() (driver.Value, error) { return uuid.UUID(r).Value() }

// Scan takes the id from the database.
func (m *Member) Scan(source any) error { return (*uuid.UUID)(m).Scan(source) }

// Scan takes the id from the database.
func (t *Tier) Scan(source any) error { return (*uuid.UUID)(t).Scan(source) }

// Scan takes the id from the database.
func (r *Rule) Scan(source any) error { return (*uuid.UUID)(r).Scan(source) }

// Scan takes the id from the database.
func (a *Adjustment) Scan(source any) error { return (*uuid.UUID)(a).Scan(source) }

// Scan takes the id from the database.
func (c *Client) Scan(source any) error { return (*uuid.UUID)(c).Scan(source) }

// Scan takes the id from the database.
func (h *Hold) Scan(source any) error { return (*uuid.UUID)(h).Scan(source) }

// Scan takes the id from the database.
func (r *Reward) Scan(source any) error { return (*uuid.UUID)(r).Scan(source) }

// Scan takes the id from the database.
func (r *Redemption) Scan(source any) error { return (*uuid.UUID)(r).Scan(source) }

// Scan takes the id from the database.
func (a *AuditEntry) Scan(source any) error { return (*uuid.UUID)(a).Scan(source) }

// Scan takes the id from the database.
func (r *WaitingReturn) Scan(source any) error { return (*uuid.UUID)(r).Scan(source) }

// MarshalText writes the id into JSON as the API shows it.
func (m Member) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the id back from JSON.
func (m *Member) UnmarshalText(text []byte) error {
	*m = ParseMember(string(text))
	return nil
}

// MarshalText writes the id into JSON as the API shows it.
func (t Tier) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the id back from JSON.
func (t *Tier) UnmarshalText(text []byte) error {
	*t = ParseTier(string(text))
	return nil
}

// MarshalText writes the id into JSON as the API shows it.
func (r Rule) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the id back from JSON.
func (r *Rule) UnmarshalText(text []byte) error {
	*r = ParseRule(string(text))
	return nil
}

// MarshalText writes the id into JSON as the API shows it.
func (r Reward) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func text[T ~[16]byte](prefix string, value T) string {
	raw := [16]byte(value)
	return prefix + "_" + encoding.EncodeToString(raw[:])
}

func numbered(prefix string, member Member, sequence int64) string {
	return text(prefix, member) + "_" + strconv.FormatInt(sequence, 10)
}

func parse[T ~[16]byte](prefix, from string) T {
	var value T
	rest, ok := strings.CutPrefix(from, prefix+"_")
	if !ok {
		return value
	}
	raw, err := encoding.DecodeString(rest)
	// The last letter has spare bits: only the text that we would write ourselves is an id.
	if err != nil || len(raw) != len(value) || encoding.EncodeToString(raw) != rest {
		return value
	}
	return T(raw)
}

func parseNumbered(prefix, from string) (Member, int64) {
	end := strings.LastIndexByte(from, '_')
	if end < 0 {
		return Member{}, 0
	}
	sequence, err := strconv.ParseInt(from[end+1:], 10, 64)
	if err != nil || sequence <= 0 || strconv.FormatInt(sequence, 10) != from[end+1:] {
		return Member{}, 0
	}
	member := parse[Member](prefix, from[:end])
	if member == (Member{}) {
		return Member{}, 0
	}
	return member, sequence
}

func write(w io.Writer, value fmt.Stringer) {
	_, _ = io.WriteString(w, strconv.Quote(value.String()))
}

func read[T any](into *T, value any, parse func(string) T) error {
	switch given := value.(type) {
	case string:
		*into = parse(given)
	case int, int64, json.Number:
		// GraphQL takes whole numbers for ids; none of ours is one.
		*into = parse(fmt.Sprint(given))
	default:
		return fmt.Errorf("an id is a string")
	}
	return nil
}
