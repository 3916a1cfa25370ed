package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestACountedWriterReachesTheConnection: without that a body could take for
// ever to be sent.
func TestACountedWriterReachesTheConnection(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		counted := &countedWriter{ResponseWriter: w}
		if err := http.NewResponseController(counted).SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		_, _ = counted.Write([]byte("ok"))
		counted.WriteHeader(http.StatusTeapot) // too late
		if counted.status != http.StatusOK || counted.bytes != 2 {
			t.Errorf("status %d, %d bytes", counted.status, counted.bytes)
		}
	}))
	defer s.Close()
	resp, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}
