package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
	"github.com/orderhook/orderhook/internal/workflow"
)

// connectors registers the call that says how the endpoints of connectors are doing
// (docs/contract.md#breakers).
// A reader may call it: what it shows has no secret in it.
func connectors(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "get-connectors-health", Method: http.MethodGet, Path: "/api/connectors/health", Tags: []string{"Settings"},
		Summary: "Read how each connector's endpoint has been lately"}, a.connectorsHealth)
}

// recentAttempts is how many of a connector's latest attempts its health counts.
const recentAttempts = 20

// connectorHealth is how a connector's endpoint has been. It is put together when
// somebody asks: the breaker is in the memory of this node, and the rest is counted from
// the recorded attempts. Times and LastError are of the newest attempts that are counted,
// so they are absent if all of those ended the other way.
type connectorHealth struct {
	Name        string                `json:"name"`
	ConnectorID string                `json:"connectorId,omitempty"`
	Breaker     workflow.BreakerState `json:"breaker"`
	Succeeded   int                   `json:"succeeded" doc:"Of the latest 20 attempts"`
	Failed      int                   `json:"failed" doc:"Of the latest 20 attempts"`
	LastSuccess *time.Time            `json:"lastSuccess,omitempty" doc:"Among those"`
	LastFailure *time.Time            `json:"lastFailure,omitempty" doc:"Among those"`
	LastError   string                `json:"lastError,omitempty"`

	inARow int // attempts that failed since the last success among those
}

// connectorsHealth lists all connectors of the settings, in their order. It is one answer
// without pages, because a settings document bounds how many there can be.
func (a *api) connectorsHealth(ctx context.Context, _ *struct{}) (*listOf[connectorHealth], error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	list := store.List[connectorHealth]{}
	for i := range s.Connectors {
		h, err := a.readConnectorHealth(ctx, &s.Connectors[i])
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, h)
	}
	return answerList(list, nil, asIs)
}

// readConnectorHealth counts the latest attempts of one connector. Attempts are recorded
// under the connectorId. Where a connector has none, the latest attempts at its host are
// read, and those at another URL of that host are left out; so fewer than 20 may be
// counted.
func (a *api) readConnectorHealth(ctx context.Context, c *settings.Connector) (connectorHealth, error) {
	// The breaker is read first, so it is shown also where no attempt is found.
	h := connectorHealth{Name: c.Name, ConnectorID: c.ConnectorID, Breaker: a.Engine.Breaker(tenantOf(ctx), c)}
	f := store.AttemptFilter{ConnectorID: c.ConnectorID}
	if c.ConnectorID == "" { // its attempts are known by where they went, here by the host
		u, err := url.Parse(c.Host)
		// The settings may have a host that cannot be called. It has no attempts, and that
		// is no error.
		if err != nil || u.Host == "" {
			return h, nil
		}
		f.Host = u.Host
	}
	attempts, err := a.Store.Attempts(ctx, tenantOf(ctx), f, store.Page{Limit: recentAttempts})
	for _, at := range attempts.Items {
		// A listener was called in its place, or a shadow called it, whose failures harm nobody.
		if at.Intercepted() || at.Kind == attempt.KindShadow {
			continue
		}
		if c.ConnectorID != "" || weburl.PublicURL(at.URL) == weburl.PublicURL(c.Host) {
			h.count(at)
		}
	}
	return h, err
}

// count adds an attempt; they come newest first. So the first success or failure that is
// counted is the last one that there was, and failures before any success are those in a
// row.
func (h *connectorHealth) count(at *attempt.Attempt) {
	last := &h.LastSuccess
	if at.Outcome == attempt.OutcomeSucceeded {
		h.Succeeded++
	} else {
		if h.Failed++; h.Succeeded == 0 {
			h.inARow++
		}
		last = &h.LastFailure
		if *last == nil {
			h.LastError = at.Error
		}
	}
	if *last == nil {
		*last = &at.StartedAt
	}
}
