package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// readyEvent is what the settings have an order that enters ReadyToShip tell.
const readyEvent = "order_ready"

// event is as much of an event as the demo prints.
type event struct {
	ID         string
	Deliveries []struct{ ID, Status string }
}

// subscribe makes the warehouse an endpoint.
func (s *show) subscribe(ctx context.Context) error {
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

// event prints how the warehouse was told that an order is ready, if it is.
func (s *show) event(ctx context.Context, orderID string) error {
	var found struct{ Items []event }
	if err := s.api.get(ctx, "/api/events?type="+readyEvent+"&orderId="+url.QueryEscape(orderID), &found); err != nil || len(found.Items) == 0 {
		return err
	}
	e, err := s.delivered(ctx, found.Items[0].ID)
	if err != nil {
		return err
	}
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

// delivered returns an event once nothing of it is to be delivered any more.
func (s *show) delivered(ctx context.Context, id string) (e *event, err error) {
	for began := time.Now(); ; {
		e = &event{}
		if err = s.api.get(ctx, "/api/events/"+id, e); err != nil || !e.pending() || time.Since(began) > patience {
			return e, err
		}
		select {
		case <-time.After(askedEach):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

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
