package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// settingsOperations registers the operations on the settings of a tenant
// (docs/contract.md#settings).
func settingsOperations(a *api) {
	example := map[string]any{"orderTypes": []any{map[string]any{"name": "Online", "default": true, "orderStatuses": []any{map[string]any{
		"name": "New", "workflowSteps": []any{map[string]any{"name": "WebhookWorkflowStep", "active": true, "connector": "Webhook",
			"properties": []any{map[string]any{"key": "Host", "value": "https://validation.example.com/api/validate"}}}}}}}}}
	body := documentBody(settingsSchema, "The whole settings document. *** keeps a secret that is stored.", example)
	handle(a, access.Reader, huma.Operation{OperationID: "get-settings", Method: http.MethodGet, Path: "/api/settings", Tags: []string{"Settings"},
		Summary: "Read the settings", Description: "Secrets are shown as ***."}, a.getSettings)
	handle(a, access.Operator, huma.Operation{OperationID: "put-settings", Method: http.MethodPut, Path: "/api/settings", Tags: []string{"Settings"},
		Summary: "Replace the settings", RequestBody: body, MaxBodyBytes: a.Limits.SettingsBytes}, a.putSettings)
	handle(a, access.Operator, huma.Operation{OperationID: "check-settings", Method: http.MethodPost, Path: "/api/settings/check", Tags: []string{"Settings"},
		Summary: "Say what is wrong with settings, and store nothing", DefaultStatus: http.StatusOK, RequestBody: body, Errors: []int{http.StatusNotFound},
		Description: "With an `orderId`, it says too what would become of that order with these settings: a dry run, which calls nothing.", MaxBodyBytes: a.Limits.SettingsBytes}, a.checkSettings)
	handle(a, access.Reader, huma.Operation{OperationID: "list-settings-history", Method: http.MethodGet, Path: "/api/settings/history", Tags: []string{"Settings"},
		Summary: "List the versions of the settings, the newest first"}, a.listSettings)
	handle(a, access.Reader, huma.Operation{OperationID: "get-settings-version", Method: http.MethodGet, Path: "/api/settings/{version}", Tags: []string{"Settings"},
		Summary: "Read the settings as they were"}, a.getSettingsVersion)
	handle(a, access.Operator, huma.Operation{OperationID: "restore-settings-version", Method: http.MethodPost, Path: "/api/settings/{version}/restore", Tags: []string{"Settings"},
		Summary: "Make earlier settings the next version", DefaultStatus: http.StatusOK,
		Description: "Its secrets, too, but for those that were destroyed when their connector, step or header was removed from the settings or went to " +
			"another scheme, host or port: a warning names each. They are checked as those of a PUT are, and refused where today's checks refuse them."}, a.restoreSettings)
}

// workflowSteps registers the list of the steps that settings may name. It comes from the
// same table by which settings are read.
func workflowSteps(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "list-workflow-steps", Method: http.MethodGet, Path: "/api/workflow-steps", Tags: []string{"Settings"},
		Summary: "List the workflow steps there are, with their properties"},
		func(context.Context, *struct{}) (*listOf[settings.StepType], error) {
			return answerList(store.List[settings.StepType]{Items: settings.Steps()}, nil, asIs)
		})
}

// settingsAnswer shows settings: the values in the queries of URLs to those alone
// who may change them (docs/contract.md#secrets). Secrets are *** for everybody: what the
// store has in their place is a reference, which nobody else needs to see, either.
func settingsAnswer(ctx context.Context, s *settings.Settings) *documentAnswer[settingsDocument] {
	doc := s.Masked()
	if !roleOf(ctx).Reaches(access.Operator) {
		settings.MaskQueries(doc)
	}
	return &documentAnswer[settingsDocument]{Status: http.StatusOK, ETag: etag(s.Version), Body: settingsDocument{doc}}
}

// getSettings reads the settings in force. A tenant that has stored none has empty ones,
// of version 0.
func (a *api) getSettings(ctx context.Context, _ *struct{}) (*documentAnswer[settingsDocument], error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	return settingsAnswer(ctx, s), nil
}

