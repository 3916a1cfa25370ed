package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// answer is what a call of the API came back with.
type answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Raw    []byte
}

// call makes a call; headers come in pairs of name and value.
func (r *rig) call(method, path, body string, headers ...string) answer {
	r.t.Helper()
	a, err := r.try(method, path, body, headers...)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// try is call where the test may not be ended, as in another goroutine.
func (r *rig) try(method, path, body string, headers ...string) (answer, error) {
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if r.key != "" {
		req.Header.Set("Authorization", "Bearer "+r.key)
	}
	for pair := range slices.Chunk(headers, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	raw, err := io.ReadAll(resp.Body)
	if err == nil {
		r.conforms(req, resp, raw)
		r.answered(req, body, resp.Header, raw)
	}
	if len(resp.Header["X-Request-Id"]) != 1 || resp.Header.Get("X-Request-Id") == "" {
		r.t.Errorf("%s %s is answered with the request ids %q", method, path, resp.Header["X-Request-Id"])
	}
	if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cache-Control") != "no-store" && !strings.HasPrefix(path, "/api/docs") {
		r.t.Errorf("%s %s is answered with %v", method, path, resp.Header)
	}
	return answer{r.t, resp.StatusCode, resp.Header, raw}, errors.Join(err, resp.Body.Close())
}

func (r *rig) get(path string) answer { r.t.Helper(); return r.call("GET", path, "").want(200) }

// settings stores a settings document.
func (r *rig) settings(doc string) { r.t.Helper(); r.call("PUT", "/api/settings", doc).want(200) }

// want fails the test unless the status is the given one.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("status %d, want %d: %s", a.Status, status, a.Raw)
	}
	return a
}

// at returns the answer's value at a path such as order.tags or items[0].
func (a answer) at(path string) any { a.t.Helper(); return at(a.t, a.Raw, path) }

// is fails the test unless the value at a path is the wanted one, as differs tells.
func (a answer) is(path string, want any) answer { a.t.Helper(); is(a.t, a.Raw, path, want); return a }

// doc parses the answer as a document.
func (a answer) doc() *jsondoc.Object {
	a.t.Helper()
	o, err := schema.ParseStored(a.Raw)
	if err != nil {
		a.t.Fatalf("%v in %s", err, a.Raw)
	}
	return o
}

// cut keeps a failure readable.
func cut(raw []byte) []byte { return raw[:min(len(raw), 4000)] }

// decode reads JSON; numbers keep their text.
func decode(t *testing.T, raw []byte, into any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%v in %s", err, cut(raw))
	}
}
