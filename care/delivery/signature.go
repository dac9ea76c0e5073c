package delivery

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of Standard Webhooks.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

const (
	secretPrefix  = "whsec_"
	minimumSecret = 24
	signedBy      = "v1"
	// replayWindow is how far the clocks of both sides may be apart, and how long somebody in between may repeat a request.
	replayWindow = 5 * time.Minute
)

// ErrSignature is the answer to a request that was not signed with the secret, or not now.
var ErrSignature = errors.New("the signature of the webhook is not valid")

// Secret signs webhooks. Its text is not shown by accident.
type Secret struct{ key []byte }

// ParseSecret reads whsec_ and base64 of at least 24 bytes. What it returns as an error holds nothing of it.
func ParseSecret(text string) (Secret, error) {
	encoded, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return Secret{}, errors.New("it does not begin with " + secretPrefix)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return Secret{}, errors.New("what follows " + secretPrefix + " is not base64")
	}
	if len(key) < minimumSecret {
		return Secret{}, fmt.Errorf("it holds %d bytes; %d is the least", len(key), minimumSecret)
	}
	return Secret{key: key}, nil
}

// String hides the secret.
func (Secret) String() string { return secretPrefix + "…" }

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// sign returns the headers of a request with the body, by its instant.
func (s Secret) sign(name string, at time.Time, body []byte) http.Header {
	headers := http.Header{}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	headers.Set(headerID, name)
	headers.Set(headerTimestamp, timestamp)
	headers.Set(headerSignature, signedBy+","+base64.StdEncoding.EncodeToString(s.mac(name, timestamp, body)))
	return headers
}

func (s Secret) mac(name, timestamp string, body []byte) []byte {
	code := hmac.New(sha256.New, s.key)
	code.Write([]byte(name + "." + timestamp + "."))
	code.Write(body)
	return code.Sum(nil)
}

// Verify tells a receiver whether a request with these headers and this body, to the byte, was signed with the secret within 5
// minutes of now. It returns ErrSignature if not. Whoever acts on a request remembers its webhook-id, which repeated ones share.
func Verify(secret Secret, headers http.Header, body []byte, now time.Time) error {
	name, timestamp := headers.Get(headerID), headers.Get(headerTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || name == "" {
		return ErrSignature
	}
	if apart := now.Sub(time.Unix(seconds, 0)).Abs(); apart > replayWindow {
		return ErrSignature
	}
	want := secret.mac(name, timestamp, body)
	for one := range strings.FieldsSeq(headers.Get(headerSignature)) {
		encoded, ok := strings.CutPrefix(one, signedBy+",")
		if !ok {
			continue
		}
		if got, err := base64.StdEncoding.DecodeString(encoded); err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}
