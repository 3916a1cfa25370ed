// Package proxytest is proxies for tests: of HTTP, with and without TLS, and of SOCKS5. Each
// notes what it was asked to connect to.
package proxytest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// The credentials that every proxy wants.
const (
	User     = "orderhook"
	Password = "proxy-pass-word"
)

// Proxy is a proxy that runs.
// mu guards what was asked for, since each connection has a goroutine of its own.
type Proxy struct {
	Address string
	// Server is that of an HTTP proxy, with the certificate of one that speaks TLS.
	Server *httptest.Server
	// To is where all connections are made to, whatever they were asked for; "": where they
	// were asked for. Refuse is what a proxy of HTTP answers, and the reply of one of SOCKS5,
	// in place of connecting. Both are set before the first use.
	To     string
	Refuse int

	mu    sync.Mutex
	asked []string
	ended sync.WaitGroup
}

// HTTP starts a proxy of HTTP, which speaks TLS if secure is true.
func HTTP(t testing.TB, secure bool) *Proxy {
	p := &Proxy{}
	p.Server = httptest.NewUnstartedServer(p)
	if secure {
		p.Server.StartTLS()
	} else {
		p.Server.Start()
	}
	p.Address = p.Server.Listener.Addr().String()
	// Close waits for connections that are in use, so the clients' connections are closed
	// first.
	t.Cleanup(func() { p.Server.CloseClientConnections(); p.Server.Close() })
	return p
}

// Asked is what connections and requests were asked for, as host:port, in order.
// It returns a copy, so the caller can read it while the proxy goes on.
func (p *Proxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}

// note adds a target. Each connection has a goroutine of its own, so it takes the lock.
func (p *Proxy) note(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, target)
}

// connect connects to what was asked for, or to where all goes.
func (p *Proxy) connect(target string) (net.Conn, error) {
	// A name that leads nowhere can so be tested with a server of the test.
	if p.To != "" {
		target = p.To
	}
	return net.Dial("tcp", target)
}

// ServeHTTP implements [http.Handler]: CONNECT for https, and whole URLs for http.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.note(r.Host)
	// BasicAuth reads the Authorization header only, so the credentials are put there.
	given := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	if user, password, ok := given.BasicAuth(); !ok || user != User || password != Password {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	// The credentials were right, so this refusal is about the target.
	if p.Refuse != 0 {
		w.WriteHeader(p.Refuse)
		return
	}
	if r.Method != http.MethodConnect {
		p.relay(w, r)
		return
	}
	to, err := p.connect(r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	// After Hijack the server does not touch the connection any more, and join owns it.
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprint(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	join(client, to)
}

// relay makes a request of plain HTTP in the place of its client.
func (p *Proxy) relay(w http.ResponseWriter, r *http.Request) {
	// net/http refuses to send a request that has a RequestURI.
	r.RequestURI = ""
	// The endpoint must not see the credentials of the proxy.
	r.Header.Del("Proxy-Authorization")
	// Each request has a connection of its own, so nothing is left open at the end of a
	// test.
	transport := &http.Transport{DialContext: func(_ context.Context, _, target string) (net.Conn, error) { return p.connect(target) }, DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// join copies both ways until either side is done.
// It returns when a has nothing more to send. To close b then also ends the copy from b to
// a, in the other goroutine.
func join(a, b net.Conn) {
	go func() { _, _ = io.Copy(a, b); _ = a.Close() }()
	_, _ = io.Copy(b, a)
	_ = b.Close()
}

// SOCKS starts a proxy of SOCKS5 (RFC 1928).
func SOCKS(t testing.TB) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Address: l.Addr().String()}
	p.ended.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); p.socks(conn) }()
		}
	})
	// Wait is for the goroutine that accepts. Connections end when their client closes
	// them.
	t.Cleanup(func() { _ = l.Close(); p.ended.Wait() })
	return p
}

// socks serves one connection. Anything that is not as clients do it ends it.
func (p *Proxy) socks(conn net.Conn) {
	readPart(conn, 1)               // what the client could do
	_, _ = conn.Write([]byte{5, 2}) // a user and a password are wanted
	version := make([]byte, 1)
	if _, err := io.ReadFull(conn, version); err != nil {
		return
	}
	user := readPart(conn, 0)
	password := readPart(conn, 0)
	// The reply has the version of the sub-negotiation, 1, and any status but 0 is a
	// refusal (RFC 1929).
	if string(user) != User || string(password) != Password {
		_, _ = conn.Write([]byte{1, 1})
		return
	}
	_, _ = conn.Write([]byte{1, 0})
	target, ok := readTarget(conn)
	if !ok {
		return
	}
	p.note(target)
	to, err := net.Conn(nil), error(nil)
	// Reply 0 means that the connection was made, and 5 that it was refused (RFC 1928, 6).
	reply := byte(p.Refuse)
	if reply == 0 {
		if to, err = p.connect(target); err != nil {
			reply = 5
		}
	}
	_, _ = conn.Write([]byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0})
	if reply == 0 {
		join(conn, to)
	}
}

// readPart reads bytes behind their number, of which skip stand before that.
// It returns nil where the connection ends before the number.
func readPart(conn net.Conn, skip int) []byte {
	head := make([]byte, skip+1)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil
	}
	part := make([]byte, head[skip])
	_, _ = io.ReadFull(conn, part)
	return part
}

// readTarget reads a request to connect.
// It returns false where the connection ends before the port has come.
func readTarget(conn net.Conn) (string, bool) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil {
		return "", false
	}
	var host string
	switch head[3] {
	case 1, 4: // an address
		addr := make(net.IP, map[byte]int{1: 4, 4: 16}[head[3]])
		_, _ = io.ReadFull(conn, addr)
		host = addr.String()
	case 3:
		host = string(readPart(conn, 0))
	}
	port := make([]byte, 2)
	_, err := io.ReadFull(conn, port)
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port)))), err == nil
}
