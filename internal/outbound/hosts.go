package outbound

import (
	"errors"
	"net"
	"net/netip"
	"strings"

	"github.com/orderhook/orderhook/internal/weburl"
)

// Hosts are the lists by which an operator limits what is called. An entry is a pattern,
// as in [CheckPattern].
// The zero value limits nothing.
type Hosts struct {
	Only []string // nothing else is called; none: any host is
	Deny []string // not called, even if Only has it
}

// pattern is an entry of a list of hosts, taken apart.
// The zero pattern covers nothing.
type pattern struct {
	prefix netip.Prefix // a range of addresses; invalid where the entry is something else
	host   string       // a name or an address in its normal spelling; "" is any, if below is set
	below  bool         // the names below host, as *.example.com has it, and not host itself
	port   string       // "" is any
}

// parsePattern reads an entry. ".example.com", as other programs write it, is the same as
// "*.example.com".
// It reports no error, so each entry that comes from outside has to pass CheckPattern
// first.
func parsePattern(entry string) pattern {
	if prefix, err := ParsePrefix(entry); err == nil {
		return pattern{prefix: prefix}
	}
	// The entry "*" leaves an empty host with below set, and that covers every host.
	rest, below := strings.CutPrefix(entry, "*")
	if strings.HasPrefix(rest, ".") {
		rest, below = rest[1:], true
	}
	// splitHost gives the entry the same spelling as the targets have, so matches can
	// compare the two texts.
	host, port := splitHost(rest)
	return pattern{host: host, below: below, port: port}
}

// matches reports whether a pattern covers a host, which is a name or an address, or the
// address that it leads to. The zero address is one that is not known yet.
func (p pattern) matches(host, port string, addr netip.Addr) bool {
	switch {
	// Contains is false for the zero address, so a range never covers a name before the
	// name is looked up.
	case p.prefix.IsValid():
		return p.prefix.Contains(addr)
	case p.port != "" && p.port != port:
		return false
	case p.below && p.host == "":
		return true
	// The dot keeps *.example.com from covering badexample.com.
	case p.below:
		return strings.HasSuffix(host, "."+p.host)
	}
	// The text of the zero address is "invalid IP". No entry can be equal to it, because
	// CheckPattern refuses a space.
	return p.host != "" && (p.host == host || p.host == addr.String())
}

// ofAddresses reports whether it takes the address of a name to know whether the
// pattern covers the name.
// Such an entry can neither admit nor deny a name that is not looked up yet.
func (p pattern) ofAddresses() bool {
	_, err := netip.ParseAddr(p.host)
	return p.prefix.IsValid() || err == nil
}

// anyMatches reports whether one of a list's entries covers a host or an address.
// It parses each entry anew: the lists are short, and so nothing has to be prepared again
// when the operator changes them.
func anyMatches(entries []string, host, port string, addr netip.Addr) bool {
	for _, entry := range entries {
		if parsePattern(entry).matches(host, port, addr) {
			return true
		}
	}
	return false
}

// errPattern says what an entry of a list of hosts may be.
var errPattern = errors.New("must be a host name, *.example.com for the names below one, * for any, or an IP address, each with or without a port, or a range like 10.0.0.0/8")

// CheckPattern says what is wrong with an entry of a list of hosts. What matches
// nothing, such as a URL, would look like a limit and be none.
func CheckPattern(entry string) error {
	// Only a range may have a slash. A URL has one, too, and is refused here.
	if strings.Contains(entry, "/") {
		if _, err := ParsePrefix(entry); err != nil {
			return errPattern
		}
		return nil
	}
	rest, star := strings.CutPrefix(entry, "*")
	if star && rest != "" && rest[0] != '.' && rest[0] != ':' {
		return errPattern // as *example.com, which might mean one thing or another
	}
	rest = strings.TrimPrefix(rest, ".")
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		// The entry has no port. Port 1 takes its place, only so that the check below
		// passes. A colon that is left must belong to an IPv6 address.
		host, port = strings.Trim(rest, "[]"), "1"
		if _, err := netip.ParseAddr(host); strings.Contains(host, ":") && err != nil {
			return errPattern
		}
	}
	// ParseURL looks at the port alone, since h takes the place of the host. So ports have
	// the same rule here as in the URLs of endpoints.
	if _, ok := weburl.ParseURL("http://h:" + port); !ok || strings.ContainsAny(host, " \t@*?#,") || host == "" && !star {
		return errPattern
	}
	return nil
}

// ParsePrefix reads a range of addresses. One of IPv4 addresses inside IPv6, as
// ::ffff:198.51.100.0/120, is the range of those IPv4 addresses, as which they are compared.
func ParsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !prefix.Addr().Is4In6() {
		return prefix, err
	}
	// A shorter prefix covers IPv6 addresses as well, which cannot be compared as IPv4
	// addresses.
	if prefix.Bits() < 96 {
		return netip.Prefix{}, errPattern // not of IPv4 addresses alone
	}
	// The first 96 bits only say that an IPv4 address follows, so they are not part of its
	// range.
	return netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96), nil
}

// splitHost takes a host with or without a port apart, and gives both the
// one spelling by which they can be compared.
func splitHost(s string) (host, port string) {
	// An error means that there is no port. In a pattern "" then covers every port.
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), ""
	}
	port = weburl.NormalPort(port)
	// ::ffff:192.0.2.1 and 192.0.2.1 are one machine, and a zone only names a network card
	// of this machine. Nobody may get past a list by writing an address in another way.
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().WithZone("").String(), port
	}
	if normal, ok := weburl.NormalHost(host); ok {
		host = normal // as the URL's is
	}
	// A dot at the end makes no other name, so it must not get past a list either.
	return strings.TrimSuffix(host, "."), port
}
