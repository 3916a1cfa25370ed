package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/store"
)

// audit registers the call that reads the audit log (docs/contract.md#audit). Nothing in
// the API writes an entry by itself: the write that makes a change adds it, from what
// asked says.
func audit(a *api) {
	handle(a, access.Admin, huma.Operation{OperationID: "list-audit", Method: http.MethodGet, Path: "/api/audit", Tags: []string{"Audit"},
		Summary: "List who changed what, the newest first",
		Description: "Changes of settings, endpoints and keys; replays, resumes, redeliveries, cancels; interceptions; erasures of orders: each with its entry, in one transaction. " +
			"What failed has none, nor what a dry run or a repeated Idempotency-Key answered. An entry names fields and ids, and never holds a secret."}, a.listAudit)
}

// listAudit lists entries of the caller's own tenant. The values of action and kind are
// fixed lists, so that a slip in one is refused; operations that join the log have to be
// added here.
func (a *api) listAudit(ctx context.Context, in *struct {
	PageParams
	KeyID     string `query:"keyId" doc:"Of the key that it was done with"`
	Action    string `query:"action" enum:"put-settings,restore-settings-version,create-endpoint,patch-endpoint,delete-endpoint,rotate-endpoint-secret,recover-endpoint,create-key,patch-key,delete-key,replay-attempt,resume-run,cancel-run,resume-runs,cancel-job,redeliver-event,redeliver-delivery,redeliver-deliveries,cancel-delivery,cancel-deliveries,try-connectors,promote-shadow,create-interception,delete-interception,delete-order" doc:"The operationId of the call"`
	Kind      string `query:"kind" enum:"settings,endpoint,key,attempt,run,delivery,event,order,job,connector,interception" doc:"Of the target"`
	Target    string `query:"target" doc:"The target's id"`
	RequestID string `query:"requestId"`
	From      string `query:"from" doc:"Done at or after this time"`
	To        string `query:"to" doc:"Done before this time"`
}) (*listOf[access.AuditEntry], error) {
	from, to, err := span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	f := store.AuditFilter{KeyID: in.KeyID, Action: in.Action, Kind: in.Kind, Target: in.Target, RequestID: in.RequestID, From: from, To: to}
	return listed(ctx, a, in.toPage(), func(p store.Page) (store.List[access.AuditEntry], error) {
		return a.Store.Audit(ctx, tenantOf(ctx), f, p)
	}, asIs)
}

// asked is the entry of the audit log as far as a call tells it: who asks for what. The
// write that makes the change says the rest, if it is of those that the log is about. It
// is called within the write, and perhaps several times, if the write is overtaken. So it
// reads the request and nothing else. A call through a page is known by the key in its
// context (WithKey), and the address is that of the person then, too.
func asked(c *call, op *huma.Operation) access.AuditEntry {
	e := access.AuditEntry{Action: op.OperationID, RequestID: c.id, Target: targetOf(c.r, op.Path),
		Actor: access.Actor{KeyID: c.key.ID, KeyName: c.key.Name, Role: c.key.Role, Via: access.ViaAPI}}
	if from := AddressOf(c.r); from.IsValid() {
		e.Actor.Address = from.String()
	}
	if _, within := signedIn(c.r.Context()); within {
		e.Actor.Via = access.ViaDashboard
	}
	return e
}

// auditKinds is what a path is about, by its first part. A path that is not among them is
// about nothing that the log knows.
var auditKinds = map[string]string{"settings": access.AuditSettings, "endpoints": access.AuditEndpoint, "keys": access.AuditKey, "attempts": access.AuditAttempt,
	"runs": access.AuditRun, "deliveries": access.AuditDelivery, "events": access.AuditEvent, "orders": access.AuditOrder, "jobs": access.AuditJob, "interceptions": access.AuditInterception}

// targetOf is the thing that the path of a call names; zero where it names none, as
// that of a call which makes one, or is about many. The target's id is what the path has,
// as the caller wrote it, and need not exist: a call that fails has no entry.
func targetOf(r *http.Request, path string) access.AuditTarget {
	of, rest, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
	for _, name := range []string{"id", "version"} {
		if strings.HasPrefix(rest, "{"+name+"}") {
			return access.AuditTarget{Kind: auditKinds[of], ID: r.PathValue(name)}
		}
	}
	return access.AuditTarget{}
}
