package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// audited is the entry of the audit log that a write leaves with its change. The entry is
// one more row of the batch: so there is no change without its entry, and no entry of a
// change that failed.
type audited struct {
	tenant string
	entry  access.AuditEntry
}

// audit notes that the write makes a change of which the audit log tells, and returns the
// detail to be filled in. It is nil if nobody asked for the change: the server makes it by
// itself. A write has one entry, however much it changes. The target of the entry is what
// the call is about, or, if the call names nothing, what is changed first
// (docs/contract.md#audit).
func (d *draft) audit(tenant, kind, id string) *access.AuditDetail {
	if d.asked == nil {
		return nil
	}
	if d.audited == nil {
		d.audited = &audited{tenant, d.asked()}
		if d.audited.entry.Target.Kind == "" {
			d.audited.entry.Target = access.AuditTarget{Kind: kind, ID: id}
		}
	}
	return &d.audited.entry.Detail
}

// NoteTry implements [store.Tx].
func (d *draft) NoteTry(_ context.Context, tenant, connector string) error {
	d.audit(tenant, access.AuditConnector, connector)
	return nil
}

// NoteInterception implements [store.Tx].
func (d *draft) NoteInterception(_ context.Context, tenant, id string, of *access.AuditedInterception) error {
	if detail := d.audit(tenant, access.AuditInterception, id); detail != nil {
		detail.Intercepted = of
	}
	return nil
}

// auditRows is how entries are stored.
var auditRows = &Insertion{Table: "audit", Often: []string{"tenant", "at", "id", "key_id", "action", "kind", "target", "request", "entry"}}

// finishAudit adds the entry of a write that has one to what is committed. It comes last, when the write
// has filled in the detail.
func (d *draft) finishAudit() error {
	e := &d.audited.entry
	e.Timestamp = fromMicros(micros(d.clock()))
	e.ID = ids.New(ids.Audit) // of entries of the same time, those made first have the lower ids
	doc, err := encode(e)
	if err == nil {
		d.of(d.audited.tenant).insert(auditRows, Tuple{Often: []any{
			d.audited.tenant, micros(e.Timestamp), e.ID, e.Actor.KeyID, e.Action, e.Target.Kind, e.Target.ID, e.RequestID, doc}})
	}
	return err
}

// Audit implements [store.Reader]. What it shows is the entry as it was written: keys and
// endpoints that it names may be gone.
func (q queries) Audit(ctx context.Context, tenant string, f store.AuditFilter, asked store.Page) (store.List[access.AuditEntry], error) {
	return newestFirst(ctx, q, tenant, auditLike(tenant, f), asked, paged[access.AuditEntry]{`entry`, func(r Row) (e access.AuditEntry, err error) {
		var doc []byte
		if err = r.Scan(&doc); err == nil {
			err = decode(doc, &e, "audit entry")
		}
		return e, err
	}, func(e access.AuditEntry) store.Cursor { return store.Cursor{At: micros(e.Timestamp), ID: e.ID} }})
}

// auditLike returns the list of the entries that the filter picks, along the index of what
// picks the fewest: a request has one or two, a key may have all. The conditions that have
// no index of their own are compared for each row.
func auditLike(tenant string, f store.AuditFilter) *newest {
	n := &newest{from: "audit", time: "at", id: "id", along: listOf(tenant), rest: &list{}}
	indexes := []struct{ name, column, value string }{
		{"audit_request", "request", f.RequestID}, {"audit_target", "target", f.Target}, {"audit_key", "key_id", f.KeyID},
	}
	for _, i := range indexes {
		if n.from == "audit" && i.value != "" {
			n.from = "audit INDEXED BY " + i.name
			n.along.indexed(i.column, i.value)
			continue
		}
		n.rest.equal(i.column, i.value)
	}
	n.along.between("at", f.From, f.To)
	n.rest.equal("action", f.Action)
	n.rest.equal("kind", f.Kind)
	return n
}
