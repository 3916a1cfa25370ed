package contract

import (
	"fmt"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
)

// check says what of an answer is not as the document describes it, "" if nothing.
func (d *description) check(req *http.Request, status int, header http.Header, body []byte) string {
	_, pattern := d.routes.Handler(&http.Request{Method: req.Method, URL: req.URL, Host: req.Host})
	if path.Clean(req.URL.Path) != req.URL.Path { // such as /api/orders/., which is the name of nothing
		pattern = ""
	}
	method, place, _ := strings.Cut(pattern, " ")
	at := []string{"paths", place, strings.ToLower(method), "responses", fmt.Sprint(status)}
	answer, _ := under(d.doc, at...).(map[string]any)
	switch {
	case pattern == "":
		return d.checkUnrouted(status, header, body)
	case answer == nil:
		return fmt.Sprintf("%s does not describe the status %d", pattern, status)
	}
	if wrong := checkHeaders(answer, header); wrong != "" {
		return pattern + ": " + wrong
	}
	return d.checkBody(append(at, "content"), answer, header, body)
}

// checkUnrouted checks what is answered outside of the operations.
func (d *description) checkUnrouted(status int, header http.Header, body []byte) string {
	if status/100 < 4 {
		return "" // the pages, and the document itself
	}
	if header.Get("Content-Type") != "application/problem+json" {
		return "a failure of the type " + header.Get("Content-Type")
	}
	return d.validate([]string{"components", "schemas", "Problem"}, body)
}

// apiHeaders are those that answers have for their callers.
var apiHeaders = []string{"Etag", "Location", "Retry-After", "Www-Authenticate", "X-Request-Id"}

func checkHeaders(answer map[string]any, header http.Header) string {
	known, _ := answer["headers"].(map[string]any)
	for _, name := range apiHeaders {
		declared := slices.ContainsFunc(keysOf(known), func(k string) bool { return http.CanonicalHeaderKey(k) == name })
		if header.Get(name) != "" && !declared {
			return "it has the header " + name + ", which is not described"
		}
	}
	return ""
}

func keysOf(m map[string]any) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func (d *description) checkBody(at []string, answer map[string]any, header http.Header, body []byte) string {
	content, _ := answer["content"].(map[string]any)
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case len(content) == 0 && len(body) == 0:
		return ""
	case content[kind] == nil:
		return fmt.Sprintf("%s: a body of the type %q is not described", strings.Join(at[1:], " "), kind)
	case !strings.HasSuffix(kind, "json"):
		return ""
	}
	return d.validate(append(at, kind, "schema"), body)
}

// The check itself must not let everything pass.
func TestAnswersThatAreNotAsDescribedAreFound(t *testing.T) {
	r, names := furnished(t)
	d, err := describedBy(r.url)
	if err != nil {
		t.Fatal(err)
	}
	json, problem := "application/json", "application/problem+json"
	for name, c := range map[string]struct {
		call         string
		status       int
		kind         string
		change, into string // of the body
		header       string
		want         string // "": nothing is wrong
	}{
		"as it is":              {call: "GET /api/deliveries/DELIVERY", status: 200, kind: json},
		"a number as text":      {call: "GET /api/deliveries/DELIVERY", status: 200, kind: json, change: `"attempts":1`, into: `"attempts":"1"`, want: "attempts"},
		"text as a number":      {call: "GET /api/deliveries/DELIVERY", status: 200, kind: json, change: `"eventType":"furniture"`, into: `"eventType":1`, want: "eventType"},
		"another name":          {call: "GET /api/deliveries/DELIVERY", status: 200, kind: json, change: `"maxAttempts"`, into: `"maximum"`, want: "maximum"},
		"an unknown value":      {call: "GET /api/deliveries/DELIVERY", status: 200, kind: json, change: `"succeeded"`, into: `"done"`, want: "status"},
		"a time that is none":   {call: "GET /api/deliveries/DELIVERY", status: 200, kind: json, change: `"created":"2026`, into: `"created":"26`, want: "created"},
		"null for a list":       {call: "GET /api/endpoints/ENDPOINT", status: 200, kind: json, change: `"eventTypes":["furniture"]`, into: `"eventTypes":null`, want: "eventTypes"},
		"a flag as text":        {call: "GET /api/endpoints/ENDPOINT", status: 200, kind: json, change: `"enabled":true`, into: `"enabled":"true"`, want: "enabled"},
		"deep in a list":        {call: "GET /api/runs?orderId=ORDER", status: 200, kind: json, change: `"durationMs":`, into: `"durationMs":"", "x":`, want: "durationMs"},
		"a version as text":     {call: "GET /api/orders/ORDER", status: 200, kind: json, change: `"version":`, into: `"version":"1","x":`, want: "version"},
		"an order without one":  {call: "GET /api/orders/ORDER", status: 200, kind: json, change: `"version":`, into: `"v":`, want: "version"},
		"a list of the model":   {call: "GET /api/orders/ORDER", status: 200, kind: json, change: `"lineItems":[`, into: `"lineItems":["x",`, want: "lineItems"},
		"the order in a result": {call: "POST /api/orders/ORDER/status", status: 200, kind: json, change: `"lineItems":[`, into: `"lineItems":["x",`, want: "lineItems"},
		"another status":        {call: "GET /api/orders/ORDER", status: 201, kind: json, want: "does not describe the status 201"},
		"another type":          {call: "GET /api/orders/ORDER", status: 200, kind: "text/html", want: "text/html"},
		"another header":        {call: "GET /api/runs", status: 200, kind: json, header: "ETag", want: "Etag"},
		"a problem without one": {call: "GET /api/orders/none", status: 404, kind: problem, change: `"status":404`, into: `"status":"404"`, want: "status"},
		"a failure as an order": {call: "GET /api/orders/none", status: 404, kind: json, want: "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			method, path, _ := strings.Cut(names.Replace(c.call), " ")
			body := string(r.in(t).call(method, path, samples[method+" "+strings.Replace(c.call[len(method)+1:], "ORDER", "{id}", 1)].body).Raw)
			if !strings.Contains(body, c.change) {
				t.Fatalf("no %s in %s", c.change, body)
			}
			req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			header := http.Header{"Content-Type": {c.kind}}
			if c.header != "" {
				header.Set(c.header, "1")
			}
			wrong := d.check(req, c.status, header, []byte(strings.Replace(body, c.change, c.into, 1)))
			if c.want == "" && wrong != "" || !strings.Contains(wrong, c.want) {
				t.Errorf("the judge says %q, not %q", wrong, c.want)
			}
		})
	}
}
