package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/url"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

func (o *Options) setDefaults() {
	o.Tenant = cmp.Or(o.Tenant, DefaultTenant)
	o.MaxOutgoing = cmp.Or(o.MaxOutgoing, hook.DefaultMaxOutgoing)
	o.Limits.setDefaults()
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
	for _, v := range o.SettingsVariables {
		if why := settings.CheckAllowed(v); why != "" {
			return nil, Mistakef("--settings-variables: %q %s", v, why)
		}
	}
	return loadTLS(o.TLSCert, o.TLSKey)
}

// Targets say where outgoing requests may go.
type Targets struct {
	// AllowPrivate admits private and loopback targets; nil does so where the
	// server listens on a loopback address itself.
	AllowPrivate *bool
	AllowHosts   []string // as of [hook.Guard]
}

// guard judges whether the server is on a loopback address by the one that it
// got, not by the name that it was given.
func (t Targets) guard(at net.Addr) hook.Guard {
	g := hook.Guard{AllowHosts: t.AllowHosts}
	if t.AllowPrivate != nil {
		g.AllowPrivate = *t.AllowPrivate
	} else if tcp, ok := at.(*net.TCPAddr); ok {
		g.AllowPrivate = tcp.IP.IsLoopback()
	}
	return g
}

// Refusal says why the guard of a server that is to listen at an address will
// refuse a URL; "" if it will not.
func (t Targets) Refusal(listen string) func(*url.URL) string {
	at, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		at = &net.TCPAddr{}
	}
	return t.guard(at).Refusal
}

// applySettings applies the settings file, if there is one, and logs what
// became of it.
func (o *Options) applySettings(ctx context.Context, st store.Store, refused func(*url.URL) string) error {
	if o.SettingsFile == "" {
		return nil
	}
	f := SettingsFile{Path: o.SettingsFile, Tenant: o.Tenant, Refused: refused, AtStart: true, Replace: o.ReplaceSettings, MaxBytes: o.Limits.SettingsBytes}
	if err := f.Read(); err != nil {
		return err
	}
	applied, err := f.Apply(ctx, st, o.Clock.Now())
	if err != nil {
		return inFile(f.Path, err)
	}
	o.logSettings(f.Path, applied)
	return nil
}

func (o *Options) logSettings(file string, a Applied) {
	for _, w := range a.Warnings {
		o.Log.Warn("settings file", "path", w.Path, "warning", w.Message)
	}
	if a.Kept {
		o.Log.Warn("the settings file was not applied: newer settings are stored, which --settings-replace would replace",
			"file", file, "tenant", o.Tenant, "version", a.Version, "fileAppliedAs", a.FromFile, "fileChanged", a.FileChanged)
		return
	}
	o.Log.Info("settings file", "file", file, "tenant", o.Tenant, "version", a.Version, "changed", a.Changed)
}
