package reward

import (
	"strings"
	"testing"
)

// One character that was misread, or two that were swapped, wherever they stand, make no code.
func TestCode_ChecksItself(t *testing.T) {
	t.Parallel()
	for range 50 {
		code := newCode()
		if read, ok := parseCode(strings.ToLower(code)); !ok || read != code {
			t.Fatalf("%s is read as %q, %t", code, read, ok)
		}
		plain := strings.ReplaceAll(code, "-", "")
		for i := range plain {
			for _, other := range alphabet {
				if wrong := plain[:i] + string(other) + plain[i+1:]; wrong != plain {
					if _, ok := parseCode(wrong); ok {
						t.Errorf("%s is a code beside %s", wrong, plain)
					}
				}
			}
			for j := range i {
				swapped := []byte(plain)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				if _, ok := parseCode(string(swapped)); ok && string(swapped) != plain {
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
		code := newCode()
		if seen[code] {
			t.Fatalf("%s was given twice", code)
		}
		seen[code] = true
		for i := range len(code) {
			used[code[i]] = true
		}
	}
	for _, character := range alphabet {
		if !used[character] {
			t.Errorf("%c is never used", character)
		}
	}
	if strings.ContainsAny(alphabet, "01BILOU") {
		t.Error("characters that look alike are used")
	}
}

func FuzzParseCode(f *testing.F) {
	for _, seed := range []string{"", "22222-22222-22222", "ABC", "\x00", "ſſſſſſſſſſſſſſſ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, ok := parseCode(text)
		if again, twice := parseCode(code); ok && (!twice || again != code) {
			t.Errorf("%q is read as %q, and that as %q", text, code, again)
		}
	})
}
