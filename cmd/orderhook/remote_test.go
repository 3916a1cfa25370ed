package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheKeyGoesToTheServerAlone: no proxy of the environment is asked, and a server whose
// certificate the CA file vouches for is one.
func TestTheKeyGoesToTheServerAlone(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer k" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	r := remote{URL: server.URL, Key: "k"}
	asked, err := r.server(file)
	if err != nil {
		t.Fatal(err)
	}
	defer asked.close()
	if transport, own := asked.client.Transport.(*http.Transport); !own || transport.Proxy != nil {
		t.Errorf("a proxy may be asked: %+v", asked.client.Transport)
	}
	if status, _, err := asked.Ask(t.Context(), http.MethodGet, "/readyz", nil); err != nil || status != http.StatusOK {
		t.Errorf("%d %v", status, err)
	}
	stranger, err := r.server("")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.close()
	if _, _, err := stranger.Ask(t.Context(), http.MethodGet, "/readyz", nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the CA file: %v", err)
	}
	if _, err := r.server(file + ".gone"); err == nil || !strings.Contains(err.Error(), "--ca-file") {
		t.Error(err)
	}
}
