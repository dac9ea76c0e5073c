package id

import "io"

// TierMove is the id of a line of a tier history: the member's, with its sequence number there.
type TierMove struct {
	Member   Member
	Sequence int64
}

// ParseTierMove reads the id of a line of a tier history; the zero id if text is none.
func ParseTierMove(text string) TierMove {
	member, sequence := parseNumbered(tierMovePrefix, text)
	return TierMove{Member: member, Sequence: sequence}
}

func (m TierMove) String() string { return numbered(tierMovePrefix, m.Member, m.Sequence) }

// MarshalGQL writes the id as the API shows it.
func (m TierMove) MarshalGQL(w io.Writer) { write(w, m) }

// UnmarshalGQL reads the id from an argument.
func (m *TierMove) UnmarshalGQL(value any) error { return read(m, value, ParseTierMove) }
