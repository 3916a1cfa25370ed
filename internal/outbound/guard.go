package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
)

// Guard says which addresses requests may go to (docs/contract.md#targets). It
// checks each address that is dialed, after the host name was resolved, so a
// name that changes its address between a check and its use gains nothing. The zero value
// lets requests go to the internet alone.
type Guard struct {
	// AllowPrivate admits what is local to a machine, a site or a document:
	// see the table in address.go.
	AllowPrivate bool
	// AllowHosts admits any address of the hosts that a pattern covers, and any address
	// that one covers, but for what the lists below rule out.
	AllowHosts []string
	// Hosts limits what is called for all tenants, and TenantHosts further what is
	// called for those that it names.
	Hosts       Hosts
	TenantHosts map[string]Hosts

	tenant string // whose requests are checked; "": nobody's
	// blind says that nobody here will ever see the addresses of names: what only an
	// address could let through is refused.
	blind bool
}

// For returns the guard of a tenant's requests.
// A guard is a value, so the guard of the caller does not change.
func (g Guard) For(tenant string) Guard {
	g.tenant = tenant
	return g
}

// owner is the tenant if requests of its own are checked in another way than those of
// others, else "": connections are shared by all who are checked alike.
func (g Guard) owner(tenant string) string {
	if _, limited := g.TenantHosts[tenant]; limited {
		return tenant
	}
	return ""
}

// RefusedError is the failure of a request that the guard refused. Such a request was not
// sent, and is final: it would be refused again.
type RefusedError struct {
	Addr netip.Addr // the address that may not be reached; invalid where its name is ruled out
	What string     // as "a private address"
	Via  netip.Addr // the IPv6 address that leads to Addr; invalid where Addr was dialed
	// Private says that [Guard.AllowPrivate] would admit the address.
	Private bool

	host string // what is ruled out, whatever its address is; "": Addr is why
	rule string // by what, as "is not among outgoing.onlyHosts in the config file"
}

// Error names the address, what is wrong with it, and what would admit it.
func (e *RefusedError) Error() string {
	if e.host != "" {
		return fmt.Sprintf("refused by the target guard: %s %s", e.host, e.rule)
	}
	text := fmt.Sprintf("refused by the target guard: %s is %s", e.Addr, e.What)
	if e.Via.IsValid() {
		text += fmt.Sprintf(" (inside %s)", e.Via)
	}
	// The hint names --allow-private-targets only where that helps: it does not admit the
	// addresses of metadata services, for example.
	if e.Private {
		return text + "; --allow-private-targets (allowPrivateTargets), or outgoing.allowHosts in the config file, admits it"
	}
	return text + "; outgoing.allowHosts in the config file admits it"
}

// Check looks at an address that the host:port target has led to. It returns nil
// or a [*RefusedError].
func (g Guard) Check(target string, addr netip.Addr) error {
	// A zone names a network card of this machine, and makes no other address of it.
	addr = addr.Unmap().WithZone("")
	host, port := splitHost(target)
	if err := g.listed(host, port, reached(addr)...); err != nil {
		return err
	}
	if anyMatches(g.AllowHosts, host, port, addr) {
		return nil
	}
	// The address itself is one of them.
	for _, a := range reached(addr) {
		k := kindOf(a)
		if k == nil || g.AllowPrivate && !k.always || anyMatches(g.AllowHosts, "", port, a) {
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

// CheckHost looks at the host of host:port before it is looked up, where that can
// be told: a literal address, a name that the operator's lists rule out, and localhost
// with the names below it, which lead to the machine itself (RFC 6761, 6.3). Other names
// are checked when they are dialed.
func (g Guard) CheckHost(target string) error {
	host, port := splitHost(target)
	if addr, err := netip.ParseAddr(host); err == nil {
		return g.Check(target, addr)
	}
	if err := g.listed(host, port); err != nil {
		return err
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

// listed holds a host, and the addresses that it leads to, against the operator's lists:
// those of all tenants, and those of this one. The first address is the one that is dialed,
// the others are inside it; none is known before the host is looked up.
func (g Guard) listed(host, port string, addrs ...netip.Addr) error {
	if err := g.Hosts.check("outgoing.", host, port, addrs, g.blind); err != nil {
		return err
	}
	if own, limited := g.TenantHosts[g.tenant]; limited {
		return own.check("outgoing.tenants."+g.tenant+".", host, port, addrs, g.blind)
	}
	return nil
}

// check is listed for the lists at one place of the config file. An address inside
// another one is enough to be denied, and not to be among the only ones: of some IPv6
// addresses whoever has the network chooses what is inside. blind is as in [Guard].
func (h Hosts) check(at, host, port string, addrs []netip.Addr, blind bool) error {
	var dialed netip.Addr
	shown := host
	if len(addrs) > 0 {
		dialed = addrs[0]
		if text := dialed.String(); text != host {
			shown = strings.TrimSpace(host + " (" + text + ")")
		}
	}
	// Deny is looked at first, so it wins where both lists have an entry for the host.
	denied := anyMatches(h.Deny, host, port, dialed)
	for _, inside := range addrs[min(1, len(addrs)):] {
		denied = denied || anyMatches(h.Deny, "", port, inside)
	}
	if denied {
		return &RefusedError{Addr: dialed, host: shown, rule: "is among " + at + "denyHosts in the config file"}
	}
	if len(h.Only) == 0 || anyMatches(h.Only, host, port, dialed) {
		return nil
	}
	if len(addrs) == 0 && !blind {
		for _, entry := range h.Only {
			if parsePattern(entry).ofAddresses() {
				return nil // it may be among these
			}
		}
	}
	return &RefusedError{Addr: dialed, host: shown, rule: "is not among " + at + "onlyHosts in the config file"}
}

// Refusal says why no request will be made to a URL, "" where the guard lets it
// pass or where that is told only when the name is looked up.
// It makes no request and no look-up, so a caller can ask it whenever an endpoint is
// stored.
func (g Guard) Refusal(u *url.URL) string {
	if err := g.CheckHost(hostPort(u)); err != nil {
		return err.Error()
	}
	return ""
}

// hostPort is the host and the port that requests to a URL go to.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// dial connects to target, and puts each of its addresses to the guard before
// the first packet goes there.
func (g Guard) dial(ctx context.Context, resolver *net.Resolver, network, target string) (net.Conn, error) {
	d := net.Dialer{Timeout: setupTimeout, Resolver: resolver, Control: func(_, address string, _ syscall.RawConn) error {
		// net calls this function for each address, after the look-up and before it
		// connects. So the address that is checked is the address that is dialed.
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			// An address that cannot be read cannot be checked, and is refused.
			return errors.New("the guard cannot check the address")
		}
		return g.Check(target, at.Addr())
	}}
	return d.DialContext(dialing(ctx), network, target)
}
