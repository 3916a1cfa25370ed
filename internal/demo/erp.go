package demo

import (
	"fmt"
	"net/http"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// erp gives each order its number. It trusts only requests that carry the
// connector's token and signature. It is what a two-way endpoint looks like that must not
// do things twice. Requests come side by side, so mu guards the numbers.
type erp struct {
	token  string
	signed *standardwebhooks.Webhook

	mu      sync.Mutex
	numbers map[string]string // by Idempotency-Key: a repeated call gets the same one
}

// newERP makes an ERP that verifies with the library that receivers use, and not with
// orderhook's own code.
func newERP(token, secret string) *erp {
	signed, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		panic(err) // the secret is the demo's own
	}
	return &erp{token: token, signed: signed, numbers: map[string]string{}}
}

// ServeHTTP implements http.Handler. Business orders find the ERP busy at the
// first attempt, so that a retry is seen. A 503 is tried again, and a 401 shows that
// something is set up wrongly. The status in the patch is set on the order, and makes the
// event that the warehouse gets.
func (e *erp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, body, ok := readStep(w, r)
	switch {
	case !ok:
		return
	case r.Header.Get("Authorization") != "Bearer "+e.token:
		http.Error(w, "wrong token", http.StatusUnauthorized)
		return
	case e.signed.Verify(body, r.Header) != nil:
		http.Error(w, "wrong signature", http.StatusUnauthorized)
		return
	case req.Value.CustomerType == "B2B" && r.Header.Get("X-Delivery-Count") == "1":
		http.Error(w, "price lists are being imported", http.StatusServiceUnavailable)
		return
	}
	reply(w, success(map[string]any{
		"Status":      "ReadyToShip",
		"ExternalIds": []map[string]string{{"ProviderName": "ERP", "Id": e.number(r.Header.Get("Idempotency-Key"))}},
	}))
}

// number returns the number for a call: a new one, or the one that an earlier attempt of
// the same call got.
func (e *erp) number(key string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.numbers[key] == "" {
		e.numbers[key] = fmt.Sprintf("SO-%d", 300417+len(e.numbers))
	}
	return e.numbers[key]
}
