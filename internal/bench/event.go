package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// eventType is the type of events that one endpoint gets.
const eventType = "bench.order"

// bareBody is such an event as its endpoint gets it. The bare client sends it, so that
// both send the same bytes.
func bareBody(id string) string {
	return fmt.Sprintf(`{"id":%q,"type":%q,"timestamp":"2026-11-21T09:30:00.123456Z","data":%s}`, id, eventType, numberedOrder)
}

// numberedEvent is an event with an id of its own and a type. It appends to a buffer that
// callers use again, since they take part of the cores that they measure.
func numberedEvent(to []byte, id, kind string) []byte {
	return fmt.Appendf(to, `{"id":%q,"type":%q,"orderId":"o-7","data":%s}`, id, kind, numberedOrder)
}

// numberedOrder is the data of these events.
var numberedOrder = orderOf("o-7", "New")

// subscriber is an endpoint as the API shows it. Pending and failed deliveries are
// counted up to 10,000.
type subscriber struct {
	ID     string `json:"id"`
	Counts struct {
		Pending   int64 `json:"pending"`
		Failed    int64 `json:"failed"`
		Succeeded int64 `json:"succeeded"`
	} `json:"counts"`
}

// subscribe makes an endpoint for events of a type. more is further fields of
// its JSON, with a comma before them.
func (b *bench) subscribe(ctx context.Context, url, kind, more string) (id string, err error) {
	body := fmt.Sprintf(`{"url":%q,"eventTypes":[%q]%s}`, url, kind, more)
	answer, err := b.ask(ctx, http.MethodPost, b.url+"/api/endpoints", body, http.StatusCreated)
	if err != nil {
		return "", err
	}
	var made subscriber
	err = json.Unmarshal(answer, &made)
	return made.ID, err
}

// subscriber reads an endpoint.
func (b *bench) subscriber(ctx context.Context, id string) (s subscriber, err error) {
	return s, b.get(ctx, b.url+"/api/endpoints/"+id, &s)
}
