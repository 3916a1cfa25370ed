package app

import (
	"strings"
	"testing"
)

// TestAReloadWithHalfAPair of certificate and key is an error, whether the server speaks TLS or not.
func TestAReloadWithHalfAPair(t *testing.T) {
	for _, c := range []struct{ cert, key, want string }{{"c", "", "--tls-cert needs --tls-key"}, {"", "k", "--tls-key needs --tls-cert"}} {
		for _, served := range []*certificate{nil, {cert: "c", key: "k", pair: &pair{}}} {
			a := &App{changing: &changing{certificate: served}}
			if _, err := a.Reload(t.Context(), Options{TLSCert: c.cert, TLSKey: c.key}); err == nil || !strings.Contains(err.Error(), c.want) || !IsUserError(err) {
				t.Errorf("cert %q and key %q: %v", c.cert, c.key, err)
			}
			if !a.changing.failed.Load() {
				t.Errorf("cert %q and key %q: the reload has not failed", c.cert, c.key)
			}
		}
	}
}
