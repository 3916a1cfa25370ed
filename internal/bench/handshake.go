package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// The hosts of new connections: as many as a shop system of a larger size calls.
const (
	handshakeHosts   = 1000
	handshakeCallers = 64  // of the bare client
	handshakeAtOnce  = 100 // events in one publication
)

// hosts are endpoints at addresses of their own, each with a certificate of its own, which
// close each connection after one answer. One server is all of them.
type hosts struct {
	*sink
	urls    []string
	resumes atomic.Bool // whether sessions may be resumed
}

// startHosts starts so many of them, at addresses by which this machine reaches itself. One
// listener for all of these has to be on every address ([ownMachine]).
func startHosts(ctx context.Context, count int) (*hosts, error) {
	h := &hosts{sink: &sink{}}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp4", "0.0.0.0:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, err
	}
	authority, issue, err := newAuthority()
	if err != nil {
		return nil, err
	}
	shown := map[string]*tls.Certificate{}
	for i := range count {
		address := net.IPv4(127, 1, byte(i/250), byte(i%250+1))
		if shown[address.String()], err = issue(address); err != nil {
			return nil, err
		}
		h.urls = append(h.urls, "https://"+net.JoinHostPort(address.String(), port)+"/")
	}
	// A connection to an address gets its certificate: there is no name by which to choose.
	certificate := func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		host, _, err := net.SplitHostPort(hello.Conn.LocalAddr().String())
		return shown[host], err
	}
	resuming := &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	whole := resuming.Clone()
	whole.SessionTicketsDisabled = true
	h.Server = &httptest.Server{Listener: ownMachine{listener}, Config: &http.Server{Handler: h}}
	h.Server.TLS = &tls.Config{GetCertificate: certificate, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if h.resumes.Load() {
			return resuming, nil
		}
		return whole, nil
	}}
	h.Server.Config.SetKeepAlivesEnabled(false)
	part(ctx, "sink", h.StartTLS)
	authorities := x509.NewCertPool()
	authorities.AddCert(authority)
	h.trust = trusting(authority)
	h.client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true,
		TLSClientConfig: &tls.Config{RootCAs: authorities, ClientSessionCache: tls.NewLRUClientSessionCache(2 * handshakeHosts)}}}
	return h, nil
}

// ownMachine is a listener that hangs up on other machines: it listens at every address.
type ownMachine struct{ net.Listener }

// Accept implements net.Listener.
func (l ownMachine) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if from, ok := conn.RemoteAddr().(*net.TCPAddr); ok && from.IP.IsLoopback() {
			return conn, nil
		}
		_ = conn.Close()
	}
}

// newAuthority makes an authority, and returns what issues certificates for addresses.
func newAuthority() (*x509.Certificate, func(net.IP) (*tls.Certificate, error), error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := func(serial int64) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "bench"}, NotBefore: time.Now().Add(-time.Hour),
			NotAfter: time.Now().Add(24 * time.Hour), BasicConstraintsValid: true}
	}
	root := template(1)
	root.IsCA, root.KeyUsage = true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	authority, err := x509.ParseCertificate(der)
	var serial atomic.Int64
	return authority, func(address net.IP) (*tls.Certificate, error) {
		// All have the same key: what a handshake costs does not depend on whose it is.
		one := template(1 + serial.Add(1))
		one.IPAddresses, one.ExtKeyUsage = []net.IP{address}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		der, err := x509.CreateCertificate(rand.Reader, one, authority, &key.PublicKey, key)
		return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
	}, err
}

