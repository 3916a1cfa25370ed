package api

import "testing"

func TestTheDocumentNamesThePublicURL(t *testing.T) {
	for given, want := range map[string]string{"": "/", "https://orders.example.com": "https://orders.example.com", "https://example.com/orderhook/": "https://example.com/orderhook"} {
		if servers := config(Options{PublicURL: given}).Servers; len(servers) != 1 || servers[0].URL != want {
			t.Errorf("with the public URL %q the document names %v", given, servers)
		}
	}
}
