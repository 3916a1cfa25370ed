package contract

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// nested is JSON of that depth.
func nested(depth int) string {
	return `{"a":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
}

// badBodies is what no operation takes, with the status and the places or words of its answer.
var badBodies = map[string]struct {
	body   string
	status int
	says   string
}{
	"empty":                       {"", 400, "the body is empty"},
	"white space":                 {" \n\t", 400, "the body is empty"},
	"cut off":                     {`{"id":"a"`, 400, "line 1, column 10"},
	"a stray letter":              {`{"id": x}`, 400, "line 1, column 8"},
	"single quotes":               {`{'id':'a'}`, 400, "line 1, column 2"},
	"a comma too many":            {`{"id":"a",}`, 400, "line 1, column 10"},
	"two objects":                 {`{"id":"a"}{"id":"b"}`, 400, "line 1, column 11"},
	"a word":                      {`nonsense`, 400, "line 1, column"},
	"invalid UTF-8":               {"{\"id\":\"a\xff\"}", 400, "line 1, column 9"},
	"half a surrogate pair":       {`{"id":"\ud800"}`, 400, "line 1, column"},
	"a control character":         {"{\"id\":\"a\nb\"}", 400, "line 1, column 9"},
	"not a number of JSON":        {`{"id":NaN}`, 400, "line 1, column 7"},
	"a list":                      {`[{"id":"a"}]`, 422, "not a list"},
	"null":                        {`null`, 422, "not null"},
	"text":                        {`"order"`, 422, "not text"},
	"a number":                    {`7`, 422, "not a number"},
	"a field twice":               {`{"status":"a","status":"b"}`, 422, `"body.status"`},
	"a field twice in other case": {`{"status":"a","STATUS":"b"}`, 422, `"body.status"`},
	"the same deep inside":        {`{"a":[{"b":1},{"b":1,"b":2}]}`, 422, `"body.a[1].b"`},
	"nesting 10,000 deep":         {nested(10_000), 422, "nests deeper"},
	"nesting 1,000,000 deep":      {nested(1_000_000), 422, "nests deeper"},
	"a number of 1,000 digits":    {`{"total":` + strings.Repeat("9", 1000) + `}`, 422, `"body.total"`},
}

// takers are the operations with a body.
var takers = []string{"POST /api/endpoints", "PUT /api/stock/STOCK-1", "POST /api/stock/STOCK-1/adjust", "POST /api/orders", "PATCH /api/orders/ORD-12345", "POST /api/orders/ORD-12345/status", "PUT /api/settings", "POST /api/settings/check", "POST /api/keys"}

// stored is all that a bad request might have changed.
func (r *rig) stored() string {
	r.t.Helper()
	var all []byte
	for _, path := range []string{"/api/orders", theOrder + "/history", "/api/runs", "/api/attempts", "/api/settings", "/api/settings/history", "/api/keys"} {
		all = append(all, r.get(path).Raw...)
	}
	return string(all)
}

func TestEveryBadBodyIsRefusedWhole(t *testing.T) {
	r, _ := furnished(t)
	before := r.stored()
	for name, c := range badBodies {
		t.Run(name, func(t *testing.T) {
			r := r.in(t)
			for _, taker := range takers {
				if a := r.callOf(taker, c.body).problem(c.status); !strings.Contains(strings.ReplaceAll(string(a.Raw), `\"`, `"`), c.says) {
					t.Errorf("%s: %q is not in %s", taker, c.says, cut(a.Raw))
				}
			}
		})
	}
	equals(t, "what is stored", r.stored(), before)
}

// stream sends a body of that length, of which -1 says nothing.
func (r *rig) stream(method, path string, body io.Reader, length int64) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, struct{ io.Reader }{body})
	if err != nil {
		r.t.Fatal(err)
	}
	req.ContentLength = length
	req.Header.Set("Authorization", "Bearer "+r.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{r.t, resp.StatusCode, resp.Header, raw}
}

const tenMiB = 10 << 20

// padded is a body of exactly that size.
func padded(size int) []byte {
	const around = `{"markets":[]}`
	return append(bytes.Repeat([]byte(" "), size-len(around)), around...)
}

func TestBodiesOver10MiBAreRefused(t *testing.T) {
	r, _ := furnished(t)
	before := r.stored()
	for _, taker := range takers {
		method, path, _ := strings.Cut(taker, " ")
		r.stream(method, path, bytes.NewReader(padded(tenMiB+1)), tenMiB+1).problem(413)
		r.stream(method, path, bytes.NewReader(padded(tenMiB+1)), -1).problem(413)
	}
	equals(t, "what is stored", r.stored(), before)
	r.stream("POST", "/api/carts/validate", bytes.NewReader(padded(tenMiB)), tenMiB).want(200)
	r.stream("POST", "/api/carts/validate", bytes.NewReader(padded(tenMiB)), -1).want(200)
}

func TestABodyMayBeCalledAnythingAndHaveAByteOrderMark(t *testing.T) {
	r := start(t)
	r.call("POST", "/api/orders", "\xef\xbb\xbf{\"id\":\"bom\"}", "Content-Type", "text/plain").want(201)
	r.call("POST", "/api/orders/bom/status", "\xef\xbb\xbf{\"Status\":\"Held\"}", "Content-Type", "application/x-www-form-urlencoded").want(200).is("order.status", "Held")
}
