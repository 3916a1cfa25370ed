package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Settings implements [store.Reader]. Which version is the newest is asked of the database
// each time, since another node may have stored one. A write does not ask: it assumes what was
// read last. The parsed settings of a version are in memory.
func (q queries) Settings(ctx context.Context, tenant string) (*settings.Settings, error) {
	if q.own != nil {
		// The write depends on them, in case that it replaces them. It takes no turn, because
		// many writes read them at the same time.
		if q.own.read == nil {
			q.own.read = map[key]bool{}
		}
		q.own.read[key{tenant, "settings"}] = true
		if s := q.own.assumedSettings(tenant); s != nil {
			return s, nil
		}
	}
	version, err := settingsVersion(ctx, q.q, tenant)
	if err != nil {
		return nil, err
	}
	s, err := q.SettingsVersion(ctx, tenant, version)
	if err != nil {
		return nil, err
	}
	q.settings.noteNewest(tenant, version)
	if q.own != nil {
		q.own.assume(tenant, version)
	}
	return s, nil
}

// assumedSettings returns the settings of a tenant that were the newest when they were last
// read. It returns nil if the write has to ask: they are not in memory, or they were forgotten
// since they were not the newest (forget).
func (d *draft) assumedSettings(tenant string) *settings.Settings {
	version, known := d.assumed[tenant]
	if !known {
		version, known = d.settings.newestOf(tenant)
	}
	if !known {
		return nil
	}
	s := settings.Empty()
	if version > 0 {
		s = d.settings.get(tenant, version)
	}
	if s != nil {
		d.assume(tenant, version)
	}
	return s
}

// assume adds the check that a version of the settings is the newest. The check compares
// for equality, not "at least": after a failover the new database may lack the last version.
func (d *draft) assume(tenant string, version int64) {
	if d.assumed == nil {
		d.assumed = map[string]int64{}
	}
	d.assumed[tenant] = version
	d.checkOnce(key{tenant, "newest settings"}, `
		SELECT 1 WHERE coalesce((SELECT version FROM settings WHERE tenant = ? ORDER BY version DESC LIMIT 1), 0) = ?`, tenant, version)
}

// assumedWrongly reports whether settings that the write assumed to be the newest are not, or
// whether that could not be found out. It is for a write that is not committed, because it
// failed or changes nothing: its checks are never made.
func (d *draft) assumedWrongly(ctx context.Context) bool {
	for tenant, version := range d.assumed {
		if newest, err := settingsVersion(ctx, d.q, tenant); err != nil || newest != version {
			return true
		}
	}
	return false
}

// settingsVersion returns the number of the tenant's current settings, 0 if it has none.
// Versions begin with 1.
func settingsVersion(ctx context.Context, q Engine, tenant string) (version int64, err error) {
	err = one(ctx, q, []any{&version}, `SELECT version FROM settings WHERE tenant = ? ORDER BY version DESC LIMIT 1`, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// SettingsVersion implements [store.Reader]. The version 0 is not stored: a tenant that has
// set nothing has it.
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
		return nil, orNotFound(err, "version %d of the settings", version)
	}
	s, err := parseSettings(doc, version)
	if err == nil {
		q.settings.put(tenant, version, s)
	}
	return s, err
}

// errUnreadable is in the error of stored settings that cannot be parsed: somebody has
// changed them in the database.
var errUnreadable = errors.New("stored settings")

