package core

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// A secret of the settings is destroyed once its place is removed: its row is deleted,
// and its bytes in the file are overwritten. It stays until the last run that may need it
// has ended; until then the version that removed it is in secret_removals.

// neededByRun is true for a secret that an unfinished run may use: the run began, or was
// resumed, with one of the versions of the settings that had the secret.
const neededByRun = `EXISTS (SELECT 1 FROM runs INDEXED BY runs_since
	WHERE runs.tenant = secrets.tenant AND ended = 0 AND since >= secrets.given AND since < secrets.retired)`

// destroySecrets deletes secrets, a JSON list of ids, that a version or one before it retired.
const destroySecrets = `DELETE FROM secrets WHERE tenant = ?1 AND id {texts ?2}
	AND retired > 0 AND retired <= ?3 AND NOT ` + neededByRun

// destroy adds to a batch what destroys secrets, but for those that a run needs. The lock
// keeps runs from beginning meanwhile (lockRun).
func destroy(b *Batch, tenant string, version int64, ids []string) {
	b.effects.secrets, b.effects.erased = true, true
	b.lock(tenant, "settings")
	b.change(destroySecrets, tenant, jsonTexts(ids), version)
}

// mostDestroyedAtOnce is how many secrets are destroyed in the write of the settings that
// removed them. A place may have had any number of secrets, one after the other.
const mostDestroyedAtOnce = 1000

// destroyAtOnce destroys the secrets that a version removes, and notes that there may be
// more. Secrets that the version refers to are in use, and stay: the statement deletes only
// those that are retired, and useSecrets comes before it in the batch.
func (d *draft) destroyAtOnce(ctx context.Context, tenant string, version int64, removals []settings.Removal) error {
	if len(removals) == 0 {
		return nil
	}
	b := d.of(tenant)
	b.changeOne(`INSERT INTO secret_removals (tenant, version) VALUES (?, ?)`, tenant, version)
	left := mostDestroyedAtOnce
	for some := range slices.Chunk(removals, placesAtOnce) {
		// DestroySecrets does the rest, since the version is in secret_removals.
		if left == 0 {
			return nil
		}
		places, byPlace := namesOf(some)
		found, err := collect(ctx, d.q.Query, scanPlaced,
			`SELECT place, id, origins, 0 FROM secrets INDEXED BY secrets_place WHERE tenant = ? AND place {texts ?} LIMIT ?`,
			tenant, places, left)
		if err != nil {
			return err
		}
		// Secrets that are read and not destroyed count, too: reading them takes as long.
		left -= len(found)
		var gone []string
		for _, one := range found {
			if byPlace[one.place].Destroys(one.origins) {
				gone = append(gone, one.id)
			}
		}
		destroy(b, tenant, version, gone)
	}
	return nil
}

// placesAtOnce is how many places one query is about.
const placesAtOnce = 100

// namesOf returns the places of removals as a JSON list, and the removals by their
// places.
func namesOf(removals []settings.Removal) (list string, byPlace map[string]settings.Removal) {
	var names []string
	byPlace = map[string]settings.Removal{}
	for _, r := range removals {
		names = append(names, r.Place)
		byPlace[r.Place] = r
	}
	return jsonTexts(names), byPlace
}

// placed is a secret as it is read before it is destroyed. needed says that a run may need
// it.
type placed struct {
	place, id string
	origins   []string
	needed    bool
}

// scanPlaced reads a [placed].
func scanPlaced(r Row) (p placed, err error) {
	var origins []byte
	if err = r.Scan(&p.place, &p.id, &origins, &p.needed); err == nil {
		_ = json.Unmarshal(origins, &p.origins) // what is no list, a stranger's hand wrote: it opens nowhere
	}
	return p, err
}

// DestroySecrets implements [store.Maintenance]. A version stays in secret_removals until
// nothing is left of what it removed. So a crash between two steps loses nothing: the next
// call goes on.
func (s *Store) DestroySecrets(ctx context.Context, yield store.Yield) error {
	removals, err := collect(ctx, s.q.Query, func(r Row) (n numbered, err error) {
		err = r.Scan(&n.tenant, &n.number)
		return n, err
	}, `SELECT tenant, version FROM secret_removals ORDER BY tenant, version`)
	for _, one := range removals {
		if err == nil {
			err = s.destroyRemoved(ctx, one.tenant, one.number, yield)
		}
	}
	return err
}

