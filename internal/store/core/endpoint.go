package core

import (
	"context"
	"strconv"
	"strings"

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
	if q.own != nil {
		return q.own.endpoint(ctx, tenant, id)
	}
	return q.committedEndpoint(ctx, tenant, id)
}

func (q queries) committedEndpoint(ctx context.Context, tenant, id string) (*oms.Endpoint, error) {
	e, err := q.oneEndpoint(ctx, tenant, `SELECT `+endpointColumns+` FROM endpoints WHERE tenant = ? AND id = ? AND deleted = 0`, id)
	return e, orNotFound(err, "no endpoint %q", id)
}

// endpoint is Endpoint for a write, which rests on all that the tenant has then.
func (d *draft) endpoint(ctx context.Context, tenant, id string) (*oms.Endpoint, error) {
	set, err := d.endpointsInTurn(ctx, tenant)
	if err != nil {
		return nil, err
	}
	d.rests(tenant, set)
	if d.sets[tenant] == nil {
		return d.committedEndpoint(ctx, tenant, id)
	}
	e := set.byID(id)
	if e == nil {
		return nil, oms.Errorf(oms.NotFound, "no endpoint %q", id)
	}
	same := *e
	return &same, nil
}

// endpointsInTurn is endpointsOf for a write that is about one of them: a change of
// any has all such writes be decided again.
func (d *draft) endpointsInTurn(ctx context.Context, tenant string) (*endpointSet, error) {
	if err := d.turn.take(key{tenant, "endpoints"}); err != nil {
		return nil, err
	}
	return d.endpointsOf(ctx, tenant)
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
	return q.shared.endpoint(tenant, &er)
}

// Endpoints implements [store.EventReader]. It goes through the endpoints in memory: what
// a filter looks at is sealed in the table.
func (q queries) Endpoints(ctx context.Context, tenant string, f store.EndpointFilter, p store.Page) (store.List[*oms.Endpoint], error) {
	return pageOf(ctx, q, tenant, store.Listing, p, func(e *oms.Endpoint) store.Cursor { return store.Cursor{At: e.No} },
		func(ctx context.Context, p *page[*oms.Endpoint], after *store.Cursor) error {
			set, err := q.endpointsOf(ctx, tenant)
			if err != nil {
				return err
			}
			below := int64(len(set.byNo)) + 1
			if after != nil {
				below = min(below, after.At)
			}
			f.Text = oms.FoldName(f.Text)
			for no := below - 1; no > 0; no-- {
				e := set.get(no)
				if e == nil || e.Origin == oms.OriginConnector || !picks(f, e) {
					continue
				}
				if p.add(e, endpointBytes(e)) != nil {
					return nil
				}
			}
			return nil
		})
}

// picks reports whether a filter, whose text is folded, picks an endpoint. Of the URL it
// looks at what every role may see: who guesses must not learn what is hidden.
func picks(f store.EndpointFilter, e *oms.Endpoint) bool {
	if f.Enabled != nil && *f.Enabled != e.Enabled || f.EventType != "" && !e.Wants(f.EventType) {
		return false
	}
	has := func(text string) bool { return strings.Contains(oms.FoldName(text), f.Text) }
	return f.Text == "" || has(e.ID) || has(e.Description) || has(e.URL) && has(oms.PublicURL(e.URL))
}

// endpointBytes is about what an endpoint takes in an answer.
func endpointBytes(e *oms.Endpoint) int {
	n := rowBytes + len(e.ID) + len(e.URL) + len(e.Description) + len(e.Filter) + len(e.Disabled)
	for _, t := range e.EventTypes {
		n += len(t)
	}
	for _, h := range e.Headers {
		n += len(h.Name)
	}
	if e.TLS != nil {
		n += len(e.TLS.CA) + len(e.TLS.Certificate)
	}
	return n
}

// endpointsAtOnce is how many endpoints EveryEndpoint reads before it hands
// them on: what is done with them must not hold up the reading of the log.
const endpointsAtOnce = 1000

