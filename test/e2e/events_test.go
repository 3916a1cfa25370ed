package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// endpoint is a subscriber as the API made it.
type endpoint struct{ id, secret string }

// subscribe makes an endpoint; more is what it has besides a URL, as
// `"eventTypes":["*"]`.
func (s *server) subscribe(t *testing.T, key, url, more string) endpoint {
	t.Helper()
	a := s.expect(t, 201, "POST", "/api/endpoints", key, fmt.Sprintf(`{"url":%q,%s}`, url, more))
	e := endpoint{fmt.Sprint(a.body["id"]), fmt.Sprint(a.body["secret"])}
	if e.id == "" || !strings.HasPrefix(e.secret, "whsec_") {
		t.Fatalf("an endpoint was made without an id or a secret: %s", a.text)
	}
	return e
}

// published is an event as it is POSTed.
type published struct {
	ID      string            `json:"id,omitempty"`
	Type    string            `json:"type"`
	Subject map[string]string `json:"subject,omitempty"`
	Data    any               `json:"data"`
}

// mustJSON is of what can always be encoded.
func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// publish publishes an event with this id.
func (s *server) publish(key, eventType, id string, data any) answer {
	return s.call("POST", "/api/events", key, mustJSON(published{ID: id, Type: eventType, Data: data}))
}

// mustPublish is publish for what must be acknowledged.
func (s *server) mustPublish(t *testing.T, key, eventType, id string, data any) {
	t.Helper()
	if a := s.publish(key, eventType, id, data); a.status != 202 {
		t.Fatalf("publishing %s: %d %s %v", id, a.status, a.text, a.err)
	}
}

// ids are those that a publication, of one event or of a list, was acknowledged with.
func (a answer) ids() (ids []string) {
	if id, single := a.body["id"]; single {
		return []string{fmt.Sprint(id)}
	}
	list, _ := a.body["ids"].([]any)
	for _, id := range list {
		ids = append(ids, fmt.Sprint(id))
	}
	return ids
}

// deliveries are those to an endpoint, the first page of them.
func (s *server) deliveries(t *testing.T, key string, e endpoint, status string) []map[string]any {
	t.Helper()
	return items(s.expect(t, 200, "GET", "/api/deliveries?limit=200&endpointId="+e.id+"&status="+status, key, ""))
}

// awaitDeliveries waits until nothing is on its way to an endpoint any more.
func (s *server) awaitDeliveries(t *testing.T, key string, e endpoint) {
	t.Helper()
	var pending []map[string]any
	for deadline := time.Now().Add(4 * patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if pending = s.deliveries(t, key, e, "pending"); len(pending) == 0 {
			return
		}
	}
	t.Fatalf("%d deliveries or more stay pending, one of them %v", len(pending), pending[0])
}

// attempts are those at an endpoint, the newest first.
func (s *server) attempts(t *testing.T, key string, e endpoint, outcome string) []map[string]any {
	t.Helper()
	return items(s.expect(t, 200, "GET", "/api/attempts?limit=200&endpointId="+e.id+"&outcome="+outcome, key, ""))
}

// awaitFailed waits until so many failed attempts at an endpoint are recorded.
func (s *server) awaitFailed(t *testing.T, key string, e endpoint, n int) []map[string]any {
	t.Helper()
	var failed []map[string]any
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if failed = s.attempts(t, key, e, "failed"); len(failed) >= n {
			return failed
		}
	}
	t.Fatalf("%d failed attempts are recorded, %d should be", len(failed), n)
	return nil
}
