package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/store"
)

func (o *Options) setDefaults() {
	o.Tenant = cmp.Or(o.Tenant, DefaultTenant)
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// check finds what is wrong with the options before anything is opened, and
// returns the certificate to serve with, nil for plain HTTP.
func (o *Options) check() (certificate *tls.Config, err error) {
	if o.PublicURL, err = checkPublicURL(o.PublicURL); err != nil {
		return nil, err
	}
	if o.APIKey != "" {
		if err := checkAPIKey(o.APIKey); err != nil {
			return nil, err
		}
	}
	return loadTLS(o.TLSCert, o.TLSKey)
}

// guard says where outgoing requests may go. Whether the server is on a
// loopback address is judged by the one it got, not by the name it was given.
func (o *Options) guard(at net.Addr) hook.Guard {
	g := hook.Guard{AllowHosts: o.AllowHosts}
	if o.AllowPrivate != nil {
		g.AllowPrivate = *o.AllowPrivate
	} else if tcp, ok := at.(*net.TCPAddr); ok {
		g.AllowPrivate = tcp.IP.IsLoopback()
	}
	return g
}

// applySettings applies the settings file, if there is one, and logs what
// became of it.
func (o *Options) applySettings(ctx context.Context, st store.Store) error {
	if o.SettingsFile == "" {
		return nil
	}
	applied, err := ApplySettings(ctx, st, o.Tenant, o.SettingsFile, o.Clock.Now())
	if err != nil {
		return err
	}
	o.Log.Info("settings file", "file", o.SettingsFile, "tenant", o.Tenant, "version", applied.Version, "changed", applied.Changed)
	for _, w := range applied.Warnings {
		o.Log.Warn("settings file", "path", w.Path, "warning", w.Message)
	}
	return nil
}
