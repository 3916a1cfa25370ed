package e2e

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound/dnstest"
	"github.com/orderhook/orderhook/internal/outbound/proxytest"
)

// pemOf is the certificate of a test server as a file has it.
func pemOf(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

// tried sends an example to an endpoint and returns the answer about it.
func (s *server) tried(e endpoint) answer {
	return s.call("POST", "/api/endpoints/"+e.id+"/test", s.newKey, "{}")
}

// TestTheServerBehindAProxy: an https endpoint, for which a file of authorities vouches, is
// called through a proxy with a password; a proxy that is gone uses up no attempt, and
// what waited arrives once it is back. Nothing tells the password, and no variable of the environment
// has a say.
func TestTheServerBehindAProxy(t *testing.T) {
	t.Parallel()
	r := &receiver{arrived: make(chan struct{})}
	r.Server = httptest.NewTLSServer(r)
	t.Cleanup(r.Close)
	p := proxytest.HTTP(t, false)
	p.To = r.Listener.Addr().String()
	w := newWhere(t, "HTTPS_PROXY=http://127.0.0.1:1", "HTTP_PROXY=http://127.0.0.1:1")
	certificate(t, w)
	other, err := os.ReadFile(filepath.Join(w.dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	w.file(t, "ca.pem", string(other))
	dns := dnstest.Serve(t, func(name string, _ int) dnstest.Answer {
		return map[string]dnstest.Answer{"example.com": dnstest.To("8.8.8.8"), "inside.example": dnstest.To("10.0.0.1")}[name]
	})
	config := func(address string) {
		w.file(t, "orderhook.json", `{"proxy": "http://`+proxytest.User+":"+proxytest.Password+"@"+address+`", "logLevel": "debug"}`)
	}
	config(p.Address)
	s := w.serve(t, "--ca-file", "ca.pem", "--resolver", dns, "--no-allow-private-targets")
	e := s.subscribe(t, s.newKey, "https://example.com/hook", `"eventTypes":["*"]`)
	if a := s.tried(e); a.status != 200 || !strings.Contains(a.text, "TLS: certificate signed by unknown authority") {
		t.Fatalf("an endpoint that nobody vouches for: %d %s", a.status, a.text)
	}
	w.file(t, "ca.pem", string(other)+pemOf(r.Server))
	s.reload(t)
	until(t, "the new authorities", func() bool { return strings.Contains(s.tried(e).text, `"succeeded"`) })
	if asked := p.Asked(); len(slices.Compact(asked)) != 1 || asked[0] != "example.com:443" {
		t.Errorf("the proxy was asked for %v", asked)
	}
	inside := s.subscribe(t, s.newKey, "https://inside.example/", `"eventTypes":["other"]`)
	if a := s.tried(inside); !strings.Contains(a.text, "refused by the target guard: 10.0.0.1 is a private address") {
		t.Errorf("a name that leads inside: %s", a.text)
	}

	config("127.0.0.1:1")
	s.reload(t)
	until(t, "a proxy that is gone", func() bool { return s.tried(e).status == 503 })
	troubles := func() string {
		_, after, _ := strings.Cut(s.call("GET", "/metrics", s.newKey, "").text, `orderhook_call_own_troubles_total{kind="event"} `)
		count, _, _ := strings.Cut(after, "\n")
		return count
	}
	before := troubles()
	s.mustPublish(t, s.newKey, "parcel.packed", "evt_1", map[string]any{})
	until(t, "this server's own trouble", func() bool { return troubles() != before })
	if waiting := s.deliveries(t, s.newKey, e, "pending"); len(waiting) != 1 || fmt.Sprint(waiting[0]["attempts"]) != "0" {
		t.Errorf("what waits is %v", waiting)
	}
	config(p.Address)
	s.reload(t)
	r.awaitAll(t, []string{"evt_1"})
	everything := s.call("GET", "/api/attempts?limit=200", s.newKey, "").text + s.call("GET", "/metrics", s.newKey, "").text
	s.stop(t)
	if everything += s.errOut.String(); strings.Contains(everything, proxytest.Password) {
		t.Error("the proxy's password is shown")
	}
	if log := s.errOut.String(); !strings.Contains(log, "msg=reloaded changed=proxy") || !strings.Contains(log, `msg=reloaded changed="the authorities of --ca-file"`) || !strings.Contains(log, "could not connect to the proxy: connection refused") {
		t.Errorf("the log has\n%s", log)
	}
	for url, want := range map[string]string{"ftp://u:hush@p": "--proxy: must be a URL as http://", "http://u:hush@p/path": "--proxy: must have no path"} {
		if r := w.refuses(t, want, "serve", "--proxy", url); strings.Contains(r.errOut, "hush") {
			t.Errorf("the password is shown: %s", r.errOut)
		}
	}
	w.refuses(t, "--proxy: the exception", "serve", "--no-proxy", "http://a")
	w.refuses(t, "none.pem", "serve", "--ca-file", "none.pem")
	w.file(t, "empty.pem", "no certificate")
	w.refuses(t, "--ca-file: empty.pem: there is no certificate in the PEM", "serve", "--ca-file", "empty.pem")
}

// TestARebindingNameAndTheServer: an endpoint's name leads to the internet at first, for which
// 127.0.0.1 stands, and inside from then on. The server never goes inside.
func TestARebindingNameAndTheServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", ":0") // at all addresses
	if err != nil {
		t.Fatal(err)
	}
	var inside, outside atomic.Int32
	endpoint := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }),
		ConnState: func(c net.Conn, state http.ConnState) {
			if state != http.StateNew {
			} else if strings.HasPrefix(c.LocalAddr().String(), "127.0.0.1:") || strings.Contains(c.LocalAddr().String(), "ffff:127.0.0.1") {
				outside.Add(1)
			} else {
				inside.Add(1)
			}
		}}
	go func() { _ = endpoint.Serve(l) }()
	t.Cleanup(func() { _ = endpoint.Close() })
	dns := dnstest.Serve(t, func(_ string, before int) dnstest.Answer {
		return dnstest.To([]string{"127.0.0.1", "127.0.0.2"}[min(1, before)])
	})
	w := newWhere(t)
	w.file(t, "orderhook.json", `{"outgoing": {"allowHosts": ["127.0.0.1"]}}`)
	s := w.serve(t, "--resolver", dns, "--no-allow-private-targets")
	_, port, _ := net.SplitHostPort(l.Addr().String())
	e := s.subscribe(t, s.newKey, "http://shop.example:"+port+"/", `"eventTypes":["*"]`)
	if a := s.tried(e); a.status != 200 || !strings.Contains(a.text, `"succeeded"`) {
		t.Fatalf("the first time: %d %s", a.status, a.text)
	}
	for range 3 {
		if a := s.tried(e); !strings.Contains(a.text, "127.0.0.2 is a loopback address") {
			t.Errorf("after that: %d %s", a.status, a.text)
		}
	}
	if outside.Load() != 1 || inside.Load() != 0 {
		t.Errorf("%d connections to the internet, %d inside", outside.Load(), inside.Load())
	}
	s.stop(t)
}

