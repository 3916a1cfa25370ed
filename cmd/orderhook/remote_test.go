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

// TestAServerThatLeadsElsewhere is not followed: the key, and what is applied, are for the server
// that --url names.
func TestAServerThatLeadsElsewhere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/elsewhere" {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	asked, err := remote{URL: server.URL, Key: "k"}.server("")
	if err != nil {
		t.Fatal(err)
	}
	defer asked.close()
	if status, _, err := asked.Ask(t.Context(), http.MethodPut, "/api/installation", []byte("{}")); err != nil || status != http.StatusTemporaryRedirect {
		t.Errorf("%d %v", status, err)
	}
}

// TestWhatIsNoServer: each is refused before anything is asked, and without the key in what is said.
func TestWhatIsNoServer(t *testing.T) {
	for _, c := range []struct{ url, key, want string }{
		{"", "s3cret", "give its --url, too"},
		{"http://127.0.0.1:8080", "", "--url needs a key"},
		{"127.0.0.1:8080", "s3cret", "--url must be"},
		{"ftp://127.0.0.1", "s3cret", "--url must be"},
		{"http://", "s3cret", "--url must be"},
		{"http://user:s3cret@127.0.0.1", "s3cret", "--url must be"},
		{"http://127.0.0.1/?a=b", "s3cret", "--url must be"},
		{"http://127.0.0.1/#a", "s3cret", "--url must be"},
	} {
		if _, err := (remote{URL: c.url, Key: c.key}).server(""); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", c.url, err)
		}
	}
}
