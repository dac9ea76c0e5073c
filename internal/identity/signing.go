package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/postgres"
)

// How old what a process knows of the keys may be: so long it signs with a key that another one has replaced. A key that it
// does not know makes it look again, but not more often than that.
const (
	signingKeysAge   = time.Minute
	signingKeysPause = time.Second
)

// What cannot be done with signatures and signing keys.
var (
	// ErrSignature is the answer to a text that was not signed for the purpose, or by a key that is retired.
	ErrSignature = errors.New("the signature is not valid")
	// ErrUnknownSigningKey is the answer to the id of no key.
	ErrUnknownSigningKey = errors.New("there is no signing key of this id")
	// ErrSigningKeyInUse is the answer to retiring the key that signs.
	ErrSigningKeyInUse = errors.New("this key signs; rotate the keys first, then retire it")
)

// SigningKey is a key that signs or has signed.
type SigningKey struct {
	ID        string
	CreatedAt time.Time
	// RetiredAt is since when nothing that it signed is good any more; nil: it is.
	RetiredAt *time.Time

	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

// Signs tells whether it is the key that signs.
func (k SigningKey) Signs() bool { return k.private != nil }

// SigningKeys signs what the program gives out, and knows it again when it comes back: tickets, links, feeds. All servers
// on a database share its keys. It is safe for concurrent use.
type SigningKeys struct {
	db *postgres.DB
	// reading holds whoever reads the keys: one does at a time, for all that wait.
	reading chan struct{}

	mutex  sync.Mutex
	keys   []SigningKey // those that are not retired
	readAt time.Time
}

// NewSigningKeys returns the signing keys of a migrated database.
func NewSigningKeys(db *postgres.DB) *SigningKeys {
	return &SigningKeys{db: db, reading: make(chan struct{}, 1)}
}

// Sign returns the payload, signed for the purpose by the key that signs now: a JSON Web Signature in its compact form, fit
// for an address. Whoever has it can read the payload. The first use makes the first key.
func (s *SigningKeys) Sign(ctx context.Context, purpose string, payload []byte) (string, error) {
	key, err := s.signing(ctx)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key.private, KeyID: key.ID}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(purpose)))
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize()
}

// Verify returns the payload that text holds. It returns ErrSignature if that was not signed for the purpose by a key of
// this database, or if the key is retired; a server may take a minute to learn of that.
func (s *SigningKeys) Verify(ctx context.Context, purpose, text string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return nil, ErrSignature
	}
	header := signed.Signatures[0].Protected
	if signedFor, ok := header.ExtraHeaders[jose.HeaderType].(string); !ok || signedFor != purpose {
		return nil, ErrSignature
	}
	key, err := s.find(ctx, func(key SigningKey) bool { return key.ID == header.KeyID }, signingKeysPause)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, ErrSignature
	}
	payload, err := signed.Verify(key.public)
	if err != nil {
		return nil, ErrSignature
	}
	return payload, nil
}

// PublicKeys returns what others verify signatures with, offline: a JSON Web Key Set of the keys that are not retired. The
// typ of a signature must be the purpose that they expect.
func (s *SigningKeys) PublicKeys(ctx context.Context) ([]byte, error) {
	// A key that was made elsewhere may be wanted at once.
	known, err := s.known(ctx, signingKeysPause)
	if err != nil {
		return nil, err
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, key := range known {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.public, KeyID: key.ID, Algorithm: string(jose.EdDSA), Use: "sig"})
	}
	return json.Marshal(set)
}

// List returns all keys, newest first. For admins.
func (s *SigningKeys) List(ctx context.Context) ([]SigningKey, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return nil, err
	}
	return selectSigningKeys(ctx, s.db)
}

// Rotate makes a new key, which signs from now on; other servers change over within a minute. What older keys signed stays
// good until they are retired. For admins.
func (s *SigningKeys) Rotate(ctx context.Context) (SigningKey, error) {
	var made SigningKey
	err := s.change(ctx, func(tx *postgres.Tx, caller actor.Actor, keys []SigningKey) error {
		made = newSigningKey(tx.Now)
		var before *string
		if at := slices.IndexFunc(keys, SigningKey.Signs); at >= 0 {
			before = &keys[at].ID
		}
		if err := forgetPrivate(ctx, tx); err != nil {
			return err
		}
		if err := insertSigningKey(ctx, tx, made); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "rotateSigningKeys", Object: made.ID, Before: map[string]any{"signs": before}, After: map[string]any{"signs": made.ID},
		})
	})
	return made, err
}

