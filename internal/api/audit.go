package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func audit(a *api) {
	handle(a, oms.Admin, huma.Operation{OperationID: "list-audit", Method: http.MethodGet, Path: "/api/audit", Tags: []string{"Audit"},
		Summary: "List who changed what, the newest first",
		Description: "Changes of settings, endpoints and keys; replays, resumes, redeliveries, cancels; erasures of orders: each with its entry, in one transaction. " +
			"What failed has none, nor what a dry run or a repeated Idempotency-Key answered. An entry names fields and ids, and never holds a secret."}, a.listAudit)
}

func (a *api) listAudit(ctx context.Context, in *struct {
	PageParams
	KeyID     string `query:"keyId" doc:"Of the key that it was done with"`
	Action    string `query:"action" enum:"put-settings,restore-settings-version,create-endpoint,patch-endpoint,delete-endpoint,rotate-endpoint-secret,recover-endpoint,create-key,delete-key,replay-attempt,resume-run,cancel-run,resume-runs,cancel-job,redeliver-event,redeliver-delivery,redeliver-deliveries,cancel-delivery,delete-order" doc:"The operationId of the call"`
	Kind      string `query:"kind" enum:"settings,endpoint,key,attempt,run,delivery,event,order,job" doc:"Of the target"`
	Target    string `query:"target" doc:"The target's id"`
	RequestID string `query:"requestId"`
	From      string `query:"from" doc:"Done at or after this time"`
	To        string `query:"to" doc:"Done before this time"`
}) (*listOf[oms.AuditEntry], error) {
	from, to, err := span(in.From, in.To)
	if err != nil {
		return nil, err
	}
	f := store.AuditFilter{KeyID: in.KeyID, Action: in.Action, Kind: in.Kind, Target: in.Target, RequestID: in.RequestID, From: from, To: to}
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[oms.AuditEntry], error) {
		return a.Store.Audit(ctx, tenantOf(ctx), f, p)
	}, asIs)
}

// asked is the entry of the audit log as far as a call tells it: who asks for what. The
// write that makes the change says the rest, if it is of those that the log is about.
func asked(c *call, op *huma.Operation) oms.AuditEntry {
	e := oms.AuditEntry{Action: op.OperationID, RequestID: c.id, Target: targetOf(c.r, op.Path),
		Actor: oms.Actor{KeyID: c.key.ID, KeyName: c.key.Name, Role: c.key.Role, Via: oms.ViaAPI}}
	if from := addressOf(c.r); from.IsValid() {
		e.Actor.Address = from.String()
	}
	if _, within := signedIn(c.r.Context()); within {
		e.Actor.Via = oms.ViaDashboard
	}
	return e
}

// auditKinds is what a path is about, by its first part.
var auditKinds = map[string]string{"settings": oms.AuditSettings, "endpoints": oms.AuditEndpoint, "keys": oms.AuditKey, "attempts": oms.AuditAttempt,
	"runs": oms.AuditRun, "deliveries": oms.AuditDelivery, "events": oms.AuditEvent, "orders": oms.AuditOrder, "jobs": oms.AuditJob}

// targetOf is the thing that the path of a call names; zero where it names none, as
// that of a call which makes one, or is about many.
func targetOf(r *http.Request, path string) oms.AuditTarget {
	of, rest, _ := strings.Cut(strings.TrimPrefix(path, "/api/"), "/")
	for _, name := range []string{"id", "version"} {
		if strings.HasPrefix(rest, "{"+name+"}") {
			return oms.AuditTarget{Kind: auditKinds[of], ID: r.PathValue(name)}
		}
	}
	return oms.AuditTarget{}
}