// handshakes measures deliveries of which each needs a new connection with TLS, to many hosts,
// beside a bare client that does the same.
func (b *bench) handshakes(ctx context.Context) (_ string, err error) {
	h, err := startHosts(ctx, b.of(handshakeHosts))
	if err != nil {
		return "", err
	}
	defer h.Close()
	var next atomic.Int64
	err = times(ctx, 16, len(h.urls), func() error {
		i := int(next.Add(1)) - 1
		_, err := b.subscribe(ctx, h.urls[i], manyType(i), h.trust)
		return err
	})
	if err != nil {
		return "", err
	}
	whole, err := b.handshakesOf(ctx, h, false)
	if err != nil {
		return "", err
	}
	resumed, err := b.handshakesOf(ctx, h, true)
	return fmt.Sprintf(`
## Deliveries a second that need a new connection, to %d hosts

Each endpoint is an address of its own, with a certificate of its own (ECDSA P-256, TLS 1.3) by one authority, and closes the
connection after each answer. One event for each endpoint is published, in arrays of %d, and the next ones once all of them have
arrived; the bare client has %d callers, and opens a connection for each call. The median of %d rounds of
each, by turns. The hosts' part of the handshakes is on the same cores.

| handshakes | bare, a second | delivered, a second | of bare | CPU time each, bare | CPU time each |
|---|---|---|---|---|---|
%s%s`, len(h.urls), handshakeAtOnce, handshakeCallers, b.rounds(), whole, resumed), err
}

// handshakesOf is the line of the report about handshakes that are whole, or resumed.
func (b *bench) handshakesOf(ctx context.Context, h *hosts, resumed bool) (string, error) {
	h.resumes.Store(resumed)
	bare, d := &delivery{}, &delivery{}
	// The first round is not counted: in it, sessions are begun that are resumed later.
	for range b.rounds() + 1 {
		if err := b.bareHandshakes(ctx, h, bare); err != nil {
			return "", err
		}
		if err := b.deliverHandshakes(ctx, h, d); err != nil {
			return "", err
		}
	}
	name := map[bool]string{false: "whole", true: "resumed"}[resumed]
	return fmt.Sprintf("| %s | %.0f | %.0f | **%.2f** | %.0f µs | %.0f µs |\n", name, median(bare.perSecond[1:]), median(d.perSecond[1:]),
		median(over(d.perSecond, bare.perSecond)[1:]), median(bare.cpu[1:]), median(d.cpu[1:])), nil
}

// bareHandshakes has the bare client call each host once.
func (b *bench) bareHandshakes(ctx context.Context, h *hosts, d *delivery) error {
	watch := startWatch()
	var next atomic.Int64
	err := times(ctx, handshakeCallers, len(h.urls), func() error {
		return b.send(ctx, h.client, h.urls[int(next.Add(1))-1], "o-7", oneBody)
	})
	d.add(watch, len(h.urls))
	return err
}

// deliverHandshakes publishes an event for each host, and waits until they are recorded.
func (b *bench) deliverHandshakes(ctx context.Context, h *hosts, d *delivery) error {
	watch, before := startWatch(), h.arrived.Load()
	pool := newPublishers(b.url)
	defer pool.close()
	for first := 0; first < len(h.urls); first += handshakeAtOnce {
		err := pool.with(ctx, func(p *publisher) error {
			p.body = append(p.body[:0], '[')
			for i := first; i < min(first+handshakeAtOnce, len(h.urls)); i++ {
				p.body = append(numberedEvent(p.body, fmt.Sprintf("h-%d-%d", before, i), manyType(i)), ',')
			}
			p.body[len(p.body)-1] = ']'
			return p.publish(p.body)
		})
		if err != nil {
			return err
		}
	}
	err := until(ctx, "all events have arrived", patience, time.Millisecond, func() (bool, error) {
		return h.arrived.Load()-before >= int64(len(h.urls)), nil
	})
	d.add(watch, len(h.urls))
	if more := h.arrived.Load() - before - int64(len(h.urls)); err == nil && more > 0 {
		err = errors.New("events arrived more than once")
	}
	return errors.Join(err, b.awaitQuiet(ctx))
}

// add adds a round of so many calls.
func (d *delivery) add(w stopwatch, calls int) {
	d.perSecond = append(d.perSecond, float64(calls)/w.elapsed().Seconds())
	d.cpu = append(d.cpu, micros(w.used(), int64(calls)))
}