// getSettingsVersion reads the settings as they were. Its *** may stand for a secret that
// has been destroyed since.
func (a *api) getSettingsVersion(ctx context.Context, in *struct {
	Version int64 `path:"version" minimum:"1"`
}) (*documentAnswer[settingsDocument], error) {
	s, err := a.Store.SettingsVersion(ctx, tenantOf(ctx), in.Version)
	if err != nil {
		return nil, err
	}
	return settingsAnswer(ctx, s), nil
}

// listSettings lists the versions, without their documents.
func (a *api) listSettings(ctx context.Context, in *PageParams) (*listOf[store.SettingsInfo], error) {
	return listed(ctx, a, in.page(), func(p store.Page) (store.List[store.SettingsInfo], error) {
		list, err := a.Store.SettingsHistory(ctx, tenantOf(ctx), p)
		if err == nil {
			err = a.nameKeys(ctx, list.Items)
		}
		return list, err
	}, asIs)
}

// nameKeys says of each version what the key that stored it is called. A page has few keys,
// each of which is read once. A version that the command line or the settings file stored
// has no key.
func (a *api) nameKeys(ctx context.Context, versions []store.SettingsInfo) error {
	names := map[string]string{}
	for i := range versions {
		id, isKey := strings.CutPrefix(versions[i].By, "key ")
		if !isKey {
			continue
		}
		name, known := names[id]
		if !known {
			key, err := a.Store.Key(ctx, tenantOf(ctx), id)
			if err != nil && apierr.KindOf(err) != apierr.NotFound { // it may have been deleted
				return err
			}
			// A deleted key has no name. That is noted as well, so the key is asked for
			// once.
			name = key.Name
			names[id] = name
		}
		versions[i].KeyName = name
	}
	return nil
}

// checkedSettings is the answer about settings without an error. ETag and Version are set
// once the settings are stored.
type checkedSettings struct {
	ETag string `header:"ETag"`
	Body struct {
		Version  int64            `json:"version,omitempty" doc:"Absent when nothing was stored"`
		Warnings []apierr.Warning `json:"warnings" nullable:"false" doc:"What may be meant, and may be a mistake"`
	}
}

// checked reads the settings of the body; a *** in it is the secret of stored. Only the
// tenant of the process may name variables of its environment. Nothing is stored.
func (a *api) checked(ctx context.Context, stored *settings.Settings) (*settings.Settings, *checkedSettings, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, nil, err
	}
	in := settings.Incoming{Doc: doc, Stored: stored, Refused: a.refusal(ctx)}
	// The environment may hold secrets of the operator. Another tenant could name one, and
	// have it sent to a host of its own.
	if tenantOf(ctx) == a.VariablesTenant {
		in.Variables = a.Variables
	}
	s, out, err := checkedAnswer(in)
	return s, out, within(err)
}

// checkedAnswer makes the answer about settings, which is not yet stored ones'. Its
// Version is set by replaceSettings. An error names every place that is wrong.
func checkedAnswer(in settings.Incoming) (*settings.Settings, *checkedSettings, error) {
	s, warnings, err := in.Check()
	if err != nil {
		return nil, nil, err
	}
	out := &checkedSettings{}
	out.Body.Warnings = append([]apierr.Warning{}, warnings...)
	return s, out, nil
}

// triedSettings is the answer about settings that are not stored. It is an answer of its
// own since checkedSettings has an ETag, which means that something was stored.
type triedSettings struct {
	Body struct {
		Warnings []apierr.Warning `json:"warnings" nullable:"false" doc:"What may be meant, and may be a mistake"`
		DryRun   *workflowResult  `json:"dryRun,omitempty" doc:"With orderId: what would become of the order with these settings"`
	}
}

// trial is what settings are to be tried on. The order is read, and its workflow is
// decided on as if it entered the status now.
type trial struct {
	OrderID    string `query:"orderId" doc:"Has a dry run of this order's workflow made with these settings; no endpoint is called"`
	Status     string `query:"status" maxLength:"200" doc:"The status that the order enters in the dry run; the one that it is in without it"`
	ShipmentID string `query:"shipmentId" doc:"It is this shipment that enters the status"`
	ReturnID   string `query:"returnId" doc:"The return workflow runs, for this return"`
}

