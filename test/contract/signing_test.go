package contract

import (
	"net/http"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// docs/contract.md#signing: the three Standard Webhooks headers, where the
// connector has a SigningSecret.

func TestSigningSecretSignsEveryAttempt(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s, r := failing(t, 1, http.StatusBadGateway), lease(t)
	r.settings(with(config(status("New", step{})), connectors(connector(s.URL, `,"SigningSecret":"`+secret+`"`))))
	r.post(order)
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range s.got() {
		if err := verifier.Verify(got.Body, got.Header); err != nil {
			t.Errorf("attempt %s: %v", got.Header.Get("X-Delivery-Count"), err)
		}
		equals(t, "webhook-id", got.Header.Get("Webhook-Id"), s.got()[0].Header.Get("Idempotency-Key"))
	}
	equals(t, "attempts", len(s.got()), 2)
}

func TestASigningSecretOfAnyTextIsItsBytes(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	r.settings(with(config(status("New", step{})), connectors(connector(s.URL, `,"SigningSecret":"correct horse"`))))
	r.post(order)
	verifier, err := standardwebhooks.NewWebhookRaw([]byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(s.only(t).Body, s.only(t).Header); err != nil {
		t.Error(err)
	}
}
