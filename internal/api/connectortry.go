package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/store"
)

// connectorTries registers the call by which an operator, who has mended an endpoint,
// need not wait until its breaker would try again.
func connectorTries(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "try-connectors", Method: http.MethodPost, Path: "/api/connectors/try", Tags: []string{"Settings"},
		Summary: "End the wait of an open breaker", DefaultStatus: http.StatusOK,
		Description: "The next call of the connector is made now, and runs that wait for its breaker make one. If it fails the breaker opens again, for as long as the settings say; if not, it closes, and all go on. " +
			"It takes all connectors of the id or the name whose breaker is not closed, and answers with them. 409 if there is none.",
		RequestBody: bodyOf(a, connectorChoiceShape, "Which connectors: by one of the two", map[string]any{"connectorId": "erp"})}, a.tryConnectors)
}

// connectorChoiceShape is the body that says which connectors are meant. A connector is
// known by its id; only one without an id is known by its name, which several may have.
var connectorChoiceShape = &schema.Shape{Name: "ConnectorChoice", Noun: "the request", Fields: []schema.ShapeField{
	{Name: "connectorId"},
	{Name: "name", Doc: "Of connectors without a connectorId"},
}}

// tryConnectors ends the wait of open breakers, so that the next call is a trial. The
// write is only for the audit log, because breakers are in memory. A repeated request
// changes nothing. Each of the connectors that waited is in the answer, with its state
// after the wait was ended.
//
// The breakers are changed after the write, because a write may run several times or not
// at all. If the process dies in between, nobody has to make up for it: its breakers
// begin closed at the next start.
func (a *api) tryConnectors(ctx context.Context, in *OnceParams) (*listOf[connectorHealth], error) {
	body, err := readBody(ctx, connectorChoiceShape)
	if err != nil {
		return nil, err
	}
	id, name := body.Text("connectorId"), body.Text("name")
	if body.OK() && (id == "") == (name == "") {
		return nil, apierr.Wrong("body", "must name a connectorId, or the name of connectors without one")
	}
	if err := within(body.Err()); err != nil {
		return nil, err
	}
	meant, err := a.connectorsOf(ctx, id, name)
	if err != nil {
		return nil, err
	}
	// The check stands within the write, so that the entry in the audit log says only
	// what happened.
	earlier, err := a.once(ctx, *in, func(tx store.Tx, _ time.Time) (string, error) {
		if !slices.ContainsFunc(meant, func(c *settings.Connector) bool { return a.Engine.Breaker(tenantOf(ctx), c).Waits() }) {
			return "", apierr.Errorf(apierr.Conflict, "no breaker of connector %q is open: its calls are made", cmp.Or(id, name))
		}
		return cmp.Or(id, name), tx.NoteTry(ctx, tenantOf(ctx), cmp.Or(id, name))
	})
	if err != nil {
		return nil, err
	}
	list := store.List[connectorHealth]{}
	for _, c := range meant {
		// One of several connectors may not be waiting; it is left out. To a repeated
		// request all of them are shown as they are.
		if earlier == nil && !a.Engine.TryConnector(tenantOf(ctx), c) {
			continue
		}
		h, err := a.readConnectorHealth(ctx, c)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, h)
	}
	return answerList(list, nil, asIs)
}

// connectorsOf returns the connectors of an id, or of a name and no id. An error names
// the field of the body by which nothing was found.
func (a *api) connectorsOf(ctx context.Context, id, name string) (meant []*settings.Connector, err error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	for i := range s.Connectors {
		c := &s.Connectors[i]
		if id != "" && spelling.SameName(c.ConnectorID, id) || id == "" && c.ConnectorID == "" && spelling.SameName(c.Name, name) {
			meant = append(meant, c)
		}
	}
	if len(meant) == 0 {
		return nil, apierr.Wrong(map[bool]string{true: "body.connectorId", false: "body.name"}[id != ""], "there is no such connector")
	}
	return meant, nil
}
