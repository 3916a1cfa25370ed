package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/schema"
)

// InstallationShape is what a tenant is to have (docs/operating.md#an-installation-in-a-file).
// What settings and endpoints may have in them, their own readers say.
var InstallationShape = &schema.Shape{Name: "Installation", Noun: "the installation", Fields: []schema.ShapeField{
	{Name: "settings", Type: schema.ShapeObject, Doc: "As PUT /api/settings takes them; a variable is not looked up"},
	{Name: "endpoints", Type: schema.ShapeList, Doc: "As POST /api/endpoints takes them, known by their description; absent removes one"},
	{Name: "keys", Type: schema.ShapeList, Of: access.InstallationKeyShape},
}}

// Installed is what a call that applies an installation has come to, or a dry run would.
// The zero value says that there was nothing to change.
type Installed struct {
	Differences []string         `json:"differences" nullable:"false" doc:"What there was to change, in words without secrets"`
	Warnings    []apierr.Warning `json:"warnings" nullable:"false" doc:"What may be meant in the settings, and may be a mistake"`
	// Endpoints is how many more endpoints there are than before.
	Endpoints int64 `json:"-"`
}

// installations registers the call by which files are applied beside a server.
// Only an admin may call it, since it also makes keys.
func installations(a *api) {
	handle(a, access.Admin, huma.Operation{OperationID: "put-installation", Method: http.MethodPut, Path: "/api/installation", Tags: []string{"Settings"},
		Summary: "Have settings, endpoints and keys be as one document says",
		Description: "What the document does not name stays as it is; applied twice, it changes nothing the second time. Each change is one write, with its entry in the audit log. " +
			"With `dryRun` nothing is changed. `orderhook apply --url` sends a file so.",
		RequestBody: bodyOf(a, InstallationShape, "What is to be there", map[string]any{"keys": []any{map[string]any{"name": "shop", "role": "publisher", "key": "a-key-of-your-own-making"}}}),
		Errors:      []int{http.StatusConflict}, MaxBodyBytes: a.Limits.SettingsBytes}, a.applyInstallation)
}

// applyInstallation has an installation be as the body says. The dry run in front finds what is
// wrong with it before anything is changed, and how many endpoints are to be made, which
// count as those that other calls make. What was changed before an error stays.
func (a *api) applyInstallation(ctx context.Context, in *struct {
	DryRun bool `query:"dryRun" doc:"Change nothing: say what the differences are"`
}) (*struct{ Body Installed }, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	tenant, by := tenantOf(ctx), a.caller(ctx, OnceParams{}).By
	// The dry run gets a copy, so the call below reads the document as it came.
	found, err := a.Install(ctx, tenant, by, doc.Clone(), true)
	if err != nil || in.DryRun {
		return &struct{ Body Installed }{found}, err
	}
	if err := a.endpointCount.load(ctx, a.Store); err != nil {
		return nil, err
	}
	taken := int64(0)
	for ; taken < found.Endpoints && err == nil; taken++ {
		err = a.endpointCount.take(tenant)
	}
	if err != nil {
		a.endpointCount.add(tenant, 1-taken) // the last one was not counted
		return nil, err
	}
	// If the process dies in here, the changes that were committed stay. The caller sends
	// the same document again: what is there already is no difference any more.
	done, err := a.Install(ctx, tenant, by, doc, false)
	// Others may have changed endpoints since the dry run, or an error may have ended this
	// call early. The count has to follow what was done, and not what was planned.
	a.endpointCount.add(tenant, done.Endpoints-taken)
	// Keys may have changed before an error came, so the memory is emptied in any case.
	a.keys.forget()
	return &struct{ Body Installed }{done}, err
}
