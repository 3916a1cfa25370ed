package demo

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

const testSecret = "whsec_b3JkZXJob29rLWRlbW8tc2VjcmV0"

// ask sends the ERP an order as orderhook does; change may spoil the request.
func ask(t *testing.T, e *erp, key, body string, change func(http.Header)) *httptest.ResponseRecorder {
	t.Helper()
	now := time.Now()
	signature, err := e.signed.Sign(key, now, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/erp", strings.NewReader(body))
	r.Header = http.Header{"Authorization": {"Bearer token"}, "Idempotency-Key": {key}, "Webhook-Id": {key},
		"Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}, "Webhook-Signature": {signature}}
	change(r.Header)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func TestERPTrustsTokenAndSignatureOnly(t *testing.T) {
	e := newERP("token", testSecret)
	for _, c := range []struct {
		name   string
		change func(http.Header)
		body   string
		want   int
	}{
		{"as orderhook sends it", func(http.Header) {}, `{"Value":{"Id":"1"}}`, 200},
		{"another token", func(h http.Header) { h.Set("Authorization", "Bearer other") }, `{}`, 401},
		{"no signature", func(h http.Header) { h.Del("Webhook-Signature") }, `{}`, 401},
		{"another call's signature", func(h http.Header) { h.Set("Webhook-Id", "other") }, `{}`, 401},
		{"not JSON", func(http.Header) {}, `order`, 400},
		{"busy at first", func(h http.Header) { h.Set("X-Delivery-Count", "1") }, `{"Value":{"CustomerType":"B2B"}}`, 503},
		{"free then", func(h http.Header) { h.Set("X-Delivery-Count", "2") }, `{"Value":{"CustomerType":"B2B"}}`, 200},
	} {
		if got := ask(t, e, "call_1", c.body, c.change).Code; got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestERPGivesARepeatedCallTheSameNumber(t *testing.T) {
	e := newERP("token", testSecret)
	asIs := func(http.Header) {}
	first, second, again := ask(t, e, "a", `{}`, asIs), ask(t, e, "b", `{}`, asIs), ask(t, e, "a", `{}`, asIs)
	if first.Body.String() != again.Body.String() || first.Body.String() == second.Body.String() {
		t.Errorf("first %s second %s again %s", first.Body, second.Body, again.Body)
	}
}