// Retire ends all that the key has signed; other servers learn of it within a minute. Retiring it again changes nothing.
// For admins. It returns ErrUnknownSigningKey, or ErrSigningKeyInUse for the key that signs.
func (s *SigningKeys) Retire(ctx context.Context, id string) error {
	return s.change(ctx, func(tx *postgres.Tx, caller actor.Actor, keys []SigningKey) error {
		at := slices.IndexFunc(keys, func(key SigningKey) bool { return key.ID == id })
		switch {
		case at < 0:
			return ErrUnknownSigningKey
		case keys[at].Signs():
			return ErrSigningKeyInUse
		case keys[at].RetiredAt != nil:
			return nil
		}
		if err := retireSigningKey(ctx, tx, id); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "retireSigningKey", Object: id, Before: map[string]any{"retiredAt": nil}, After: map[string]any{"retiredAt": tx.Now},
		})
	})
}

// change runs work over the keys while nobody else changes them, and has this process read them anew.
func (s *SigningKeys) change(ctx context.Context, work func(*postgres.Tx, actor.Actor, []SigningKey) error) error {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return err
	}
	if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := lockSigningKeys(ctx, tx); err != nil {
			return err
		}
		keys, err := selectSigningKeys(ctx, tx)
		if err != nil {
			return err
		}
		return work(tx, caller, keys)
	}); err != nil {
		return err
	}
	// What was changed is changed, whether or not it can be read now.
	s.mutex.Lock()
	s.readAt = time.Time{}
	s.mutex.Unlock()
	_, _ = s.known(ctx, 0)
	return nil
}

// signing returns the key that signs. If there is none yet, it makes one; of several servers that do, one wins.
func (s *SigningKeys) signing(ctx context.Context) (*SigningKey, error) {
	key, err := s.find(ctx, SigningKey.Signs, signingKeysAge)
	if key != nil || err != nil {
		return key, err
	}
	if err := insertSigningKey(ctx, s.db, newSigningKey(s.db.Now())); err != nil {
		return nil, err
	}
	if key, err = s.find(ctx, SigningKey.Signs, 0); key == nil && err == nil {
		err = errors.New("no key signs, although one was made")
	}
	return key, err
}

func newSigningKey(now time.Time) SigningKey {
	// It never fails: the program ends before.
	public, private, _ := ed25519.GenerateKey(rand.Reader)
	return SigningKey{ID: newKeyID(), CreatedAt: now.UTC().Truncate(time.Microsecond), public: public, private: private}
}

// find returns the key that is wanted, nil if there is none; if what is known is older than pause, it looks again before it
// says so.
func (s *SigningKeys) find(ctx context.Context, wanted func(SigningKey) bool, pause time.Duration) (*SigningKey, error) {
	for _, age := range []time.Duration{signingKeysAge, pause} {
		keys, err := s.known(ctx, age)
		if err != nil {
			return nil, err
		}
		if at := slices.IndexFunc(keys, wanted); at >= 0 {
			return &keys[at], nil
		}
	}
	return nil, nil
}

// known returns the keys that are not retired, as they were less than age ago. Only who needs them read waits for it, until
// ctx ends.
func (s *SigningKeys) known(ctx context.Context, age time.Duration) ([]SigningKey, error) {
	if keys, ok := s.remembered(age); ok {
		return keys, nil
	}
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Whoever read before may have read for this one too.
	if keys, ok := s.remembered(age); ok {
		return keys, nil
	}
	now := s.db.Now()
	keys, err := selectSigningKeys(ctx, s.db)
	if err != nil {
		return nil, err
	}
	keys = slices.DeleteFunc(keys, func(key SigningKey) bool { return key.RetiredAt != nil })
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.keys, s.readAt = keys, now
	return keys, nil
}

// remembered returns the keys if they were read less than age ago.
func (s *SigningKeys) remembered(age time.Duration) ([]SigningKey, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.keys, !s.readAt.IsZero() && s.db.Now().Sub(s.readAt) < age
}