// TestListsOfHostsHoldWhereURLsAreStored and after a reload: what the lists of a tenant rule out is
// refused for endpoints, warned of in settings, and not called.
func TestListsOfHostsHoldWhereURLsAreStored(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	w := newWhere(t)
	lists := func(section string) { w.file(t, "orderhook.json", `{"outgoing": `+section+`}`) }
	lists(`{"tenants": {"acme": {"onlyHosts": ["*.acme.example:443"]}}, "denyHosts": ["denied.example"]}`)
	s := w.serve(t)
	acme := strings.TrimSpace(w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "admin"))
	body := func(url string) string { return `{"url":"` + url + `","eventTypes":["order_*"]}` }
	for _, c := range []struct {
		key, url, want string
	}{
		{acme, "https://shop.acme.example/", ""},
		{acme, "http://shop.acme.example/", "shop.acme.example is not among outgoing.tenants.acme.onlyHosts"},
		{acme, r.URL, "is not among outgoing.tenants.acme.onlyHosts"},
		{acme, "https://denied.example/", "denied.example is among outgoing.denyHosts"},
		{s.newKey, "https://denied.example/", "denied.example is among outgoing.denyHosts"},
		{s.newKey, "http://shop.acme.example/", ""},
	} {
		a := s.call("POST", "/api/endpoints", c.key, body(c.url))
		if c.want == "" && a.status != 201 || c.want != "" && (a.status != 422 || !strings.Contains(a.text, c.want)) {
			t.Errorf("%s: %d %s, want %q", c.url, a.status, a.text, c.want)
		}
	}
	settings := `{"connectors":[{"name":"Webhook","connectorId":"erp","host":"https://erp.example/"}]}`
	if a := s.call("PUT", "/api/settings", acme, settings); a.status != 200 || !strings.Contains(a.text, "no call will be made there: refused by the target guard: erp.example is not among") {
		t.Errorf("settings: %d %s", a.status, a.text)
	}
	e := s.subscribe(t, s.newKey, r.URL, `"eventTypes":["*"]`)
	if a := s.tried(e); a.status != 200 || !strings.Contains(a.text, `"succeeded"`) {
		t.Fatalf("%d %s", a.status, a.text)
	}
	lists(`{"tenants": {"default": {"denyHosts": ["127.0.0.0/8"]}, "acme": {}, "acne": {}}}`)
	s.reload(t)
	until(t, "the reloaded list", func() bool {
		return strings.Contains(s.tried(e).text, "127.0.0.1 is among outgoing.tenants.default.denyHosts in the config file")
	})
	until(t, "a warning of the tenant that nobody has", func() bool {
		return strings.Contains(s.errOut.String(), `names a tenant that does not exist" tenant=acne`)
	})
	s.stop(t)
	if log := s.errOut.String(); strings.Count(log, "a tenant that does not exist") != 2 || !strings.Contains(log, "tenant=acme") {
		t.Errorf("not warned once of acme, before it was made, and once of acne: %s", log)
	}
	w.file(t, "settings.json", settings)
	lists(`{"denyHosts": ["erp.example"]}`)
	if out := w.succeeds(t, "settings", "check", "settings.json"); !strings.Contains(out, "erp.example is among outgoing.denyHosts") {
		t.Errorf("settings check says %s", out)
	}
}

