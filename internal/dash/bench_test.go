package dash

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// BenchmarkAttempts is what a full page of a list costs besides the API's own work.
func BenchmarkAttempts(b *testing.B) {
	items := make([]string, 50)
	for i := range items {
		items[i] = fmt.Sprintf(`{"id":"att_%d","kind":"event","callId":"dlv_%d","number":1,"maxNumber":6,"startedAt":"2026-11-28T10:00:00Z","durationMs":12.5,"url":"https://shop.example/webhooks/orders","host":"shop.example","status":500,"outcome":"failed","error":"answered 500 Internal Server Error","orderId":"ORD-%d","endpointId":"ep_1","eventId":"evt_%d","eventType":"OrderCreated","deliveryId":"dlv_%d"}`, i, i, i, i, i)
	}
	list := `{"items":[` + strings.Join(items, ",") + `]}`
	s := newSite(b)
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/me" {
			fakeAPI(w, r)
			return
		}
		_, _ = w.Write([]byte(list))
	})
	visitor := s.as(access.Admin)
	for b.Loop() {
		if got := visitor.get("/attempts"); got.Code != http.StatusOK {
			b.Fatal(got.Code)
		}
	}
}

// BenchmarkDocument is what an order of 1 MiB costs, shown whole.
func BenchmarkDocument(b *testing.B) {
	order := []byte(`{"lineItems":[` + strings.Repeat(`{"lineItemId":"L1","sku":"SHOE-42","quantity":2.0,"placedPrice":1234.50},`, 14_000) + `{}]}`)
	for b.Loop() {
		newDocument("order", order, more)
	}
}
