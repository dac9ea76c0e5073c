package id

import "io"

const consentPrefix = "cns"

// Consent is the id of something that was said of what a member allows: the member's, with its sequence number there.
type Consent struct {
	Member   Member
	Sequence int64
}

// ParseConsent reads the id of something that was said of what a member allows; the zero id if text is none.
func ParseConsent(text string) Consent {
	member, sequence := parseNumbered(consentPrefix, text)
	return Consent{Member: member, Sequence: sequence}
}

func (c Consent) String() string { return numbered(consentPrefix, c.Member, c.Sequence) }

// MarshalGQL writes the id as the API shows it.
func (c Consent) MarshalGQL(w io.Writer) { write(w, c) }

// UnmarshalGQL reads the id from an argument.
func (c *Consent) UnmarshalGQL(value any) error { return read(c, value, ParseConsent) }
