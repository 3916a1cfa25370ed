package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/orderhook/orderhook/internal/spelling"
)

// warehouse is told which orders are ready. It believes only what is signed
// with the secret of its endpoint. It is what a one-way endpoint looks like.
type warehouse struct{ signed *standardwebhooks.Webhook }

// newWarehouse verifies with the library that receivers use.
func newWarehouse(secret string) *warehouse {
	// It is not orderhook's own code, so the demo shows that other receivers can verify,
	// too.
	signed, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		panic(err) // the secret is the demo's own
	}
	return &warehouse{signed}
}

// ServeHTTP implements http.Handler. What it answers changes nothing; it is
// there to be seen. Nothing is believed of a body before its signature is verified, and
// the signature is of the very bytes; so the body is read first and parsed last.
func (h *warehouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A body that is too long is refused like one with a wrong signature.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil || h.signed.Verify(body, r.Header) != nil {
		http.Error(w, "wrong signature", http.StatusUnauthorized)
		return
	}
	// It reads only the lines of the event that are to be picked.
	var event struct {
		Data struct {
			OrderForm struct{ LineItems []json.RawMessage }
		}
	}
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, "this is no event", http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "the signature is good, %s to pick", spelling.Count(len(event.Data.OrderForm.LineItems), "line"))
}
