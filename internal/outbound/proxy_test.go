package outbound

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/outbound/dnstest"
	"github.com/orderhook/orderhook/internal/outbound/proxytest"
	"github.com/orderhook/orderhook/internal/weburl"
)

// through is a client behind a proxy, to which all names of the tests are public ones.
func through(t *testing.T, scheme string, p *proxytest.Proxy, change func(*Options)) *Client {
	t.Helper()
	proxy, err := NewProxy(scheme+"://"+proxytest.User+":"+proxytest.Password+"@"+p.Address, []string{"direct.example", "*.direct.example"}, true)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Proxy: proxy, Resolver: ResolverAt(dnstest.Serve(t, func(name string, _ int) dnstest.Answer {
		return map[string]dnstest.Answer{"example.com": dnstest.To("8.8.8.8"), "inside.example": dnstest.To("10.0.0.1"), "mixed.example": dnstest.To("8.8.8.8", "10.0.0.1"),
			"direct.example": dnstest.To("127.0.0.1")}[name]
	}))}
	if change != nil {
		change(&o)
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

// pools joins the certificates that test servers have.
func pools(servers ...*httptest.Server) *x509.CertPool {
	p := x509.NewCertPool()
	for _, s := range servers {
		if s != nil && s.Certificate() != nil {
			p.AddCert(s.Certificate())
		}
	}
	return p
}

// eachProxy runs a test with a proxy of each kind.
func eachProxy(t *testing.T, test func(t *testing.T, scheme string, p *proxytest.Proxy)) {
	for scheme, make := range map[string]func() *proxytest.Proxy{
		"http": func() *proxytest.Proxy { return proxytest.HTTP(t, false) }, "https": func() *proxytest.Proxy { return proxytest.HTTP(t, true) },
		"socks5": func() *proxytest.Proxy { return proxytest.SOCKS(t) }, "socks5h": func() *proxytest.Proxy { return proxytest.SOCKS(t) },
	} {
		t.Run(scheme, func(t *testing.T) { test(t, scheme, make()) })
	}
}

// TestThroughAProxy: plain HTTP and HTTPS with HTTP/2 come through each kind of proxy, TLS is
// verified to the end, connections are used again, and nobody sees the proxy's password.
func TestThroughAProxy(t *testing.T) {
	eachProxy(t, func(t *testing.T, scheme string, p *proxytest.Proxy) {
		for _, secure := range []bool{false, true} {
			s := named(t, "endpoint", secure)
			p.To = s.Listener.Addr().String()
			c := through(t, scheme, p, func(o *Options) { o.RootCAs = pools(s, p.Server) })
			url := map[bool]string{false: "http://example.com/", true: "https://example.com/"}[secure]
			for range 3 {
				x := c.Post(t.Context(), Request{URL: url})
				if want := map[bool]string{false: "endpoint HTTP/1.1", true: "endpoint HTTP/2.0"}[secure]; x.Err != nil || string(x.Body) != want {
					t.Fatalf("%s: %v %s", url, x.Err, x.Body)
				}
				if text, err := json.Marshal(x.Detail()); err != nil || strings.Contains(strings.ToLower(string(text)), "proxy") {
					t.Errorf("the record has the proxy: %s", text)
				}
			}
			if n := c.open.Load(); n != 1 {
				t.Errorf("%s: %d connections", url, n)
			}
		}
		if asked := p.Asked(); !slices.Contains(asked, "example.com:443") {
			t.Errorf("the proxy was asked for %v", asked)
		}
	})
}

// TestAnEndpointsCertificateIsItsOwnBehindAProxy: what vouches for an endpoint does not
// vouch for the proxy, nor the other way round.
func TestAnEndpointsCertificateIsItsOwnBehindAProxy(t *testing.T) {
	p := proxytest.HTTP(t, true)
	authority := issue(t, nil, "an authority", time.Now().Add(time.Hour))
	url := serveTLS(t, issue(t, authority, "endpoint", time.Now().Add(time.Hour)), nil)
	p.To = strings.TrimPrefix(url, "https://")
	own := trust(t, TrustOptions{CA: certPEM(authority)})
	c := through(t, "https", p, func(o *Options) { o.RootCAs = pools(p.Server) })
	if x := c.Post(t.Context(), Request{URL: "https://example.com/", Trust: own}); x.Class() != Retry || !strings.HasPrefix(x.Failure(), "TLS: certificate is not valid for any names") {
		t.Errorf("a certificate for another name: %s", x.Failure())
	}
	c = through(t, "https", p, nil)
	x := c.Post(t.Context(), Request{URL: "https://example.com/", Trust: trust(t, TrustOptions{TrustAll: true})})
	if x.Class() != OwnTrouble || !strings.Contains(x.Failure(), "could not connect to the proxy: TLS: certificate signed by unknown authority") {
		t.Errorf("a proxy that nobody vouches for: %v, %s", x.Class(), x.Failure())
	}
}

// TestTheGuardBehindAProxy: what must not be called is not asked of the proxy.
func TestTheGuardBehindAProxy(t *testing.T) {
	eachProxy(t, func(t *testing.T, scheme string, p *proxytest.Proxy) {
		c := through(t, scheme, p, func(o *Options) {
			o.RootCAs = pools(p.Server)
			o.Guard.TenantHosts = map[string]Hosts{"acme": {Deny: []string{"example.com"}}}
		})
		for _, url := range []string{"http://10.0.0.1/", "https://10.0.0.1/", "http://169.254.169.254/", "http://inside.example/", "https://inside.example/", "https://mixed.example/", "http://127.0.0.1:1/", "http://localhost:1/", "http://0.0.0.0:1/", "http://[::]:1/", "https://[64:ff9b::10.0.0.1]/"} {
			if x := c.Post(t.Context(), Request{URL: url}); !x.Refused() {
				t.Errorf("%s: %v", url, x.Err)
			}
		}
		denied := Request{URL: "https://example.com/"}
		denied.For.Tenant = "acme"
		if x := c.Post(t.Context(), denied); !x.Refused() {
			t.Errorf("a tenant that must not: %v", x.Err)
		}
		if x := c.Post(t.Context(), Request{URL: "https://nothing.example/"}); x.Failure() != "no such host" || x.Class() != Retry {
			t.Errorf("no such name: %v, %s", x.Class(), x.Failure())
		}
		if asked := p.Asked(); len(asked) != 0 {
			t.Errorf("the proxy was asked for %v", asked)
		}
	})
}

// TestTheProxyLooksNamesUp where this machine is told not to. Addresses are checked all the same.
func TestTheProxyLooksNamesUp(t *testing.T) {
	p := proxytest.HTTP(t, false)
	p.To = strings.TrimPrefix(serve(t, func(http.ResponseWriter, *http.Request) {}), "http://")
	proxy, err := NewProxy("http://"+proxytest.User+":"+proxytest.Password+"@"+p.Address, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	c := through(t, "http", p, func(o *Options) { o.Proxy = proxy })
	if x := c.Post(t.Context(), Request{URL: "http://inside.example/"}); x.Err != nil {
		t.Error(x.Err)
	}
	if x := c.Post(t.Context(), Request{URL: "http://10.0.0.1/"}); !x.Refused() {
		t.Errorf("an address inside: %v", x.Err)
	}
}

// TestOnlyHostsWhereTheProxyLooksNamesUp: a name passes by the names of the list alone, since
// nobody here learns whether its address is in it; for all tenants and for one.
func TestOnlyHostsWhereTheProxyLooksNamesUp(t *testing.T) {
	p := proxytest.HTTP(t, false)
	p.To = strings.TrimPrefix(serve(t, func(http.ResponseWriter, *http.Request) {}), "http://")
	proxy, err := NewProxy("http://"+proxytest.User+":"+proxytest.Password+"@"+p.Address, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	only := Hosts{Only: []string{"8.8.0.0/16", "9.9.9.9", "shop.example"}}
	for where, g := range map[string]Guard{"of all": {Hosts: only}, "of one": {TenantHosts: map[string]Hosts{"acme": only}}} {
		c := through(t, "http", p, func(o *Options) { o.Proxy, o.Guard = proxy, g })
		for url, refused := range map[string]bool{"http://other.example/": true, "http://example.com/": true, "http://1.1.1.1/": true, "http://shop.example/": false, "http://8.8.4.4/": false, "http://9.9.9.9/": false} {
			r := Request{URL: url}
			r.For.Tenant = "acme"
			if x := c.Post(t.Context(), r); x.Refused() != refused || !refused && x.Err != nil {
				t.Errorf("%s, %s: %v", where, url, x.Err)
			}
		}
	}
}

// TestOddHostsAreNotAskedOfTheProxy, which may take them for addresses, whoever looks names up.
func TestOddHostsAreNotAskedOfTheProxy(t *testing.T) {
	p := proxytest.HTTP(t, false)
	for _, lookUp := range []bool{true, false} {
		proxy, err := NewProxy("http://"+proxytest.User+":"+proxytest.Password+"@"+p.Address, nil, lookUp)
		if err != nil {
			t.Fatal(err)
		}
		c := through(t, "http", p, func(o *Options) { o.Proxy = proxy })
		for _, host := range strings.Fields("2852039166 127.1 0x7f.1 0177.0.0.1 10.0.0.1.") {
			x := c.Post(t.Context(), Request{URL: "https://" + host + "/"})
			if !x.Refused() || x.Class() != Final || x.Failure() != "refused by the target guard: "+host+" is neither a name nor a plain IP address" {
				t.Errorf("%s, look-ups %v: %v", host, lookUp, x.Err)
			}
		}
	}
	if asked := p.Asked(); len(asked) != 0 {
		t.Errorf("the proxy was asked for %v", asked)
	}
}

// TestWithoutTheProxy: exceptions are called as if there were none, past the guard.
func TestWithoutTheProxy(t *testing.T) {
	p := proxytest.HTTP(t, false)
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	for _, c := range []struct {
		guard   Guard
		refused bool
	}{{Guard{}, true}, {Guard{AllowHosts: []string{"direct.example"}}, false}} {
		client := through(t, "http", p, func(o *Options) { o.Guard = c.guard })
		if x := client.Post(t.Context(), Request{URL: "http://direct.example:" + port}); x.Refused() != c.refused || x.Err != nil && !c.refused {
			t.Errorf("%+v: %v", c.guard, x.Err)
		}
	}
	if asked := p.Asked(); len(asked) != 0 {
		t.Errorf("the proxy was asked for %v", asked)
	}
}

// TestTroubleWithAProxy: the proxy itself is this server's own trouble; that it does not
// reach one host is a failed attempt at that host.
func TestTroubleWithAProxy(t *testing.T) {
	const url = "https://example.com/"
	eachProxy(t, func(t *testing.T, scheme string, p *proxytest.Proxy) {
		p.To = "127.0.0.1:1" // where nobody listens
		c := through(t, scheme, p, func(o *Options) { o.RootCAs = pools(p.Server) })
		if x := c.Post(t.Context(), Request{URL: url}); x.Class() != Retry || !strings.HasPrefix(x.Failure(), "the proxy did not connect to the host: ") {
			t.Errorf("an endpoint that is not there: %v, %s", x.Class(), x.Failure())
		}
		wrong, err := NewProxy(fmt.Sprintf("%s://%s:wrong-password@%s", scheme, proxytest.User, p.Address), nil, true)
		if err != nil {
			t.Fatal(err)
		}
		c = through(t, scheme, p, func(o *Options) { o.RootCAs, o.Proxy = pools(p.Server), wrong })
		for _, url := range []string{url, "http://example.com/"} {
			if x := c.Post(t.Context(), Request{URL: url}); x.Class() != OwnTrouble || !strings.Contains(x.Failure(), "refused the credentials of --proxy") || strings.Contains(x.Failure(), "wrong-password") {
				t.Errorf("a wrong password for %s: %v, %s", url, x.Class(), x.Failure())
			}
		}
		gone := &proxytest.Proxy{Address: "127.0.0.1:1"}
		for _, url := range []string{url, "http://example.com/"} {
			for _, oneWay := range []bool{false, true} {
				x := through(t, scheme, gone, nil).Post(t.Context(), Request{URL: url, OneWay: oneWay})
				if x.Class() != OwnTrouble || x.Failure() != "this server's own trouble: could not connect to the proxy: connection refused" {
					t.Errorf("no proxy: %v, %s", x.Class(), x.Failure())
				}
			}
		}
	})
	for status, want := range map[int]string{403: "403 Forbidden", 502: "502 Bad Gateway", 299: "299"} {
		p := proxytest.HTTP(t, false)
		p.Refuse = status
		if x := through(t, "http", p, nil).Post(t.Context(), Request{URL: url}); x.Class() != Retry || x.Failure() != "the proxy did not connect to the host: it answered "+want {
			t.Errorf("%d: %v, %s", status, x.Class(), x.Failure())
		}
	}
	p := proxytest.SOCKS(t)
	p.Refuse = 2
	if x := through(t, "socks5", p, nil).Post(t.Context(), Request{URL: url}); x.Class() != Retry || x.Failure() != "the proxy did not connect to the host: connection not allowed by ruleset" {
		t.Errorf("SOCKS: %v, %s", x.Class(), x.Failure())
	}
}

// TestAProxyThatBreaksOff before it has answered is this server's own trouble: no endpoint
// has a part in it.
func TestAProxyThatBreaksOff(t *testing.T) {
	for how, end := range map[string]func(*net.TCPConn){
		"connection closed": func(conn *net.TCPConn) {
			_, _ = conn.Read(make([]byte, 1<<10))
			_ = conn.CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
		},
		"connection reset": func(conn *net.TCPConn) { _, _ = conn.Read(make([]byte, 1)); _ = conn.SetLinger(0) },
	} {
		address := strings.TrimPrefix(listen(t, func(conn net.Conn) { end(conn.(*net.TCPConn)) }), "http://")
		for scheme, urls := range map[string]string{"http": "https://example.com/", "socks5": "https://example.com/ http://example.com/"} {
			for url := range strings.FieldsSeq(urls) {
				x := through(t, scheme, &proxytest.Proxy{Address: address}, nil).Post(t.Context(), Request{URL: url})
				if x.Class() != OwnTrouble || x.Failure() != "this server's own trouble: the proxy did not answer: "+how {
					t.Errorf("%s, %s: %v, %s", scheme, url, x.Class(), x.Failure())
				}
			}
		}
	}
}

// TestAProxyThatHangs: an attempt whose time is over while the proxy does not even take the
// connection is none; one that the proxy has taken, and does nothing about, is.
func TestAProxyThatHangs(t *testing.T) {
	silent := strings.TrimPrefix(listen(t, hang), "http://")
	for scheme, want := range map[string]Class{"https": OwnTrouble, "http": Retry, "socks5": Retry} {
		c := through(t, scheme, &proxytest.Proxy{Address: silent}, nil)
		if x := c.Post(t.Context(), Request{URL: "https://example.com/", Timeout: time.Second}); x.Class() != want || !strings.Contains(x.Failure(), "timed out") {
			t.Errorf("%s: %v, %s", scheme, x.Class(), x.Failure())
		}
	}
}

// TestAnEndpointThatWantsProxyCredentials is no trouble with the proxy where the proxy has no part
// in the answer.
func TestAnEndpointThatWantsProxyCredentials(t *testing.T) {
	p := proxytest.SOCKS(t)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) })
	p.To = strings.TrimPrefix(url, "http://")
	if x := through(t, "socks5", p, nil).Post(t.Context(), Request{URL: "http://example.com/"}); x.Class() != Retry || x.Status != http.StatusProxyAuthRequired {
		t.Errorf("behind a SOCKS proxy: %v, %s", x.Class(), x.Failure())
	}
	c := New(Options{Guard: Guard{AllowPrivate: true}})
	defer c.Close()
	if x := c.Post(t.Context(), Request{URL: url}); x.Class() != Retry || x.Status != http.StatusProxyAuthRequired {
		t.Errorf("without a proxy: %v, %s", x.Class(), x.Failure())
	}
}

