package store

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

type auditKey struct{}

// Audited returns a context whose writes are somebody's: one that makes a change of
// the kinds that the audit log is about commits an entry with it, in the same
// transaction. The given entry says who asks for what: Actor, Action, RequestID, and
// Target where it is known. The write says the rest. A write that fails, or makes no
// such change, leaves no entry, and so does what the server does by itself: its
// contexts name nobody.
func Audited(ctx context.Context, e oms.AuditEntry) context.Context {
	return context.WithValue(ctx, auditKey{}, &e)
}

// AuditedBy returns what [Audited] was given, nil if nothing was. It must not be
// changed.
func AuditedBy(ctx context.Context) *oms.AuditEntry {
	e, _ := ctx.Value(auditKey{}).(*oms.AuditEntry)
	return e
}

// AuditFilter picks entries of the audit log; an empty field picks all.
type AuditFilter struct {
	KeyID, Action, Kind, Target, RequestID string // compared exactly
	// From and To bound when the change was made: From <= timestamp < To.
	From, To time.Time
}
