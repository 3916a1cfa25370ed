package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Settings implements [store.Reader].
func (q queries) Settings(ctx context.Context, tenant string) (*settings.Settings, error) {
	if q.own != nil {
		q.own.readsSettings(tenant)
	}
	version, err := settingsVersion(ctx, q.q, tenant)
	if err != nil {
		return nil, err
	}
	return q.SettingsVersion(ctx, tenant, version)
}

// settingsVersion returns the number of the tenant's current settings, 0 if it has none.
func settingsVersion(ctx context.Context, q Engine, tenant string) (version int64, err error) {
	err = one(ctx, q, []any{&version}, `SELECT version FROM settings WHERE tenant = ? ORDER BY version DESC LIMIT 1`, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// SettingsVersion implements [store.Reader].
func (q queries) SettingsVersion(ctx context.Context, tenant string, version int64) (*settings.Settings, error) {
	if version == 0 {
		return settings.Empty(), nil
	}
	if s := q.settings.get(tenant, version); s != nil {
		return s, nil
	}
	var doc []byte
	err := one(ctx, q.q, []any{&doc}, `SELECT doc FROM settings WHERE tenant = ? AND version = ?`, tenant, version)
	if err != nil {
		return nil, orNotFound(err, "no version %d of the settings", version)
	}
	s, err := parseSettings(doc, version)
	if err == nil {
		q.settings.put(tenant, version, s)
	}
	return s, err
}

var errUnreadable = errors.New("stored settings")

// parseSettings reads a stored document.
func parseSettings(data []byte, version int64) (*settings.Settings, error) {
	doc, err := oms.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: version %d: %v", errUnreadable, version, err) // not %w: it is no mistake of the caller's
	}
	parsed := settings.ParseStored(doc)
	parsed.Version = version
	return parsed, nil
}

// SettingsHistory implements [store.Reader].
func (q queries) SettingsHistory(ctx context.Context, tenant string, p store.Page) (store.List[store.SettingsInfo], error) {
	return countedDown(ctx, q, tenant, p, func(r Row) (i store.SettingsInfo, err error) {
		var at int64
		err = r.Scan(&i.Version, &at, &i.By)
		i.Created = fromMicros(at)
		return i, err
	}, func(i store.SettingsInfo) int64 { return i.Version }, `
		SELECT version, at, by FROM settings WHERE tenant = ? AND version < ? ORDER BY version DESC LIMIT ?`, tenant)
}

// PutSettings implements [store.Tx].
func (d *draft) PutSettings(ctx context.Context, tenant string, s *settings.Settings, base int64, by string, at time.Time) error {
	d.touch(tenant, oms.TopicSettings)
	current, err := settingsVersion(ctx, d.q, tenant)
	if err != nil {
		return err
	}
	if current != base {
		return d.stale(key{tenant, "settings"}, "the settings are at version %d, not %d", current, base)
	}
	was, err := d.SettingsVersion(ctx, tenant, base)
	if err != nil {
		return err
	}
	var fresh []secret.Sealed
	doc, ids := s.Sealed(func(place string, origins []string, v secret.Value) secret.Sealed {
		one := d.sealer.Seal(tenant, place, origins, v)
		fresh = append(fresh, one)
		return one
	})
	d.of(tenant).changeOne(`INSERT INTO settings (tenant, version, at, by, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, base+1, micros(at), by, string(doc.JSON()))
	d.addSecrets(d.of(tenant), tenant, base+1, fresh)
	useSecrets(d.of(tenant), tenant, base+1, ids)
	if err := d.destroyAtOnce(ctx, tenant, base+1, was.Removals(s)); err != nil {
		return err
	}
	s.Version = base + 1
	if err := d.auditSettings(ctx, tenant, s, base); err != nil {
		return err
	}
	if d.stored == nil {
		d.stored = map[string]int64{}
	}
	d.stored[tenant] = s.Version
	return nil
}

// auditSettings notes which sections of the settings another version changes.
func (d *draft) auditSettings(ctx context.Context, tenant string, s *settings.Settings, base int64) error {
	note := d.audit(tenant, oms.AuditSettings, strconv.FormatInt(s.Version, 10))
	if note == nil {
		return nil
	}
	before, err := d.SettingsVersion(ctx, tenant, base)
	if err == nil {
		note.FromVersion, note.ToVersion = base, s.Version
		note.Change(s.ChangedSections(before)...)
	}
	return err
}

// SettingsFromFile implements [store.Reader].
func (q queries) SettingsFromFile(ctx context.Context, tenant string) (version int64, err error) {
	err = one(ctx, q.q, []any{&version}, `SELECT version FROM settings WHERE tenant = ? AND from_file = 1 ORDER BY version DESC LIMIT 1`, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// MarkSettingsFromFile implements [store.Tx].
func (d *draft) MarkSettingsFromFile(ctx context.Context, tenant string, version int64) error {
	if d.again && d.stored[tenant] != version {
		if _, err := d.SettingsVersion(ctx, tenant, version); err != nil {
			return err
		}
	}
	d.of(tenant).changeOne(`UPDATE settings SET from_file = 1 WHERE tenant = ? AND version = ?`, tenant, version)
	return nil
}

// mostCached bounds the parsed settings that are kept, over all tenants.
const mostCached = 64

// settingsCache keeps the parsed settings used last. A version that is
// committed never changes, so what is in here is never wrong.
type settingsCache struct {
	mu   sync.Mutex
	uses int64
	kept map[settingsKey]*cachedSettings
}

type settingsKey struct {
	tenant  string
	version int64
}

type cachedSettings struct {
	settings *settings.Settings
	lastUse  int64
}

func newSettingsCache() *settingsCache {
	return &settingsCache{kept: map[settingsKey]*cachedSettings{}}
}

func (c *settingsCache) get(tenant string, version int64) *settings.Settings {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.kept[settingsKey{tenant, version}]
	if e == nil {
		return nil
	}
	c.uses++
	e.lastUse = c.uses
	return e.settings
}

func (c *settingsCache) put(tenant string, version int64, s *settings.Settings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uses++
	c.kept[settingsKey{tenant, version}] = &cachedSettings{s, c.uses}
	if len(c.kept) <= mostCached {
		return
	}
	oldest := settingsKey{tenant, version}
	for key, e := range c.kept {
		if e.lastUse < c.kept[oldest].lastUse {
			oldest = key
		}
	}
	delete(c.kept, oldest)
}
