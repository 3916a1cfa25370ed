package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/weburl"
)

// Proxy is what outgoing requests go through (docs/operating.md#through-a-proxy). It is the
// operator's, so the guard has no say in its address.
type Proxy struct {
	url     *url.URL // with its credentials, which are a secret
	address string   // host:port
	direct  []string // patterns of the hosts that are called without the proxy
	lookUp  bool     // names are looked up and checked before the proxy gets them
	passed  passed
}

// proxyPorts are the schemes of proxies, with the port that each has if the URL names none.
// With each of them, names go to the proxy as names.
var proxyPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// NewProxy reads the URL of a proxy. No error repeats it, as it may hold a password. direct
// are patterns, as in [CheckPattern], of hosts that are called without it.
//
// The proxy looks names up once more, so what was checked here may not be what it
// connects to: whoever runs it has to keep it from what must not be reached. lookUp is to
// be false where this machine cannot look up the names that the proxy can.
func NewProxy(text string, direct []string, lookUp bool) (*Proxy, error) {
	u, err := url.Parse(text)
	if err != nil || proxyPorts[u.Scheme] == "" || u.Hostname() == "" {
		return nil, errors.New("must be a URL as http://proxy.example:3128, https://… or socks5://…")
	}
	// A proxy takes no path. Whoever writes one may have pasted the URL of an endpoint,
	// and an ignored path would hide that.
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("must have no path, query or fragment")
	}
	for _, entry := range direct {
		if err := CheckPattern(entry); err != nil {
			return nil, fmt.Errorf("the exception %q %w", entry, err)
		}
	}
	// JoinHostPort puts the brackets of an IPv6 address back, which Hostname has removed.
	port := u.Port()
	if port == "" {
		port = proxyPorts[u.Scheme]
	}
	return &Proxy{url: u, address: net.JoinHostPort(u.Hostname(), port), direct: direct, lookUp: lookUp}, nil
}

