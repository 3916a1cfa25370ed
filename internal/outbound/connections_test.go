package outbound

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// dialBy has the client dial another way.
func (c *Client) dialBy(change func(dialFunc) dialFunc) {
	general := c.network.Load().general
	fresh := general.fresh
	general.fresh = func() *http.Transport {
		t := fresh()
		t.DialContext = change(t.DialContext)
		return t
	}
}

// aging is a client whose time is a test's, and which counts its dials.
type aging struct {
	*Client
	clock *clocktest.Fake
	dials atomic.Int32
	where atomic.Value // the address that every name leads to
}

func newAging(t *testing.T, to *httptest.Server) *aging {
	t.Helper()
	a := &aging{clock: clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))}
	o := Options{Guard: Guard{AllowPrivate: true}}
	if to.TLS != nil {
		o.RootCAs = to.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	}
	a.Client = newAt(o, a.clock.Now)
	a.where.Store(to.Listener.Addr().String())
	a.dialBy(func(dial dialFunc) dialFunc {
		return func(ctx context.Context, network, _ string) (net.Conn, error) {
			a.dials.Add(1)
			return dial(ctx, network, a.where.Load().(string))
		}
	})
	t.Cleanup(a.Close)
	return a
}

func (a *aging) post(t *testing.T, url string) string {
	t.Helper()
	x := a.Post(t.Context(), Request{URL: url, Body: []byte(`{}`)})
	if x.Err != nil {
		t.Fatal(x.Err)
	}
	return string(x.Body)
}

// named serves HTTP/1.1, or HTTP/2 over TLS, and answers with a name and the
// protocol.
func named(t *testing.T, name string, h2 bool) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name, " ", r.Proto) }))
	s.EnableHTTP2 = h2
	if h2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// TestANameThatMovesIsFollowed while requests flow, one a second, over one
// connection at a time.
func TestANameThatMovesIsFollowed(t *testing.T) {
	for proto, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(proto, func(t *testing.T) {
			first := named(t, "first", h2)
			url := "http://example.com/"
			if h2 {
				url = "https://example.com/" // which the test servers' certificates are for
			}
			a := newAging(t, first)
			var got []string
			for second := range 10 * 60 {
				if second == 5*60 {
					a.where.Store(named(t, "second", h2).Listener.Addr().String())
				}
				got = append(got, a.post(t, url))
				a.clock.Advance(time.Second)
			}
			moved := slices.Index(got, "second "+proto)
			if moved < 5*60 || moved > 5*60+int(DefaultConnectionAge/time.Second) || slices.Contains(got[moved:], "first "+proto) {
				t.Errorf("it was followed after %d s", moved-5*60)
			}
			if n := a.dials.Load(); n < 7 || n > 8 { // ten minutes have six and two thirds of it
				t.Errorf("%d dials", n)
			}
		})
	}
}

// TestTheAgeOfConnectionsIsTheOperators: what is said is what holds.
func TestTheAgeOfConnectionsIsTheOperators(t *testing.T) {
	var dials atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dials.Add(1)
		}
	}
	s.Start()
	defer s.Close()
	fake := clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	c := newAt(Options{Guard: Guard{AllowPrivate: true}, MaxConnectionAge: 10 * time.Second}, fake.Now)
	defer c.Close()
	for range 60 {
		if x := c.Post(t.Context(), Request{URL: s.URL}); x.Err != nil {
			t.Fatal(x.Err)
		}
		fake.Advance(time.Second)
	}
	if n := dials.Load(); n < 6 || n > 7 {
		t.Errorf("%d dials in a minute", n)
	}
}

// TestNotAllConnectionsEndAtOnce: those to many hosts are replaced little by
// little.
func TestNotAllConnectionsEndAtOnce(t *testing.T) {
	a := newAging(t, named(t, "one", false))
	const hosts = 64
	round := func() int32 {
		before := a.dials.Load()
		for i := range hosts {
			a.post(t, fmt.Sprintf("http://host%d.example/", i))
		}
		return a.dials.Load() - before
	}
	if n := round(); n != hosts {
		t.Fatalf("%d dials of %d hosts", n, hosts)
	}
	for range 4 * int(DefaultConnectionAge/time.Second) {
		a.clock.Advance(time.Second)
		if n := round(); n > hosts/2 {
			t.Errorf("%d of %d connections ended together", n, hosts)
		}
	}
	if n := a.dials.Load(); n < 4*hosts || n > 6*hosts {
		t.Errorf("%d dials in four times the longest age", n)
	}
}

// TestWhatIsUnderWayOutlivesItsConnectionsAge: it ends on the connection it has.
func TestWhatIsUnderWayOutlivesItsConnectionsAge(t *testing.T) {
	came, goOn := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(came)
			<-goOn
		}
	}))
	defer s.Close()
	a := newAging(t, s)
	var slow sync.WaitGroup
	slow.Go(func() { a.post(t, "http://example.com/slow") })
	<-came
	a.clock.Advance(2 * DefaultConnectionAge)
	a.post(t, "http://example.com/")
	close(goOn)
	slow.Wait()
	a.post(t, "http://example.com/")
	if n := a.dials.Load(); n != 2 {
		t.Errorf("%d dials", n)
	}
}

// TestAnIdleConnectionOfThatAgeIsClosed, once another one takes its place.
func TestAnIdleConnectionOfThatAgeIsClosed(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	closed := make(chan struct{}, 2)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	s.Start()
	defer s.Close()
	a := newAging(t, s)
	a.post(t, "http://example.com/")
	a.clock.Advance(2 * DefaultConnectionAge)
	a.post(t, "http://example.com/")
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Error("it is open, beside the new one")
	}
}

// TestNoMoreConnectionsThanThereMayBe: idle ones are closed for new ones, of
// whatever host, and of requests that trust others.
func TestNoMoreConnectionsThanThereMayBe(t *testing.T) {
	const most, hosts = 8, 40
	c := newClient(t, nil)
	c.mostOpen = most
	trust, err := NewTrust(TrustOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range hosts {
		r := Request{URL: serve(t, func(http.ResponseWriter, *http.Request) {})}
		if i%2 == 1 {
			r.Trust = trust
		}
		if x := c.Post(t.Context(), r); x.Err != nil {
			t.Fatal(x.Err)
		}
		// One may be under way, and one on its way back, which nobody can close yet.
		if n := c.open.Load(); n > most+2 {
			t.Fatalf("%d connections are open", n)
		}
	}
	if n := c.open.Load(); n == 0 {
		t.Error("no connection is retained")
	}
	c.Close()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) { // the last may still be on its way back
		if c.open.Load() == 0 {
			return
		}
		c.Close()
	}
	t.Errorf("%d connections are open in the end", c.open.Load())
}
