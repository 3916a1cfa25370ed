package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// audited is the entry of the audit log that a write leaves with its change.
type audited struct {
	tenant string
	entry  oms.AuditEntry
}

// audit notes that the write makes a change of which the audit log tells, and
// returns the detail to be filled in, nil if nobody asked for the change. A write has
// one entry, however much it changes: its target is what the call is about, and if
// the call names nothing, what is changed first.
func (d *draft) audit(tenant, kind, id string) *oms.AuditDetail {
	if d.asked == nil {
		return nil
	}
	if d.audited == nil {
		d.audited = &audited{tenant, d.asked()}
		if d.audited.entry.Target.Kind == "" {
			d.audited.entry.Target = oms.AuditTarget{Kind: kind, ID: id}
		}
	}
	return &d.audited.entry.Detail
}

// auditRows is how entries are stored.
var auditRows = &Insertion{Table: "audit", Often: []string{"tenant", "at", "id", "key_id", "action", "kind", "target", "request", "entry"}}

// finishAudit adds the write's entry to what is committed.
func (d *draft) finishAudit() error {
	if d.audited == nil {
		return nil
	}
	e := &d.audited.entry
	e.Timestamp = fromMicros(micros(d.clock()))
	e.ID = oms.NewID(oms.AuditID) // of entries of the same time, those made first have the lower ids
	doc, err := encode(e)
	if err == nil {
		d.of(d.audited.tenant).insert(auditRows, Tuple{Often: []any{
			d.audited.tenant, micros(e.Timestamp), e.ID, e.Actor.KeyID, e.Action, e.Target.Kind, e.Target.ID, e.RequestID, doc}})
	}
	return err
}

// Audit implements [store.Reader].
func (q queries) Audit(ctx context.Context, tenant string, f store.AuditFilter, asked store.Page) (store.List[oms.AuditEntry], error) {
	return newestFirst(ctx, q, tenant, auditLike(tenant, f), asked, `entry`, func(r Row) (e oms.AuditEntry, err error) {
		var doc []byte
		if err = r.Scan(&doc); err == nil {
			err = decode(doc, &e, "audit entry")
		}
		return e, err
	}, func(e oms.AuditEntry) store.Cursor { return store.Cursor{At: micros(e.Timestamp), ID: e.ID} })
}

// auditLike returns the list of the entries that the filter picks, along the index
// of that which picks the fewest.
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
