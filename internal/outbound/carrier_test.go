package outbound

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
)

// carrier answers each request that it takes.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }
func (c carrier) Listener() attempt.Listener {
	return attempt.Listener{InterceptionID: "int_1", KeyID: "key_1"}
}

// TestACarrierTakesARequestWithoutItsSecrets: the guard is not asked, no slot is taken, and the
// rest is as ever.
func TestACarrierTakesARequestWithoutItsSecrets(t *testing.T) {
	slots := fair.New(1)
	held, err := slots.Take(t.Context(), fair.Key{Tenant: "other"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Give()
	c := New(Options{Outgoing: slots, Secrets: testSecrets.opener}) // whose guard refuses this machine
	const url = "http://user:pass-word@127.0.0.1:1/hook?code=query-value"
	r := Request{URL: url, Header: []event.Header{{Name: "X-Key", Value: given("header-value")}}, Given: []GivenHeader{{"X-Given", "given-value"}},
		BearerToken: given("bearer-value"), Token: given("token-value"), Username: "user", Password: given("pass-word"), SigningSecret: given("signing-value"),
		Body: []byte(`{"host":"` + url + `"}`), IdempotencyKey: "call_1", Delivery: 1, MaxDelivery: 4, Timeout: time.Second}
	var sent strings.Builder
	x := c.Post(t.Context(), r.ByCarrier(carrier(func(req *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(req.Body)
		sent.WriteString(req.URL.String() + string(body))
		for name, values := range req.Header {
			sent.WriteString("\n" + strings.ToLower(name) + ": " + strings.Join(values, ","))
		}
		return &http.Response{StatusCode: 200, Header: http.Header{"X-Mine": {"yes"}}, Body: io.NopCloser(strings.NewReader("{}")), ContentLength: 2}, err
	})))
	if x.Err != nil || x.Status != 200 || string(x.Body) != "{}" || x.Header.Get("X-Mine") != "yes" {
		t.Fatalf("%d %s, %v", x.Status, x.Body, x.Err)
	}
	for _, s := range []string{"-value", "pass-word", "authorization", "x-key", "x-given"} {
		if strings.Contains(sent.String(), s) {
			t.Errorf("%s is in what was sent: %s", s, &sent)
		}
	}
	for _, s := range []string{"idempotency-key: call_1", "x-delivery-count: 1", "webhook-signature: v1,", `{"host":"http://127.0.0.1:1/hook?code=***"}`} {
		if !strings.Contains(sent.String(), s) {
			t.Errorf("%s is not in what was sent: %s", s, &sent)
		}
	}
	if a := x.Record(attempt.KindStep, ""); a.URL != "listener:int_1" || a.Host != "" || a.Detail.Listener == nil || a.Detail.Listener.KeyID != "key_1" {
		t.Errorf("the record is %+v", a)
	}
	// What carries nothing is as it was.
	if r.Header == nil || r.Carrier != nil || string(r.Body) != `{"host":"`+url+`"}` {
		t.Error("the request itself has changed")
	}
}

func TestWhyACarrierBringsNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		carrier carrier
		timeout time.Duration
		want    string
	}{
		"its own word": {func(*http.Request) (*http.Response, error) { return nil, CarrierError("the laptop is closed") }, time.Minute, "the laptop is closed"},
		"too late": {func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context())
		}, 20 * time.Millisecond, "timed out after 20ms"},
	} {
		x := New(Options{}).Post(t.Context(), Request{URL: "http://example.com", Timeout: c.timeout}.ByCarrier(c.carrier))
		if x.Failure() != c.want || x.Class() != Retry {
			t.Errorf("%s: %q of class %v", name, x.Failure(), x.Class())
		}
		if a := x.Record(attempt.KindStep, x.Failure()); a.URL != "listener:int_1" || a.Outcome != attempt.OutcomeFailed {
			t.Errorf("%s: the record is %+v", name, a)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	x := New(Options{}).Post(ctx, Request{URL: "http://example.com"}.ByCarrier(carrier(func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() })))
	if !errors.Is(x.Err, ErrCanceled) {
		t.Error(x.Err)
	}
}
