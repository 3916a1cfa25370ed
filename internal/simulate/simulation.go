package simulate

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Simulation is what is to be simulated. It is not changed, and may be used by several
// goroutines.
type Simulation struct {
	From   store.Reader
	Tenant string
	// Settings are those that are tried, for all that began at Since or later; nil: none are,
	// and only the record is checked.
	Settings *settings.Settings
	Since    time.Time
}

// asRecorded are the settings that were in force.
type asRecorded struct {
	from    store.Reader
	tenant  string
	history []store.SettingsInfo // the oldest first
}

// readRules reads when which settings were in force.
func readRules(ctx context.Context, from store.Reader, tenant string) (*asRecorded, error) {
	history, err := all(func(p store.Page) (store.List[store.SettingsInfo], error) {
		return from.SettingsHistory(ctx, tenant, p)
	})
	return &asRecorded{from, tenant, history}, err
}

// today implements rules.
func (a *asRecorded) today(ctx context.Context, at time.Time, said int64) (*settings.Settings, error) {
	if said != byTime {
		return a.from.SettingsVersion(ctx, a.tenant, said)
	}
	version := int64(0)
	for _, s := range a.history {
		if !s.Created.After(at) {
			version = s.Version
		}
	}
	return a.from.SettingsVersion(ctx, a.tenant, version)
}

// then implements rules.
func (a *asRecorded) then(ctx context.Context, at time.Time, said int64) (*settings.Settings, error) {
	return a.today(ctx, at, said)
}

// tried are the settings that are tried, from a time on.
type tried struct {
	*asRecorded
	settings *settings.Settings
	since    time.Time
}

// today implements rules.
func (t *tried) today(ctx context.Context, at time.Time, said int64) (*settings.Settings, error) {
	if at.Before(t.since) {
		return t.asRecorded.today(ctx, at, said)
	}
	return t.settings, nil
}

// newWorld begins a world of an order's record.
func newWorld(ctx context.Context, r *record, s rules) *world {
	return &world{ctx: ctx, record: r, rules: s, statuses: map[int64]string{}, exact: true}
}
