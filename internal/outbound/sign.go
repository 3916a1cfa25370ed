package outbound

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrSecret is the failure of a request whose signing secret is none.
var ErrSecret = errors.New("invalid signing secret: no base64 after whsec_")

// Signer signs requests. Its keys are read once, so it is made once for many
// requests; it is safe for concurrent use. It holds keys in the clear, so it stays within
// this package, but for the webHook section.
// Where body is set, the other two are not used.
type Signer struct {
	body    *mac   // for X-Signature, which then is the only one
	secrets []*mac // v1
	keys    []ed25519.PrivateKey
	forms   []string // of its secrets and keys, in which an answer may repeat them
}

// NewSigner returns a signer by the Standard Webhooks specification: with a v1
// signature for each secret ("whsec_" and the base64 of 24 to 64 bytes) and a
// v1a signature for each private key (see [PublicKey]), in that order. Its
// error says which of them is wrong, and holds none of it.
func NewSigner(keys ...string) (*Signer, error) {
	// A signer without a key would send requests that look signed and are not.
	if len(keys) == 0 {
		return nil, errors.New("there is no signing key")
	}
	s := &Signer{}
	for i, key := range keys {
		if err := s.add(key); err != nil {
			return nil, fmt.Errorf("signing key %d: %w", i+1, err)
		}
		s.forms = append(s.forms, signingForms(key)...)
	}
	return s, nil
}

// NewBodySigner returns a signer that sets X-Signature alone: the lower-case
// hex HMAC-SHA256 of the body, with the secret as it stands
// (docs/contract.md#order-state-webhook).
func NewBodySigner(secret string) *Signer {
	return &Signer{body: newMAC([]byte(secret)), forms: signingForms(secret)}
}

// add adds a key. Its prefix says of which kind it is.
// The lengths are in bytes, and the specification allows no others. After an error the signer
// must not be used.
func (s *Signer) add(key string) error {
	if strings.HasPrefix(key, privatePrefix) {
		private, err := parsePrivate(key)
		s.keys = append(s.keys, private)
		return err
	}
	secret, err := decode(key, secretPrefix)
	if err != nil {
		return err
	}
	if len(secret) < leastKey || len(secret) > mostKey {
		return fmt.Errorf("the secret has %d bytes, not %d to %d", len(secret), leastKey, mostKey)
	}
	s.secrets = append(s.secrets, newMAC(secret))
	return nil
}

// GivenSigner returns the signer of a secret that its caller has in the clear, in either form
// that a connector or an endpoint may have it. Its error holds none of it.
func GivenSigner(secret string) (*Signer, error) { return stepSigner(secret) }

// stepSigner is the signer of a connector's secret, which may be any text: what
// follows "whsec_", decoded, or else the text itself. Whoever configures a connector may
// have got a secret of any form.
func stepSigner(secret string) (*Signer, error) {
	if !strings.HasPrefix(secret, secretPrefix) {
		return &Signer{secrets: []*mac{newMAC([]byte(secret))}, forms: signingForms(secret)}, nil
	}
	key, err := decode(secret, secretPrefix)
	if err != nil || len(key) == 0 {
		return nil, ErrSecret
	}
	return &Signer{secrets: []*mac{newMAC(key)}, forms: signingForms(secret)}, nil
}

// with returns a signer that makes the signatures of both; s may be nil.
func (s *Signer) with(other *Signer) *Signer {
	if s == nil {
		return other
	}
	// The result is a new signer: each of the two may be shared by other requests.
	return &Signer{secrets: slices.Concat(s.secrets, other.secrets), keys: slices.Concat(s.keys, other.keys), forms: slices.Concat(s.forms, other.forms)}
}

// sign sets the headers of a signer; nil signs nothing.
func (r *Request) sign(h *headers, s *Signer, at time.Time) {
	switch {
	case s == nil:
	case s.body != nil:
		h.put("X-Signature", string(s.body.sign(nil, hex.AppendEncode, r.Body)))
		// The header is masked in the record: whoever reads it there could send the same
		// request again.
		h.secret = append(h.secret, "X-Signature")
	default: // the three headers of Standard Webhooks, over the id, the attempt's time in seconds, and the body
		// A step has no id of its own: its call is told apart by the Idempotency-Key.
		id, seconds := r.ID, strconv.FormatInt(at.Unix(), 10)
		if id == "" {
			id = r.IdempotencyKey
		}
		h.put("Webhook-Id", id)
		h.put("Webhook-Timestamp", seconds)
		h.secret = append(h.secret, "Webhook-Signature")
		h.put("Webhook-Signature", s.standard([]byte(id+"."+seconds+"."), r.Body))
	}
}

// standard returns the signatures of head and body, one after the other. All of them are
// sent, so that a receiver needs to know one key only.
func (s *Signer) standard(head, body []byte) string {
	out := make([]byte, 0, 64)
	for _, secret := range s.secrets {
		out = secret.sign(append(out, " v1,"...), base64.StdEncoding.AppendEncode, head, body)
	}
	for _, key := range s.keys {
		// Ed25519 takes the message as a whole, so head and body are joined for it.
		signature := ed25519.Sign(key, bytes.Join([][]byte{head, body}, nil))
		out = base64.StdEncoding.AppendEncode(append(out, " v1a,"...), signature)
	}
	// Each signature begins with a space, and the first space is left out.
	return string(out[1:])
}
