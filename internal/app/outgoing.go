package app

import (
	"context"
	"crypto/x509"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
)

// Targets say where outgoing requests may go.
type Targets struct {
	// AllowPrivate admits private and loopback targets; nil does so where the
	// server listens on a loopback address itself.
	AllowPrivate *bool
	AllowHosts   []string // as in [outbound.Guard], as are the next two
	Hosts        outbound.Hosts
	TenantHosts  map[string]outbound.Hosts
}

// guard checks whether the server is on a loopback address by the one that it
// got, not by the name that it was given.
func (t Targets) guard(at net.Addr) outbound.Guard {
	g := outbound.Guard{AllowHosts: t.AllowHosts, Hosts: t.Hosts, TenantHosts: t.TenantHosts}
	// An explicit value holds, whatever the address of the server is.
	if t.AllowPrivate != nil {
		g.AllowPrivate = *t.AllowPrivate
	} else if tcp, ok := at.(*net.TCPAddr); ok {
		// A server on loopback is for programs of this machine, which can call its private
		// addresses without the server, too.
		g.AllowPrivate = tcp.IP.IsLoopback()
	}
	return g
}

// Refusal says why the guard of a server that is to listen at an address will
// refuse a URL of a tenant's; "" if it will not.
func (t Targets) Refusal(listen, tenant string) func(*url.URL) string {
	return t.at(listen).For(tenant).Refusal
}

// at is the guard of a server that is to listen at an address.
func (t Targets) at(listen string) outbound.Guard { return t.guard(addressAt(listen)) }

// addressAt is where a server listens that was told so; one that cannot is nowhere.
func addressAt(listen string) net.Addr {
	at, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		// The empty address is no loopback, so the stricter rule holds. The start of a server
		// says what is wrong with the text.
		return &net.TCPAddr{}
	}
	return at
}

// Outgoing is how outgoing connections are made.
type Outgoing struct {
	Proxy       string   // its URL, which may hold a password; "": none
	NoProxy     []string // patterns of the hosts that are called without it
	ProxyLookup bool     // as lookUp of [outbound.NewProxy]
	CAFile      string   // authorities that are trusted beside those of the system; "": none

	MaxConnectionAge time.Duration // 0: [outbound.DefaultConnectionAge]
	// Resolver is the host:port of a DNS server that is asked in place of the system's, for
	// tests; "": none.
	Resolver string
}

// network returns what may change while a server runs of what its client goes by, for a
// server at an address. Its error is the operator's.
func (o *Options) network(at net.Addr) (out outbound.Options, err error) {
	out = outbound.Options{Guard: o.guard(at), MaxConnectionAge: o.MaxConnectionAge, Resolver: outbound.ResolverAt(o.Resolver)}
	// Without a file RootCAs stays nil, and the authorities of the system are trusted.
	if o.CAFile != "" {
		if out.RootCAs, err = Authorities(o.CAFile); err != nil {
			return out, err
		}
	}
	if o.Proxy == "" {
		// The list would have no effect, and whoever gave it believes that there is a proxy.
		if len(o.NoProxy) > 0 {
			return out, UserErrorf("--no-proxy needs --proxy")
		}
		return out, nil
	}
	if out.Proxy, err = outbound.NewProxy(o.Proxy, o.NoProxy, o.ProxyLookup); err != nil {
		return out, UserErrorf("--proxy: %w", err)
	}
	return out, nil
}

// Authorities returns those of the system, and those in a PEM file.
func Authorities(file string) (*x509.CertPool, error) {
	added, err := authoritiesIn(file)
	if err != nil {
		return nil, err
	}
	// The pool is a copy, so what is added here is trusted by outgoing calls alone.
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a machine without any
	}
	for _, c := range added {
		pool.AddCert(c)
	}
	return pool, nil
}

// authoritiesIn reads the certificates in a PEM file. A file without any is an error: whoever
// names a file wants it to be used.
func authoritiesIn(file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, UserErrorf("--ca-file: %w", err)
	}
	added, err := outbound.CertificatesIn(text)
	if err != nil {
		return nil, UserErrorf("--ca-file: %s: %w", file, err)
	}
	return added, nil
}

// warnUnknown says in the log which tenants of outgoing.tenants do not exist.
func (t Targets) warnUnknown(ctx context.Context, st store.Store, log *slog.Logger) error {
	if len(t.TenantHosts) == 0 {
		return nil
	}
	there, err := st.Tenants(ctx)
	if err != nil {
		return doing("read the tenants", err)
	}
	for _, name := range t.unknownTenants(there) {
		log.Warn("outgoing.tenants of the config file names a tenant that does not exist", "tenant", name)
	}
	return nil
}

// unknownTenants returns those that outgoing.tenants names and that do not exist: more likely
// they are misspelt than meant, and whom they mean may call what he should not.
func (t Targets) unknownTenants(there []string) []string {
	// The names are sorted, so that two looks say the same.
	unknown := slices.Sorted(maps.Keys(t.TenantHosts))
	// The default tenant may be limited before its first key makes it.
	return slices.DeleteFunc(unknown, func(name string) bool { return name == access.DefaultTenant || slices.Contains(there, name) })
}
