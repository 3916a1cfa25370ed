package store

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

type auditKey struct{}

// Audited returns a context whose writes are somebody's: one that makes a change of
// the kinds that the audit log is about commits an entry with it, in the same
// transaction. asked returns the entry as far as it is known who asks for what: Actor,
// Action, RequestID, and Target where it is known; it is called for such a write
// alone, which says the rest. A write that fails, or makes no such change, leaves no
// entry, and so does what the server does by itself: its contexts name nobody.
func Audited(ctx context.Context, asked func() access.AuditEntry) context.Context {
	return context.WithValue(ctx, auditKey{}, asked)
}

// AuditedBy returns what [Audited] was given, nil if nothing was.
func AuditedBy(ctx context.Context) (asked func() access.AuditEntry) {
	asked, _ = ctx.Value(auditKey{}).(func() access.AuditEntry)
	return asked
}

// AuditFilter picks entries of the audit log; an empty field picks all.
type AuditFilter struct {
	KeyID, Action, Kind, Target, RequestID string // compared exactly
	// From and To bound when the change was made: From <= timestamp < To.
	From, To time.Time
}