// Carries reports whether requests to a URL go through the proxy. The nil Proxy carries
// none. The machine itself is called without any, as by all programs.
func (p *Proxy) Carries(u *url.URL) bool {
	if p == nil {
		return false
	}
	// For a name addr is the zero value. It is no loopback address, and no range contains
	// it.
	host, port := splitHost(hostPort(u))
	addr, _ := netip.ParseAddr(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || addr.IsLoopback() || addr.IsUnspecified() {
		return false
	}
	// A name is not looked up here, so an exception that is a range covers only targets
	// that are written as an address.
	return !anyMatches(p.direct, host, port, addr)
}

// admit puts the target of a request to the guard before the proxy gets it: the host, and
// each address that it has. One address that must not be reached is enough to refuse: which
// of them the proxy takes is not known.
func (p *Proxy) admit(ctx context.Context, g Guard, resolver *net.Resolver, u *url.URL, now time.Time) error {
	target := hostPort(u)
	// The proxy may take it for an address that the guard has not seen.
	if weburl.OddHost(u) {
		return &RefusedError{host: u.Hostname(), rule: "is neither a name nor a plain IP address"}
	}
	// The proxy dials where nobody here sees it, so a name that is not looked up here has to
	// pass by itself.
	g.blind = !p.lookUp
	if err := g.CheckHost(target); err != nil {
		return err
	}
	// CheckHost has already checked a target that is an address. A name that was let
	// through less than passedFor ago is not looked up again.
	host, _ := splitHost(target)
	if _, err := netip.ParseAddr(host); err == nil || !p.lookUp || p.passed.has(g.tenant, target, now) {
		return nil
	}
	addrs, err := resolver.LookupNetIP(ctx, "ip", u.Hostname()) // with a dot at its end, which rules search domains out
	if err != nil {
		return err
	}
	for _, addr := range addrs {
		if err := g.Check(target, addr); err != nil {
			return err
		}
	}
	// A refusal is not remembered: as soon as the name has another address, the endpoint
	// is called again.
	p.passed.put(g.tenant, target, now)
	return nil
}

// passed are the targets that were let through a moment ago, so that a busy endpoint
// costs no look-up for each of its requests. The zero value is ready.
// A tenant is part of the key, because tenants may have lists of hosts of their own.
type passed struct {
	mu sync.Mutex
	at map[[2]string]time.Time // by tenant and host:port
}

const (
	// passedFor is also how long a name that has moved to a forbidden address may still be
	// admitted, so it is short.
	passedFor  = 10 * time.Second
	passedMost = 4096 // targets; what comes beyond has the others looked up anew
)

// has reports whether the guard let a target through less than passedFor ago. An entry
// with a time in the future does not count, so a clock that was set back costs only a
// look-up.
func (p *passed) has(tenant, target string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.at[[2]string{tenant, target}]
	return ok && now.Sub(at) < passedFor && now.Sub(at) >= 0
}

// put remembers that the guard let a target through. It replaces a full map by an empty
// one: the memory is bounded, and nobody has to look for the oldest entry. Nothing of it
// is stored, so after a restart each name is looked up again.
func (p *passed) put(tenant, target string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil || len(p.at) >= passedMost {
		p.at = map[[2]string]time.Time{}
	}
	p.at[[2]string{tenant, target}] = now
}

// use has a transport make all its requests through the proxy. net/http would verify the
// proxy's certificate as that of an endpoint, and show it the endpoint's client
// certificate: so an https proxy is one of http to it, and dial speaks TLS.
func (p *Proxy) use(t *http.Transport) {
	shown := &url.URL{Scheme: "http", Host: p.address, User: p.url.User}
	if strings.HasPrefix(p.url.Scheme, "socks5") {
		shown.Scheme = "socks5"
	}
	// net/http sends the user and the password of this URL to the proxy only. The endpoint
	// never gets them.
	t.Proxy = http.ProxyURL(shown)
	// net/http calls this function for a CONNECT only, which means for https endpoints.
	// What a proxy answers to plain HTTP is for refusal to see.
	t.OnProxyConnectResponse = func(ctx context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
		t, _ := ctx.Value(watcherKey{}).(*watcher)
		t.awaitProxy("")
		return connectFailure(resp.StatusCode)
	}
}

// connectFailure says what the answer of a proxy to a CONNECT means; nil if it has
// connected. That it wants other credentials is no fault of the endpoint's. Anything else
// is a failure to reach this host, which others need not share.
func connectFailure(status int) error {
	switch status {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		return OwnTroubleError("the proxy refused the credentials of --proxy: it answered 407")
	}
	// StatusText is "" for an unknown number, and TrimSpace removes the space before it.
	return failure(strings.TrimSpace(fmt.Sprintf("the proxy did not connect to the host: it answered %d %s", status, http.StatusText(status))))
}

// refusal is connectFailure of a request of plain HTTP, which a proxy of HTTP answers itself where
// it wants other credentials; nil for an answer that may be the endpoint's.
func (p *Proxy) refusal(u *url.URL, status int) error {
	// With https a 407 comes through the tunnel, so the endpoint itself has sent it. A
	// SOCKS proxy does not speak HTTP.
	if status != http.StatusProxyAuthRequired || u.Scheme != "http" || !p.Carries(u) || strings.HasPrefix(p.url.Scheme, "socks5") {
		return nil
	}
	return connectFailure(status)
}

// socksFailure is connectFailure of a SOCKS proxy, for an error of net/http; nil if that is
// about something else. net/http has but texts for these errors (RFC 1928, 6; RFC 1929).
func socksFailure(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "socks connect" {
		return nil
	}
	// The texts are those of the SOCKS client inside net/http. If a new version of Go
	// changes them, this function returns nil, and the failure gets more general words.
	text := op.Err.Error()
	if strings.Contains(text, "authentication") {
		return OwnTroubleError("the proxy refused the credentials of --proxy")
	}
	if reply, ok := strings.CutPrefix(text, "unknown error "); ok {
		return failure("the proxy did not connect to the host: " + reply)
	}
	if text == "FQDN too long" {
		return failure("the proxy did not connect to the host: the name is too long")
	}
	return nil
}

// dial connects to the proxy itself. Whatever keeps it from that is this server's own
// trouble: no endpoint has a part in it.
func (p *Proxy) dial(ctx context.Context, n *network) (net.Conn, error) {
	// Each stage replaces the note of the stage before, so the note names the stage that
	// did not end. Without a watcher t is nil, and a nil watcher notes nothing.
	t, _ := ctx.Value(watcherKey{}).(*watcher)
	t.awaitProxy("could not connect to the proxy")
	// No guard checks this address. The operator has chosen it, and most proxies have a
	// private one.
	d := net.Dialer{Timeout: setupTimeout, Resolver: n.resolver}
	conn, err := d.DialContext(dialing(ctx), "tcp", p.address)
	if err == nil && p.url.Scheme == "https" {
		conn, err = p.secure(ctx, conn, n)
	}
	if err != nil {
		return nil, proxyTrouble(err)
	}
	t.awaitProxy("the proxy did not answer")
	return conn, nil
}

// secure speaks TLS with the proxy, which the operator's authorities vouch for.
// The certificate has to be for the host that the URL of the proxy names.
func (p *Proxy) secure(ctx context.Context, conn net.Conn, n *network) (net.Conn, error) {
	// Without this limit, a proxy that accepts the connection and then sends nothing would
	// hold the dial for as long as the caller allows.
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	// NextProtos leaves HTTP/2 out, because net/http sends its CONNECT as HTTP/1.1.
	secured := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: n.roots, ServerName: p.url.Hostname(), NextProtos: []string{"http/1.1"}})
	if err := secured.HandshakeContext(ctx); err != nil {
		// The caller gets the error of the handshake. An error of Close would explain
		// nothing more.
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}

// proxyTrouble is why the proxy could not be reached.
// The wire says that TLS failed, so networkFailure keeps what crypto/tls says about the
// certificate of the proxy.
func proxyTrouble(err error) OwnTroubleError {
	if own := ownTroubleIn(err, false); own != "" {
		return own
	}
	return OwnTroubleError("could not connect to the proxy: " + networkFailure(err, wire{tlsFailed: true}).Error())
}

// proxySilence is why the proxy has done nothing for an attempt that awaits it, as a watcher has
// noted; "" where it has, or where its answer says why it did not. timedOut says that the time
// of the attempt was over first.
func proxySilence(err error, w wire, timedOut bool) OwnTroubleError {
	if w.awaitsProxy == "" || w.remoteAddr != nil {
		return ""
	}
	// Each case below either finds a better word than networkFailure, or finds that the
	// proxy is not to blame.
	why := networkFailure(err, w)
	_, told := errors.AsType[failure](err)
	switch {
	case timedOut && w.awaitsProxy == "the proxy did not answer":
		return "" // it may have waited for the host
	case timedOut:
		why = "timed out"
	// The proxy has given a reason, so it was not silent. That reason is the failure.
	case told || socksFailure(err) != nil:
		return ""
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		why = "connection closed"
	}
	return OwnTroubleError(w.awaitsProxy + ": " + string(why))
}