// checkSettings checks settings and stores nothing. With an order it also shows what its
// workflow would do with them. The check is the very one of putSettings, so settings that
// pass it here pass it there, unless somebody stores others in between.
func (a *api) checkSettings(ctx context.Context, in *trial) (*triedSettings, error) {
	if in.OrderID == "" && *in != (trial{}) {
		return nil, apierr.Wrong("query.orderId", "is needed for a dry run")
	}
	stored, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	s, checked, err := a.checked(ctx, stored)
	if err != nil {
		return nil, err
	}
	out := &triedSettings{}
	if out.Body.Warnings = checked.Body.Warnings; in.OrderID == "" {
		return out, nil
	}
	out.Body.DryRun, err = a.try(ctx, s, in)
	return out, err
}

// try says what would become of an order with settings that are not stored. Without a
// status the order enters the one that it is in, which is what happens to it next if
// nothing else does.
func (a *api) try(ctx context.Context, s *settings.Settings, in *trial) (*workflowResult, error) {
	change := workflow.StatusChange{Status: strings.TrimSpace(in.Status), ShipmentID: in.ShipmentID, ReturnID: in.ReturnID}
	if change.Status == "" {
		order, err := a.Store.Order(ctx, tenantOf(ctx), in.OrderID)
		if err != nil {
			return nil, err
		}
		change.Status = order.Status()
	}
	r, err := a.Engine.DryRunWith(ctx, a.caller(ctx, OnceParams{}), in.OrderID, change, s)
	if err != nil {
		return nil, inQuery(err)
	}
	return showResult(r), nil
}

// inQuery says of an error about a status change that what it is about came in the query.
// The engine takes a status change as the body of a POST has it, and names its places so.
func inQuery(err error) error {
	e, ok := errors.AsType[*apierr.Error](err)
	if !ok {
		return err
	}
	// The engine's own error stays as it is.
	out := *e
	out.Fields = slices.Clone(e.Fields)
	for i := range out.Fields {
		if name, ok := strings.CutPrefix(out.Fields[i].Location, "body."); ok {
			out.Fields[i].Location = "query." + name
		}
	}
	return &out
}

// putSettings replaces the settings. Without If-Match it builds on whatever
// version it finds, again and again if others are as quick. With If-Match it is 412 if
// another version is in force. A *** keeps the secret of the version that it is built on.
func (a *api) putSettings(ctx context.Context, in *MatchParams) (*checkedSettings, error) {
	var out *checkedSettings
	err := a.Store.Write(ctx, func(tx store.Tx) (err error) {
		out, err = a.replaceSettings(ctx, tx, *in, func(stored *settings.Settings) (*settings.Settings, *checkedSettings, error) {
			return a.checked(ctx, stored)
		})
		return err
	})
	return out, err
}

// replaceSettings stores what read makes of the settings that are in force, as
// the next version. The settings in force are read within the write, so of two writers
// the second builds on what the first has stored, or is refused.
func (a *api) replaceSettings(ctx context.Context, tx store.Tx, match MatchParams,
	read func(stored *settings.Settings) (*settings.Settings, *checkedSettings, error)) (*checkedSettings, error) {
	c := a.caller(ctx, OnceParams{})
	stored, err := tx.Settings(ctx, c.Tenant)
	if err != nil {
		return nil, err
	}
	if wanted, any := parseMatch(match.IfMatch); !any && wanted != stored.Version { // settings never stored are of version 0
		return nil, apierr.Errorf(apierr.Stale, "the settings are of version %d by now", stored.Version)
	}
	next, out, err := read(stored)
	if err != nil {
		return nil, err
	}
	// c.By is who stored this version, as the history shows it.
	if err := tx.PutSettings(ctx, c.Tenant, next, stored.Version, c.By, a.now()); err != nil {
		return nil, err
	}
	out.ETag, out.Body.Version = etag(next.Version), next.Version
	return out, nil
}
