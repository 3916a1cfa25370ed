package core

import (
	"context"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// endpointColumns are what a query of an endpoint reads. All but what it is found by is in
// doc, which is sealed as a whole: a URL, too, may hold a password.
const endpointColumns = `no, id, origin, doc`

// endpointRow is a row of endpoints, before its document is opened. no numbers the
// endpoints of a tenant: deliveries and attempts refer to an endpoint by it.
type endpointRow struct {
	no         int64
	id, origin string
	doc        string // sealed
}

// columns returns where the values of endpointColumns go.
func (r *endpointRow) columns() []any { return []any{&r.no, &r.id, &r.origin, &r.doc} }

// endpoint opens the document of an endpoint. If somebody has copied it from another place
// or altered it, it does not open. Then the endpoint is off and says why, and the others
// work as before. That is logged once for each endpoint, as long as the process runs.
func (s *shared) endpoint(tenant string, r *endpointRow) (*event.Endpoint, error) {
	doc, err := s.sealer.OpenDocument(tenant, endpointPlace(r.no), r.doc)
	if err == nil {
		return decodeEndpoint(r.no, doc)
	}
	// The endpoints are read again and again: the log would be full of it.
	if _, told := s.unopened.LoadOrStore(numbered{tenant, r.no}, true); !told {
		s.log.Warn("a stored endpoint cannot be opened", "tenant", tenant, "endpoint", r.id, "why", secret.ErrMoved)
	}
	// Its URL is not known, so it could not be called in any case.
	e := event.DefaultEndpoint()
	e.No, e.ID, e.Origin, e.Enabled = r.no, r.id, event.Origin(r.origin), false
	e.Disabled = "what is stored of it cannot be opened: " + secret.ErrMoved.Error()
	return e, nil
}

// endpointPlace is what an endpoint's document is sealed for, besides the tenant.
func endpointPlace(no int64) string { return "endpoints/" + strconv.FormatInt(no, 10) }

// Endpoint implements [store.EventReader].
func (q queries) Endpoint(ctx context.Context, tenant, id string) (*event.Endpoint, error) {
	if q.own != nil {
		return q.own.endpoint(ctx, tenant, id)
	}
	return q.committedEndpoint(ctx, tenant, id)
}

// committedEndpoint reads an endpoint as it was committed last, unless it was deleted.
func (q queries) committedEndpoint(ctx context.Context, tenant, id string) (*event.Endpoint, error) {
	e, err := q.oneEndpoint(ctx, tenant, `SELECT `+endpointColumns+` FROM endpoints WHERE tenant = ? AND id = ? AND deleted = 0`, id)
	return e, orNotFound(err, "endpoint %q", id)
}

// endpoint is Endpoint for a write. The write depends on all endpoints that the tenant has
// then. If it has changed one of them, it reads them as it left them, and else as they are
// committed.
func (d *draft) endpoint(ctx context.Context, tenant, id string) (*event.Endpoint, error) {
	set, err := d.endpointsInTurn(ctx, tenant)
	if err != nil {
		return nil, err
	}
	d.dependsOn(tenant, set)
	if d.sets[tenant] == nil {
		return d.committedEndpoint(ctx, tenant, id)
	}
	e := set.byID(id)
	if e == nil {
		return nil, apierr.Errorf(apierr.NotFound, "no endpoint %q", id)
	}
	// The set is shared with all readers, and the caller may change what it gets.
	same := *e
	return &same, nil
}

// endpointsInTurn is endpointsOf for a write that is about one of the endpoints. Such
// writes of a tenant take turns: a change of any endpoint has all of them decided again.
func (d *draft) endpointsInTurn(ctx context.Context, tenant string) (*endpointSet, error) {
	if err := d.turn.take(key{tenant, "endpoints"}); err != nil {
		return nil, err
	}
	return d.endpointsOf(ctx, tenant)
}

// EndpointNo implements [store.EventReader]. The number of an endpoint never changes, and
// is not given to another one.
func (q queries) EndpointNo(ctx context.Context, tenant, id string) (no int64, err error) {
	err = one(ctx, q.q, []any{&no}, `SELECT no FROM endpoints WHERE tenant = ? AND id = ?`, tenant, id)
	return no, orNotFound(err, "endpoint %q", id)
}

// EndpointByNo implements [store.EventReader]. A deleted endpoint is without its headers,
// its certificate and its secrets.
func (q queries) EndpointByNo(ctx context.Context, tenant string, no int64) (*event.Endpoint, error) {
	e, err := q.oneEndpoint(ctx, tenant, `SELECT `+endpointColumns+` FROM endpoints WHERE tenant = ? AND no = ?`, no)
	return e, orNotFound(err, "endpoint of number %d", no)
}

// oneEndpoint returns the endpoint that a query finds by a value; sql.ErrNoRows if it finds
// none.
func (q queries) oneEndpoint(ctx context.Context, tenant, text string, by any) (*event.Endpoint, error) {
	var er endpointRow
	if err := one(ctx, q.q, er.columns(), text, tenant, by); err != nil {
		return nil, err
	}
	return q.shared.endpoint(tenant, &er)
}

// Endpoints implements [store.EventReader]. It goes through the endpoints in memory, the
// newest first: what a filter looks at is sealed in the table.
func (q queries) Endpoints(ctx context.Context, tenant string, f store.EndpointFilter, p store.Page) (store.List[*event.Endpoint], error) {
	return pageOf(ctx, q, tenant, store.Listing, p, func(e *event.Endpoint) store.Cursor { return store.Cursor{At: e.No} },
		func(ctx context.Context, p *page[*event.Endpoint], after *store.Cursor) error {
			set, err := q.endpointsOf(ctx, tenant)
			if err != nil {
				return err
			}
			// The number of an endpoint is its place in the set, so a cursor needs nothing
			// but that.
			below := int64(len(set.byNo)) + 1
			if after != nil {
				below = min(below, after.At)
			}
			f.Text = spelling.FoldName(f.Text)
			for no := below - 1; no > 0; no-- {
				e := set.get(no)
				if e == nil || e.Origin == event.OriginConnector || !picks(f, e) {
					continue
				}
				// The page is full.
				if p.add(e, endpointBytes(e)) != nil {
					return nil
				}
			}
			return nil
		})
}

// picks reports whether a filter, whose text is folded, picks an endpoint. It looks only
// at the part of the URL that every role may see: otherwise somebody could find out what is hidden, one
// guess after the other.
func picks(f store.EndpointFilter, e *event.Endpoint) bool {
	if f.Enabled != nil && *f.Enabled != e.Enabled || f.EventType != "" && !e.Wants(f.EventType) {
		return false
	}
	has := func(text string) bool { return strings.Contains(spelling.FoldName(text), f.Text) }
	return f.Text == "" || has(e.ID) || has(e.Description) || has(e.URL) && has(weburl.PublicURL(e.URL))
}

// endpointBytes is about how many bytes an endpoint takes in an answer. Its secrets are not
// shown.
func endpointBytes(e *event.Endpoint) int {
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

// endpointsAtOnce is how many endpoints EveryEndpoint reads before it hands them on. A read
// that stays open keeps SQLite from reusing the write-ahead log, and what is done with the
// endpoints may take long.
const endpointsAtOnce = 1000

// EveryEndpoint implements [store.Store]. A node calls it when it takes shards.
func (s *Store) EveryEndpoint(ctx context.Context, each func(tenant string, e *event.Endpoint, version int64) error) error {
	var last tenantEndpoint
	for {
		batch, err := s.endpointsAfter(ctx, last)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, last = range batch {
			if err := each(last.tenant, last.endpoint, last.version); err != nil {
				return err
			}
		}
	}
}

// tenantEndpoint is an endpoint with its tenant. Its zero value is before all of them.
type tenantEndpoint struct {
	tenant   string
	endpoint *event.Endpoint
	version  int64 // of the tenant's endpoints
}

// endpointsAfter returns the next endpoints of all tenants after one. They are read some
// at a time, so that there may be any number.
func (s *Store) endpointsAfter(ctx context.Context, last tenantEndpoint) ([]tenantEndpoint, error) {
	// The zero value of last has no endpoint: numbers begin with 1.
	var after int64
	if last.endpoint != nil {
		after = last.endpoint.No
	}
	return collect(ctx, s.q.Query, func(r Row) (tenantEndpoint, error) {
		var te tenantEndpoint
		var er endpointRow
		if err := r.Scan(append([]any{&te.tenant, &te.version}, er.columns()...)...); err != nil {
			return te, err
		}
		e, err := s.shared.endpoint(te.tenant, &er)
		te.endpoint = e
		return te, err
	}, `SELECT tenant, `+setVersion+`, `+endpointColumns+` FROM endpoints WHERE (tenant, no) > (?, ?) AND deleted = 0 ORDER BY tenant, no LIMIT ?`,
		last.tenant, after, endpointsAtOnce)
}

// setVersion is the version of the endpoints of a row's tenant.
const setVersion = `coalesce((SELECT version FROM endpoint_sets WHERE endpoint_sets.tenant = endpoints.tenant), 0)`

// endpointNow returns an endpoint, nil if it was deleted, and the version that it is read
// at. One statement reads both, so they belong together.
func (s *Store) endpointNow(ctx context.Context, tenant string, no int64) (e *event.Endpoint, version int64, err error) {
	var er endpointRow
	var deleted bool
	err = one(ctx, s.q, append(er.columns(), &deleted, &version), `SELECT `+endpointColumns+`, deleted <> 0, `+setVersion+` FROM endpoints WHERE tenant = ? AND no = ?`, tenant, no)
	if err != nil || deleted {
		return nil, version, err
	}
	e, err = s.shared.endpoint(tenant, &er)
	return e, version, err
}

// PutEndpoint implements [store.EventTx]. The number of a new endpoint is one more than
// that of the last one. Nobody else can give the same number away: the write depends on the
// version of the tenant's endpoints, and each new endpoint raises that. An endpoint that is
// turned on, or gets another URL, begins without the failures of before.
func (d *draft) PutEndpoint(ctx context.Context, tenant string, e *event.Endpoint) error {
	d.touch(tenant, changes.TopicEndpoints)
	// Two writes that make an endpoint at the same time would want the same number.
	set, err := d.endpointsInTurn(ctx, tenant)
	if err != nil {
		return err
	}
	// An endpoint without a number is a new one.
	if e.No == 0 {
		return d.insertEndpoint(ctx, tenant, set, e)
	}
	if err := d.hasEndpoint(ctx, tenant, e); err != nil {
		return err
	}
	doc, fresh, stored, err := d.sealOwn(ctx, tenant, e)
	if err != nil {
		return err
	}
	// Secrets that the endpoint had and has no more are destroyed with this write.
	before := set.get(e.No)
	d.addSecrets(d.of(tenant), tenant, 0, fresh)
	d.removeSecrets(tenant, before, stored)
	d.putEndpoint(tenant, set, e.No, stored)
	d.of(tenant).changeOne(`UPDATE endpoints SET origin = ?, doc = ? WHERE tenant = ? AND no = ?`, string(e.Origin), doc, tenant, e.No)
	d.auditEndpoint(tenant, stored, before)
	// It is not turned off again for what it failed at before it was mended, or at another
	// place.
	if e.Enabled && (!before.Enabled || before.URL != e.URL) {
		d.forgetFailures(tenant, e.No)
	}
	return nil
}

// insertEndpoint stores a new endpoint and sets its No. The id must not be that of a
// deleted one, either: the deliveries of that one name it.
func (d *draft) insertEndpoint(ctx context.Context, tenant string, set *endpointSet, e *event.Endpoint) error {
	_, err := d.EndpointNo(ctx, tenant, e.ID) // of a deleted one, too: its deliveries name it
	if err == nil || set.byID(e.ID) != nil {
		return apierr.Errorf(apierr.Conflict, "an endpoint %q exists already", e.ID)
	}
	if apierr.KindOf(err) != apierr.NotFound {
		return err
	}
	// The caller's endpoint gets its number only once nothing can fail any more.
	numbered := *e
	numbered.No = int64(len(set.byNo)) + 1
	doc, fresh, stored, err := d.sealOwn(ctx, tenant, &numbered)
	if err != nil {
		return err
	}
	d.addSecrets(d.of(tenant), tenant, 0, fresh)
	d.putEndpoint(tenant, set, numbered.No, stored)
	d.of(tenant).changeOne(`INSERT INTO endpoints (tenant, no, id, origin, doc) VALUES (?, ?, ?, ?, ?)`,
		tenant, numbered.No, e.ID, string(e.Origin), doc)
	e.No = numbered.No
	d.numbered = append(d.numbered, e)
	d.auditEndpoint(tenant, stored, nil)
	return nil
}

// auditEndpoint notes what of an endpoint changes; before is nil for a new one. An endpoint
// of a connector, or of the config file, is not noted: nobody asks for it, since it follows
// the settings or the file.
func (d *draft) auditEndpoint(tenant string, e, before *event.Endpoint) {
	if e.Origin != event.OriginAPI {
		return
	}
	if note := d.audit(tenant, access.AuditEndpoint, e.ID); note != nil && before != nil {
		note.Change(e.ChangedFields(before)...)
	}
}

// DeleteEndpoint implements [store.EventTx]. The row stays, since deliveries and attempts
// refer to it, but it is sealed again without the secrets. It may have very many pending
// deliveries, so these are canceled afterwards, in steps (CancelOrphans).
func (d *draft) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	d.touch(tenant, changes.TopicEndpoints)
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
	doc, _, _, err := d.sealOwn(ctx, tenant, &bare)
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

// CancelOrphans implements [store.EventTx]. The column deleted is 1 for a deleted endpoint
// that may still have pending deliveries, and 2 for one that has none left. That one is not
// looked at again: nothing makes new deliveries to a deleted endpoint.
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
		d.touch(o.tenant, changes.TopicDeliveries)
		d.batch.change(`UPDATE deliveries SET status = 'c', due = 0, updated = ? WHERE tenant = ? AND event = ? AND endpoint = ? AND status = 'p'`,
			now, o.tenant, o.event, o.endpoint)
	}
	// The queries went through all deleted endpoints, so none of them has any delivery
	// left.
	if len(orphans) < limit {
		for _, e := range deleted {
			d.batch.change(`UPDATE endpoints SET deleted = 2 WHERE tenant = ? AND no = ? AND deleted = 1`, e.tenant, e.endpoint)
		}
	}
	return len(orphans), nil
}

// orphansIn returns the query of the pending deliveries of deleted endpoints that an index
// holds: what is due has one index, and what waits in a group has another.
func orphansIn(index, condition string) string {
	return `
		SELECT deliveries.tenant, event, endpoint
		FROM endpoints INDEXED BY endpoints_deleted CROSS JOIN deliveries INDEXED BY ` + index + `
			ON deliveries.tenant = endpoints.tenant AND deliveries.endpoint = endpoints.no
		WHERE deleted = 1 AND ` + condition + ` LIMIT ?`
}