// EveryEndpoint implements [store.Store].
func (s *Store) EveryEndpoint(ctx context.Context, each func(tenant string, e *oms.Endpoint) error) error {
	var last tenantEndpoint
	for {
		batch, err := s.endpointsAfter(ctx, last)
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

func (s *Store) endpointsAfter(ctx context.Context, last tenantEndpoint) ([]tenantEndpoint, error) {
	var after int64
	if last.endpoint != nil {
		after = last.endpoint.No
	}
	return collect(ctx, s.q.Query, func(r Row) (tenantEndpoint, error) {
		var te tenantEndpoint
		var er endpointRow
		if err := r.Scan(append([]any{&te.tenant}, er.columns()...)...); err != nil {
			return te, err
		}
		e, err := s.shared.endpoint(te.tenant, &er)
		te.endpoint = e
		return te, err
	}, `SELECT tenant, `+endpointColumns+` FROM endpoints WHERE (tenant, no) > (?, ?) AND deleted = 0 ORDER BY tenant, no LIMIT ?`,
		last.tenant, after, endpointsAtOnce)
}

// PutEndpoint implements [store.EventTx]. The number of a new one is one more
// than that of the last: nobody else gives it away as long as the endpoints are of
// the version that the write rests on.
func (d *draft) PutEndpoint(ctx context.Context, tenant string, e *oms.Endpoint) error {
	d.touch(tenant, oms.TopicEndpoints)
	set, err := d.endpointsInTurn(ctx, tenant)
	if err != nil {
		return err
	}
	if e.No == 0 {
		return d.insertEndpoint(ctx, tenant, set, e)
	}
	if err := d.hasEndpoint(ctx, tenant, e); err != nil {
		return err
	}
	doc, fresh, kept, err := d.sealEndpoint(tenant, e)
	if err != nil {
		return err
	}
	before := set.get(e.No)
	d.addSecrets(d.of(tenant), tenant, 0, fresh)
	d.removeSecrets(tenant, before, kept)
	d.putEndpoint(tenant, set, e.No, kept)
	d.of(tenant).changeOne(`UPDATE endpoints SET origin = ?, doc = ? WHERE tenant = ? AND no = ?`, string(e.Origin), doc, tenant, e.No)
	d.auditEndpoint(tenant, kept, before)
	if e.Enabled && (!before.Enabled || before.URL != e.URL) {
		d.forgetFailures(tenant, e.No)
	}
	return nil
}

func (d *draft) insertEndpoint(ctx context.Context, tenant string, set *endpointSet, e *oms.Endpoint) error {
	_, err := d.EndpointNo(ctx, tenant, e.ID) // of a deleted one, too: its deliveries name it
	if err == nil || set.byID(e.ID) != nil {
		return oms.Errorf(oms.Conflict, "an endpoint %q exists already", e.ID)
	}
	if oms.KindOf(err) != oms.NotFound {
		return err
	}
	numbered := *e
	numbered.No = int64(len(set.byNo)) + 1
	doc, fresh, kept, err := d.sealEndpoint(tenant, &numbered)
	if err != nil {
		return err
	}
	d.addSecrets(d.of(tenant), tenant, 0, fresh)
	d.putEndpoint(tenant, set, numbered.No, kept)
	d.of(tenant).changeOne(`INSERT INTO endpoints (tenant, no, id, origin, doc) VALUES (?, ?, ?, ?, ?)`,
		tenant, numbered.No, e.ID, string(e.Origin), doc)
	e.No = numbered.No
	d.auditEndpoint(tenant, kept, nil)
	return nil
}

// auditEndpoint notes what of an endpoint changes; before is nil for a new one. Those
// that the API did not make follow the settings or the config file.
func (d *draft) auditEndpoint(tenant string, e, before *oms.Endpoint) {
	if e.Origin != oms.OriginAPI {
		return
	}
	if note := d.audit(tenant, oms.AuditEndpoint, e.ID); note != nil && before != nil {
		note.Change(e.ChangedFields(before)...)
	}
}

// DeleteEndpoint implements [store.EventTx]. What is kept of the endpoint has
// no secrets any more.
func (d *draft) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	d.touch(tenant, oms.TopicEndpoints)
	e, err := d.Endpoint(ctx, tenant, id)
	if err != nil {
		return err
	}
	set, err := d.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	bare := *e
	bare.Headers, bare.TLS, bare.Secrets, bare.SigningKey = nil, nil, nil, secret.Value{}
	doc, _, _, err := d.sealEndpoint(tenant, &bare)
	if err != nil {
		return err
	}
	d.removeSecrets(tenant, e, &bare)
	d.putEndpoint(tenant, set, e.No, nil)
	d.auditEndpoint(tenant, e, nil)
	d.of(tenant).changeOne(`UPDATE endpoints SET deleted = 1, doc = ? WHERE tenant = ? AND no = ?`, doc, tenant, e.No)
	d.forgetFailures(tenant, e.No) // nobody is to look at it any more
	return nil
}

// CancelOrphans implements [store.EventTx]. An endpoint that has none left is
// not looked at again: nothing makes a deleted one new deliveries.
func (d *draft) CancelOrphans(ctx context.Context, limit int) (int, error) {
	type orphan struct {
		tenant          string
		event, endpoint int64
	}
	deleted, err := collect(ctx, d.q.Query, func(r Row) (o orphan, err error) {
		err = r.Scan(&o.tenant, &o.endpoint)
		return o, err
	}, `SELECT tenant, no FROM endpoints INDEXED BY endpoints_deleted WHERE deleted = 1`)
	if err != nil {
		return 0, err
	}
	var orphans []orphan
	for _, text := range []string{
		orphansIn(`deliveries_due`, `due > 0`),
		orphansIn(`deliveries_group`, `status = 'p' AND grp <> '' AND due = 0`),
	} {
		some, err := collect(ctx, d.q.Query, func(r Row) (o orphan, err error) {
			err = r.Scan(&o.tenant, &o.event, &o.endpoint)
			return o, err
		}, text, limit-len(orphans))
		if err != nil {
			return 0, err
		}
		orphans = append(orphans, some...)
	}
	now := micros(d.clock())
	for _, o := range orphans {
		d.touch(o.tenant, oms.TopicDeliveries)
		d.batch.change(`UPDATE deliveries SET status = 'c', due = 0, updated = ? WHERE tenant = ? AND event = ? AND endpoint = ? AND status = 'p'`,
			now, o.tenant, o.event, o.endpoint)
	}
	if len(orphans) < limit {
		for _, e := range deleted {
			d.batch.change(`UPDATE endpoints SET deleted = 2 WHERE tenant = ? AND no = ? AND deleted = 1`, e.tenant, e.endpoint)
		}
	}
	return len(orphans), nil
}

// orphansIn finds those of the deliveries of deleted endpoints that an index holds.
func orphansIn(index, condition string) string {
	return `
		SELECT deliveries.tenant, event, endpoint
		FROM endpoints INDEXED BY endpoints_deleted CROSS JOIN deliveries INDEXED BY ` + index + `
			ON deliveries.tenant = endpoints.tenant AND deliveries.endpoint = endpoints.no
		WHERE deleted = 1 AND ` + condition + ` LIMIT ?`
}
