package main

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/outbound"
)

// outgoing is the flags of outgoing calls: how they are made, and what they may take.
type outgoing struct {
	MaxOutgoing            count         `default:"${maxOutgoing}" help:"Outgoing calls at once, which tenants share, and the endpoints and connectors of each: nobody may have more than three times as many as are left."`
	MaxAnswerBytesInFlight answerBytes   `default:"${maxAnswerBytes}" placeholder:"SIZE" help:"Bytes of answers that may be read at once, and bytes that answers may take until they are applied, shared as calls are."`
	Proxy                  string        `placeholder:"URL" help:"Proxy of outgoing calls: http://, https:// or socks5://, with a user and password if it wants them. The variables HTTP_PROXY and HTTPS_PROXY are not read."`
	NoProxy                nameList      `placeholder:"HOSTS" help:"Hosts that are called without --proxy: names, *.example.com, addresses and ranges between commas, with or without a port."`
	ProxyLookup            bool          `default:"true" negatable:"" help:"Looks names up and checks their addresses before --proxy gets them. Turn it off where only the proxy can look up names."`
	CAFile                 string        `name:"ca-file" placeholder:"FILE" help:"Certificates, PEM, of authorities that outgoing calls trust beside those of the system."`
	ConnectionMaxAge       connectionAge `default:"${connectionAge}" placeholder:"DURATION" help:"How long an outgoing connection is used, so that a name that has moved is followed."`
	Resolver               string        `placeholder:"ADDRESS" hidden:"" help:"DNS server of outgoing calls; for tests."`
}

// set completes the options of a server. A server that may make no call would start and
// do nothing.
func (o *outgoing) set(to *app.Options) error {
	// The flag takes 0 as any count does, so it is refused here.
	if o.MaxOutgoing == 0 {
		return app.UserErrorf("--max-outgoing must be 1 or more")
	}
	to.MaxOutgoing, to.MaxAnswerBytes = int64(o.MaxOutgoing), int64(o.MaxAnswerBytesInFlight)
	to.Outgoing = app.Outgoing{Proxy: o.Proxy, NoProxy: o.NoProxy, ProxyLookup: o.ProxyLookup, CAFile: o.CAFile,
		MaxConnectionAge: time.Duration(o.ConnectionMaxAge), Resolver: o.Resolver}
	return nil
}

// connectionAge is a duration that connections can have: with none at all each call would
// make one of its own.
type connectionAge time.Duration

// String is how the help shows a default.
func (a connectionAge) String() string { return time.Duration(a).String() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *connectionAge) UnmarshalText(text []byte) error {
	var d duration
	if err := d.UnmarshalText(text); err != nil {
		return err
	}
	// Below a second, connections would be made again and again under load.
	if time.Duration(d) < time.Second {
		return fmt.Errorf("%q is less than a second", text)
	}
	*a = connectionAge(d)
	return nil
}

// forwarding is the flags of proxies that stand before the server.
type forwarding struct {
	TrustedProxies  prefixList      `placeholder:"RANGES" help:"Addresses and ranges, between commas, of proxies before the server that are believed when they say whom a request came from."`
	ForwardedHeader forwardedHeader `default:"X-Forwarded-For" help:"Header that --trusted-proxies write: X-Forwarded-For or Forwarded."`
}

// options returns what a server needs to know of the proxies before it. Without any, nobody's
// header is believed.
func (f *forwarding) options() app.Forwarding {
	return app.Forwarding{TrustedProxies: f.TrustedProxies, ForwardedHeader: string(f.ForwardedHeader)}
}

// prefixList is a flag that takes addresses and ranges between commas.
type prefixList []netip.Prefix

// String writes the ranges as they may be given.
func (l prefixList) String() string {
	var texts []string
	for _, p := range l {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ",")
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *prefixList) UnmarshalText(text []byte) error {
	var entries nameList
	_ = entries.UnmarshalText(text) // which takes any
	// The list is emptied first, because a flag that is given twice has its last value.
	*l = nil
	for _, entry := range entries {
		prefix, err := outbound.ParsePrefix(entry)
		// A plain address is a range of one. One with a zone is refused, since the zone means
		// something on one machine alone.
		if addr, plain := netip.ParseAddr(entry); plain == nil && addr.Zone() == "" {
			prefix, err = addr.Unmap().Prefix(addr.Unmap().BitLen())
		}
		if err != nil {
			return fmt.Errorf("%q is no address and no range: write 10.0.0.5 or 10.0.0.0/8", entry)
		}
		// The bits behind the length are cleared, so that 10.1.2.3/8 means what its author
		// wanted.
		*l = append(*l, prefix.Masked())
	}
	return nil
}

// forwardedHeader is a flag that names one of the two headers.
type forwardedHeader string

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *forwardedHeader) UnmarshalText(text []byte) error {
	for _, known := range []string{app.XForwardedFor, app.Forwarded} {
		// The names of headers have no case, and the known spelling is stored.
		if strings.EqualFold(known, string(text)) {
			*h = forwardedHeader(known)
			return nil
		}
	}
	return fmt.Errorf("%q is none of the headers: write %s or %s", text, app.XForwardedFor, app.Forwarded)
}

// leastAnswerBytes is room for one answer of the greatest length, and some more.
// It is in bytes.
const leastAnswerBytes = 8 << 20

// answerBytes is a flag that takes a number of bytes, not too few for any answer. With
// fewer, a large answer could never be read, and its call would fail for ever.
type answerBytes int64

// String writes it as it may be given.
func (b answerBytes) String() string {
	if b%(1<<20) == 0 {
		return fmt.Sprintf("%dMiB", b>>20)
	}
	return fmt.Sprint(int64(b))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *answerBytes) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	// The upper bound leaves space for sums of such numbers, which must not overflow.
	if err != nil || n < leastAnswerBytes || n > math.MaxInt64>>10 {
		return fmt.Errorf("%q is no number of bytes of 8MiB or more: write 256MiB or 268435456", text)
	}
	*b = answerBytes(n)
	return nil
}
