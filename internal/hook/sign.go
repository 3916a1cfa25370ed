package hook

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// ErrSecret is the failure of a request whose signing secret is none.
var ErrSecret = errors.New("invalid signing secret: no base64 after whsec_")

// sign adds the three Standard Webhooks headers: over the id, the attempt's
// time in seconds, and the body.
func (r Request) sign(h http.Header, at time.Time) error {
	key, err := signingKey(r.SigningSecret)
	if err != nil {
		return err
	}
	signer, err := standardwebhooks.NewWebhookRaw(key)
	if err != nil {
		return ErrSecret
	}
	signature, err := signer.Sign(r.IdempotencyKey, at, r.Body)
	if err != nil {
		return ErrSecret
	}
	h.Set(standardwebhooks.HeaderWebhookID, r.IdempotencyKey)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return nil
}

// signingKey returns the bytes that a secret stands for: what follows
// "whsec_", decoded, or else the text itself.
func signingKey(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, ErrSecret
	}
	return key, nil
}