// parseSettings reads a stored document. A document that an earlier version of orderhook
// took is not refused because of a rule that has come since.
func parseSettings(data []byte, version int64) (*settings.Settings, error) {
	doc, err := schema.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: version %d: %v", errUnreadable, version, err) // not %w: it is no error of the caller's
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

// PutSettings implements [store.Tx]. It does four things in one write, so that no crash
// leaves only some of them: it stores the document with references in the place of its
// secrets, stores the new secrets sealed, retires or reuses those that earlier versions
// gave, and destroys what the new version removes.
func (d *draft) PutSettings(ctx context.Context, tenant string, s *settings.Settings, base int64, by string, at time.Time) error {
	d.touch(tenant, changes.TopicSettings)
	current, err := settingsVersion(ctx, d.q, tenant)
	if err != nil {
		return err
	}
	// The caller has edited an older version; or another write came while this one was
	// decided.
	if current != base {
		return d.stale(key{tenant, "settings"}, "the settings are at version %d, not %d", current, base)
	}
	was, err := d.SettingsVersion(ctx, tenant, base)
	if err != nil {
		return err
	}
	if err := d.seals(ctx); err != nil {
		return err
	}
	var fresh []secret.Sealed
	// A secret that is stored already is a reference, and is not sealed again.
	doc, ids := s.Sealed(func(place string, origins []string, v secret.Value) secret.Sealed {
		one := d.sealer.Seal(tenant, place, origins, v)
		fresh = append(fresh, one)
		return one
	})
	// No run begins meanwhile, and no other version is stored: both would depend on what is
	// destroyed.
	d.of(tenant).lock(tenant, "settings")
	d.of(tenant).changeOne(`INSERT INTO settings (tenant, version, at, by, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, base+1, micros(at), by, string(doc.JSON()))
	d.addSecrets(d.of(tenant), tenant, base+1, fresh)
	useSecrets(d.of(tenant), tenant, base+1, ids)
	if err := d.destroyAtOnce(ctx, tenant, base+1, was.Removals(s)); err != nil {
		return err
	}
	// From here on it is the caller's new version, if the write is committed.
	s.Version = base + 1
	if err := d.auditSettings(ctx, tenant, s, base); err != nil {
		return err
	}
	// MarkSettingsFromFile has to know it: it is not in the database before the commit.
	if d.stored == nil {
		d.stored = map[string]int64{}
	}
	d.stored[tenant] = s.Version
	return nil
}

// auditSettings notes which sections of the settings another version changes.
func (d *draft) auditSettings(ctx context.Context, tenant string, s *settings.Settings, base int64) error {
	note := d.audit(tenant, access.AuditSettings, strconv.FormatInt(s.Version, 10))
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

// SettingsFromFile implements [store.Reader]. It goes back from the newest version to the
// first one that a start of `serve` has marked.
func (q queries) SettingsFromFile(ctx context.Context, tenant string) (version int64, err error) {
	err = one(ctx, q.q, []any{&version}, `SELECT version FROM settings WHERE tenant = ? AND from_file = 1 ORDER BY version DESC LIMIT 1`, tenant)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return version, err
}

// MarkSettingsFromFile implements [store.Tx]. The version may be one that this very write
// stores: then the database does not have it yet.
func (d *draft) MarkSettingsFromFile(ctx context.Context, tenant string, version int64) error {
	if d.again && d.stored[tenant] != version {
		if _, err := d.SettingsVersion(ctx, tenant, version); err != nil {
			return err
		}
	}
	d.of(tenant).changeOne(`UPDATE settings SET from_file = 1 WHERE tenant = ? AND version = ?`, tenant, version)
	return nil
}

// mostCached bounds the parsed settings that are in memory, over all tenants.
const mostCached = 64

// mostNewest bounds the tenants whose newest version is in memory.
const mostNewest = 4096

// settingsCache remembers the parsed settings that were used last, so that a run need not
// parse them at each step. A version that is committed never changes, so what was parsed is
// never wrong, and no change has to drop it.
type settingsCache struct {
	// All goroutines of the process share the cache.
	mu sync.Mutex
	// uses counts what was asked for and added. It is the clock by which the oldest entry
	// is found.
	uses   int64
	parsed map[settingsKey]*cachedSettings
	// newest is the version that was the tenant's newest when that was last read. Other
	// than the rest, it may be wrong: who uses it checks it.
	newest map[string]int64
}

// settingsKey names a version of a tenant's settings.
type settingsKey struct {
	tenant  string
	version int64
}

// cachedSettings are settings, and at which count of uses they were used last.
type cachedSettings struct {
	settings *settings.Settings
	lastUse  int64
}

// newSettingsCache returns an empty cache.
func newSettingsCache() *settingsCache {
	return &settingsCache{parsed: map[settingsKey]*cachedSettings{}, newest: map[string]int64{}}
}

// get returns the parsed settings of a version, nil if they are not in memory.
func (c *settingsCache) get(tenant string, version int64) *settings.Settings {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.parsed[settingsKey{tenant, version}]
	if e == nil {
		return nil
	}
	c.uses++
	e.lastUse = c.uses
	return e.settings
}

// put adds the parsed settings of a version. If there are too many then, it removes those
// that were used the longest time ago. It looks at all entries for that; there are
// mostCached.
func (c *settingsCache) put(tenant string, version int64, s *settings.Settings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.uses++
	c.parsed[settingsKey{tenant, version}] = &cachedSettings{s, c.uses}
	// The new one has just been used, so it is never the oldest if there are two or more.
	if len(c.parsed) <= mostCached {
		return
	}
	oldest := settingsKey{tenant, version}
	for key, e := range c.parsed {
		if e.lastUse < c.parsed[oldest].lastUse {
			oldest = key
		}
	}
	delete(c.parsed, oldest)
}

// newestOf returns the newest version of a tenant, as far as it is known.
func (c *settingsCache) newestOf(tenant string) (version int64, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	version, known = c.newest[tenant]
	return version, known
}

// noteNewest notes the version that was read as the newest of a tenant. If there are too
// many tenants then, all others are forgotten: they are read again.
func (c *settingsCache) noteNewest(tenant string, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.newest) >= mostNewest {
		clear(c.newest)
	}
	c.newest[tenant] = version
}

// forgetNewest has the newest version of a tenant read again.
func (c *settingsCache) forgetNewest(tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.newest, tenant)
}
