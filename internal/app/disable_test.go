package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock/clocktest"
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

// TestAnEndpointIsTurnedOffAfterSoLong: by default the repeats of a few events,
// which take an hour, do not turn their endpoint off.
func TestAnEndpointIsTurnedOffAfterSoLong(t *testing.T) {
	for after, want := range map[time.Duration]bool{0: true, 30 * time.Minute: false} {
		failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
		defer failing.Close()
		a, err := start(t, Options{Listen: "127.0.0.1:0", Database: filepath.Join(t.TempDir(), "a.db"), APIKey: testKey, Version: "test",
			Clock: clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)), DisableAfter: after})
		if err != nil {
			t.Fatal(err)
		}
		id := call(t, a, "POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*"],"retrySchedule":["PT10M","PT10M","PT10M","PT10M","PT10M"]}`, failing.URL))["id"]
		call(t, a, "POST", "/api/events", `[`+strings.Repeat(`{"type":"t","data":{}},`, 5)+`{"type":"t","data":{}}]`)
		path := fmt.Sprint("/api/endpoints/", id)
		for enabled := true; ; time.Sleep(time.Millisecond) { // their sixth attempts are to come
			failed := call(t, a, "GET", "/api/deliveries?status=failed", "")["items"].([]any)
			if enabled = call(t, a, "GET", path, "")["enabled"] == true; enabled && len(failed) < 6 {
				continue
			}
			if enabled != want {
				t.Errorf("with %v enabled is %v", after, enabled)
			}
			break
		}
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
