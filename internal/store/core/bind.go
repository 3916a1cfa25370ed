package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
)

// BindSecrets seals anew what an orderhook of before migration 00020 has sealed: that
// opened wherever it was copied to, while a secret is bound to its place and its hosts
// (docs/design.md#secrets). It is no migration, because it needs the encryption key. Every
// start calls it, and all but the first find that it is done. What is sealed anew can be
// told from what is not, so a start that is killed in the middle goes on at the next.
func (s *Store) BindSecrets(ctx context.Context) (err error) {
	// Two processes that are started at once may both do it. One of them finds that a row
	// has changed under it, and looks again whether all is done.
	for range mostTries {
		var done bool
		if done, err = s.hasMeta(ctx, MetaBound); done || err != nil {
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

// hasMeta reports whether the table meta has a row.
func (s *Store) hasMeta(ctx context.Context, name string) (bool, error) {
	var value []byte
	err := one(ctx, s.q, []any{&value}, `SELECT value FROM meta WHERE name = ?`, name)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// binding is one try of BindSecrets.
type binding struct {
	*Store
	ctx context.Context
	// What is to be written next, and not yet so much that it is worth a write.
	batch  Batch
	newest map[string]*settings.Settings // by tenant
}

// mostBound is about how many bytes are written at once.
const mostBound = 8 << 20

// numbered names a row of settings by its version, or one of endpoints by its No.
type numbered struct {
	tenant string
	number int64
}

// all seals everything anew. The mark that it is done comes with the last write.
func (b *binding) all() error {
	if err := b.settings(); err != nil {
		return err
	}
	if err := b.endpoints(); err != nil {
		return err
	}
	// This comes last: before this row is there, a start goes through everything again.
	b.batch.changeOne(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, MetaBound, []byte("1"))
	return b.write(0)
}

// write commits what was gathered if it is more than so many bytes.
func (b *binding) write(most int) error {
	if b.batch.Size <= most {
		return nil
	}
	// The batch is emptied first. If the commit fails, all is begun anew in any case.
	batch := b.batch
	b.batch = Batch{}
	return b.engine.Commit(b.ctx, &batch)
}

// rows collects the names of rows first: documents are read and written one at a time.
func (b *binding) rows(text string) ([]numbered, error) {
	return collect(b.ctx, b.q.Query, func(r Row) (numbered, error) {
		var n numbered
		err := r.Scan(&n.tenant, &n.number)
		return n, err
	}, text)
}

// stored reads the document of a row.
func (b *binding) stored(n numbered, text string) (doc string, err error) {
	err = one(b.ctx, b.q, []any{&doc}, text, n.tenant, n.number)
	return doc, err
}

// settings goes through the versions of each tenant, the newest last. A secret that stayed
// the same from one to the next is one secret. A version that removed some is noted in
// secret_removals, as if it had been stored today: so they are destroyed soon after the
// start (Store.DestroySecrets).
func (b *binding) settings() error {
	versions, err := b.rows(`SELECT tenant, version FROM settings ORDER BY tenant, version`)
	if err != nil {
		return err
	}
	var known map[boundSecret]secret.Sealed
	for i, v := range versions {
		// A secret is one tenant's: what is known of one is nothing to the next.
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
		// The endpoints of exports look for their steps in the newest version (stepOf).
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

// version seals the secrets of one version of the settings again. known has those that were
// sealed before: a secret that several versions contain is stored once. A document that
// cannot be parsed is left alone.
func (b *binding) version(v numbered, known map[boundSecret]secret.Sealed) (doc *jsondoc.Object, ids []string, err error) {
	text, err := b.stored(v, `SELECT doc FROM settings WHERE tenant = ? AND version = ?`)
	if err != nil {
		return nil, nil, err
	}
	// Other versions must not be kept from being sealed because of this one.
	if doc, err = schema.Parse([]byte(text)); err != nil {
		return nil, nil, nil // it could not be read before, either
	}
	var fresh []secret.Sealed
	doc, ids = settings.Bind(doc, b.sealer.OpenUnbound, func(place string, origins []string, text secret.Value) secret.Sealed {
		// The same text at another place, or for other hosts, is another secret.
		key := boundSecret{place, strings.Join(origins, " "), text}
		one, found := known[key]
		if !found {
			one = b.sealer.Seal(v.tenant, place, origins, text)
			known[key], fresh = one, append(fresh, one)
		}
		return one
	})
	b.addSecrets(&b.batch, v.tenant, v.number, fresh)
	// The condition on the document finds out whether another process was here first.
	if len(ids) > 0 {
		b.batch.changeOne(`UPDATE settings SET doc = ? WHERE tenant = ? AND version = ? AND doc = ?`, string(doc.JSON()), v.tenant, v.number, text)
	}
	return doc, ids, nil
}

// endpoints seals the secrets of all endpoints again, in writes of limited size.
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

// endpoint seals the secrets of one endpoint again, unless that was done before. So a
// start that is killed in the middle can be repeated.
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
	// An earlier orderhook copied the headers of a step into the endpoint of its export.
	// Such an endpoint refers to the step instead.
	if e.Origin == event.OriginConnector && len(e.Headers) > 0 {
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

// stepOf finds the step whose headers the endpoint of an export has: the id of such an
// endpoint is made of its connector and the step. A step that is gone has no headers any
// more.
func (b *binding) stepOf(tenant string, e *event.Endpoint) *event.StepRef {
	s := b.newest[tenant]
	if s == nil || e.Connector == nil {
		return &event.StepRef{}
	}
	steps := s.ExportSteps()
	i := slices.IndexFunc(steps, func(step event.StepRef) bool { return event.ExportEndpointID(*e.Connector, &step) == e.ID })
	if i < 0 {
		return &event.StepRef{}
	}
	return &steps[i]
}
