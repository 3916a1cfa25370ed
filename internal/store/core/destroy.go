package core

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// A secret of settings is destroyed once its place is removed: its row is deleted, and
// what it took of the file overwritten. Until the last run that may need it has ended it
// stays; its version stands in secret_removals for as long as that may be so.

// neededByRun holds for a secret that a run under way may use: which began, or was
// resumed, with settings of a version from the first that had it to the last.
const neededByRun = `EXISTS (SELECT 1 FROM runs INDEXED BY runs_since
	WHERE runs.tenant = secrets.tenant AND ended = 0 AND since >= secrets.given AND since < secrets.retired)`

// destroySecrets deletes secrets, a JSON list of ids, that a version or one before it retired.
const destroySecrets = `DELETE FROM secrets WHERE tenant = ?1 AND id IN (SELECT value FROM json_each(?2))
	AND retired > 0 AND retired <= ?3 AND NOT ` + neededByRun

func destroy(b *Batch, tenant string, version int64, ids []string) {
	b.news.secrets = true
	b.change(destroySecrets, tenant, jsonTexts(ids), version)
}

// mostDestroyedAtOnce bounds how many secrets are destroyed with the change of the
// settings that removed them. A place may have had any number, one after the other.
const mostDestroyedAtOnce = 1000

// destroyAtOnce destroys what a version removes, and notes that there may be more. What
// the version refers to is in use by then, and stays.
func (d *draft) destroyAtOnce(ctx context.Context, tenant string, version int64, removals []settings.Removal) error {
	if len(removals) == 0 {
		return nil
	}
	b := d.of(tenant)
	b.changeOne(`INSERT INTO secret_removals (tenant, version) VALUES (?, ?)`, tenant, version)
	left := mostDestroyedAtOnce
	for some := range slices.Chunk(removals, placesAtOnce) {
		if left == 0 {
			return nil
		}
		places, byPlace := namesOf(some)
		found, err := collect(ctx, d.q.Query, scanPlaced,
			`SELECT place, id, origins, 0 FROM secrets INDEXED BY secrets_place WHERE tenant = ? AND place IN (SELECT value FROM json_each(?)) LIMIT ?`,
			tenant, places, left)
		if err != nil {
			return err
		}
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

// placesAtOnce is how many places one question is about.
const placesAtOnce = 100

// namesOf returns the places of removals as a JSON list, and the removals by them.
func namesOf(removals []settings.Removal) (list string, byPlace map[string]settings.Removal) {
	var names []string
	byPlace = map[string]settings.Removal{}
	for _, r := range removals {
		names = append(names, r.Place)
		byPlace[r.Place] = r
	}
	return jsonTexts(names), byPlace
}

// placed is a secret as it is looked at before it is destroyed.
type placed struct {
	place, id string
	origins   []string
	needed    bool
}

func scanPlaced(r Row) (p placed, err error) {
	var origins []byte
	if err = r.Scan(&p.place, &p.id, &origins, &p.needed); err == nil {
		_ = json.Unmarshal(origins, &p.origins) // what is no list, a stranger's hand wrote: it opens nowhere
	}
	return p, err
}

// DestroySecrets implements [store.Upkeep].
func (s *Store) DestroySecrets(ctx context.Context, rest store.Rest) error {
	removals, err := collect(ctx, s.q.Query, func(r Row) (n numbered, err error) {
		err = r.Scan(&n.tenant, &n.number)
		return n, err
	}, `SELECT tenant, version FROM secret_removals ORDER BY tenant, version`)
	for _, one := range removals {
		if err == nil {
			err = s.destroyRemoved(ctx, one.tenant, one.number, rest)
		}
	}
	return err
}

// destroyRemoved destroys what a version removed, and forgets the version unless a run
// under way may need any of it.
func (s *Store) destroyRemoved(ctx context.Context, tenant string, version int64, rest store.Rest) error {
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
				case !byPlace[last.place].Destroys(last.origins):
				case last.needed:
					needed = true
				default:
					gone = append(gone, last.id)
				}
			}
			if err := s.destroySome(ctx, tenant, version, gone, rest); err != nil {
				return err
			}
			more = len(found) == removedAtOnce
		}
	}
	if needed {
		return nil
	}
	return s.write(ctx, func(d *draft) error {
		d.of(tenant).change(`DELETE FROM secret_removals WHERE tenant = ? AND version = ?`, tenant, version)
		return nil
	})
}

const removedSecrets = `SELECT place, id, origins, ` + neededByRun + ` FROM secrets INDEXED BY secrets_place
	WHERE tenant = ? AND place IN (SELECT value FROM json_each(?)) AND (place, id) > (?, ?) AND retired > 0 AND retired <= ?
	ORDER BY place, id LIMIT ?`

// removalsOf returns what a version removed. Where that cannot be told, since somebody
// has altered what is stored of it, the log says that once.
func (s *Store) removalsOf(ctx context.Context, tenant string, version int64) ([]settings.Removal, error) {
	was, err := s.SettingsVersion(ctx, tenant, version-1)
	if err == nil {
		var is *settings.Settings
		if is, err = s.SettingsVersion(ctx, tenant, version); err == nil {
			return was.Removals(is), nil
		}
	}
	if errors.Is(err, errUnreadable) || oms.KindOf(err) == oms.NotFound {
		s.log.Warn("settings cannot be read, so that the secrets that they removed stay in the database", "tenant", tenant, "version", version, "why", err)
		return nil, nil
	}
	return nil, err
}

func (s *Store) destroySome(ctx context.Context, tenant string, version int64, ids []string, rest store.Rest) error {
	if len(ids) == 0 {
		return nil
	}
	err := s.write(ctx, func(d *draft) error {
		destroy(d.of(tenant), tenant, version, ids)
		return nil
	})
	if err == nil {
		err = rest(ctx)
	}
	return err
}

// DestroyedSecrets implements [store.Reader]. A write rests on the answer: a secret
// that is there may be about to be destroyed.
func (q queries) DestroyedSecrets(ctx context.Context, tenant string, s *settings.Settings) (ids []string, err error) {
	const missing = ` FROM json_each(?2) WHERE NOT EXISTS (SELECT 1 FROM secrets WHERE tenant = ?1 AND id = value)`
	list := jsonTexts(s.SecretIDs())
	ids, err = collect(ctx, q.q.Query, func(r Row) (id string, err error) {
		err = r.Scan(&id)
		return id, err
	}, `SELECT value`+missing, tenant, list)
	if err == nil && q.own != nil {
		q.own.of(tenant).check(`SELECT 1 WHERE (SELECT count(*)`+missing+`) = ?3`, tenant, list, len(ids))
	}
	return ids, err
}
