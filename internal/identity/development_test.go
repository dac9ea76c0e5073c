package identity_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/problem"
)

var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, folder string) *identity.DevelopmentIssuer {
	t.Helper()
	issuer, err := identity.OpenDevelopmentIssuer(folder)
	if err != nil {
		t.Fatal(err)
	}
	return issuer
}

func token(t *testing.T, issuer *identity.DevelopmentIssuer, role actor.Role, subject string) string {
	t.Helper()
	signed, err := issuer.Token(role, subject, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func readKey(t *testing.T, folder string) ed25519.PrivateKey {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, "development-issuer.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(content)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key.(ed25519.PrivateKey)
}

func TestVerify_OwnToken(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	issuer := open(t, folder)
	for _, test := range []struct {
		role    actor.Role
		subject string
		want    actor.Actor
	}{
		{actor.Member, "ada", actor.Actor{Caller: "regulars-development|ada", Roles: []actor.Role{actor.Member}, ExternalID: "ada"}},
		{actor.Admin, "staff:admin", actor.Actor{Caller: "regulars-development|staff:admin", Roles: []actor.Role{actor.Admin}}},
	} {
		signed := token(t, issuer, test.role, test.subject)
		for _, at := range []time.Time{now, now.Add(time.Hour - time.Second)} {
			// A second process on the same folder has the same key.
			got, err := open(t, folder).Verify(signed, at)
			if err != nil {
				t.Fatalf("%s at %v: %v", test.role, at, err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestVerify_Roles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	issuer := open(t, folder)
	claims := valid()
	claims["roles"] = []string{"OWNER", "SUPPORT", "MEMBER", "SUPPORT"}
	got, err := issuer.Verify(sign(t, jwt.SigningMethodEdDSA, claims, readKey(t, folder)), now)
	if err != nil {
		t.Fatal(err)
	}
	want := actor.Actor{
		Caller:     "regulars-development|ada",
		Roles:      []actor.Role{actor.Support, actor.Member},
		ExternalID: "ada",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func valid() jwt.MapClaims {
	return jwt.MapClaims{
		"iss": "regulars-development", "aud": "regulars", "sub": "ada",
		"exp": now.Add(time.Hour).Unix(), "roles": []string{"MEMBER"},
	}
}

func sign(t *testing.T, method jwt.SigningMethod, claims jwt.MapClaims, key any) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestVerify_Refused(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	issuer := open(t, folder)
	key := readKey(t, folder)
	_, otherKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	publicKey, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicKey})

	with := func(claim string, value any) string {
		claims := valid()
		claims[claim] = value
		return sign(t, jwt.SigningMethodEdDSA, claims, key)
	}
	without := func(claim string) string {
		claims := valid()
		delete(claims, claim)
		return sign(t, jwt.SigningMethodEdDSA, claims, key)
	}
	good := sign(t, jwt.SigningMethodEdDSA, valid(), key)
	if _, err := issuer.Verify(good, now); err != nil {
		t.Fatalf("the token that the others are made from is refused: %v", err)
	}
	parts := strings.Split(good, ".")
	promoted := strings.Split(with("roles", []string{"ADMIN"}), ".")

	for name, refused := range map[string]string{
		"empty":              "",
		"no token":           "ada",
		"other key":          sign(t, jwt.SigningMethodEdDSA, valid(), otherKey),
		"none":               sign(t, jwt.SigningMethodNone, valid(), jwt.UnsafeAllowNoneSignatureType),
		"HS256, public key":  sign(t, jwt.SigningMethodHS256, valid(), []byte(key.Public().(ed25519.PublicKey))),
		"HS256, public PEM":  sign(t, jwt.SigningMethodHS256, valid(), publicPEM),
		"no signature":       parts[0] + "." + parts[1] + ".",
		"other claims":       parts[0] + "." + promoted[1] + "." + parts[2],
		"expired":            with("exp", now.Unix()),
		"never expires":      without("exp"),
		"not yet valid":      with("nbf", now.Add(time.Second).Unix()),
		"other issuer":       with("iss", "https://issuer.example"),
		"no issuer":          without("iss"),
		"other audience":     with("aud", "somebody-else"),
		"no audience":        without("aud"),
		"no subject":         without("sub"),
		"empty subject":      with("sub", ""),
		"no roles":           without("roles"),
		"empty roles":        with("roles", []string{}),
		"unknown roles only": with("roles", []string{"OWNER", "admin"}),
		"role, not a list":   with("roles", "ADMIN"),
	} {
		got, err := issuer.Verify(refused, now)
		if !errors.Is(err, problem.Unauthenticated) {
			t.Errorf("%s: got %v, %v; want %v", name, got, err, problem.Unauthenticated)
		}
		if late := name == "expired" || name == "not yet valid"; errors.Is(err, identity.ErrNotNow) != late {
			t.Errorf("%s: got %v", name, err)
		}
	}
	old := valid()
	old["exp"], old["iss"] = now.Unix(), "https://issuer.example"
	if _, err := issuer.Verify(sign(t, jwt.SigningMethodEdDSA, old, key), now); errors.Is(err, identity.ErrNotNow) {
		t.Error("an expired token of another issuer is taken for one of ours")
	}
	if _, err := issuer.Verify(sign(t, jwt.SigningMethodEdDSA, jwt.MapClaims{"exp": now.Unix()}, otherKey), now); errors.Is(err, identity.ErrNotNow) {
		t.Error("a forged token is taken for an expired one")
	}
}

func TestOpenDevelopmentIssuer_Race(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	const openers = 16
	tokens := make([]string, openers)
	var group sync.WaitGroup
	for i := range openers {
		group.Go(func() {
			issuer, err := identity.OpenDevelopmentIssuer(folder)
			if err != nil {
				t.Error(err)
				return
			}
			tokens[i], err = issuer.Token(actor.Admin, "staff:admin", time.Hour, now)
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	issuer := open(t, folder)
	for _, signed := range tokens {
		if _, err := issuer.Verify(signed, now); err != nil {
			t.Error(err)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 {
		t.Errorf("drafts of the key were left behind: %v", files)
	}
	info, err := os.Stat(filepath.Join(folder, "development-issuer.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file has mode %v", info.Mode())
	}
}

func TestOpenDevelopmentIssuer_BrokenKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "development-issuer.pem"), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.OpenDevelopmentIssuer(folder); err == nil || !strings.Contains(err.Error(), "development-issuer.pem") {
		t.Errorf("got %v, want an error that names the file", err)
	}
}
