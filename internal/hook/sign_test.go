package hook

import (
	"errors"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The example of the Standard Webhooks specification's test suites.
func TestSignatureOfTheSpecification(t *testing.T) {
	h := received(t, Request{IdempotencyKey: "unused"})
	r := Request{
		IdempotencyKey: "msg_p5jXN8AQM9LWM0D4loKWxJek",
		SigningSecret:  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		Body:           []byte(`{"test": 2432232314}`),
	}
	if err := r.sign(h, time.Unix(1614265330, 0)); err != nil {
		t.Fatal(err)
	}
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
		got := received(t, Request{Body: body, IdempotencyKey: "call_1", SigningSecret: secret})
		if err := verifier.Verify(body, got); err != nil || got.Get("webhook-id") != "call_1" {
			t.Errorf("%s: %v, id %q", secret, err, got.Get("webhook-id"))
		}
	}
}

func TestNothingIsSentUnsigned(t *testing.T) {
	for _, secret := range []string{"whsec_", "whsec_%%%"} {
		x := newClient(t, nil).Post(t.Context(), Request{URL: "http://127.0.0.1:1/", SigningSecret: secret})
		if !errors.Is(x.Err, ErrSecret) || x.Class() != Final {
			t.Errorf("%q: %v, class %v", secret, x.Err, x.Class())
		}
	}
}
