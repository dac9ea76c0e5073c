package value

import (
	"strings"
	"testing"
)

// One character that was misread, or two that were swapped, wherever they stand, make no code.
func TestCode_ChecksItself(t *testing.T) {
	t.Parallel()
	for i := range 50 {
		length := 10 + 5*(i%2)
		code := NewCode(length)
		if read, ok := ParseCode(strings.ToLower(code), length); !ok || read != code {
			t.Fatalf("%s is read as %q, %t", code, read, ok)
		}
		plain := strings.ReplaceAll(code, "-", "")
		for i := range plain {
			for _, other := range codeAlphabet {
				if wrong := plain[:i] + string(other) + plain[i+1:]; wrong != plain {
					if _, ok := ParseCode(wrong, length); ok {
						t.Errorf("%s is a code beside %s", wrong, plain)
					}
				}
			}
			for j := range i {
				swapped := []byte(plain)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				if _, ok := ParseCode(string(swapped), length); ok && string(swapped) != plain {
					t.Errorf("%s is a code beside %s", swapped, plain)
				}
			}
		}
	}
}

func TestCode_IsNeverGivenTwice(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var used [256]bool
	for range 10_000 {
		code := NewCode(15)
		if seen[code] {
			t.Fatalf("%s was given twice", code)
		}
		seen[code] = true
		for i := range len(code) {
			used[code[i]] = true
		}
	}
	for _, character := range codeAlphabet {
		if !used[character] {
			t.Errorf("%c is never used", character)
		}
	}
	if strings.ContainsAny(codeAlphabet, "01BILOU") {
		t.Error("characters that look alike are used")
	}
}

func FuzzParseCode(f *testing.F) {
	for _, seed := range []string{"", "22222-22222-22222", "ABC", "\x00", "ſſſſſſſſſſſſſſſ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, ok := ParseCode(text, 15)
		if again, twice := ParseCode(code, 15); ok && (!twice || again != code) {
			t.Errorf("%q is read as %q, and that as %q", text, code, again)
		}
	})
}
