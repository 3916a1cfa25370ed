package outbound

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/event"
)

func TestDetailHoldsBothSides(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=x")
		w.Header().Set("X-Answer", "y")
		w.Header().Set("X-Hub-Signature-256", "sha256=abc")
		w.Header().Set("Date", "today")
		w.Write([]byte(`{}`))
	}))
	t.Cleanup(s.Close)
	x := newClient(t, roots(s)).Post(t.Context(), Request{
		URL: s.URL, Body: []byte(`{"a":1}`), IdempotencyKey: "call_1", Delivery: 1, MaxDelivery: 4, BearerToken: given("secret"),
		Header: []event.Header{{Name: "accept", Value: given("secret")}, {Name: "X-Key", Value: given("secret")}}, SigningSecret: given("secret"),
	})
	d := x.Detail()
	sent := http.Header(d.Request.Headers)
	for _, name := range []string{"Traceparent", "Webhook-Timestamp"} {
		if sent.Get(name) == "" || sent.Get(name) == mask {
			t.Errorf("%s: %q", name, sent.Get(name))
		}
		sent.Del(name)
	}
	want := http.Header{
		"User-Agent": {"OmniumOms/1.2.3"}, "Accept": {"***"}, "Authorization": {"***"}, "X-Key": {"***"},
		"Content-Type": {"application/json"}, "X-Delivery-Count": {"1"}, "X-Max-Delivery-Count": {"4"},
		"Idempotency-Key": {"call_1"}, "Webhook-Id": {"call_1"}, "Webhook-Signature": {"***"},
	}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
	if d.Request.Method != "POST" || string(d.Request.Body) != `{"a":1}` || d.Request.BodyBytes != 7 || d.Request.Truncated {
		t.Errorf("request %+v", d.Request)
	}
	want = map[string][]string{"Set-Cookie": {"***"}, "X-Answer": {"y"}, "X-Hub-Signature-256": {"***"}, "Date": {"today"}, "Content-Length": {"2"}, "Content-Type": {"text/plain; charset=utf-8"}}
	if diff := cmp.Diff(want, http.Header(d.Response.Headers)); diff != "" {
		t.Error(diff)
	}
	if string(d.Response.Body) != `{}` || d.Response.BodyBytes != 2 || d.Response.Truncated {
		t.Errorf("response %+v", d.Response)
	}
	if "https://"+d.RemoteAddr != s.URL || d.TLSVersion != "TLS 1.3" {
		t.Errorf("remote address %q, TLS %q", d.RemoteAddr, d.TLSVersion)
	}
	if d.Timing.Connect <= 0 || d.Timing.TLS <= 0 || d.Timing.FirstByte < d.Timing.Connect+d.Timing.TLS || d.Timing.DNS != 0 {
		t.Errorf("timing %+v", d.Timing)
	}
}

func TestLongBodiesAreCutInTheRecord(t *testing.T) {
	for _, test := range []struct {
		size, retained, counted int
		cut                     bool
	}{
		{maxRecorded, maxRecorded, maxRecorded, false},
		{maxRecorded + 1, maxRecorded, maxRecorded + 1, true},
		{MaxBody + 1, maxRecorded, MaxBody, true},
	} {
		body := bytes.Repeat([]byte("a"), test.size)
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
		request := []byte(strings.Repeat("b", 2*maxRecorded))
		d := newClient(t, nil).Post(t.Context(), Request{URL: url, Body: request}).Detail()
		if r := d.Response; len(r.Body) != test.retained || r.BodyBytes != int64(test.counted) || r.Truncated != test.cut {
			t.Errorf("%d bytes: retained %d, counted %d, cut %v", test.size, len(r.Body), r.BodyBytes, r.Truncated)
		}
		if len(d.Request.Body) != len(request) || d.Request.Truncated {
			t.Errorf("of the request's %d bytes, %d are retained", len(request), len(d.Request.Body))
		}
	}
}

func TestDetailWithoutAnAnswer(t *testing.T) {
	x := newClient(t, nil).Post(t.Context(), Request{URL: "http://127.0.0.1:1/", Body: []byte(`{}`)})
	d := x.Detail()
	if x.Failure() != "connection refused" || x.Status != 0 || d.Response != nil || d.RemoteAddr != "" {
		t.Errorf("failure %q, status %d, detail %+v", x.Failure(), x.Status, d)
	}
	if len(d.Request.Headers) == 0 || string(d.Request.Body) != `{}` {
		t.Errorf("request %+v", d.Request)
	}
}

func TestASecretThatComesBackIsNotRecorded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		fmt.Fprintf(w, `{"auth":%q,"key":%q}`, r.Header.Get("Authorization"), r.Header.Get("X-Key"))
	}))
	t.Cleanup(s.Close)
	x := newClient(t, nil).Post(t.Context(), Request{URL: s.URL, BearerToken: given("hush-hush-hush"), Header: []event.Header{{Name: "X-Key", Value: given("also-a-secret")}}})
	d := x.Detail()
	if got := string(d.Response.Body); got != `{"auth":"***","key":"***"}` {
		t.Errorf("recorded %s", got)
	}
	if got := d.Response.Headers["X-Echo"]; len(got) != 1 || got[0] != "***" {
		t.Errorf("recorded header %q", got)
	}
	if string(x.Body) != string(d.Response.Body) || d.Response.BodyBytes != int64(len(`{"auth":"Bearer hush-hush-hush","key":"also-a-secret"}`)) {
		t.Errorf("read %s, of %d bytes", x.Body, d.Response.BodyBytes)
	}
}

// A token is one without its scheme, too, as are the user name and password of
// Basic as they are sent.
func TestABareTokenThatComesBackIsNotRecorded(t *testing.T) {
	for name, r := range map[string]Request{
		"bearer":        {BearerToken: given("hush-hush-hush")},
		"token":         {Token: given("hush-hush-hush")},
		"basic":         {Username: "shop", Password: given("hush-hush-hush")},
		"custom":        {Header: []event.Header{{Name: "authorization", Value: given("Custom hush-hush-hush")}}},
		"custom header": {Header: []event.Header{{Name: "X-Key", Value: given("hush-hush-hush")}}},
	} {
		t.Run(name, func(t *testing.T) {
			var sent string
			r.URL = serve(t, func(w http.ResponseWriter, r *http.Request) {
				sent = r.Header.Get("Authorization") + r.Header.Get("X-Key")
				_, bare, found := strings.Cut(sent, " ")
				if found {
					sent = bare
				}
				w.Header().Set("X-Echo", "is "+sent)
				fmt.Fprintf(w, `{"unknown token":%q}`, sent)
			})
			d := newClient(t, nil).Post(t.Context(), r).Detail()
			if got := string(d.Response.Body); got != `{"unknown token":"***"}` {
				t.Errorf("%s comes back, recorded as %s", sent, got)
			}
			if got := http.Header(d.Response.Headers).Get("X-Echo"); got != "is ***" {
				t.Errorf("%s comes back, recorded as the header %q", sent, got)
			}
		})
	}
}
