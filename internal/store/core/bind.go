package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
)

// metaBound is the row of the table meta that says that secrets are bound to what
// they were given for.
const metaBound = "encryption.bound"

// BindSecrets seals anew what an orderhook before migration 00020 has sealed, which
// opened wherever it was copied to. It needs the key, and so is no migration. What
// is sealed anew is told from what is not, so a start that is killed in the midst of
// it goes on at the next.
func (s *Store) BindSecrets(ctx context.Context) (err error) {
	for range mostTries {
		var done bool
		if done, err = s.secretsBound(ctx); done || err != nil {
			return err
		}
		b := &binding{ctx: ctx, Store: s, newest: map[string]*settings.Settings{}}
		if err = b.all(); err == nil || !errors.Is(err, ErrOvertaken) { // by another process, which does the same
			break
		}
	}
	if err != nil {
		return fmt.Errorf("secrets of an earlier version cannot be sealed anew: %w", err)
	}
	return nil
}

func (s *Store) secretsBound(ctx context.Context) (bool, error) {
	var value []byte
	err := one(ctx, s.q, []any{&value}, `SELECT value FROM meta WHERE name = ?`, metaBound)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// binding seals anew.
type binding struct {
	*Store
	ctx    context.Context
	batch  Batch
	newest map[string]*settings.Settings // by tenant
}

// mostBound is about how many bytes are written at once.
const mostBound = 8 << 20

// numbered names a row of settings or endpoints.
type numbered struct {
	tenant string
	number int64
}

func (b *binding) all() error {
	if err := b.settings(); err != nil {
		return err
	}
	if err := b.endpoints(); err != nil {
		return err
	}
	b.batch.changeOne(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, metaBound, []byte("1"))
	return b.write(0)
}

// write commits what was gathered if it is more than so many bytes.
func (b *binding) write(most int) error {
	if b.batch.Size <= most {
		return nil
	}
	batch := b.batch
	b.batch = Batch{}
	return b.engine.Commit(b.ctx, &batch)
}

// rows collects the names first: documents are read and written one at a time.
func (b *binding) rows(text string) ([]numbered, error) {
	return collect(b.ctx, b.q.Query, func(r Row) (numbered, error) {
		var n numbered
		err := r.Scan(&n.tenant, &n.number)
		return n, err
	}, text)
}

func (b *binding) stored(n numbered, text string) (doc string, err error) {
	err = one(b.ctx, b.q, []any{&doc}, text, n.tenant, n.number)
	return doc, err
}

// settings goes through the versions of each tenant, the newest last. A secret that
// stayed the same from one to the next is one secret; those that a version removed are
// destroyed soon after the start (Store.DestroySecrets).
func (b *binding) settings() error {
	versions, err := b.rows(`SELECT tenant, version FROM settings ORDER BY tenant, version`)
	if err != nil {
		return err
	}
	var known map[boundSecret]secret.Sealed
	for i, v := range versions {
		if i == 0 || versions[i-1].tenant != v.tenant {
			known = map[boundSecret]secret.Sealed{}
		}
		doc, ids, err := b.version(v, known)
		if err != nil {
			return err
		}
		useSecrets(&b.batch, v.tenant, v.number, ids)
		b.batch.change(`INSERT INTO secret_removals (tenant, version) VALUES (?, ?) ON CONFLICT DO NOTHING`, v.tenant, v.number)
		if err := b.write(mostBound); err != nil {
			return err
		}
		if i+1 == len(versions) || versions[i+1].tenant != v.tenant {
			b.newest[v.tenant] = settings.ParseStored(doc)
		}
	}
	return nil
}

// boundSecret is a secret and all that it is bound to.
type boundSecret struct {
	place, origins string
	text           secret.Value
}

func (b *binding) version(v numbered, known map[boundSecret]secret.Sealed) (doc *oms.Object, ids []string, err error) {
	text, err := b.stored(v, `SELECT doc FROM settings WHERE tenant = ? AND version = ?`)
	if err != nil {
		return nil, nil, err
	}
	if doc, err = oms.Parse([]byte(text)); err != nil {
		return nil, nil, nil // it could not be read before, either
	}
	var fresh []secret.Sealed
	doc, ids = settings.Bind(doc, b.sealer.OpenUnbound, func(place string, origins []string, text secret.Value) secret.Sealed {
		key := boundSecret{place, strings.Join(origins, " "), text}
		one, found := known[key]
		if !found {
			one = b.sealer.Seal(v.tenant, place, origins, text)
			known[key], fresh = one, append(fresh, one)
		}
		return one
	})
	b.addSecrets(&b.batch, v.tenant, v.number, fresh)
	if len(ids) > 0 {
		b.batch.changeOne(`UPDATE settings SET doc = ? WHERE tenant = ? AND version = ? AND doc = ?`, string(doc.JSON()), v.tenant, v.number, text)
	}
	return doc, ids, nil
}

func (b *binding) endpoints() error {
	all, err := b.rows(`SELECT tenant, no FROM endpoints ORDER BY tenant, no`)
	if err != nil {
		return err
	}
	for _, n := range all {
		if err := b.endpoint(n); err != nil {
			return err
		}
		if err := b.write(mostBound); err != nil {
			return err
		}
	}
	return nil
}

func (b *binding) endpoint(n numbered) error {
	sealed, err := b.stored(n, `SELECT doc FROM endpoints WHERE tenant = ? AND no = ?`)
	if err != nil {
		return err
	}
	text, err := b.sealer.OpenUnbound(sealed)
	if err != nil {
		return nil // it is bound already, or could not be read before, either
	}
	e, err := decodeEndpoint(n.number, text)
	if err != nil {
		return err
	}
	if e.Origin == oms.OriginConnector && len(e.Headers) > 0 {
		e.Headers, e.Step = nil, b.stepOf(n.tenant, e)
	}
	// Where now a reference is, an earlier orderhook has the text itself.
	e = e.WithSecrets(func(_ string, _ []string, v secret.Value) secret.Value { return secret.New(v.ID()) })
	doc, fresh, _, err := b.sealEndpoint(n.tenant, e)
	if err != nil {
		return err
	}
	b.addSecrets(&b.batch, n.tenant, 0, fresh)
	b.batch.changeOne(`UPDATE endpoints SET doc = ? WHERE tenant = ? AND no = ? AND doc = ?`, doc, n.tenant, n.number, sealed)
	return nil
}

// stepOf finds the step whose headers the endpoint of an export has, by the id that
// it was given for that. A step that is gone has none any more.
func (b *binding) stepOf(tenant string, e *oms.Endpoint) *oms.StepRef {
	s := b.newest[tenant]
	if s == nil || e.Connector == nil {
		return &oms.StepRef{}
	}
	steps := s.ExportSteps()
	i := slices.IndexFunc(steps, func(step oms.StepRef) bool { return oms.ExportEndpointID(*e.Connector, &step) == e.ID })
	if i < 0 {
		return &oms.StepRef{}
	}
	return &steps[i]
}