func TestURLsOfProxies(t *testing.T) {
	for _, text := range []string{"", "proxy", "proxy:3128", "ftp://hush@proxy", "http://", "http://:3128", "http://u:hush@proxy/path", "http://proxy?hush", "http://proxy#hush", "http://u:hush%@proxy", "://"} {
		if _, err := NewProxy(text, nil, true); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for text, want := range map[string]string{"http://proxy": "proxy:80", "https://u:p@proxy": "proxy:443", "socks5://[::1]:9": "[::1]:9", "socks5h://proxy": "proxy:1080", "http://proxy:3128/": "proxy:3128"} {
		if p, err := NewProxy(text, nil, true); err != nil || p.address != want {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
	if _, err := NewProxy("http://proxy", []string{"http://a"}, true); err == nil || !strings.Contains(err.Error(), `"http://a"`) {
		t.Errorf("a wrong exception: %v", err)
	}
}

// TestWhatWasLookedUpIsRememberedForAWhile, and no longer: a name that moves inside is noticed.
func TestWhatWasLookedUpIsRememberedForAWhile(t *testing.T) {
	p := proxytest.HTTP(t, false)
	p.To = strings.TrimPrefix(serve(t, func(http.ResponseWriter, *http.Request) {}), "http://")
	fake := clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	var lookups atomic.Int32
	proxy, err := NewProxy("http://"+proxytest.User+":"+proxytest.Password+"@"+p.Address, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	c := newAt(Options{Proxy: proxy, Resolver: ResolverAt(dnstest.Serve(t, func(_ string, before int) dnstest.Answer {
		lookups.Add(1)
		return dnstest.To([]string{"8.8.8.8", "10.0.0.1"}[min(1, before)])
	}))}, fake.Now)
	defer c.Close()
	for range 5 {
		if x := c.Post(t.Context(), Request{URL: "http://shop.example/"}); x.Err != nil {
			t.Fatal(x.Err)
		}
	}
	if n := lookups.Load(); n != 2 { // of IPv4 and of IPv6
		t.Errorf("%d look-ups", n)
	}
	fake.Advance(passedFor)
	if x := c.Post(t.Context(), Request{URL: "http://shop.example/"}); !x.Refused() {
		t.Errorf("after it has moved: %v", x.Err)
	}
}

// TestWhatOneTenantMayCallIsLookedUpForAnother, whose lists have ranges of addresses: that a name
// passed for one says nothing of the other.
func TestWhatOneTenantMayCallIsLookedUpForAnother(t *testing.T) {
	p := proxytest.HTTP(t, false)
	p.To = strings.TrimPrefix(serve(t, func(http.ResponseWriter, *http.Request) {}), "http://")
	c := through(t, "http", p, func(o *Options) {
		o.Guard.TenantHosts = map[string]Hosts{"acme": {Deny: []string{"8.0.0.0/8"}}}
	})
	for _, one := range []struct {
		tenant  string
		refused bool
	}{{"other", false}, {"acme", true}, {"other", false}} {
		if x := c.Post(t.Context(), Request{URL: "http://example.com/", For: fair.Key{Tenant: one.tenant}}); x.Refused() != one.refused {
			t.Errorf("%s: %v", one.tenant, x.Err)
		}
	}
}

// TestTheMachineItselfIsCalledWithoutTheProxy, under each address that leads to it.
func TestTheMachineItselfIsCalledWithoutTheProxy(t *testing.T) {
	p, err := NewProxy("http://proxy", nil, true)
	if err != nil {
		t.Fatal(err)
	}
	for text, carried := range map[string]bool{"http://127.0.0.1/": false, "http://[::1]/": false, "http://0.0.0.0/": false, "http://[::]:80/": false, "http://a.localhost/": false, "http://8.8.8.8/": true} {
		if u, ok := weburl.ParseURL(text); !ok || p.Carries(u) != carried {
			t.Errorf("%s: %v", text, p.Carries(u))
		}
	}
}

// TestADotAtTheEndOfANameIsLookedUp, since without it search domains would apply.
func TestADotAtTheEndOfANameIsLookedUp(t *testing.T) {
	x := through(t, "http", &proxytest.Proxy{Address: "127.0.0.1:1"}, nil)
	n := x.network.Load()
	u, _ := weburl.ParseURL("http://nothing.example./")
	err := n.proxy.admit(t.Context(), n.guard, n.resolver, u, n.now())
	if dns, ok := errors.AsType[*net.DNSError](err); !ok || dns.Name != "nothing.example." {
		t.Errorf("%v", err)
	}
}
