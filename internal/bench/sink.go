package bench

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// sink is an endpoint of events that does no work of its own: it reads each,
// counts it, and answers 204. It runs in this process, so its CPU time is in all figures;
// profiles tell it apart by its label.
type sink struct {
	*httptest.Server
	arrived atomic.Int64
	client  *http.Client           // a bare one, which trusts it
	trust   string                 // what an endpoint says of its TLS, as subscribe takes it; "" without TLS
	flight  atomic.Pointer[flight] // whose events it times; nil: none
}

// startSink starts a sink. The caller closes it.
func startSink(ctx context.Context) *sink {
	s := &sink{client: newClient()}
	part(ctx, "sink", func() { s.Server = httptest.NewServer(s) })
	return s
}

// startSecureSink starts a sink that speaks TLS, and HTTP/1.1 within it.
func startSecureSink(ctx context.Context) *sink {
	s := &sink{client: newClient()}
	part(ctx, "sink", func() { s.Server = httptest.NewTLSServer(s) })
	authorities := x509.NewCertPool()
	authorities.AddCert(s.Certificate())
	s.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: authorities}
	s.trust = trusting(s.Certificate())
	return s
}

// trusting is a further field of an endpoint's JSON: who vouches for its certificate.
func trusting(authority *x509.Certificate) string {
	return fmt.Sprintf(`,"tls":{"ca":%q}`, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw}))
}

// Close closes a sink, and the connections of the bare client.
func (s *sink) Close() {
	s.client.CloseIdleConnections()
	s.Server.Close()
}

// ServeHTTP implements http.Handler. The time is taken first, before the body is read.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	if f := s.flight.Load(); f != nil {
		f.land(eventID(r.Body), at)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	s.arrived.Add(1)
	w.WriteHeader(http.StatusNoContent)
}

// eventID reads the beginning of an event's body, where its id stands: the
// webhook-id is orderhook's own. The id that the publisher gave says which event of a
// flight it is.
func eventID(body io.Reader) string {
	// So many bytes have the id in them, since it is the first field.
	head := make([]byte, 64)
	n, _ := io.ReadFull(body, head)
	_, rest, _ := strings.Cut(string(head[:n]), `{"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

// flight is events on their way, by their numbers: when each was published, and
// when it first arrived. The measurement sends, and the sink lands them, on other
// goroutines: so all of it is atomic.
type flight struct {
	name    string // begins the ids of its events
	begun   time.Time
	sent    []atomic.Int64 // nanoseconds since begun
	arrived []atomic.Int64 // 0: not yet
	landed  atomic.Int64   // how many have arrived
	again   atomic.Int64   // how many arrived once more
}

// newFlight makes a flight of so many events, of which none is sent.
func newFlight(name string, events int) *flight {
	return &flight{name: name, begun: time.Now(), sent: make([]atomic.Int64, events), arrived: make([]atomic.Int64, events)}
}

// id is the id of an event.
func (f *flight) id(i int) string { return fmt.Sprintf("%s-%d", f.name, i) }

// send notes that an event is published now. It is called just before, so the time has
// everything that publishing takes.
func (f *flight) send(i int) { f.sent[i].Store(int64(time.Since(f.begun))) }

// land notes the arrival of an event; those of another flight are nothing to it.
func (f *flight) land(id string, at time.Time) {
	name, number, _ := strings.Cut(id, "-")
	i, err := strconv.Atoi(number)
	if name != f.name || err != nil || i < 0 || i >= len(f.arrived) {
		return
	}
	// The first arrival counts, and a second one is an error of whoever sends.
	if !f.arrived[i].CompareAndSwap(0, int64(at.Sub(f.begun))) {
		f.again.Add(1)
		return
	}
	f.landed.Add(1)
}

// took is how long those of the events took that have arrived, of those picked. Those
// that have not arrived are counted.
func (f *flight) took(pick func(i int) bool) (times sample, missing int) {
	for i := range f.arrived {
		switch at := f.arrived[i].Load(); {
		case !pick(i):
		case at == 0:
			missing++
		default:
			times = append(times, time.Duration(at-f.sent[i].Load()))
		}
	}
	return times, missing
}

// every picks all events.
func every(int) bool { return true }
