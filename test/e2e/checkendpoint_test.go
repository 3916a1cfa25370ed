package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/checkup/checkuptest"
)

// checked runs the check of an endpoint, and returns its findings, each with its case.
func checked(t *testing.T, w where, url, kind string) (kinds []string, r result) {
	t.Helper()
	// Half of the time-out is what an answer may take without a finding, also of a large body on a busy machine.
	r = w.run(t, "check", url, "--kind", kind, "--json", "--timeout", "PT5M", "--secret-file", w.file(t, "secret", checkuptest.Secret+"\n"))
	var report struct {
		Cases []struct {
			Name, Result string
			Findings     []struct{ Kind string }
		}
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil {
		t.Fatalf("%v: code %d, %s%s", err, r.code, r.out, r.errOut)
	}
	for _, c := range report.Cases {
		for _, f := range c.Findings {
			kinds = append(kinds, c.Name+": "+f.Kind)
		}
		if c.Result == "skipped" {
			t.Errorf("the case %s was left out", c.Name)
		}
	}
	if strings.Contains(r.out+r.errOut, checkuptest.Secret) || w.has("orderhook.db") {
		t.Error("the report has the secret, or there is a database")
	}
	return kinds, r
}

// TestTheCheckOfAnEndpoint: a good one of each kind has no findings, and of a bad one each
// thing is found that is wrong with it.
func TestTheCheckOfAnEndpoint(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		kind string
		want []string
	}{
		{"step", []string{"success: content-type", "success: not-read", "connection: connection-closed", "missing: missing-fields", "unknown: unknown-fields",
			"repeat: repeat-refused", "signature: signature-not-verified", "big: big-refused"}},
		{"return", []string{"success: content-type", "connection: connection-closed", "unknown: unknown-fields", "repeat: repeat-refused", "signature: signature-not-verified", "big: big-refused"}},
		{"validator", []string{"success: content-type", "connection: connection-closed", "missing: missing-fields", "unknown: unknown-fields", "repeat: repeat-refused", "signature: signature-not-verified", "big: big-refused"}},
		{"event", []string{"connection: connection-closed", "unknown: unknown-fields", "repeat: repeat-refused", "type: unknown-type", "signature: signature-not-verified", "big: big-refused"}},
	} {
		t.Run(tc.kind, func(t *testing.T) {
			t.Parallel()
			good := httptest.NewServer(checkuptest.New(tc.kind))
			defer good.Close()
			if kinds, r := checked(t, newWhere(t), good.URL, tc.kind); r.code != 0 || len(kinds) > 0 || r.errOut != "" {
				t.Errorf("the good endpoint: code %d, %q, %s", r.code, kinds, r.errOut)
			}
			bad := httptest.NewServer(careless(tc.kind))
			defer bad.Close()
			if kinds, r := checked(t, newWhere(t), bad.URL, tc.kind); r.code != 1 || !slices.Equal(kinds, tc.want) || !strings.Contains(r.errOut, " findings\n") {
				t.Errorf("the bad endpoint: code %d, %q, want %q, %s", r.code, kinds, tc.want, r.errOut)
			}
		})
	}
}

// careless returns an endpoint with several bad habits at once.
func careless(kind string) *checkuptest.Endpoint {
	e := checkuptest.New(kind)
	if kind == "step" {
		checkuptest.Answering(`{"OrderPach":{"Tags":["checked"]}}`)(e)
	}
	e.Verify, e.Repeated = checkuptest.AnyCall, checkuptest.Conflict
	e.Header = func(h http.Header) {
		h.Set("Content-Type", "text/plain")
		h.Set("Connection", "close")
	}
	e.Before = func(w http.ResponseWriter, c checkuptest.Call) bool {
		o, code := c.Order(), 0
		lines := o["OrderForm"] != nil || o["orderForm"] != nil
		switch {
		case len(c.Body) > 1<<20:
			code = http.StatusRequestEntityTooLarge
		case checkuptest.Holds("heckText")(c):
			code = http.StatusBadRequest
		case c.Sent["type"] == "check.unknown_type":
			code = http.StatusNotFound
		case !lines && kind != "event":
			code = http.StatusInternalServerError
		}
		if code != 0 {
			http.Error(w, "no", code)
		}
		return code != 0
	}
	return e
}
