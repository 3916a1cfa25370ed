package outbound

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
)

const testSigningSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestWhatAnAnswerRepeatsIsMaskedAsItWasWritten(t *testing.T) {
	const token = `Tok/en+"with<all>&such=1`
	for name, c := range map[string]struct {
		r      Request
		answer string
		want   string
	}{
		"a connector's signing secret": {Request{SigningSecret: given(testSigningSecret)}, "expected " + testSigningSecret + " or " + testSigningSecret[6:], "expected *** or ***"},
		"one of another form":          {Request{SigningSecret: given("shop-signing")}, "expected shop-signing", "expected ***"},
		"an endpoint's":                {Request{SigningKeys: []secret.Value{given(testSigningSecret), given(NewSecret())}}, "expected " + testSigningSecret + " or " + testSigningSecret[6:], "expected *** or ***"},
		"the key of the webHook":       {Request{Signer: NewBodySigner("hush-hush")}, "the key is hush-hush", "the key is ***"},
		"a query as it was written":    {Request{URL: "/?sig=abC+deF9/ghI=&token=aa+bb%2fcc"}, "abC+deF9/ghI= aa+bb%2fcc abC deF9/ghI= aa bb/cc aa+bb/cc", "*** *** *** *** ***"},
		"a semicolon in a value":       {Request{URL: "/?token=abc123;def456"}, "no abc123;def456, no abc123", "no ***, no ***"},
		"a semicolon before a name":    {Request{URL: "/?a=1;token=abc123"}, "no abc123", "no ***"},
		"what cannot be decoded":       {Request{URL: "/?token=abc%25%3"}, "no abc%25%3", "no ***"},
		"HTML in JSON":                 {Request{BearerToken: given(token)}, `{"a":"\u003cp\u003eTok/en+\u0026#34;with\u0026lt;all\u0026gt;\u0026amp;such=1","b":"\u0026quot;"}`, `{"a":"\u003cp\u003e***","b":"\u0026quot;"}`},
		"a URL in HTML in JSON":        {Request{BearerToken: given(token)}, `{"a":"?a=1\u0026amp;t=Tok%2Fen%2B%22with%3Call%3E%26such%3D1\u0026quot;"}`, `{"a":"?a=1\u0026amp;t=***\u0026quot;"}`},
	} {
		t.Run(name, func(t *testing.T) {
			c.r.ID = "evt_1"
			if x := echoing(t, c.r, func(*http.Request) string { return c.answer }); string(x.Body) != c.want {
				t.Errorf("%s, want %s", x.Body, c.want)
			}
		})
	}
}

// TestAUserWithoutAPasswordIsASecret: many keys are sent so.
func TestAUserWithoutAPasswordIsASecret(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		fmt.Fprint(w, "unknown user ", user)
	})
	x := newClient(t, nil).Post(t.Context(), Request{URL: strings.Replace(url, "//", "//hush-hush@", 1)})
	if string(x.Body) != "unknown user ***" {
		t.Errorf("it is %s", x.Body)
	}
}

func TestASecretWhoseEndDoesNotComeIsMasked(t *testing.T) {
	const token = "hush-hush/hush-hush"
	for _, end := range []string{token[:len(token)-1], `hush-hush\/hush`, "aHVzaC1odXNoL2h1c2gtaH"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "got ", end)
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}))
		x := newClient(t, nil).Post(t.Context(), Request{URL: s.URL, BearerToken: given(token)})
		s.Close()
		if x.Err == nil || string(x.Body) != "got ***" {
			t.Errorf("%s: %s, %v", end, x.Body, x.Err)
		}
	}
}

func TestASecretInTheNameOfAHeaderIsMasked(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-aBcDeFgH-Echo", "1")
		w.Header().Set("X-Other", "2")
	})
	x := newClient(t, nil).Post(t.Context(), Request{URL: url, BearerToken: given("aBcDeFgH")})
	h := x.Detail().Response.Headers
	if len(h["X-***-Echo"]) != 1 || len(h["X-Other"]) != 1 || strings.Contains(strings.ToLower(fmt.Sprint(h)), "abcdefgh") {
		t.Errorf("they are %v", h)
	}
}

// TestAnEncodingThatNobodyAskedForIsNotShown where the request carried a secret, which cannot be found
// in it.
func TestAnEncodingThatNobodyAskedForIsNotShown(t *testing.T) {
	const text = `{"auth":"Bearer hush-hush-hush"}`
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(text))
	z.Close()
	var wide []byte
	for _, c := range utf16.Encode([]rune(text)) {
		wide = append(wide, byte(c), byte(c>>8))
	}
	for _, c := range []struct{ encoding, body, want string }{
		{"gzip", zipped.String(), "encoded as gzip"}, {"", zipped.String(), "encoded as gzip"}, {"br", "\x8b\x0f\x80\xff", "encoded as br"},
		{"", string(wide), "encoded as UTF-16"}, {"", "\xff\xfe" + string(wide), "encoded as UTF-16"}, {"", "\x00" + string(wide[:len(wide)-1]), "encoded as UTF-16"},
		{"utf-8", text, `{"auth":"***"}`},
	} {
		r := Request{BearerToken: given("hush-hush-hush"), Header: []event.Header{}}
		r.URL = serve(t, func(w http.ResponseWriter, _ *http.Request) {
			if c.encoding != "" {
				w.Header().Set("Content-Encoding", c.encoding)
			}
			w.Write([]byte(c.body))
		})
		x := newClient(t, nil).Post(t.Context(), r)
		if d := x.Detail().Response; !strings.Contains(string(d.Body), c.want) || d.BodyBytes != int64(len(c.body)) {
			t.Errorf("%q: %q, of %d bytes", c.encoding, d.Body, d.BodyBytes)
		}
		r.BearerToken = secret.Value{}
		if x := newClient(t, nil).Post(t.Context(), r); string(x.Body) != c.body {
			t.Errorf("%q: without a secret it is %q", c.encoding, x.Body)
		}
	}
}
