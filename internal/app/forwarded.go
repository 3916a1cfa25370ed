package app

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
)

// Forwarding is which proxies before the server are believed when they say whom a request
// came from.
type Forwarding struct {
	TrustedProxies []netip.Prefix // none: nobody is believed
	// ForwardedHeader is the one that they write, X-Forwarded-For or Forwarded. The other
	// one is not read: a proxy passes on what it does not know, as the caller wrote it.
	ForwardedHeader string
}

// The headers that proxies say whom a request came from with.
const (
	XForwardedFor = "X-Forwarded-For"
	Forwarded     = "Forwarded" // RFC 7239
)

// forwarded gives requests the address of whoever sent them, where a trusted proxy knows
// it, so that all that counts or records addresses needs to know nothing of proxies.
type forwarded struct {
	// A reload replaces the rules as a whole, while requests read them.
	by   atomic.Pointer[Forwarding]
	next http.Handler
}

func newForwarded(by Forwarding, next http.Handler) *forwarded {
	f := &forwarded{next: next}
	f.by.Store(&by)
	return f
}

// ServeHTTP implements [http.Handler].
func (f *forwarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The rules are read once, so that a reload meanwhile does not mix old and new ones.
	by := f.by.Load()
	// RemoteAddr comes from the connection, so no caller can choose it. If it is not trusted,
	// the headers are not read.
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && by.trusts(peer.Addr()) {
		hops := by.hops(r.Header)
		// The port is 0 where no hop names it.
		if client := by.client(peer, hops); client != peer {
			r = r.WithContext(r.Context()) // a copy: a handler must not change what it is given
			r.RemoteAddr = client.String()
		}
	}
	f.next.ServeHTTP(w, r)
}

// trusts reports whether an address is that of a trusted proxy. An IPv4 address that is
// written as an IPv6 one counts as IPv4, and a zone does not count, as a range has none.
func (f *Forwarding) trusts(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(f.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// client goes back from hop to hop for as long as the one that named the next is trusted.
// A hop that is not trusted may write what it likes. Where a hop is hidden, or no address, the
// last one that is known stands for all that came by it.
func (f *Forwarding) client(peer netip.AddrPort, hops []string) netip.AddrPort {
	// The peer wrote the last hop. Each hop before it was written by the one behind it.
	for _, hop := range slices.Backward(hops) {
		named, ok := hopAddress(hop)
		// A hop may hide itself, as "unknown" does. Nobody can say then whether it is trusted.
		if !ok {
			return peer
		}
		// The first address that is not trusted is the caller, and may have written all hops
		// before it.
		if peer = named; !f.trusts(peer.Addr()) {
			return peer
		}
	}
	// All hops are trusted, or there are none: the first of the chain is the caller.
	return peer
}

// hops are the addresses that the header names, the last of them by the nearest proxy.
func (f *Forwarding) hops(h http.Header) (hops []string) {
	// A header may come on several lines, which together are one list (RFC 9110, 5.3).
	for _, line := range h.Values(f.ForwardedHeader) {
		if f.ForwardedHeader != Forwarded {
			for element := range strings.SplitSeq(line, ",") {
				hops = append(hops, strings.TrimSpace(element))
			}
			continue
		}
		elements, ok := unquotedParts(line, ',')
		if !ok {
			elements = []string{""} // which part the proxy wrote cannot be told
		}
		// An element that names no node gives "", which is no address. So client stops there.
		for _, element := range elements {
			hops = append(hops, forOf(element))
		}
	}
	return hops
}

// unquotedParts splits a text at the separators that stand outside of quotes: what is inside
// may have been written by the caller, as its Host (RFC 7239, 4). ok is false where a
// quote does not end.
func unquotedParts(text string, separator byte) (parts []string, ok bool) {
	quoted, begin := false, 0
	// Bytes are enough: in UTF-8, no part of another character is a quote or a separator.
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case quoted && text[i] == '\\':
			i++ // what follows is escaped
		case !quoted && text[i] == separator:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:]), !quoted
}

// forOf is the node that an element of a Forwarded header names, as "192.0.2.43" or
// "[2001:db8::1]:4711" with their quotes taken off; "" if it names none.
func forOf(element string) string {
	// hops has seen to it that each quote ends.
	pairs, _ := unquotedParts(element, ';')
	for _, pair := range pairs {
		// The names of parameters have no case (RFC 7239, 4).
		if name, value, ok := strings.Cut(pair, "="); ok && strings.EqualFold(strings.TrimSpace(name), "for") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}

// hopAddress reads an address, with or without a port; 0 stands for one that is not known.
func hopAddress(hop string) (netip.AddrPort, bool) {
	if full, err := netip.ParseAddrPort(hop); err == nil {
		return netip.AddrPortFrom(full.Addr().Unmap(), full.Port()), true
	}
	if host, _, err := net.SplitHostPort(hop); err == nil {
		hop = host // with a port that is hidden, as _1
	}
	// An IPv6 address stands in brackets in a Forwarded header, also without a port.
	addr, err := netip.ParseAddr(strings.Trim(hop, "[]"))
	return netip.AddrPortFrom(addr.Unmap(), 0), err == nil
}
