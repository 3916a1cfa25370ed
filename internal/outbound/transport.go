package outbound

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// maxHeader is how many bytes of headers a response may have, 1xx ones counted in.
const maxHeader = 64 << 10

// setupTimeout bounds the dial and the TLS handshake, each. An attempt's own timeout ends
// the wait for them, but net/http then goes on dialing, for whichever request comes next:
// without this a dead endpoint would gather dials.
const setupTimeout = 30 * time.Second

// MostOpen is how many connections may be open, of about 20 KB each at most, before idle
// ones are closed: thousands of endpoints need no dial for each event.
const MostOpen = 3072

// writeBuffer is how many bytes are written at once: most events, and many an order,
// with their headers.
const writeBuffer = 8 << 10

// dialFunc makes connections for a transport.
type dialFunc func(ctx context.Context, network, target string) (net.Conn, error)

// newTransport makes the transport of one part, which has what part.send does not send itself.
// dial is the only way in which either connects. The guard checks each address in it, or has checked the target before it dials
// a proxy.
func newTransport(config *tls.Config, dial dialFunc) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // as the environment's variables say: it would dial for us, past the guard
		DialContext:            dial,
		ForceAttemptHTTP2:      true, // net/http leaves it out beside a DialContext
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    setupTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // recorded and measured as it was sent
		WriteBufferSize:        writeBuffer,
		MaxIdleConnsPerHost:    MostOpen, // see counted
		IdleConnTimeout:        idleTimeout,
		// A dead HTTP/2 connection would otherwise fail every request put on it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
}
