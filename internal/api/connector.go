package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

func connectors(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "get-connectors-health", Method: http.MethodGet, Path: "/api/connectors/health", Tags: []string{"Settings"},
		Summary: "Read how each connector's endpoint has been lately"}, a.connectorsHealth)
}

// recentAttempts is how many of a connector's latest attempts its health counts.
const recentAttempts = 20

// connectorHealth is how a connector's endpoint has been.
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

func (a *api) connectorsHealth(ctx context.Context, _ *struct{}) (*listOf[connectorHealth], error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	list := store.List[connectorHealth]{}
	for i := range s.Connectors {
		h, err := a.connectorHealth(ctx, &s.Connectors[i])
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, h)
	}
	return answerList(list, nil, asIs)
}

func (a *api) connectorHealth(ctx context.Context, c *settings.Connector) (connectorHealth, error) {
	h := connectorHealth{Name: c.Name, ConnectorID: c.ConnectorID, Breaker: a.Engine.Breaker(tenantOf(ctx), c)}
	f := store.AttemptFilter{ConnectorID: c.ConnectorID}
	if c.ConnectorID == "" { // its attempts are known by where they went, here by the host
		u, err := url.Parse(c.Host)
		if err != nil || u.Host == "" {
			return h, nil
		}
		f.Host = u.Host
	}
	attempts, err := a.Store.Attempts(ctx, tenantOf(ctx), f, store.Page{Limit: recentAttempts})
	for _, at := range attempts.Items {
		if c.ConnectorID != "" || oms.PublicURL(at.URL) == oms.PublicURL(c.Host) {
			h.count(at)
		}
	}
	return h, err
}

// count adds an attempt; they come newest first.
func (h *connectorHealth) count(at *oms.Attempt) {
	last := &h.LastSuccess
	if at.Outcome == oms.OutcomeSucceeded {
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
