package sqlite

import (
	"context"
	"strconv"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// endpointColumns are what a query of an endpoint reads.
const endpointColumns = `no, id, origin, doc`

type endpointRow struct {
	no         int64
	id, origin string
	doc        string // sealed
}

func (r *endpointRow) columns() []any { return []any{&r.no, &r.id, &r.origin, &r.doc} }

// endpoint reads the document. One that does not open, since it was copied here or
// altered, is an endpoint that is off and says so: what becomes of the others is not
// up to it.
func (s *shared) endpoint(tenant string, r *endpointRow) (*oms.Endpoint, error) {
	doc, err := s.sealer.OpenDocument(tenant, endpointPlace(r.no), r.doc)
	if err == nil {
		return decodeEndpoint(r.no, doc)
	}
	if _, told := s.unopened.LoadOrStore(numbered{tenant, r.no}, true); !told {
		s.log.Warn("a stored endpoint cannot be opened", "tenant", tenant, "endpoint", r.id, "why", secret.ErrMoved)
	}
	return &oms.Endpoint{No: r.no, ID: r.id, Origin: oms.Origin(r.origin), Format: oms.FormatFull, Ordering: oms.OrderingNone, Timeout: oms.DefaultTimeout,
		Schedule: oms.DefaultSchedule, Concurrency: oms.DefaultConcurrency, Signatures: []string{oms.SignatureV1},
		Disabled: "what is stored of it cannot be opened: " + secret.ErrMoved.Error()}, nil
}

// endpointPlace is what an endpoint's document is sealed for, besides the tenant.
func endpointPlace(no int64) string { return "endpoints/" + strconv.FormatInt(no, 10) }

// Endpoint implements [store.EventReader].
func (q queries) Endpoint(ctx context.Context, tenant, id string) (*oms.Endpoint, error) {
	e, err := q.oneEndpoint(ctx, tenant, `SELECT `+endpointColumns+` FROM endpoints WHERE tenant = ? AND id = ? AND deleted = 0`, id)
	return e, orNotFound(err, "no endpoint %q", id)
}

// EndpointNo implements [store.EventReader].
func (q queries) EndpointNo(ctx context.Context, tenant, id string) (no int64, err error) {
	err = one(ctx, q.q, []any{&no}, `SELECT no FROM endpoints WHERE tenant = ? AND id = ?`, tenant, id)
	return no, orNotFound(err, "no endpoint %q", id)
}

// EndpointByNo implements [store.EventReader].
func (q queries) EndpointByNo(ctx context.Context, tenant string, no int64) (*oms.Endpoint, error) {
	e, err := q.oneEndpoint(ctx, tenant, `SELECT `+endpointColumns+` FROM endpoints WHERE tenant = ? AND no = ?`, no)
	return e, orNotFound(err, "no endpoint of number %d", no)
}

func (q queries) oneEndpoint(ctx context.Context, tenant, text string, by any) (*oms.Endpoint, error) {
	var er endpointRow
	if err := one(ctx, q.q, er.columns(), text, tenant, by); err != nil {
		return nil, err
	}
	return q.endpoint(tenant, &er)
}

// Endpoints implements [store.EventReader].
func (q queries) Endpoints(ctx context.Context, tenant string, p store.Page) (store.List[*oms.Endpoint], error) {
	scan := func(r row) (*oms.Endpoint, error) {
		var er endpointRow
		if err := r.Scan(er.columns()...); err != nil {
			return nil, err
		}
		return q.endpoint(tenant, &er)
	}
	return countedDown(ctx, q.q, p, scan, func(e *oms.Endpoint) int64 { return e.No }, `
		SELECT `+endpointColumns+` FROM endpoints WHERE tenant = ? AND origin <> 'connector' AND deleted = 0 AND no < ?
		ORDER BY no DESC LIMIT ?`, tenant)
}

// endpointsAtOnce is how many endpoints EveryEndpoint reads before it hands
// them on: what is done with them must not hold up the reading of the log.
const endpointsAtOnce = 1000

// EveryEndpoint implements [store.Store].
func (db *DB) EveryEndpoint(ctx context.Context, each func(tenant string, e *oms.Endpoint) error) error {
	var last tenantEndpoint
	for {
		batch, err := db.endpointsAfter(ctx, last)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, last = range batch {
			if err := each(last.tenant, last.endpoint); err != nil {
				return err
			}
		}
	}
}

type tenantEndpoint struct {
	tenant   string
	endpoint *oms.Endpoint
}

func (db *DB) endpointsAfter(ctx context.Context, last tenantEndpoint) ([]tenantEndpoint, error) {
	var after int64
	if last.endpoint != nil {
		after = last.endpoint.No
	}
	return collect(ctx, db.readers.query, func(r row) (tenantEndpoint, error) {
		var te tenantEndpoint
		var er endpointRow
		if err := r.Scan(append([]any{&te.tenant}, er.columns()...)...); err != nil {
			return te, err
		}
		e, err := db.endpoint(te.tenant, &er)
		te.endpoint = e
		return te, err
	}, `SELECT tenant, `+endpointColumns+` FROM endpoints WHERE (tenant, no) > (?, ?) AND deleted = 0 ORDER BY tenant, no LIMIT ?`,
		last.tenant, after, endpointsAtOnce)
}

// PutEndpoint implements [store.EventTx].
func (t *tx) PutEndpoint(ctx context.Context, tenant string, e *oms.Endpoint) error {
	set, err := t.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	if e.No == 0 {
		return t.insertEndpoint(tenant, set, e)
	}
	if err := t.hasEndpoint(ctx, tenant, e); err != nil {
		return err
	}
	before := set.get(e.No)
	doc, fresh, kept, err := t.sealEndpoint(tenant, e)
	if err != nil {
		return err
	}
	if err := t.addSecrets(tenant, fresh); err != nil {
		return err
	}
	if err := t.removeSecrets(tenant, before, kept); err != nil {
		return err
	}
	if _, err := t.w.exec(`UPDATE endpoints SET origin = ?, doc = ? WHERE tenant = ? AND no = ?`, string(e.Origin), doc, tenant, e.No); err != nil {
		return err
	}
	t.w.changes.putEndpoint(tenant, set, kept)
	if e.Enabled && (!before.Enabled || before.URL != e.URL) {
		return t.forgetFailures(tenant, e.No)
	}
	return nil
}

func (t *tx) insertEndpoint(tenant string, set *endpointSet, e *oms.Endpoint) error {
	numbered := *e
	numbered.No = int64(len(set.byNo)) + 1
	doc, fresh, kept, err := t.sealEndpoint(tenant, &numbered)
	if err != nil {
		return err
	}
	n, err := t.w.exec(`INSERT INTO endpoints (tenant, no, id, origin, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, numbered.No, e.ID, string(e.Origin), doc)
	if err == nil && n == 0 {
		return oms.Errorf(oms.Conflict, "an endpoint %q exists already", e.ID)
	}
	if err == nil {
		err = t.addSecrets(tenant, fresh)
	}
	if err != nil {
		return err
	}
	e.No = numbered.No
	t.w.changes.putEndpoint(tenant, set, kept)
	return nil
}

// DeleteEndpoint implements [store.EventTx]. What is kept of the endpoint has
// no secrets any more.
func (t *tx) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	e, err := t.Endpoint(ctx, tenant, id)
	if err != nil {
		return err
	}
	set, err := t.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	bare := *e
	bare.Headers, bare.TLS, bare.Secrets, bare.SigningKey = nil, nil, nil, secret.Value{}
	doc, _, _, err := t.sealEndpoint(tenant, &bare)
	if err != nil {
		return err
	}
	if err := t.removeSecrets(tenant, e, &bare); err != nil {
		return err
	}
	t.w.changes.deleteEndpoint(tenant, set, e.No)
	_, err = t.w.exec(`UPDATE endpoints SET deleted = 1, doc = ? WHERE tenant = ? AND no = ?`, doc, tenant, e.No)
	return err
}

// CancelOrphans implements [store.EventTx]. An endpoint that has none left is
// not looked at again: nothing makes a deleted one new deliveries.
func (t *tx) CancelOrphans(_ context.Context, limit int) (int, error) {
	now := micros(t.clock())
	due, err := t.w.exec(cancelOrphans(`deliveries_due`, `due > 0`), now, limit)
	if err != nil {
		return 0, err
	}
	waiting, err := t.w.exec(cancelOrphans(`deliveries_group`, `status = 'p' AND grp <> '' AND due = 0`), now, limit-int(due))
	if err != nil {
		return 0, err
	}
	canceled := int(due + waiting)
	if canceled < limit {
		_, err = t.w.exec(`UPDATE endpoints SET deleted = 2 WHERE deleted = 1`)
	}
	return canceled, err
}

// cancelOrphans is the statement that cancels those of the deliveries of
// deleted endpoints that an index holds.
func cancelOrphans(index, condition string) string {
	return `
		UPDATE deliveries SET status = 'c', due = 0, updated = ? WHERE (tenant, event, endpoint) IN (
			SELECT deliveries.tenant, event, endpoint
			FROM endpoints INDEXED BY endpoints_deleted CROSS JOIN deliveries INDEXED BY ` + index + `
				ON deliveries.tenant = endpoints.tenant AND deliveries.endpoint = endpoints.no
			WHERE deleted = 1 AND ` + condition + ` LIMIT ?)`
}
