package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
)

// How often a process notes at most that a client called, and how long it tries.
const (
	useInterval = time.Minute
	useTimeout  = 5 * time.Second
)

// keyPrefix tells the keys of clients from tokens, and tells those who scan for leaked secrets what they have found.
const keyPrefix = "rgl_"

// A key is rgl_<id>_<secret>: 10 and 32 random bytes.
var (
	keyForm     = regexp.MustCompile(`^` + keyPrefix + `([a-z2-7]{16})_([a-z2-7]{52})$`)
	keyEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
)

// clientKey is a key in full.
type clientKey struct {
	id     string
	secret string
}

func newKey() clientKey { return clientKey{id: newKeyID(), secret: random(32)} }

// newKeyID is what a key is called that anybody may know.
func newKeyID() string { return random(10) }

// random returns as many random bytes as a text.
func random(bytes int) string {
	drawn := make([]byte, bytes)
	// It never fails: the program ends before.
	_, _ = rand.Read(drawn)
	return keyEncoding.EncodeToString(drawn)
}

func (k clientKey) String() string { return keyPrefix + k.id + "_" + k.secret }

// hash is what is kept of the secret. A secret is no password: its 256 random bits cannot be guessed, however fast the
// hash, so a slow one would only slow the tills.
func (k clientKey) hash() []byte {
	sum := sha256.Sum256([]byte(k.secret))
	return sum[:]
}

// isKey tells whether the bearer's token is meant to be a client's key.
func isKey(token string) bool { return strings.HasPrefix(token, keyPrefix) }

// Verify returns the client whose key it is, as a caller with the client's scopes. It asks the database each time, so
// that what is revoked is refused at once, by every replica. It returns problem.Unauthenticated for a key that no client
// has or that has ended; any other error is a fault of ours.
func (c *Clients) Verify(ctx context.Context, key string) (actor.Actor, error) {
	parts := keyForm.FindStringSubmatch(key)
	if parts == nil {
		return actor.Actor{}, problem.Unauthenticated
	}
	given, now := clientKey{id: parts[1], secret: parts[2]}, c.db.Now().UTC().Truncate(time.Microsecond)
	kept, err := selectKey(ctx, c.db, given.id, now)
	unknown := errors.Is(err, sql.ErrNoRows)
	if err != nil && !unknown {
		return actor.Actor{}, fmt.Errorf("look up a client's key: %w", err)
	}
	if unknown {
		// The same work as for a wrong secret, so that time does not tell which keys there are.
		kept.SecretHash = make([]byte, sha256.Size)
	}
	if same := subtle.ConstantTimeCompare(given.hash(), kept.SecretHash) == 1; !same || unknown {
		return actor.Actor{}, problem.Unauthenticated
	}
	c.noteUse(ctx, kept.Client, now)
	return actor.Actor{Caller: "client:" + kept.Client.String(), Client: kept.Name, Scopes: scopesOf(kept.Scopes)}, nil
}

// noteUse has it recorded that the client calls, unless that was done within the last minute. The request does not wait
// for it.
func (c *Clients) noteUse(ctx context.Context, client id.Client, now time.Time) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if last, noted := c.used[client]; c.closed || noted && now.Sub(last) < useInterval {
		return
	}
	c.used[client] = now
	c.noting.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), useTimeout)
		defer cancel()
		if err := updateLastUse(ctx, c.db, client, now); err != nil {
			c.logger.WarnContext(ctx, "the use of a client could not be noted", slog.String("client", client.String()), slog.Any("cause", err))
		}
	})
}
