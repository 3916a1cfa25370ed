package app

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// TestWhomARequestCameFrom: who is no trusted proxy is the one; of what such a proxy writes the
// end counts, and not what came to it.
func TestWhomARequestCameFrom(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		peer, header string
		lines        []string
		want         string
	}{
		{"192.0.2.7:5", XForwardedFor, []string{"198.51.100.1"}, "192.0.2.7:5"},
		{"10.0.0.1:5", XForwardedFor, nil, "10.0.0.1:5"},
		{"10.0.0.1:5", XForwardedFor, []string{"198.51.100.1"}, "198.51.100.1:0"},
		{"[::ffff:10.0.0.1]:5", XForwardedFor, []string{"198.51.100.1"}, "198.51.100.1:0"},
		{"10.0.0.1:5", XForwardedFor, []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1:0"},
		{"10.0.0.1:5", XForwardedFor, []string{"1.2.3.4", "198.51.100.1"}, "198.51.100.1:0"},
		{"10.0.0.1:5", XForwardedFor, []string{"198.51.100.1, 10.9.9.9", "fd00::1"}, "198.51.100.1:0"},
		{"10.0.0.1:5", XForwardedFor, []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1:0"},
		{"10.0.0.1:5", XForwardedFor, []string{"198.51.100.1:4711"}, "198.51.100.1:4711"},
		{"10.0.0.1:5", XForwardedFor, []string{"[2001:db8::1]:4711"}, "[2001:db8::1]:4711"},
		{"10.0.0.1:5", XForwardedFor, []string{"2001:db8::1"}, "[2001:db8::1]:0"},
		{"10.0.0.1:5", XForwardedFor, []string{"198.51.100.1, unknown"}, "10.0.0.1:5"},
		{"10.0.0.1:5", XForwardedFor, []string{"198.51.100.1, unknown, 10.3.3.3"}, "10.3.3.3:0"},
		{"10.0.0.1:5", XForwardedFor, []string{""}, "10.0.0.1:5"},
		{"10.0.0.1:5", XForwardedFor, []string{"198.51.100.1,"}, "10.0.0.1:5"},
		{"not an address", XForwardedFor, []string{"198.51.100.1"}, "not an address"},
		{"10.0.0.1:5", Forwarded, []string{`for=198.51.100.1;proto=https;by=10.0.0.1`}, "198.51.100.1:0"},
		{"10.0.0.1:5", Forwarded, []string{`for=1.2.3.4, proto=https; For="[2001:db8::1]:4711"`}, "[2001:db8::1]:4711"},
		{"10.0.0.1:5", Forwarded, []string{`for="198.51.100.1:_p"`}, "198.51.100.1:0"},
		{"10.0.0.1:5", Forwarded, []string{`for=198.51.100.1, for=_hidden`}, "10.0.0.1:5"},
		{"10.0.0.1:5", Forwarded, []string{`for=198.51.100.1, proto=https`}, "10.0.0.1:5"},
		{"10.0.0.1:5", Forwarded, []string{`for=203.0.113.9;host="a,for=1.2.3.4"`}, "203.0.113.9:0"},
		{"10.0.0.1:5", Forwarded, []string{`host="a;for=1.2.3.4";for=203.0.113.9`}, "203.0.113.9:0"},
		{"10.0.0.1:5", Forwarded, []string{`host="a\",for=1.2.3.4;x=\"b";for=203.0.113.9`}, "203.0.113.9:0"},
		{"10.0.0.1:5", Forwarded, []string{`host="a\\", for="203.0.113.9:80"`}, "203.0.113.9:80"},
		{"10.0.0.1:5", Forwarded, []string{`x="a, for=203.0.113.9`}, "10.0.0.1:5"},
		{"10.0.0.1:5", Forwarded, []string{`for=203.0.113.9;x="a, for=1.2.3.4`}, "10.0.0.1:5"},
		{"10.0.0.1:5", Forwarded, []string{`x="a, for=203.0.113.9;host="b"`}, "10.0.0.1:5"},
		{"10.0.0.1:5", Forwarded, []string{`x="\`}, "10.0.0.1:5"},
		{"10.0.0.1:5", Forwarded, []string{`x="a`, `for=203.0.113.9`}, "203.0.113.9:0"},
		{"10.0.0.1:5", Forwarded, []string{`x="a`, `for=10.3.3.3`}, "10.3.3.3:0"},
	} {
		var got string
		h := newForwarded(Forwarding{TrustedProxies: trusted, ForwardedHeader: c.header}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }))
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		other := map[string]string{XForwardedFor: `Forwarded`, Forwarded: XForwardedFor}[c.header]
		r.Header.Set(other, map[string]string{XForwardedFor: "for=6.6.6.6", Forwarded: "6.6.6.6"}[c.header]) // nobody reads it
		for _, line := range c.lines {
			r.Header.Add(c.header, line)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if got != c.want {
			t.Errorf("%s with %s %q: %s, want %s", c.peer, c.header, c.lines, got, c.want)
		}
	}
	h := newForwarded(Forwarding{ForwardedHeader: XForwardedFor}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.RemoteAddr != "10.0.0.1:5" {
			t.Errorf("without trusted proxies: %s", r.RemoteAddr)
		}
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "10.0.0.1:5"
	r.Header.Set(XForwardedFor, "198.51.100.1")
	h.ServeHTTP(httptest.NewRecorder(), r)
}
