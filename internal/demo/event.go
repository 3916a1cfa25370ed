package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// readyEvent is what the settings have an order that enters ReadyToShip tell. It is no
// built-in type: the settings name it at the status (docs/contract.md#event-types).
const readyEvent = "order_ready"

// event is as much of an event as the demo prints. Its deliveries are one for each
// endpoint that wanted it.
type event struct {
	ID         string
	Deliveries []struct{ ID, Status string }
}

// subscribe makes the warehouse an endpoint. It gives the secret itself, since the
// warehouse must know it before the first event comes.
func (s *show) subscribe(ctx context.Context) error {
	// One type, so the warehouse hears only of what it has to pick.
	body, err := json.Marshal(map[string]any{
		"url": s.sites.url + "/pick", "eventTypes": []string{readyEvent}, "secret": s.sites.eventSecret, "description": "The warehouse"})
	if err != nil {
		return err
	}
	var made struct{ EventTypes []string }
	a, err := s.api.call(ctx, http.MethodPost, "/api/endpoints", body, &made)
	if err != nil {
		return err
	}
	s.paper.print("")
	s.paper.line(piece{"POST /api/endpoints", cyan}, piece{fmt.Sprintf("  %d: the warehouse, at /pick, is told of %s", a.status, made.EventTypes[0]), plain})
	return nil
}

// showEvent prints how the warehouse was told that an order is ready, if it is. Orders that
// were stopped never come to that status, and have none.
func (s *show) showEvent(ctx context.Context, orderID string) error {
	var found struct{ Items []event }
	// An order enters the status once, so there is one such event at most.
	if err := s.api.get(ctx, "/api/events?type="+readyEvent+"&orderId="+url.QueryEscape(orderID), &found); err != nil || len(found.Items) == 0 {
		return err
	}
	e, err := s.delivered(ctx, found.Items[0].ID)
	if err != nil {
		return err
	}
	// The warehouse is the only endpoint, so there is one delivery.
	for _, d := range e.Deliveries {
		attempts, err := s.attempts(ctx, d.ID)
		if err != nil {
			return err
		}
		s.printEvent(e, attempts)
	}
	return nil
}

// A delivery comes after the answer to the call that caused it: patience is how
// long it is waited for, and asked for every so often.
const (
	patience  = 10 * time.Second
	askedEach = 10 * time.Millisecond
)

// delivered returns an event once nothing of it is to be delivered any more. After
// patience it returns the event as it is, and the demo shows that it is pending.
func (s *show) delivered(ctx context.Context, id string) (e *event, err error) {
	for began := time.Now(); ; {
		e = &event{}
		// It is asked again and again, as any client would that waits for something.
		if err = s.api.get(ctx, "/api/events/"+id, e); err != nil || !e.pending() || time.Since(began) > patience {
			return e, err
		}
		if err := clock.Pause(ctx, clock.Real{}, askedEach); err != nil {
			return nil, err
		}
	}
}

// pending reports whether any delivery is still to be attempted.
func (e *event) pending() bool {
	for _, d := range e.Deliveries {
		if d.Status == "pending" {
			return true
		}
	}
	return false
}

// printEvent prints an event's attempts, and what the endpoint answered.
func (s *show) printEvent(e *event, attempts []attempt) {
	s.paper.print("")
	for _, a := range attempts {
		s.printAttempt("  →  ", a, "")
		s.field("event", readyEvent+" "+e.ID, plain)
		if a.Response != nil {
			s.field("answer", a.Response.Body, plain)
		}
	}
}
