package app

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// setDefaults sets what was left open.
func (o *Options) setDefaults() {
	o.Tenant = cmp.Or(o.Tenant, access.DefaultTenant)
	o.MaxOutgoing = cmp.Or(o.MaxOutgoing, outbound.DefaultMaxOutgoing)
	o.Limits.setDefaults()
	o.ForwardedHeader = cmp.Or(o.ForwardedHeader, XForwardedFor)
	if o.Clock == nil {
		o.Clock = clock.Real{}
	}
	// A server of a test that nobody looks at.
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// check finds what is wrong with the options before anything is opened.
func (o *Options) check() (err error) {
	if o.PublicURL, err = checkPublicURL(o.PublicURL); err != nil {
		return err
	}
	if err := o.Beside.check(); err != nil {
		return err
	}
	if o.APIKey != "" {
		if err := checkAPIKey(o.APIKey); err != nil {
			return err
		}
	}
	// Callers of the API can have these sent to any endpoint, so not every name is allowed.
	for _, v := range o.SettingsVariables {
		if why := settings.CheckAllowed(v); why != "" {
			return UserErrorf("--settings-variables: %q %s", v, why)
		}
	}
	return nil
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
	// A file that is wrong ends the start: half of what was meant is worse than nothing.
	applied, err := f.Apply(ctx, st, o.Clock.Now())
	if err != nil {
		return inFile(f.Path, err)
	}
	o.logSettings(f.Path, applied)
	return nil
}

// logSettings says in the log what became of the settings file, with each warning.
func (o *Options) logSettings(file string, a Applied) {
	for _, w := range a.Warnings {
		o.Log.Warn("settings file", "path", w.Path, "warning", w.Message)
	}
	// The log says so, because the operator may believe that the file is what is in force.
	if a.Unchanged {
		o.Log.Warn("the settings file was not applied: newer settings are stored, which --settings-replace would replace",
			"file", file, "tenant", o.Tenant, "version", a.Version, "fileAppliedAs", a.FromFile, "fileChanged", a.FileChanged)
		return
	}
	o.Log.Info("settings file", "file", file, "tenant", o.Tenant, "version", a.Version, "changed", a.Changed)
}
