package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

const testKey = "admin-key-of-mine"

// call asks a server's API, and reads the answer.
func call(t *testing.T, a *App, method, path, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequest(method, a.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+testKey)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	var out map[string]any
	if err != nil || resp.StatusCode >= 300 || json.Unmarshal(text, &out) != nil {
		t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, text, err)
	}
	return out
}

// TestAnEndpointIsTurnedOffAfterSoLong: by default the repeats of one event,
// which take an hour, do not turn its endpoint off.
func TestAnEndpointIsTurnedOffAfterSoLong(t *testing.T) {
	for after, want := range map[time.Duration]bool{0: true, 30 * time.Minute: false} {
		failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
		defer failing.Close()
		a, err := start(t, Options{Listen: "127.0.0.1:0", Database: filepath.Join(t.TempDir(), "a.db"), APIKey: testKey, Version: "test",
			Clock: clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)), DisableAfter: after})
		if err != nil {
			t.Fatal(err)
		}
		id := call(t, a, "POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*"]}`, failing.URL))["id"]
		call(t, a, "POST", "/api/events", `{"type":"t","data":{}}`)
		for failed := func() []any { return call(t, a, "GET", "/api/deliveries?status=failed", "")["items"].([]any) }; len(failed()) == 0; {
			time.Sleep(time.Millisecond) // the sixth attempt is to come
		}
		if got := call(t, a, "GET", fmt.Sprint("/api/endpoints/", id), "")["enabled"]; got != want {
			t.Errorf("with %v enabled is %v", after, got)
		}
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
