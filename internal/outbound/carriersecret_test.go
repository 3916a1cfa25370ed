package outbound

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
)

// nowhere is a carrier.
type nowhere struct{ http.RoundTripper }

func (nowhere) Listener() attempt.Listener { return attempt.Listener{} }

// TestACarrierGetsNoSecretOfThePlace: of a request that a carrier takes, all is gone that was given
// for the URL alone, whichever way it was given, and the rest is as it was.
func TestACarrierGetsNoSecretOfThePlace(t *testing.T) {
	const raw = "https://url-user:url-password@shop.example/hook?code=url-code#url-fragment"
	signer := NewBodySigner("s")
	r := Request{
		Kind: "step", URL: raw, Body: []byte(`{"to":"` + raw + `","again":"` + raw + `","id":1}`), Signer: signer, IdempotencyKey: "call_1", Delivery: 2, MaxDelivery: 4,
		Header: []event.Header{{Name: "X-Header", Value: secret.New("header-value")}}, Given: []GivenHeader{{Name: "X-Given", Value: "given-value"}},
		Username: "user-name", Password: secret.New("pass-word"), BearerToken: secret.New("bearer-token"), Token: secret.New("plain-token"),
	}
	got := r.ByCarrier(nowhere{})
	for _, part := range []string{"url-user", "url-password", "url-code"} {
		if text := got.URL + string(got.Body); strings.Contains(text, part) {
			t.Errorf("%s is left in %s", part, text)
		}
	}
	for what, left := range map[string]bool{
		"headers": len(got.Header) > 0, "given headers": len(got.Given) > 0, "user name": got.Username != "",
		"password": !got.Password.IsZero(), "bearer token": !got.BearerToken.IsZero(), "token": !got.Token.IsZero(),
	} {
		if left {
			t.Errorf("the %s is left", what)
		}
	}
	if got.Signer != signer || got.IdempotencyKey != "call_1" || got.Delivery != 2 || got.MaxDelivery != 4 || got.Kind != "step" || got.Carrier == nil {
		t.Errorf("it is %+v", got)
	}
	if strings.Count(string(got.Body), `"https://shop.example/hook?code=***#url-fragment"`) != 2 {
		t.Errorf("the body is %s", got.Body)
	}
	if u, err := url.Parse(got.URL); err != nil || u.Host != "shop.example" || u.Path != "/hook" {
		t.Errorf("it is for %s", got.URL)
	}
	if !strings.Contains(string(got.Body), `"id":1`) {
		t.Errorf("the body is %s", got.Body)
	}
	if r.URL != raw || !strings.Contains(string(r.Body), "url-code") || r.BearerToken.IsZero() || len(r.Header) != 1 {
		t.Error("the request itself became another one, which may be made again")
	}
}