// reload sends what has the server reload. What has changed is to be waited for.
func (s *server) reload(t *testing.T) {
	t.Helper()
	s.signal(t, syscall.SIGHUP)
}

// TestReload: SIGHUP changes what can be changed, says what it ignores, and changes
// nothing where anything is wrong; a certificate is another one for those who come then.
func TestReload(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	certificate(t, w)
	metrics := freeAddress(t)
	w.file(t, "orderhook.json", `{"grace": "PT30S", "tlsCert": "cert.pem", "tlsKey": "key.pem"}`)
	s := w.serve(t, "--metrics-listen", metrics)
	s.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	shown := func() string {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return string(conn.ConnectionState().PeerCertificates[0].Raw)
	}
	failed := func(want string) func() bool {
		return func() bool {
			_, text := s.page(t, "http://"+metrics+"/metrics", "")
			return strings.Contains(text, "orderhook_reload_failed "+want+"\n") && strings.Contains(text, "orderhook_tls_certificate_expiry_timestamp_seconds ")
		}
	}
	first := shown()
	if !failed("0")() {
		t.Error("a reload has failed before there was one")
	}

	certificate(t, w)
	w.file(t, "orderhook.json", `{"grace": "PT30S", "tlsCert": "cert.pem", "tlsKey": "key.pem", "maxRequests": "no number"}`)
	s.reload(t)
	until(t, "the failure", failed("1"))
	if shown() != first {
		t.Error("a reload that failed has changed the certificate")
	}
	w.file(t, "orderhook.json", `{"grace": "PT20S", "maxRequests": "9/9", "logLevel": "debug", "tlsCert": "cert.pem", "tlsKey": "key.pem"}`)
	s.reload(t)
	until(t, "the success", failed("0"))
	second := shown()
	if second == first {
		t.Error("the certificate is the one from before")
	}
	s.expect(t, 200, "GET", "/api/me", s.newKey, "")

	w.file(t, "key.pem", "no key")
	s.reload(t)
	until(t, "the failure of the key", failed("1"))
	if shown() != second {
		t.Error("a broken pair has changed the certificate")
	}
	s.stop(t)
	log := s.errOut.String()
	for _, want := range []string{
		`level=WARN msg="the reload has failed, and nothing was changed" error="orderhook.json: maxRequests: \"no number\" is no whole number over 0"`,
		`msg="what differs from the start takes effect with the next start alone" flags=grace`,
		`msg=reloaded changed="log-level, max-requests, the TLS certificate"`,
		"the TLS certificate cert.pem with the key key.pem: tls: failed to find any PEM data in key input",
		"level=DEBUG msg=request",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s:\n%s", want, log)
		}
	}
}

