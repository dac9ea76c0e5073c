package value

import (
	"crypto/rand"
	"strings"
)

// The characters of codes are for people to read aloud: no 0 and O, no 1, I and L, no B beside the 8, no U beside the V. That
// leaves 29. 29 is a prime, so that one character of a code that was misread, or two that were swapped, wherever they stand,
// never make another code.
const (
	codeAlphabet = "23456789ACDEFGHJKMNPQRSTVWXYZ"
	codeGroup    = 5
)

// NewCode makes a code of so many random characters in groups of five, the last of which checks the others. The length is a
// multiple of five below 29; each character but the last is worth 4.8 bits.
func NewCode(length int) string {
	code := make([]byte, 0, length)
	random := make([]byte, 1)
	// What lies beyond the last multiple of 29 would make some characters likelier than others.
	const fair = 256 - 256%len(codeAlphabet)
	for len(code) < length-1 {
		// It never fails.
		_, _ = rand.Read(random)
		if int(random[0]) < fair {
			code = append(code, codeAlphabet[int(random[0])%len(codeAlphabet)])
		}
	}
	return groupCode(string(append(code, codeCheck(string(code)))))
}

// codeCheck makes the sum of all characters, each times its place, a multiple of 29.
func codeCheck(code string) byte {
	sum := 0
	for i := range len(code) {
		sum += (i + 1) * strings.IndexByte(codeAlphabet, code[i])
	}
	for candidate := range len(codeAlphabet) {
		if (sum+(len(code)+1)*candidate)%len(codeAlphabet) == 0 {
			return codeAlphabet[candidate]
		}
	}
	panic("every place is prime to the size of the alphabet")
}

func groupCode(code string) string {
	groups := make([]string, 0, len(code)/codeGroup)
	for ; len(code) > 0; code = code[codeGroup:] {
		groups = append(groups, code[:codeGroup])
	}
	return strings.Join(groups, "-")
}

// ParseCode reads a code of that length as people type it: in any case, grouped or not. It returns false for what cannot be
// one.
func ParseCode(text string, length int) (string, bool) {
	var plain strings.Builder
	for _, character := range strings.ToUpper(text) {
		switch {
		case character == ' ' || character == '-':
		case character > 0x7f || !strings.ContainsRune(codeAlphabet, character) || plain.Len() == length:
			return "", false
		default:
			plain.WriteRune(character)
		}
	}
	code := plain.String()
	if len(code) != length || codeCheck(code[:length-1]) != code[length-1] {
		return "", false
	}
	return groupCode(code), true
}
