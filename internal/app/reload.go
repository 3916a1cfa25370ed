package app

import (
	"context"
	"crypto/x509"
	"net"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/telemetry"
)

// changing is what of a server can be changed while it runs.
type changing struct {
	// Only Reload writes roots. What others read while it runs is atomic, or has a lock of its
	// own.
	at          net.Addr // that the server listens at
	store       store.Store
	clients     []*outbound.Client
	roots       *x509.CertPool // that the clients trust, as in [outbound.Options]
	certificate *certificate   // nil: plain HTTP
	gate        *admission.Gate
	front       *forwarded
	failed      atomic.Bool // the last reload
}

// Reload has the server go by what o says of outgoing connections, the limits of requests, trusted
// proxies and its certificate, whose files are read again; a port that serves plain HTTP goes on
// to do so, and one of HTTPS with its certificate. Everything is checked before the
// first thing is changed: with an error, all is as it was. Other options take effect with
// the next start alone. replaced names the files that hold something else by now. It must not be
// called by two goroutines at once.
//
// It also warns of tenants that are limited and do not exist; ctx bounds that.
func (a *App) Reload(ctx context.Context, o Options) (replaced []string, err error) {
	// An option that is not given any more gets its default again, as at a start.
	o.setDefaults()
	c := a.changing
	// The metrics show a failure until the next reload: nobody may have read the log.
	defer func() { c.failed.Store(err != nil) }()
	if err = wholePair(o.TLSCert, o.TLSKey); err != nil {
		return nil, err
	}
	// The guard goes by the address that the server has, since a reload cannot change that.
	network, err := o.network(c.at)
	if err != nil {
		return nil, err
	}
	// p stays nil where the server speaks plain HTTP, or where the options name no
	// certificate.
	var p *pair
	if c.certificate != nil && o.TLSCert != "" {
		if p, err = readPair(o.TLSCert, o.TLSKey); err != nil {
			return nil, err
		}
	}
	// Nothing below can fail, so the reload takes effect as a whole.
	if !c.roots.Equal(network.RootCAs) {
		replaced = append(replaced, "the authorities of --ca-file")
	}
	// Calls that are under way end as they began, and new calls go by the new options.
	for _, client := range c.clients {
		client.Reload(network)
	}
	c.roots = network.RootCAs
	// A lower limit ends no request that is served already.
	c.gate.SetLimits(o.Limits.ofGate())
	c.front.by.Store(&o.Forwarding)
	// The same files are read at each reload, so only another content is named.
	if p != nil && c.certificate.use(o.TLSCert, o.TLSKey, p) {
		replaced = append(replaced, "the TLS certificate")
	}
	// The limits hold by now, whether or not the database says whom they are about.
	ctx, cancel := context.WithTimeout(ctx, tenantsTime)
	defer cancel()
	if err := o.warnUnknown(ctx, c.store, a.log); err != nil {
		a.log.Warn("whether the tenants of outgoing.tenants exist could not be seen", "error", err)
	}
	return replaced, nil
}

// tenantsTime bounds how long a reload waits for the database.
const tenantsTime = 5 * time.Second

// ReloadFailed notes that a reload could not even begin, since what it was to go by could not
// be read.
func (a *App) ReloadFailed() { a.changing.failed.Store(true) }

// state is for the metrics.
func (c *changing) state() telemetry.Reloads {
	out := telemetry.Reloads{Failed: c.failed.Load()}
	if c.certificate != nil {
		var failed bool
		// Files that cannot be used count as a failed reload: somebody has to look at them.
		out.CertificateExpires, failed = c.certificate.state()
		out.Failed = out.Failed || failed
	}
	return out
}
