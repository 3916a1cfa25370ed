package receiver

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Verifier is whose signatures are taken. Of several secrets any will do, so that one can be
// rotated.
type Verifier struct {
	// Secrets are those of endpoints and connectors: whsec_ and base64, or a text that is
	// taken as it is.
	Secrets []string
	// PublicKeys are those of endpoints with v1a signatures: whpk_ and base64.
	PublicKeys []string
	// StateSecrets are those of the order-state webhook, which signs the body alone, in
	// X-Signature. They are other ones: such a signature never grows old, and such a request
	// has no id, so that one that comes again is handled again.
	StateSecrets []string
	// Tolerance is how far the time of a signature may be from now; 0 is 5 minutes.
	Tolerance time.Duration
}

// verifier is a Verifier whose keys have been read.
type verifier struct {
	secrets, stateSecrets [][]byte
	publicKeys            []ed25519.PublicKey
	tolerance             time.Duration
}

// Verify reports why a request is not one that was signed; nil if it was. Header and body
// are those of the request, to the byte.
func (v Verifier) Verify(header http.Header, body []byte) error {
	parsed, err := v.parsed()
	if err != nil {
		return err
	}
	return parsed.verify(header, body, time.Now())
}

// parsed reads the keys. Errors name them by their position, for they are secrets.
func (v Verifier) parsed() (*verifier, error) {
	out := &verifier{tolerance: v.Tolerance}
	if out.tolerance == 0 {
		out.tolerance = 5 * time.Minute
	}
	for i, text := range v.Secrets {
		key := []byte(text)
		if encoded, ok := strings.CutPrefix(text, "whsec_"); ok {
			var err error
			if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
				return nil, fmt.Errorf("secret %d: what follows whsec_ is no base64", i+1)
			}
		}
		if len(key) == 0 {
			return nil, fmt.Errorf("secret %d is empty", i+1)
		}
		out.secrets = append(out.secrets, key)
	}
	for i, text := range v.PublicKeys {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whpk_"))
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("public key %d is not whpk_ and the base64 of 32 bytes", i+1)
		}
		out.publicKeys = append(out.publicKeys, key)
	}
	for i, text := range v.StateSecrets {
		if text == "" {
			return nil, fmt.Errorf("state secret %d is empty", i+1)
		}
		out.stateSecrets = append(out.stateSecrets, []byte(text))
	}
	return out, nil
}

func (v *verifier) empty() bool {
	return len(v.secrets)+len(v.publicKeys)+len(v.stateSecrets) == 0
}

func (v *verifier) verify(header http.Header, body []byte, now time.Time) error {
	if v.byBody(header) {
		return v.verifyState(header.Get("X-Signature"), body)
	}
	signature := header.Get("Webhook-Signature")
	if signature == "" {
		return errors.New("the request is not signed")
	}
	// The time is signed, too, so that a request that somebody has recorded is of no use later.
	id, at := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" {
		return errors.New("webhook-id and webhook-timestamp are needed")
	}
	if off := now.Sub(time.Unix(seconds, 0)); off.Abs() > v.tolerance {
		return fmt.Errorf("the signature is of another time, by more than %s", v.tolerance)
	}
	signed := fmt.Appendf(nil, "%s.%s.%s", id, at, body)
	for _, part := range strings.Fields(signature) {
		version, text, _ := strings.Cut(part, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if err == nil && v.signed(version, signed, got) {
			return nil
		}
	}
	return errors.New("the signature is wrong")
}

// byBody reports whether a request goes by the signature of the order-state webhook, which
// covers the body alone.
func (v *verifier) byBody(header http.Header) bool {
	return header.Get("Webhook-Signature") == "" && header.Get("X-Signature") != "" && len(v.stateSecrets) > 0
}

// signed reports whether any key made a signature.
func (v *verifier) signed(version string, signed, got []byte) bool {
	switch version {
	case "v1":
		for _, key := range v.secrets {
			if hmac.Equal(got, sum(key, signed)) {
				return true
			}
		}
	case "v1a":
		for _, key := range v.publicKeys {
			if ed25519.Verify(key, signed, got) {
				return true
			}
		}
	}
	return false
}

func (v *verifier) verifyState(signature string, body []byte) error {
	got, err := hex.DecodeString(signature)
	for _, key := range v.stateSecrets {
		if err == nil && hmac.Equal(got, sum(key, body)) {
			return nil
		}
	}
	return errors.New("the signature is wrong")
}

func sum(key, text []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil)
}
