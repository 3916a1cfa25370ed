package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
)

// metaBound is the row of the table meta that says that secrets are bound to what
// they were given for.
const metaBound = "encryption.bound"

// bindSecrets seals anew what an orderhook before migration 00020 has sealed, which
// opened wherever it was copied to. It needs the key, and so is no migration. All of
// it is one transaction: a start that is killed begins again.
func bindSecrets(s *session, sealer *secret.Sealer, clock func() time.Time) error {
	if _, err := meta(s, metaBound); !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := s.control("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	b := &binding{session: s, shared: &shared{sealer: sealer, clock: clock}, newest: map[string]*settings.Settings{}}
	_, err := meta(s, metaBound)
	if errors.Is(err, sql.ErrNoRows) { // nor has another process done it meanwhile
		err = b.all()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("secrets of an earlier version cannot be sealed anew: %w", err), s.control("ROLLBACK"))
	}
	return s.control("COMMIT")
}

// binding seals anew.
type binding struct {
	*session
	*shared
	newest map[string]*settings.Settings // by tenant
}

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
	_, err := b.exec(`INSERT INTO meta (name, value) VALUES (?, ?)`, metaBound, []byte("1"))
	return err
}

// rows collects the names first: documents are read and written one at a time.
func (b *binding) rows(text string) (all []numbered, err error) {
	err = b.query(func(r row) error {
		var n numbered
		err := r.Scan(&n.tenant, &n.number)
		all = append(all, n)
		return err
	}, text)
	return all, err
}

// settings goes through the versions of each tenant, the newest last. A secret that
// stayed the same from one to the next is one secret.
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
		if i+1 == len(versions) || versions[i+1].tenant != v.tenant {
			b.newest[v.tenant] = settings.ParseStored(doc)
			if _, err := b.exec(retireSecrets, v.tenant, jsonTexts(ids), v.number); err != nil {
				return err
			}
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
	var text []byte
	if err := b.conn.QueryRowContext(context.Background(), `SELECT doc FROM settings WHERE tenant = ? AND version = ?`, v.tenant, v.number).Scan(&text); err != nil {
		return nil, nil, err
	}
	if doc, err = oms.Parse(text); err != nil {
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
	if err := b.add(v.tenant, fresh); err != nil || len(ids) == 0 {
		return doc, ids, err
	}
	_, err = b.exec(`UPDATE settings SET doc = ? WHERE tenant = ? AND version = ?`, string(doc.JSON()), v.tenant, v.number)
	return doc, ids, err
}

func (b *binding) add(tenant string, fresh []secret.Sealed) error {
	for _, one := range fresh {
		if _, err := b.exec(insertSecret, b.secretRow(tenant, one)...); err != nil {
			return err
		}
	}
	return nil
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
	}
	return nil
}

func (b *binding) endpoint(n numbered) error {
	var sealed string
	if err := b.conn.QueryRowContext(context.Background(), `SELECT doc FROM endpoints WHERE tenant = ? AND no = ?`, n.tenant, n.number).Scan(&sealed); err != nil {
		return err
	}
	text, err := b.sealer.OpenUnbound(sealed)
	if err != nil {
		return nil // it could not be read before, either
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
	if err := b.add(n.tenant, fresh); err != nil {
		return err
	}
	_, err = b.exec(`UPDATE endpoints SET doc = ? WHERE tenant = ? AND no = ?`, doc, n.tenant, n.number)
	return err
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
