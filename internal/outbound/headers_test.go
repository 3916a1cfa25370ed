package outbound

import (
	stdcmp "cmp"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/trace"
)

// received posts r to a server and returns the headers that arrived there,
// Host among them.
func received(t *testing.T, r Request) http.Header {
	t.Helper()
	var got http.Header
	url := serve(t, func(_ http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		got = req.Header
		got.Set("Host", req.Host)
	})
	r.URL = strings.Replace(stdcmp.Or(r.URL, "http://HOST"), "HOST", strings.TrimPrefix(url, "http://"), 1)
	if x := newClient(t, nil).Post(t.Context(), r); x.Err != nil {
		t.Fatal(x.Err)
	}
	return got
}

var traceparentForm = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`)

func TestHeadersSentByItself(t *testing.T) {
	got := received(t, Request{Body: []byte(`{"a":1}`), IdempotencyKey: "call_1", Delivery: 2, MaxDelivery: 4})
	if parent := got.Get("Traceparent"); !traceparentForm.MatchString(parent) {
		t.Errorf("traceparent %q", parent)
	}
	got.Del("Traceparent")
	got.Del("Host")
	want := http.Header{
		"User-Agent":           {"OmniumOms/1.2.3"},
		"Accept":               {"application/json"},
		"Content-Type":         {"application/json"},
		"Content-Length":       {"7"},
		"X-Delivery-Count":     {"2"},
		"X-Max-Delivery-Count": {"4"},
		"Idempotency-Key":      {"call_1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUserAgentIsConfigured(t *testing.T) {
	var got string
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.UserAgent() })
	c := New(Options{Version: "1", UserAgent: "Shop/7", Guard: Guard{AllowPrivate: true}})
	t.Cleanup(c.Close)
	if x := c.Post(t.Context(), Request{URL: url}); x.Err != nil || got != "Shop/7" {
		t.Errorf("User-Agent %q, error %v", got, x.Err)
	}
}

func TestAuthorizationOfTheStrongest(t *testing.T) {
	all := Request{
		URL:         "http://urluser:urlpass@HOST/",
		Header:      []event.Header{{Name: "authorization", Value: given("step")}, {Name: "Authorization", Value: given("connector")}},
		BearerToken: given("bearer"), Token: given("token"), Username: "user", Password: given("pass"),
	}
	for _, test := range []struct {
		want   string
		weaken func(*Request) // takes away what gave this one
	}{
		{"step", func(r *Request) { r.Header = r.Header[1:] }},
		{"connector", func(r *Request) { r.Header = nil }},
		{"Bearer bearer", func(r *Request) { r.BearerToken = secret.Value{} }},
		{"Token token", func(r *Request) { r.Token = secret.Value{} }},
		{basic("user", "pass"), func(r *Request) { r.Password = secret.Value{} }},
		{basic("user", ""), func(r *Request) { r.Username, r.Password = "", given("pass") }},
		{basic("", "pass"), func(r *Request) { r.Password = secret.Value{} }},
		{basic("urluser", "urlpass"), func(r *Request) { r.URL = "http://HOST/" }},
		{"", func(*Request) {}},
	} {
		got := received(t, all)
		if got.Get("Authorization") != test.want || len(got.Values("Authorization")) > 1 {
			t.Errorf("Authorization %q, want %q", got.Values("Authorization"), test.want)
		}
		test.weaken(&all)
	}
}

func TestCustomHeaders(t *testing.T) {
	got := received(t, Request{IdempotencyKey: "call_1", Delivery: 1, MaxDelivery: 1, Header: []event.Header{
		{Name: "X-Api-Key", Value: given("first")},
		{Name: "x-api-key", Value: given("second")},
		{Name: "user-agent", Value: given("mine")},
		{Name: "ACCEPT", Value: given("text/json")},
		{Name: "X-Idempotency-Key", Value: given("mine")},
		{Name: "Bad Name", Value: given("x")},
		{Name: "", Value: given("x")},
		{Name: "X-Bad-Value", Value: given("a\r\nX-Smuggled: b")},
		{Name: "Host", Value: given("mine")},
		{Name: "Content-Type", Value: given("mine")},
		{Name: "Content-Length", Value: given("99")},
		{Name: "Idempotency-Key", Value: given("mine")},
		{Name: "X-Delivery-Count", Value: given("9")},
		{Name: "Transfer-Encoding", Value: given("chunked")},
		{Name: "Connection", Value: given("close")},
	}})
	for name, want := range map[string]string{
		"X-Api-Key": "first", "User-Agent": "mine", "Accept": "text/json", "X-Idempotency-Key": "mine",
		"Content-Type": "application/json", "Content-Length": "0", "Idempotency-Key": "call_1", "X-Delivery-Count": "1",
		"Bad Name": "", "X-Bad-Value": "", "X-Smuggled": "", "Transfer-Encoding": "", "Connection": "",
	} {
		if diff := cmp.Diff(want, strings.Join(got.Values(name), "|")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got.Get("Host") == "mine" {
		t.Error("Host was replaced")
	}
}

func TestHeaderAllowed(t *testing.T) {
	for names, want := range map[string]bool{
		"User-Agent Accept AUTHORIZATION X-Api-Key Cookie X-Delivery X-Signature tracestate Hostess": true,
		`Host HOST Content-Type content-length Content-Encoding X-Delivery-Count x-max-delivery-count
		X-Any-Delivery-Count Idempotency-Key traceparent Webhook-Id webhook-timestamp WEBHOOK-SIGNATURE Connection
		Transfer-Encoding TE Trailer Upgrade Keep-Alive Expect Proxy-Authorization proxy-connection a:b :path`: false,
	} {
		for name := range strings.FieldsSeq(names) {
			if HeaderAllowed(name) != want {
				t.Errorf("HeaderAllowed(%q) = %v", name, !want)
			}
		}
	}
}

func TestEndpointHeaderAllowed(t *testing.T) {
	for names, want := range map[string]bool{
		"User-Agent Accept AUTHORIZATION X-Api-Key Cookie X-Signature-Version X-Attempts tracestate": true,
		`X-Signature x-signature X-ATTEMPT Webhook-Id webhook-signature Webhook-Anything Host Content-Type content-length
		Idempotency-Key traceparent X-Delivery-Count Connection Keep-Alive Transfer-Encoding TE Trailer Upgrade Expect
		Proxy-Authorization a:b :path`: false,
	} {
		for name := range strings.FieldsSeq(names) {
			if EndpointHeaderAllowed(name) != want {
				t.Errorf("EndpointHeaderAllowed(%q) = %v", name, !want)
			}
		}
	}
}

func TestHeadersOfAnEvent(t *testing.T) {
	got := received(t, Request{
		Body: []byte(`{"a":1}`), ID: "evt_1", Attempt: 3, Signer: signerOf(t, NewSecret()), OneWay: true,
		Header: []event.Header{{Name: "X-Attempt", Value: given("9")}, {Name: "X-Shop", Value: given("7")}},
	})
	for _, name := range []string{"Traceparent", "Webhook-Timestamp", "Webhook-Signature"} {
		if len(got.Values(name)) != 1 {
			t.Errorf("%s: %q", name, got.Values(name))
		}
		got.Del(name)
	}
	got.Del("Host")
	want := http.Header{
		"User-Agent": {"OmniumOms/1.2.3"}, "Accept": {"application/json"}, "Content-Type": {"application/json"},
		"Content-Length": {"7"}, "X-Attempt": {"3"}, "Webhook-Id": {"evt_1"}, "X-Shop": {"7"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestHeadersThatARequestMaySetItself: they are a custom header's where the
// request sets none, which is so in every two-way call, and of X-Signature in
// an export.
func TestHeadersThatARequestMaySetItself(t *testing.T) {
	custom := []event.Header{{Name: "x-attempt", Value: given("mine")}, {Name: "x-signature", Value: given("mine")}}
	fox := []byte("The quick brown fox jumps over the lazy dog")
	const signature = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8" // by "key"
	for name, c := range map[string]struct {
		r                  Request
		attempt, signature string
	}{
		"a two-way call":      {Request{Delivery: 2, MaxDelivery: 4}, "mine", "mine"},
		"an export":           {Request{OneWay: true, Attempt: 2}, "2", "mine"},
		"a signed export":     {Request{OneWay: true, Attempt: 2, SigningSecret: given("any text"), ID: "evt_1"}, "2", "mine"},
		"a webHook's request": {Request{OneWay: true, Attempt: 2, Body: fox, Signer: NewBodySigner("key")}, "2", signature},
	} {
		c.r.Header = custom
		got := received(t, c.r)
		if diff := cmp.Diff([]string{c.attempt, c.signature}, append(got.Values("X-Attempt"), got.Values("X-Signature")...)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestTheNumberOfAnAttemptIsNoSecret: it is recorded as it was sent, even where
// a custom header was to replace it.
func TestTheNumberOfAnAttemptIsNoSecret(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	x := newClient(t, nil).Post(t.Context(), Request{URL: url, OneWay: true, Attempt: 2, Header: []event.Header{
		{Name: "X-Attempt", Value: given("mine")}, {Name: "X-Signature", Value: given("mine")}}})
	got := http.Header(x.Detail().Request.Headers)
	if got.Get("X-Attempt") != "2" || got.Get("X-Signature") != "***" {
		t.Errorf("X-Attempt %q, X-Signature %q", got["X-Attempt"], got["X-Signature"])
	}
}

// TestTheCallersTraceIsPassedOn: as it came where no spans are made, and else as that of
// the span of the attempt, which lies beneath it.
func TestTheCallersTraceIsPassedOn(t *testing.T) {
	const id, parent, state = "0af7651916cd43dd8448eb211c80319c", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "shop=a,other=b"
	var got http.Header
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
	exported := tracetest.NewInMemoryExporter()
	tracing := New(Options{Guard: Guard{AllowPrivate: true}, Secrets: testSecrets.opener, Tracer: sdk.NewTracerProvider(sdk.WithSyncer(exported)).Tracer("test")})
	defer tracing.Close()
	ctx := trace.With(t.Context(), parent, state)
	own := Request{URL: url, Kind: "event", Header: []event.Header{{Name: "tracestate", Value: given("mine=1")}}}
	for _, c := range []struct {
		what   string
		client *Client
		r      Request
		state  string
	}{
		{"passed on", newClient(t, nil), Request{URL: url}, state},
		{"with a tracestate of the endpoint's own", newClient(t, nil), own, "mine=1"},
		{"with a span", tracing, Request{URL: url + "/p4th?code=c0de", Kind: "event", About: About{OrderID: "ORD-1", EventID: strings.Repeat("e", 10)}, Attempt: 3}, state},
	} {
		if x := c.client.Post(ctx, c.r); x.Err != nil {
			t.Fatal(x.Err)
		}
		want := parent
		if c.client == tracing {
			want = "00-" + id + "-" + exported.GetSpans()[0].SpanContext.SpanID().String() + "-01"
		}
		if got.Get("Traceparent") != want || got.Get("Tracestate") != c.state {
			t.Errorf("%s: %s, %s; want %s, %s", c.what, got.Get("Traceparent"), got.Get("Tracestate"), want, c.state)
		}
	}
	span := exported.GetSpans()[0]
	text := fmt.Sprint(span.Name, span.Attributes, span.Status)
	if span.Name != "event call" || span.Parent.SpanID().String() != "b7ad6b7169203331" || span.SpanKind.String() != "client" {
		t.Errorf("the span %s of the kind %s lies beneath %s", span.Name, span.SpanKind, span.Parent.SpanID())
	}
	for word, want := range map[string]bool{"ORD-1": true, "127.0.0.1": true, "orderhook.attempt": true, "200": true, "p4th": false, "c0de": false} {
		if strings.Contains(text, word) != want {
			t.Errorf("that the span says %s should be %v: %s", word, want, text)
		}
	}
}