// TestAReloadOfAPlainServerHasNoCertificate, and so none that has changed.
func TestAReloadOfAPlainServerHasNoCertificate(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.file(t, "orderhook.json", `{}`)
	s := w.serve(t)
	for n, config := range []string{`{"tlsCert": "x", "tlsKey": "y"}`, `{}`} {
		w.file(t, "orderhook.json", config)
		s.reload(t)
		until(t, "the reload", func() bool { return strings.Count(s.errOut.String(), "msg=reloaded") == n+1 })
	}
	log := s.errOut.String()
	if !strings.Contains(log, `takes effect with the next start alone" flags="tls-cert, tls-key"`) || strings.Count(log, `msg=reloaded changed=""`) != 2 {
		t.Error(log)
	}
}

// TestAReloadThatHangs keeps nobody from stopping the server.
func TestAReloadThatHangs(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.file(t, "orderhook.json", `{}`)
	s := w.serve(t)
	path := filepath.Join(w.dir, "orderhook.json")
	if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	s.reload(t)
	writer, err := os.OpenFile(path, os.O_WRONLY, 0) // once the server reads
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	s.signal(t, syscall.SIGTERM)
	if code := s.code(t); code != 0 {
		t.Errorf("code %d: %s", code, s.errOut)
	}
}

// TestReloadingTrustedProxies: whom a request came from goes by the config file of the last reload,
// and not by that of one which had anything wrong in it, as a pair of certificate and key that
// do not fit.
func TestReloadingTrustedProxies(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	certificate(t, w)
	config := func(more string) {
		w.file(t, "orderhook.json", `{"tlsCert": "cert.pem", "tlsKey": "key.pem", "logLevel": "debug"`+more+`}`)
	}
	config("")
	s := w.serve(t)
	s.client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	from := func() string {
		t.Helper()
		// The other header has another address: only one of the two is read.
		if a := s.callWith("POST", "/api/keys", s.newKey, `{"name":"shop","role":"reader"}`, "X-Forwarded-For", "198.51.100.1", "Forwarded", "for=198.51.100.2"); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.text)
		}
		a := s.expect(t, 200, "GET", "/api/audit?action=create-key&limit=1", s.newKey, "")
		_, rest, _ := strings.Cut(a.text, `"address":"`)
		address, _, _ := strings.Cut(rest, `"`)
		return address
	}
	reloads := func(what string) {
		t.Helper()
		before := strings.Count(s.errOut.String(), "msg=reloaded") + strings.Count(s.errOut.String(), "the reload has failed")
		s.reload(t)
		until(t, what, func() bool {
			log := s.errOut.String()
			return strings.Count(log, "msg=reloaded")+strings.Count(log, "the reload has failed") > before
		})
	}
	is := func(when, want string) {
		t.Helper()
		if got := from(); got != want {
			t.Errorf("%s: a request came from %s, want %s", when, got, want)
		}
	}
	is("at the start", "127.0.0.1")
	config(`, "trustedProxies": "127.0.0.1"`)
	is("before the reload", "127.0.0.1")
	reloads("the proxy")
	is("with the proxy", "198.51.100.1")
	config(`, "trustedProxies": "127.0.0.1", "forwardedHeader": "Forwarded"`)
	reloads("the header")
	is("with the other header", "198.51.100.2")

	text := w.read(t, "key.pem")
	for what, key := range map[string]string{"of another certificate": "", "that is none": "no key", "that is half written": text[:len(text)/2]} {
		if key == "" {
			cert := w.read(t, "cert.pem")
			certificate(t, w)
			w.file(t, "cert.pem", cert)
		} else {
			w.file(t, "key.pem", key)
		}
		config(`, "maxRequests": "9/9"`)
		reloads("the failure with a key " + what)
		is("behind a reload with a key "+what, "198.51.100.2")
	}
	log := s.errOut.String()
	if !strings.Contains(log, "msg=reloaded changed=trusted-proxies\n") || !strings.Contains(log, "msg=reloaded changed=forwarded-header\n") || strings.Contains(log, "takes effect with the next start") {
		t.Errorf("it is not said what has changed:\n%s", log)
	}
	if strings.Count(log, "the reload has failed, and nothing was changed") != 3 || strings.Contains(log, "max-requests") {
		t.Errorf("the log has\n%s", log)
	}
	w.file(t, "key.pem", text)
	config("")
	reloads("nobody")
	is("with nobody again", "127.0.0.1")
	s.stop(t)
}

