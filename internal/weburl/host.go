package weburl

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// hostProfile maps names of hosts as browsers do: by the lookup profile of IDNA
// (UTS 46, not transitional), which lets underscores pass and hyphens stand
// anywhere.
var hostProfile = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true), idna.CheckHyphens(false),
	idna.StrictDomainName(false), idna.Transitional(false))

// NormalHost returns the name of a host as it is looked up and sent, in ASCII and
// lower case: BÜCHER.example is xn--bcher-kva.example. ok is false for what is the
// name of no host. An IPv6 address has no brackets here.
func NormalHost(name string) (host string, ok bool) {
	if strings.Contains(name, ":") {
		_, err := netip.ParseAddr(name)
		return strings.ToLower(name), err == nil
	}
	if !strings.ContainsFunc(name, notInHost) && !strings.Contains(name, "xn--") {
		return name, name != "" // as nearly all
	}
	host, err := hostProfile.ToASCII(name)
	_, unmapped := hostProfile.ToASCII(host) // what is mapped from bytes that are no text is no name itself
	return host, err == nil && unmapped == nil && host != "" && !strings.ContainsFunc(host, notInHost)
}

// notInHost is true of what stands in no name that can be looked up.
func notInHost(c rune) bool {
	return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_'
}

// mapHost gives a URL's host its normal spelling, and reports whether it is one.
func mapHost(u *url.URL) bool {
	host, ok := NormalHost(u.Hostname())
	if !ok {
		return false
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	// The zeros before a port are removed, so that two spellings of a port are one origin.
	if port := u.Port(); port != "" {
		host += ":" + NormalPort(port)
	}
	u.Host = host
	return true
}

// NormalPort returns a port without the zeros before it, which mean nothing to whoever dials,
// so that it can be compared: 0443 is 443. A port of zeros alone is none, and stays.
func NormalPort(port string) string {
	if normal := strings.TrimLeft(port, "0"); normal != "" {
		return normal
	}
	return port
}
