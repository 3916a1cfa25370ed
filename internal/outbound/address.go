package outbound

import "net/netip"

// kind is a range of addresses that is not simply the internet's. docs/contract.md#targets
// says which are refused when.
// A zero prefix contains no address.
type kind struct {
	prefix netip.Prefix
	what   string
	always bool // refused with AllowPrivate too
}

// kinds are looked up from the top: the narrower range stands first.
var kinds = []kind{
	{netip.MustParsePrefix("169.254.169.254/32"), "a metadata address", true},     // AWS, Azure, Google and most others
	{netip.MustParsePrefix("100.100.100.200/32"), "a metadata address", true},     // Alibaba
	{netip.MustParsePrefix("168.63.129.16/32"), "a metadata address", true},       // Azure's agent
	{netip.MustParsePrefix("192.0.0.192/32"), "a metadata address", true},         // Oracle
	{netip.MustParsePrefix("fd00:ec2::254/128"), "a metadata address", true},      // AWS
	{netip.MustParsePrefix("fd20:ce::254/128"), "a metadata address", true},       // Google
	{netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), "a metadata address", true}, // Oracle
	{netip.MustParsePrefix("169.254.0.0/16"), "a link-local address", true},
	{netip.MustParsePrefix("fe80::/10"), "a link-local address", true},
	{netip.MustParsePrefix("224.0.0.0/4"), "a multicast address", true},
	{netip.MustParsePrefix("ff00::/8"), "a multicast address", true},
	{netip.MustParsePrefix("255.255.255.255/32"), "the broadcast address", true},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address", true},

	// AllowPrivate admits all kinds from here on.
	{netip.MustParsePrefix("127.0.0.0/8"), "a loopback address", false},
	{netip.MustParsePrefix("::1/128"), "a loopback address", false},
	{netip.MustParsePrefix("10.0.0.0/8"), "a private address", false},
	{netip.MustParsePrefix("172.16.0.0/12"), "a private address", false},
	{netip.MustParsePrefix("192.168.0.0/16"), "a private address", false},
	{netip.MustParsePrefix("100.64.0.0/10"), "a carrier-grade NAT address", false},
	{netip.MustParsePrefix("fc00::/7"), "a unique-local address", false},
	{netip.MustParsePrefix("fec0::/10"), "a site-local address", false},
	{netip.MustParsePrefix("0.0.0.0/8"), "an unspecified address", false}, // reaches the machine itself on Linux
	{netip.MustParsePrefix("::/128"), "an unspecified address", false},
	{netip.MustParsePrefix("192.0.0.0/24"), "a protocol address", false},
	{netip.MustParsePrefix("198.18.0.0/15"), "a benchmarking address", false},
	{netip.MustParsePrefix("2001:2::/48"), "a benchmarking address", false},
	{netip.MustParsePrefix("192.0.2.0/24"), "a documentation address", false},
	{netip.MustParsePrefix("198.51.100.0/24"), "a documentation address", false},
	{netip.MustParsePrefix("203.0.113.0/24"), "a documentation address", false},
	{netip.MustParsePrefix("2001:db8::/32"), "a documentation address", false},
	{netip.MustParsePrefix("3fff::/20"), "a documentation address", false},
}

// kindOf returns the kind of an address, nil for one of the internet's. An IPv4 address
// that stands in an IPv6 one must have been taken out before.
// The list is short, so it is looked through from the top each time.
func kindOf(addr netip.Addr) *kind {
	for i := range kinds {
		if kinds[i].prefix.Contains(addr) {
			return &kinds[i]
		}
	}
	return nil
}

// The IPv6 ranges whose addresses lead to an IPv4 address that they hold.
var (
	compatible = netip.MustParsePrefix("::/96")           // RFC 4291, 2.5.5.1
	translated = netip.MustParsePrefix("::ffff:0:0:0/96") // RFC 2765
	nat64      = netip.MustParsePrefix("64:ff9b::/96")    // RFC 6052
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")  // RFC 8215
	sixToFour  = netip.MustParsePrefix("2002::/16")       // RFC 3056
	teredo     = netip.MustParsePrefix("2001::/32")       // RFC 4380
)

// reached returns the address and any IPv4 address that packets to it may end
// up at. IPv4-mapped addresses are IPv4 by then. The guard looks at all of them, since
// nobody can tell from here which one the networks on the way will use.
func reached(addr netip.Addr) []netip.Addr {
	all := []netip.Addr{addr}
	// An IPv4 address cannot hold another one.
	if addr.Is4() {
		return all
	}
	b := addr.As16()
	add := func(v4 ...byte) { all = append(all, netip.AddrFrom4([4]byte(v4))) }
	switch {
	case compatible.Contains(addr), translated.Contains(addr), nat64.Contains(addr):
		add(b[12:]...)
	case localNAT64.Contains(addr):
		add(b[12:]...)
		// The range may also be used whole, as a /48: the address then lies
		// around byte 8. Zeros there are those of a /96 within the range.
		if b[6]|b[7]|b[9]|b[10] != 0 {
			add(b[6], b[7], b[9], b[10])
		}
	case sixToFour.Contains(addr):
		add(b[2:6]...)
	// Teredo writes each bit of the address the other way round.
	case teredo.Contains(addr):
		add(^b[12], ^b[13], ^b[14], ^b[15])
	}
	if b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, RFC 5214
		add(b[12:]...)
	}
	return all
}