// TestForwardedByHAProxy, and its like: haproxy puts a header of its own behind those of the
// caller, and does not add to theirs, so that several come. The last address of all counts.
func TestForwardedByHAProxy(t *testing.T) {
	t.Parallel()
	s := newWhere(t).serve(t, "--trusted-proxies", "127.0.0.1,10.0.0.0/8")
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"198.51.100.1"}, "198.51.100.1"},
		{[]string{"6.6.6.6", "198.51.100.2"}, "198.51.100.2"},
		{[]string{"6.6.6.6, 7.7.7.7", "8.8.8.8", "198.51.100.3"}, "198.51.100.3"},
		{[]string{"127.0.0.1", "198.51.100.4"}, "198.51.100.4"},
		{[]string{"6.6.6.6", "198.51.100.5", "10.0.0.7"}, "198.51.100.5"}, // by two proxies
		{[]string{"6.6.6.6", "198.51.100.6, 10.0.0.7"}, "198.51.100.6"},
		{[]string{"no address", "198.51.100.7"}, "198.51.100.7"},
		{[]string{"198.51.100.8", ""}, "127.0.0.1"}, // the last proxy names nobody
		{[]string{"2001:db8::9"}, "2001:db8::9"},
	} {
		req, err := http.NewRequest("POST", s.url+"/api/keys", strings.NewReader(`{"name":"shop","role":"reader"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+s.newKey)
		for _, line := range c.lines {
			req.Header.Add("X-Forwarded-For", line)
		}
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if a := s.call("GET", "/api/audit?action=create-key&limit=1", s.newKey, ""); resp.StatusCode != 201 || !strings.Contains(a.text, `"address":"`+c.want+`"`) {
			t.Errorf("%q: %d; the audit log has %s, want %s", c.lines, resp.StatusCode, a.text, c.want)
		}
	}
	s.stop(t)
}

// TestTrustedProxies: callers behind a proxy are told apart where it is trusted, in the audit log
// and where wrong keys are slowed down, and nobody is believed where it is not.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{{nil, "127.0.0.1"}, {[]string{"--trusted-proxies", "127.0.0.1"}, "198.51.100.1"}} {
		s := newWhere(t).serve(t, append(c.args, "--log-level", "debug")...)
		from := []string{"X-Forwarded-For", "6.6.6.6, 198.51.100.1"}
		if a := s.callWith("POST", "/api/keys", s.newKey, `{"name":"shop","role":"reader"}`, from...); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.text)
		}
		if a := s.call("GET", "/api/audit?action=create-key&limit=1", s.newKey, ""); !strings.Contains(a.text, `"address":"`+c.want+`"`) {
			t.Errorf("%v: the audit log has %s", c.args, a.text)
		}
		for i := range 12 {
			if a := s.callWith("GET", "/api/me", "wrong", "", from...); i == 11 && a.status != 429 {
				t.Errorf("%v: the twelfth wrong key: %d", c.args, a.status)
			}
		}
		want := 401
		if c.args == nil {
			want = 429 // all have one address
		}
		other := func() answer { return s.callWith("GET", "/api/me", "wrong", "", "X-Forwarded-For", "198.51.100.2") }
		a := other()
		for range 4 { // on a slow machine an address may have got another try meanwhile
			if a.status != want {
				a = other()
			}
		}
		if a.status != want {
			t.Errorf("%v: another caller's first wrong key: %d", c.args, a.status)
		}
		s.stop(t)
		if log := s.errOut.String(); !strings.Contains(log, `"many wrong keys came from one address" address=`+c.want) || !strings.Contains(log, "route=/api/keys") || !strings.Contains(log, " address="+c.want+" trace=") {
			t.Errorf("%v: the log has\n%s", c.args, log)
		}
	}
	w := newWhere(t)
	w.refuses(t, `--trusted-proxies: "10.0.0.0/99" is no address and no range`, "serve", "--trusted-proxies", "10.0.0.0/99")
	w.refuses(t, `--forwarded-header: "X-Real-IP" is none of the headers`, "serve", "--forwarded-header", "X-Real-IP")
}
