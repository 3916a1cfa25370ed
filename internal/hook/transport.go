package hook

import (
	"crypto/tls"
	"net/http"
	"runtime"
	"time"
	"weak"
)

// maxHeader is how many bytes of headers a response may have, 1xx ones counted in.
const maxHeader = 64 << 10

// setupTimeout bounds the dial and the TLS handshake, each. An attempt's own
// timeout ends the wait for them, but net/http then goes on dialing, for
// whichever request comes next: without this a dead endpoint would gather dials.
const setupTimeout = 30 * time.Second

// MostOpen is how many connections may be open, of about 20 KB each, before idle
// ones are closed: thousands of endpoints need no dial for each event.
const MostOpen = 3072

// writeBuffer is how many bytes are written at once: most events, and many an order,
// with their headers.
const writeBuffer = 8 << 10

func (c *Client) newTransport(config *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // a proxy would dial for us, past the guard
		DialContext:            c.dial,
		ForceAttemptHTTP2:      true, // net/http leaves it out beside a DialContext
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    setupTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // recorded and measured as it was sent
		WriteBufferSize:        writeBuffer,
		MaxIdleConnsPerHost:    MostOpen, // see dial
		// Below the 60 s after which common load balancers close an idle connection.
		IdleConnTimeout: 55 * time.Second,
		// A dead HTTP/2 connection would otherwise fail every request put on it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
}

// transportFor returns the transport that verifies as t says, for requests to a
// host. Each Trust has its own, since net/http would share a connection whatever
// vouched for it; and for as long as the Trust is in use, so that changed settings
// leave none behind.
func (c *Client) transportFor(t *Trust, host string) *http.Transport {
	if t == nil {
		return c.kept.transport(host)
	}
	key := weak.Make(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.trusted[key]
	if !ok {
		config := t.configure(c.roots)
		p = newConnections(func() *http.Transport { return c.newTransport(config.Clone()) }, c.now)
		c.trusted[key] = p
		runtime.AddCleanup(t, c.forget, key)
	}
	return p.transport(host)
}

// forget drops the connections of a Trust that nobody holds any more.
func (c *Client) forget(key weak.Pointer[Trust]) {
	c.mu.Lock()
	p := c.trusted[key]
	delete(c.trusted, key)
	c.mu.Unlock()
	p.close()
}
