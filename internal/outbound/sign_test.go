package outbound

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	secrets "github.com/orderhook/orderhook/internal/secret"
)

// The example of the Standard Webhooks specification's test suites.
func TestSignatureOfTheSpecification(t *testing.T) {
	h := &headers{Header: http.Header{}}
	r := Request{
		IdempotencyKey: "msg_p5jXN8AQM9LWM0D4loKWxJek",
		Body:           []byte(`{"test": 2432232314}`),
	}
	signer, err := stepSigner("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	r.sign(h, signer, time.Unix(1614265330, 0))
	for name, want := range map[string]string{
		"webhook-id":        "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestSignedRequestsVerify(t *testing.T) {
	body := []byte(`{"Value":{"Id":"ORD-1"}}`)
	raw, _ := standardwebhooks.NewWebhookRaw([]byte("any text"))
	prefixed, _ := standardwebhooks.NewWebhook("whsec_c2VjcmV0")
	for secret, verifier := range map[string]*standardwebhooks.Webhook{"any text": raw, "whsec_c2VjcmV0": prefixed} {
		got := received(t, Request{Body: body, IdempotencyKey: "call_1", SigningSecret: given(secret)})
		if err := verifier.Verify(body, got); err != nil || got.Get("webhook-id") != "call_1" {
			t.Errorf("%s: %v, id %q", secret, err, got.Get("webhook-id"))
		}
	}
}

func TestNothingIsSentUnsigned(t *testing.T) {
	for _, secret := range []string{"whsec_", "whsec_%%%"} {
		x := newClient(t, nil).Post(t.Context(), Request{URL: "http://127.0.0.1:1/", SigningSecret: given(secret)})
		if !errors.Is(x.Err, ErrSecret) || x.Class() != Final {
			t.Errorf("%q: %v, class %v", secret, x.Err, x.Class())
		}
	}
}

const seed = "VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="

// The example of the specification's Go library, of a version to come.
func TestAsymmetricSignatureOfTheSpecification(t *testing.T) {
	h := &headers{Header: http.Header{}}
	r := Request{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Body: []byte(`{"test": 2432232314}`)}
	r.sign(h, signerOf(t, "whsk_"+seed), time.Unix(1614265330, 0))
	const want = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
	if got := h.Get("webhook-signature"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func signerOf(t *testing.T, keys ...string) *Signer {
	t.Helper()
	s, err := NewSigner(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryKeySigns(t *testing.T) {
	old, secret, private := NewSecret(), NewSecret(), NewPrivateKey()
	body := []byte(`{"id":"evt_1"}`)
	keys := []secrets.Value{given(old), given(private), given(secret)}
	for range 3 { // keys are cached from one to the next
		got := received(t, Request{ID: "evt_1", SigningKeys: keys, Body: body, OneWay: true})
		for _, s := range []string{old, secret} {
			verifier, err := standardwebhooks.NewWebhook(s)
			if err != nil {
				t.Fatal(err)
			}
			if err := verifier.Verify(body, got); err != nil {
				t.Error(err)
			}
		}
		if got.Get("webhook-id") != "evt_1" || got.Values("Idempotency-Key") != nil {
			t.Errorf("webhook-id %q, Idempotency-Key %q", got.Get("webhook-id"), got.Values("Idempotency-Key"))
		}
		verifyAsymmetric(t, private, body, got)
	}
}

// verifyAsymmetric verifies the third signature of three as an endpoint would,
// by the specification's rules and with the public key alone.
func verifyAsymmetric(t *testing.T, private string, body []byte, h http.Header) {
	t.Helper()
	text, err := PublicKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whpk_"))
	signatures := strings.Split(h.Get("webhook-signature"), " ")
	if err != nil || len(public) != ed25519.PublicKeySize || len(signatures) != 3 || !strings.HasPrefix(signatures[2], "v1a,") {
		t.Fatalf("public key %s, signatures %q", text, signatures)
	}
	signature, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(signatures[2], "v1a,"))
	content := h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(body)
	if !ed25519.Verify(public, []byte(content), signature) {
		t.Error("the v1a signature is wrong")
	}
}

func TestBothFormsOfAPrivateKey(t *testing.T) {
	raw, _ := base64.StdEncoding.DecodeString(seed)
	whole := ed25519.NewKeyFromSeed(raw)
	short, err := PublicKey("whsk_" + seed)
	if err != nil {
		t.Fatal(err)
	}
	long, err := PublicKey("whsk_" + base64.StdEncoding.EncodeToString(whole))
	if err != nil || long != short || short != "whpk_"+base64.StdEncoding.EncodeToString(whole[32:]) {
		t.Errorf("%s and %s, %v", short, long, err)
	}
}

func TestWrongSigningKeys(t *testing.T) {
	of := func(prefix string, n int) string {
		return prefix + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{'k'}, n))
	}
	for key, want := range map[string]string{
		of("whsec_", 24): "", of("whsec_", 64): "", of("whsk_", 32): "",
		of("whsec_", 23): "the secret has 23 bytes, not 24 to 64",
		of("whsec_", 65): "the secret has 65 bytes, not 24 to 64",
		"whsec_":         "the secret has 0 bytes, not 24 to 64",
		"whsec_%%%":      "no base64 after whsec_",
		of("", 32):       "it does not start with whsec_",
		of("whpk_", 32):  "it does not start with whsec_",
		of("whsk_", 31):  "the private key has 31 bytes, not 32 or 64",
		of("whsk_", 64):  "the private key's two halves do not belong together",
		"whsk_%%%":       "no base64 after whsk_",
	} {
		got := ""
		if _, err := NewSigner(NewSecret(), key); err != nil {
			got = strings.TrimPrefix(err.Error(), "signing key 2: ")
		}
		if got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

func TestASignerNeedsAKey(t *testing.T) {
	if s, err := NewSigner(); err == nil {
		t.Errorf("%+v would send unsigned", s)
	}
}

func TestTheBodyIsSigned(t *testing.T) {
	got := received(t, Request{Signer: NewBodySigner("key"), Body: []byte("The quick brown fox jumps over the lazy dog"), OneWay: true})
	const want = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
	if got.Get("X-Signature") != want || got.Get("Webhook-Signature") != "" {
		t.Errorf("%s and %q, want %s", got.Get("X-Signature"), got.Get("Webhook-Signature"), want)
	}
}

func TestASignerIsShared(t *testing.T) {
	secret := NewSecret()
	signer := signerOf(t, secret)
	verifier, _ := standardwebhooks.NewWebhook(secret)
	for n := range 20 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := range 50 {
				h := &headers{Header: http.Header{}}
				body := fmt.Appendf(nil, "%d/%d", n, i)
				r := Request{ID: "evt", Body: body}
				r.sign(h, signer, time.Now())
				if err := verifier.Verify(body, h.Header); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
