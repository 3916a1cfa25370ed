package outbound

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound/dnstest"
)

// door listens on all addresses of this machine, and notes at which of them somebody has
// connected. 127.0.0.1 stands for an address of the internet, which the guard lets through,
// and 127.0.0.2 for one inside.
type door struct {
	port string

	mu sync.Mutex
	at []string // the addresses that were connected to
}

// insideAllowed lets through what stands for the internet, and nothing else of this machine.
var insideAllowed = Guard{AllowHosts: []string{"127.0.0.1"}}

func newDoor(t *testing.T, answer http.HandlerFunc) *door {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{}
	_, d.port, _ = net.SplitHostPort(l.Addr().String())
	s := &http.Server{Handler: answer, ConnState: func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			host, _, _ := net.SplitHostPort(c.LocalAddr().String())
			d.mu.Lock()
			defer d.mu.Unlock()
			d.at = append(d.at, strings.TrimPrefix(host, "::ffff:"))
		}
	}}
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() { _ = s.Close(); served.Wait() })
	return d
}

func (d *door) connected() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.at, " ")
}

// TestANameThatIsRebound: a name leads to the internet when it is looked up first, and
// inside from then on. Whatever connection comes next, none goes inside.
func TestANameThatIsRebound(t *testing.T) {
	d := newDoor(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") })
	dns := dnstest.Serve(t, func(_ string, before int) dnstest.Answer {
		if before == 0 {
			return dnstest.To("127.0.0.1")
		}
		return dnstest.To("127.0.0.2")
	})
	c := New(Options{Guard: insideAllowed, Resolver: ResolverAt(dns)})
	defer c.Close()
	post := func() Exchange {
		return c.Post(t.Context(), Request{URL: "http://shop.example:" + d.port + "/"})
	}
	if x := post(); x.Class() != Answered {
		t.Fatalf("the first time: %s", x.Failure())
	}
	for range 3 {
		if x := post(); !x.Refused() || !strings.Contains(x.Failure(), "127.0.0.2 is a loopback address") {
			t.Errorf("after that: %s", x.Failure())
		}
	}
	if at := d.connected(); at != "127.0.0.1" {
		t.Errorf("connected to %s", at)
	}
}

// TestWhatNamesLeadTo: whatever a DNS server answers, no address inside is connected to.
func TestWhatNamesLeadTo(t *testing.T) {
	d := newDoor(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.2/", http.StatusTemporaryRedirect)
	})
	answers := map[string]dnstest.Answer{
		"inside.example":    dnstest.To("127.0.0.2"),
		"mixed.example":     dnstest.To("127.0.0.2", "127.0.0.1", "127.0.0.3"),
		"alias.example":     {CNAME: "localhost.inside.example", Addrs: dnstest.To("127.0.0.2").Addrs},
		"mapped.example":    dnstest.To("::ffff:127.0.0.2"),
		"nat64.example":     dnstest.To("64:ff9b::127.0.0.2"),
		"zero.example":      dnstest.To("0.0.0.0"),
		"zero6.example":     dnstest.To("::"),
		"local6.example":    dnstest.To("::1"),
		"metadata.example":  dnstest.To("169.254.169.254"),
		"elsewhere.example": dnstest.To("127.0.0.1"), // whose answer is a redirect inside
	}
	c := New(Options{Guard: insideAllowed, Resolver: ResolverAt(dnstest.Serve(t, func(name string, _ int) dnstest.Answer { return answers[name] }))})
	defer c.Close()
	for name := range answers {
		x := c.Post(t.Context(), Request{URL: "http://" + name + ":" + d.port + "/"})
		switch name {
		case "mixed.example", "elsewhere.example":
			if x.Status != http.StatusTemporaryRedirect {
				t.Errorf("%s: %d %s", name, x.Status, x.Failure())
			}
		default:
			if !x.Refused() || x.Status != 0 {
				t.Errorf("%s: %d %s", name, x.Status, x.Failure())
			}
		}
	}
	if at := strings.ReplaceAll(d.connected(), "127.0.0.1", ""); strings.TrimSpace(at) != "" {
		t.Errorf("connected to %s", at)
	}
	if x := c.Post(t.Context(), Request{URL: "http://nothing.example:" + d.port + "/"}); x.Failure() != "no such host" {
		t.Errorf("no such name: %s", x.Failure())
	}
}
