package event

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
)

// anything are checks that object to nothing.
var anything = EndpointChecks{
	Target:      func(*url.URL) string { return "" },
	HeaderName:  func(name string) (string, string) { return name, "" },
	HeaderValue: func(string) string { return "" },
	Secret:      func(string) string { return "" },
	TLS:         func(EndpointTLS, string) (string, string) { return "", "" },
}

func doc(t *testing.T, text string) *jsondoc.Object {
	t.Helper()
	o, err := schema.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func endpointAt(t *testing.T, url string) *Endpoint {
	t.Helper()
	e, err := NewEndpoint(jsondoc.NewObject(jsondoc.Pair("url", url), jsondoc.Pair("eventTypes", []any{"*"})), anything, publishTime)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheMaskOfAURLStandsForWhatIsStored(t *testing.T) {
	for stored, moves := range map[string]map[string]string{
		"https://me:pass@example.com/a": {"https://me:***@example.com/b": "https://me:pass@example.com/b", "https://you:***@example.com": "https://you:pass@example.com",
			"https://me:***@example.com:443/a": "https://me:pass@example.com:443/a", "https://me:new@example.com/": "https://me:new@example.com/", "https://example.com/": "https://example.com/",
			"https://me:***@example.org/": "", "http://me:***@example.com/": "", "https://***@example.com/": "https://me@example.com/"},
		"https://token@example.com":  {"https://***@example.com/x": "https://token@example.com/x", "https://me:***@example.com/": "", "https://***@example.com:8443/": ""},
		"https://token:@example.com": {"https://***:@example.com/x": "https://token:@example.com/x", "https://me:***@example.com/": "", "https://***:@example.com:8443/": "", "https://other:@example.com/": "https://other:@example.com/"},
		"https://example.com":        {"https://***:@example.com/": "", "https://me:***@example.com/": "", "https://***@example.com/": ""},
	} {
		e := endpointAt(t, stored)
		for sent, want := range moves {
			next, err := e.Changed(jsondoc.NewObject(jsondoc.Pair("url", sent)), anything, publishTime)
			switch {
			case want == "" && apierr.KindOf(err) != apierr.Invalid:
				t.Errorf("%s for %s is taken as %s", sent, stored, next.URL)
			case want != "" && (err != nil || next.URL != want):
				t.Errorf("%s for %s is %s, %v", sent, stored, next.URL, err)
			}
			if err != nil && strings.Contains(err.Error(), "pass") {
				t.Errorf("the error tells the secret: %v", err)
			}
		}
		if e.URL != stored {
			t.Errorf("the endpoint itself became %s", e.URL)
		}
	}
}

func TestEveryErrorOfAnEndpointIsNamed(t *testing.T) {
	refusing := anything
	refusing.TLS = func(EndpointTLS, string) (string, string) { return "certificate", "is none" }
	refusing.Target = func(*url.URL) string { return "refused by the target guard" }
	_, err := NewEndpoint(doc(t, `{"url":"https://h","eventTypes":["a b"],"tls":{"certificate":"x","key":"y"},"timeout":"x","filter":"("}`), refusing, publishTime)
	e, ok := err.(*apierr.Error)
	if !ok || e.Kind != apierr.Invalid || len(e.Fields) != 5 {
		t.Fatalf("%v", err)
	}
	for i, at := range []string{"url", "eventTypes[0]", "timeout", "filter", "tls.certificate"} {
		if e.Fields[i].Location != at {
			t.Errorf("error %d is at %s, want %s", i, e.Fields[i].Location, at)
		}
	}
}

func TestSecretsAreRotated(t *testing.T) {
	stored := func(id string) secret.Value { return secret.Stored(id, "") }
	is := func(id string) func(secret.Value) bool {
		return func(v secret.Value) bool { return v.ID() == id }
	}
	e := endpointAt(t, "https://h")
	e.Secrets = []Secret{{Value: stored("a")}}
	next, err := e.Rotated("b", is("b"), time.Hour, publishTime)
	if err != nil || len(next.Secrets) != 2 || next.Secrets[0] != (Secret{Value: secret.New("b")}) || next.Secrets[1] != (Secret{stored("a"), publishTime.Add(time.Hour)}) || len(e.Secrets) != 1 {
		t.Errorf("%v of %v, %v", next.Secrets, e.Secrets, err)
	}
	if live := next.LiveSecrets(publishTime.Add(time.Hour)); len(live) != 1 || live[0].Value != secret.New("b") {
		t.Errorf("an hour later %v sign", live)
	}
	next.Secrets[0].Value = stored("b")
	back, err := next.Rotated("a", is("a"), time.Hour, publishTime)
	if err != nil || len(back.Secrets) != 2 || back.Secrets[0] != (Secret{Value: secret.New("a")}) || back.Secrets[1].Value != stored("b") {
		t.Errorf("%v, %v", back.Secrets, err)
	}
}
