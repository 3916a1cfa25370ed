package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

func settingsOperations(a *api) {
	example := map[string]any{"orderTypes": []any{map[string]any{"name": "Online", "default": true, "orderStatuses": []any{map[string]any{
		"name": "New", "workflowSteps": []any{map[string]any{"name": "WebhookWorkflowStep", "active": true, "connector": "Webhook",
			"properties": []any{map[string]any{"key": "Host", "value": "https://validation.example.com/api/validate"}}}}}}}}}
	body := documentBody(settingsSchema, "The whole settings document. *** keeps a secret that is stored.", example)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-settings", Method: http.MethodGet, Path: "/api/settings", Tags: []string{"Settings"},
		Summary: "Read the settings", Description: "Secrets are shown as ***."}, a.getSettings)
	handle(a, oms.Operator, huma.Operation{OperationID: "put-settings", Method: http.MethodPut, Path: "/api/settings", Tags: []string{"Settings"},
		Summary: "Replace the settings", RequestBody: body}, a.putSettings)
	handle(a, oms.Operator, huma.Operation{OperationID: "check-settings", Method: http.MethodPost, Path: "/api/settings/check", Tags: []string{"Settings"},
		Summary: "Say what is wrong with settings, and store nothing", DefaultStatus: http.StatusOK, RequestBody: body}, a.checkSettings)
	handle(a, oms.Reader, huma.Operation{OperationID: "list-settings-history", Method: http.MethodGet, Path: "/api/settings/history", Tags: []string{"Settings"},
		Summary: "List the versions of the settings, the newest first"}, a.listSettings)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-settings-version", Method: http.MethodGet, Path: "/api/settings/{version}", Tags: []string{"Settings"},
		Summary: "Read the settings as they were"}, a.getSettingsVersion)
}

func workflowSteps(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "list-workflow-steps", Method: http.MethodGet, Path: "/api/workflow-steps", Tags: []string{"Settings"},
		Summary: "List the workflow steps there are, with their properties"},
		func(context.Context, *struct{}) (*listOf[settings.StepType], error) {
			return answerList(store.List[settings.StepType]{Items: settings.Steps()}, nil, asIs)
		})
}

func settingsAnswer(s *settings.Settings) *documentAnswer[settingsDocument] {
	return &documentAnswer[settingsDocument]{Status: http.StatusOK, ETag: etag(s.Version), Body: settingsDocument{s.Masked()}}
}

func (a *api) getSettings(ctx context.Context, _ *struct{}) (*documentAnswer[settingsDocument], error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	return settingsAnswer(s), nil
}

func (a *api) getSettingsVersion(ctx context.Context, in *struct {
	Version int64 `path:"version" minimum:"1"`
}) (*documentAnswer[settingsDocument], error) {
	s, err := a.Store.SettingsVersion(ctx, tenantOf(ctx), in.Version)
	if err != nil {
		return nil, err
	}
	return settingsAnswer(s), nil
}

func (a *api) listSettings(ctx context.Context, in *PageParams) (*listOf[store.SettingsInfo], error) {
	list, err := a.Store.SettingsHistory(ctx, tenantOf(ctx), in.page())
	return answerList(list, err, asIs)
}

// checkedSettings is the answer about settings without a mistake.
type checkedSettings struct {
	ETag string `header:"ETag"`
	Body struct {
		Version  int64         `json:"version,omitempty" doc:"Absent when nothing was stored"`
		Warnings []oms.Warning `json:"warnings" nullable:"false" doc:"What may be meant, and may be a mistake"`
	}
}

// checked reads the settings of the body; a *** in it is the secret of stored.
func checked(ctx context.Context, stored *settings.Settings) (*settings.Settings, *checkedSettings, error) {
	doc, err := oms.Parse(callOf(ctx).body)
	if err != nil {
		return nil, nil, within(err)
	}
	if err := settings.Keep(doc, stored); err != nil {
		return nil, nil, within(err)
	}
	s, warnings, err := settings.Parse(doc)
	if err != nil {
		return nil, nil, within(err)
	}
	out := &checkedSettings{}
	out.Body.Warnings = append([]oms.Warning{}, warnings...)
	return s, out, nil
}

func (a *api) checkSettings(ctx context.Context, _ *struct{}) (*checkedSettings, error) {
	stored, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	_, out, err := checked(ctx, stored)
	return out, err
}

// putSettings replaces the settings. Without If-Match it builds on whatever
// version it finds, again and again if others are as quick.
func (a *api) putSettings(ctx context.Context, in *MatchParams) (*checkedSettings, error) {
	c := a.caller(ctx, OnceParams{}, MatchParams{})
	wanted, any := parseMatch(in.IfMatch)
	var out *checkedSettings
	err := a.Store.Write(ctx, func(tx store.Tx) error {
		stored, err := tx.Settings(ctx, c.Tenant)
		if err != nil {
			return err
		}
		if !any && wanted != stored.Version { // settings never stored are of version 0
			return oms.Errorf(oms.Stale, "the settings are of version %d by now", stored.Version)
		}
		s, answer, err := checked(ctx, stored)
		if err != nil {
			return err
		}
		out = answer
		if err := tx.PutSettings(ctx, c.Tenant, s, stored.Version, c.By, a.Clock.Now().UTC()); err != nil {
			return err
		}
		out.ETag, out.Body.Version = etag(s.Version), s.Version
		return nil
	})
	return out, err
}
