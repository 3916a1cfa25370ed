package outbound

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
)

// echoing answers with a text that is made of the request.
func echoing(t *testing.T, r Request, answer func(*http.Request) string) Exchange {
	t.Helper()
	r.URL = serve(t, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer(req))
	}) + r.URL
	x := newClient(t, nil).Post(t.Context(), r)
	if x.Err != nil {
		t.Fatal(x.Err)
	}
	return x
}

func TestASecretIsMaskedInEveryForm(t *testing.T) {
	const token = `Tok/en+"with<all>&such=1`
	basic := base64.StdEncoding.EncodeToString([]byte("me:" + token))
	for name, c := range map[string]struct {
		r      Request
		answer string
		want   string
	}{
		"with its scheme":       {Request{BearerToken: given(token)}, "got Bearer " + token + "!", "got ***!"},
		"bare":                  {Request{BearerToken: given(token)}, "got " + token + " twice " + token, "got *** twice ***"},
		"as Go escapes it":      {Request{BearerToken: given(token)}, `{"a":"Tok/en+\"with\u003call\u003e\u0026such=1"}`, `{"a":"***"}`},
		"as PHP does":           {Request{BearerToken: given(token)}, `{"a":"Tok\/en+\"with<all>&such=1","b":"c\/d"}`, `{"a":"***","b":"c\/d"}`},
		"as .NET does":          {Request{BearerToken: given(token)}, `{"a":"Tok/en\u002B\u0022with\u003Call\u003E\u0026such=1"}`, `{"a":"***"}`},
		"as a pair of escapes":  {Request{Username: "me", Password: given("pass😀word")}, `{"a":"pass\ud83d\ude00word","b":"\ud83d\ude00"}`, `{"a":"***","b":"\ud83d\ude00"}`},
		"JSON in JSON":          {Request{BearerToken: given(token)}, `{"a":"{\"b\":\"Tok/en\\u002B\\\"with<all>\\u0026such=1\"}"}`, `{"a":"{\"b\":\"***\"}"}`},
		"in base64":             {Request{BearerToken: given(token)}, base64.StdEncoding.EncodeToString([]byte(token)), "***"},
		"in base64 for URLs":    {Request{BearerToken: given("??>>??>>")}, base64.RawURLEncoding.EncodeToString([]byte("??>>??>>")), "***"},
		"in hexadecimal digits": {Request{BearerToken: given("s3cret/ü")}, "was 7333637265742fc3bc, 7333637265742FC3BC; 0x7333637265742fc3bc00 and 7333637265742fc3", "was ***, ***; 0x***00 and 7333637265742fc3"},
		"a short one's digits":  {Request{BearerToken: given("7x")}, "7x is 3778, abc is 616263", "*** is 3778, abc is 616263"},
		"as a URL has it":       {Request{BearerToken: given(token)}, "/x?t=" + url.QueryEscape(token), "/x?t=***"},
		"as Python has it":      {Request{BearerToken: given(token)}, "100% of /x?t=Tok/en%2B%22with%3Call%3E%26such%3D1 at 5%", "100% of /x?t=*** at 5%"},
		"in lower case":         {Request{BearerToken: given(token)}, "/x?t=tok&u=Tok%2fen%2b%22with%3call%3e%26such%3d1%", "/x?t=tok&u=***%"},
		"Basic":                 {Request{Username: "me", Password: given(token)}, "Basic " + basic + " and " + basic, "*** and ***"},
		"a password":            {Request{Username: "me", Password: given(token)}, "wrong password " + token, "wrong password ***"},
		"a custom header":       {Request{Header: []event.Header{{Name: "X-Api-Key", Value: given("abc123")}}}, "key abc123", "key ***"},
		"a header's name":       {Request{Header: []event.Header{{Name: "X-Tenant", Value: given("acme-1")}}}, "tenant acme-1", "tenant acme-1"},
		"a cookie":              {Request{Header: []event.Header{{Name: "cookie", Value: given("lang=no; sid=0815-4711")}}}, "no session 0815-4711", "no session ***"},
		"of the query":          {Request{URL: "/?access_token=abc123&page=seventy"}, "abc123 on page seventy", "*** on page seventy"},
		"a short one":           {Request{BearerToken: given("abc12")}, `{"a":"no abc12, abc12: abc123 or xabc12","abc12":"abc12"}`, `{"a":"no ***, ***: abc123 or xabc12","abc12":"***"}`},
		"a short one escaped":   {Request{BearerToken: given("a/b+1")}, `{"a":"a\/b+1","b":"xa\/b+1","c":"a%2Fb%2B1","d":"a&#47;b&#x2b;1"}`, `{"a":"***","b":"xa\/b+1","c":"***","d":"***"}`},
		"a short one's base64":  {Request{BearerToken: given("ab/1")}, "YWIvMQ and YWIvMQ== and xYWIvMQ", "*** and ***== and x***"},
		"one that is a word":    {Request{Username: "me", Password: given("true")}, `{"a":true,"b":"true","c":[true,false],"true":1}`, `{"a":true,"b":"***","c":[true,false],"true":1}`},
		"one of one digit":      {Request{BearerToken: given("7")}, `{"a":7,"b":"7","c":[17,7,7.7],"d":"no 7 of 77"}`, `{"a":7,"b":"***","c":[17,7,7.7],"d":"no *** of 77"}`},
		"a short header":        {Request{Header: []event.Header{{Name: "X-Api-Key", Value: given("k1")}, {Name: "X-Market", Value: given("NOR")}}}, "k1 in NOR", "*** in NOR"},
		"a short one, sent":     {Request{BearerToken: given("NOR"), Body: []byte(`{"marketId":"NOR"}`)}, `{"marketId":"NOR","auth":"Bearer NOR"}`, `{"marketId":"NOR","auth":"***"}`},
		"a short password":      {Request{Username: "me", Password: given("pw")}, "no me:pw, pw, bWU6cHc=", "no ***, ***, ***"},
		"as HTML has it":        {Request{BearerToken: given(token)}, `<p title="Tok/en+&#34;with&lt;all&gt;&amp;such=1">Tok/en+&quot;with&lt;all>&such=1 &amp; R&D; &</p>`, `<p title="***">*** &amp; R&D; &</p>`},
		"within base64":         {Request{BearerToken: given(token)}, base64.StdEncoding.EncodeToString([]byte("x: "+token+"!")) + base64.StdEncoding.EncodeToString([]byte("y "+token)) + " " + base64.URLEncoding.EncodeToString([]byte("some"+token+"end")), "eDog***IQ==eSB***E= c29tZV***WVuZA=="},
		"in the body as well":   {Request{BearerToken: given("shop-7"), Body: []byte(`{"storeId":"shop-7"}`)}, `{"storeId":"shop-7","auth":"Bearer shop-7"}`, `{"storeId":"shop-7","auth":"***"}`},
		"digits in a text":      {Request{BearerToken: given("123456")}, `{"a":"123456","b":123456,"c":[1123456.5,123456],"d":-123456e1}`, `{"a":"***","b":123456,"c":[1123456.5,123456],"d":-123456e1}`},
	} {
		x := echoing(t, c.r, func(*http.Request) string { return c.answer })
		if string(x.Body) != c.want {
			t.Errorf("%s: %s, want %s", name, x.Body, c.want)
		}
	}
}

