package hook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"github.com/orderhook/orderhook/internal/oms"
)

// Guard says which addresses requests may go to (API.md, "Command line"). It
// judges each address that is dialed, after the host name was resolved, so a
// name that changes its address between a check and its use gains nothing.
type Guard struct {
	// AllowPrivate admits what is local to a machine, a site or a document:
	// see the table in address.go.
	AllowPrivate bool
	// AllowHosts admits any address: the URL's host by its name or as an IP
	// address, either also with a port, and addresses within a CIDR prefix.
	AllowHosts []string
}

// RefusedError is the failure of a request that the guard kept back.
type RefusedError struct {
	Addr netip.Addr // the address that may not be reached
	What string     // as "a private address"
	Via  netip.Addr // the IPv6 address that leads to Addr; invalid where Addr was dialed
	// Private says that [Guard.AllowPrivate] would admit the address.
	Private bool
}

// Error names the address, what is wrong with it, and what would admit it.
func (e *RefusedError) Error() string {
	text := fmt.Sprintf("refused by the target guard: %s is %s", e.Addr, e.What)
	if e.Via.IsValid() {
		text += fmt.Sprintf(" (inside %s)", e.Via)
	}
	if e.Private {
		return text + "; --allow-private-targets (allowPrivateTargets), or outgoing.allowHosts in the config file, admits it"
	}
	return text + "; outgoing.allowHosts in the config file admits it"
}

// Check judges an address that the host:port target has led to. It returns nil
// or a [*RefusedError].
func (g Guard) Check(target string, addr netip.Addr) error {
	addr = addr.Unmap().WithZone("")
	host, port := splitHost(target)
	if g.allows(host, port, addr) {
		return nil
	}
	for _, a := range reached(addr) {
		k := kindOf(a)
		if k == nil || g.AllowPrivate && !k.always || g.allows("", port, a) {
			continue
		}
		refused := &RefusedError{Addr: a, What: k.what, Private: !k.always}
		if a != addr {
			refused.Via = addr
		}
		return refused
	}
	return nil
}

// CheckHost judges the host of host:port before it is looked up, where that can
// be told: a literal address, and localhost with the names below it, which lead
// to the machine itself (RFC 6761, 6.3). Other names are judged when they are
// dialed.
func (g Guard) CheckHost(target string) error {
	host, _ := splitHost(target)
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.Check(target, addr)
	}
	if host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return nil
	}
	err := g.Check(target, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil && g.Check(target, netip.IPv6Loopback()) == nil {
		return nil // it may lead there
	}
	return err
}

// Refusal says why no request will be made to a URL, "" where the guard lets it
// pass or where that is told only when the name is looked up.
func (g Guard) Refusal(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if err := g.CheckHost(net.JoinHostPort(u.Hostname(), port)); err != nil {
		return err.Error()
	}
	return ""
}

// allows reports whether AllowHosts names the host or the address.
func (g Guard) allows(host, port string, addr netip.Addr) bool {
	for _, entry := range g.AllowHosts {
		if prefix, err := netip.ParsePrefix(entry); err == nil {
			if prefix.Contains(addr) {
				return true
			}
			continue
		}
		h, p := splitHost(entry)
		if h != "" && (h == host || h == addr.String()) && (p == "" || p == port) {
			return true
		}
	}
	return false
}

// splitHost takes a host with or without a port apart, and gives the host the
// one spelling by which it can be compared.
func splitHost(s string) (host, port string) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), ""
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().WithZone("").String(), port
	}
	if normal, ok := oms.NormalHost(host); ok {
		host = normal // as the URL's is
	}
	return strings.TrimSuffix(host, "."), port
}

// dial connects to target, and puts each of its addresses to the guard before
// the first packet goes there.
func (g Guard) dial(ctx context.Context, network, target string) (net.Conn, error) {
	d := net.Dialer{Timeout: setupTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errors.New("the guard cannot judge the address")
		}
		return g.Check(target, at.Addr())
	}}
	return d.DialContext(dialing(ctx), network, target)
}
