package demo

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestWarehouseBelievesSignaturesOnly(t *testing.T) {
	h := newWarehouse(testSecret)
	for _, c := range []struct {
		name       string
		body, sent string
		status     int
		answer     string
	}{
		{"signed", `{"data":{"orderForm":{"lineItems":[{},{}]}}}`, `{"data":{"orderForm":{"lineItems":[{},{}]}}}`, http.StatusOK, "the signature is good, 2 lines to pick"},
		{"changed on its way", `{"data":{}}`, `{"data":{"orderForm":{}}}`, http.StatusUnauthorized, "wrong signature\n"},
		{"no JSON", `event`, `event`, http.StatusBadRequest, "this is no event\n"},
	} {
		now := time.Now()
		signature, err := h.signed.Sign("evt_1", now, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/pick", strings.NewReader(c.sent))
		r.Header = http.Header{"Webhook-Id": {"evt_1"}, "Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}, "Webhook-Signature": {signature}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || w.Body.String() != c.answer {
			t.Errorf("%s: %d %q, want %d %q", c.name, w.Code, w.Body, c.status, c.answer)
		}
	}
}