// TestAQueryThatTheBodyRepeatsIsMasked: the body of a step names the URL that it goes
// to, and is recorded without the values of its query.
func TestAQueryThatTheBodyRepeatsIsMasked(t *testing.T) {
	var body []byte
	target := serve(t, func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "no %s: %s", req.URL, body)
	}) + "/step?token=query-s3cret&page=2"
	body = []byte(`{"Host":"` + target + `"}`)
	x := newClient(t, nil).Post(t.Context(), Request{URL: target, Body: body})
	if got := string(x.Body); strings.Contains(got, "query-s3cret") || !strings.Contains(got, "page=2") {
		t.Errorf("the answer is %s", got)
	}
	if shown := string(x.Detail().Request.Body); strings.Contains(shown, "query-s3cret") {
		t.Errorf("the request's body is recorded as %s", shown)
	}
}

func TestHeadersThatAreNoSecretsMaskNothing(t *testing.T) {
	r := Request{BearerToken: given("hush-hush"), Header: []event.Header{{Name: "Accept", Value: given("application/json")}, {Name: "X-Tenant", Value: given("json-shop")},
		{Name: "User-Agent", Value: given("MyShop/1.0")}, {Name: "Accept-Language", Value: given("nb-NO,nb;q=0.9")}}}
	const answer = `{"application/json":"json-shop","MyShop/1.0":"nb-NO,nb;q=0.9"}`
	x := echoing(t, r, func(*http.Request) string { return answer })
	d := x.Detail()
	if got := d.Response.Headers["Content-Type"]; len(got) != 1 || got[0] != "application/json" || string(x.Body) != answer {
		t.Errorf("%q, %s", got, x.Body)
	}
	for _, name := range []string{"Accept", "X-Tenant", "User-Agent", "Authorization"} { // what users set is not shown
		if got := d.Request.Headers[name]; len(got) != 1 || got[0] != mask {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestSignaturesAreMasked(t *testing.T) {
	standard, err := NewSigner(NewSecret(), NewPrivateKey())
	if err != nil {
		t.Fatal(err)
	}
	for name, signer := range map[string]*Signer{"Webhook-Signature": standard, "X-Signature": NewBodySigner("hush")} {
		r := Request{ID: "evt_1", Body: []byte(`{}`), Signer: signer, OneWay: true}
		x := echoing(t, r, func(req *http.Request) string {
			_, one, _ := strings.Cut(req.Header.Get(name), ",")
			return req.Header.Get(name) + "\n" + one
		})
		d := x.Detail()
		if got := d.Request.Headers[name]; len(got) != 1 || got[0] != mask {
			t.Errorf("%s: %q", name, got)
		}
		if got := strings.Trim(string(x.Body), "*v1a, \n"); got != "" {
			t.Errorf("%s came back as %s", name, x.Body)
		}
	}
}

// TestASecretAtTheEdges: what was read may end in the midst of it, and
// an escape may stand where a window does.
func TestASecretAtTheEdges(t *testing.T) {
	const token = "abcdefgh/ijklmnop"
	r := Request{BearerToken: given(token), OneWay: true}
	x := echoing(t, r, func(*http.Request) string {
		return strings.Repeat("x", maxRecorded-10) + token + strings.Repeat("y", 100)
	})
	if !strings.HasSuffix(string(x.Body), "xx***") || x.Detail().Response.BodyBytes != maxRecorded-10+int64(len(token))+100 {
		t.Errorf("it ends with %s, of %d bytes", x.Body[len(x.Body)-20:], x.Detail().Response.BodyBytes)
	}
	for _, at := range []int{0, 1, window - overlap - 20, window - overlap - 5, window - 10, window, 3*window - 7} {
		text := strings.Repeat(`z\n`, at/3) + `abcdefgh\/ijklmnop` + strings.Repeat(`\/`, 10)
		if got := string(hidden([]byte(text), []string{token}, false)); got != strings.Repeat(`z\n`, at/3)+"***"+strings.Repeat(`\/`, 10) {
			t.Errorf("at %d it stands as before, or something else does not", at)
		}
	}
	text := strings.Repeat("z", window-13) + `abcdefgh\/ijklmnop` // its escape is in a window that it does not end in, and the only one
	for _, before := range []string{"", `\n`} {
		if got := string(hidden([]byte(before+text), []string{token}, false)); got != before+text[:window-13]+"***" {
			t.Errorf("behind %q it ends with %s", before, got[len(got)-30:])
		}
	}
}

func TestASignatureInAnAnswerIsMasked(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Hub-Signature-256", "sha256=0badcafe") })
	x := newClient(t, nil).Post(t.Context(), Request{URL: url})
	if got := x.Detail().Response.Headers["X-Hub-Signature-256"]; len(got) != 1 || got[0] != mask {
		t.Errorf("it is shown as %q", got)
	}
}