// destroyRemoved destroys the secrets that a version removed. Then it forgets the version,
// unless an unfinished run may need one of them. It asks before it writes, so that waiting
// for a run writes nothing.
func (s *Store) destroyRemoved(ctx context.Context, tenant string, version int64, yield store.Yield) error {
	removals, err := s.removalsOf(ctx, tenant, version)
	if err != nil {
		return err
	}
	needed := false
	for some := range slices.Chunk(removals, placesAtOnce) {
		places, byPlace := namesOf(some)
		for last, more := (placed{}), true; more; {
			found, err := collect(ctx, s.q.Query, scanPlaced, removedSecrets, tenant, places, last.place, last.id, version, removedAtOnce)
			if err != nil {
				return err
			}
			var gone []string
			for _, last = range found {
				switch {
				// It may go to an origin that its place still leads to, so it stays.
				case !byPlace[last.place].Destroys(last.origins):
				case last.needed:
					needed = true
				default:
					gone = append(gone, last.id)
				}
			}
			if err := s.destroySome(ctx, tenant, version, gone, yield); err != nil {
				return err
			}
			more = len(found) == removedAtOnce
		}
	}
	// The next call looks again: the run may have ended by then.
	if needed {
		return nil
	}
	return s.write(ctx, func(d *draft) error {
		b := d.of(tenant)
		b.change(`DELETE FROM secret_removals WHERE tenant = ? AND version = ?`, tenant, version)
		// A command beside the server may have destroyed them, which empties no journal.
		b.effects.erased = true
		return nil
	})
}

// removedSecrets finds the secrets of some places that a version or one before it retired,
// and whether a run needs each.
const removedSecrets = `SELECT place, id, origins, ` + neededByRun + ` FROM secrets INDEXED BY secrets_place
	WHERE tenant = ? AND place {texts ?} AND (place, id) > (?, ?) AND retired > 0 AND retired <= ?
	ORDER BY place, id LIMIT ?`

// removalsOf returns what a version removed, by comparing it with the one before it. If
// somebody has altered the stored data so that this cannot be found out, it is logged, and
// the version is forgotten: the log names it once.
func (s *Store) removalsOf(ctx context.Context, tenant string, version int64) ([]settings.Removal, error) {
	was, err := s.SettingsVersion(ctx, tenant, version-1)
	if err == nil {
		var is *settings.Settings
		if is, err = s.SettingsVersion(ctx, tenant, version); err == nil {
			return was.Removals(is), nil
		}
	}
	if errors.Is(err, errUnreadable) || apierr.KindOf(err) == apierr.NotFound {
		s.log.Warn("settings cannot be read, so that the secrets that they removed stay in the database", "tenant", tenant, "version", version, "why", err)
		return nil, nil
	}
	return nil, err
}

// destroySome destroys some secrets in one write, and then lets other work have its turn.
func (s *Store) destroySome(ctx context.Context, tenant string, version int64, ids []string, yield store.Yield) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.write(ctx, func(d *draft) error {
		destroy(d.of(tenant), tenant, version, ids)
		return nil
	})
	if err == nil {
		err = yield(ctx)
	}
	return err
}

// DestroyedSecrets implements [store.Reader]. A write depends on the answer: a secret that
// is there may be about to be destroyed. A restored version must not refer to a secret that
// is gone by the commit.
func (q queries) DestroyedSecrets(ctx context.Context, tenant string, s *settings.Settings) (ids []string, err error) {
	const missing = ` FROM {eachtext ?2} WHERE NOT EXISTS (SELECT 1 FROM secrets WHERE tenant = ?1 AND id = value)`
	list := jsonTexts(s.SecretIDs())
	ids, err = collect(ctx, q.q.Query, func(r Row) (id string, err error) {
		err = r.Scan(&id)
		return id, err
	}, `SELECT value`+missing, tenant, list)
	if err == nil && q.own != nil {
		q.own.of(tenant).lockShared(tenant, "settings")
		q.own.of(tenant).check(`SELECT 1 WHERE (SELECT count(*)`+missing+`) = ?3`, tenant, list, len(ids))
	}
	return ids, err
}
