package rerun

import (
	"context"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// kindOf returns the kind of the call that an attempt of a kind belongs to. known is false where
// it belongs to none that can be made again. The texts differ, and stay as they are: attempts
// are stored with the one, and people have files with the other.
func kindOf(recorded string) (k Kind, known bool) {
	switch recorded {
	case attempt.KindStep:
		return KindStep, true
	case attempt.KindReturnStep:
		return KindReturn, true
	case attempt.KindValidator:
		return KindValidator, true
	case attempt.KindEvent, attempt.KindExport:
		return KindEvent, true
	}
	return "", false
}

// Recorded returns the call of an attempt, whose detail must have been read. What retention
// has removed by now is left out where the answer can be decided without it. The error is
// [apierr.Conflict] where it cannot.
func Recorded(ctx context.Context, from store.Reader, tenant string, at *attempt.Attempt) (*Call, error) {
	kind, known := kindOf(at.Kind)
	switch {
	case at.Kind == attempt.KindShadow:
		return nil, apierr.Errorf(apierr.Conflict, "an attempt of a shadow has its comparison already: make the call of its live step again")
	case !known:
		return nil, apierr.Errorf(apierr.Conflict, "an attempt of the kind %s repeats another one: make that one's call again", at.Kind)
	case at.Detail == nil || len(at.Detail.Request.Body) == 0: // every request has a body
		return nil, apierr.Errorf(apierr.Conflict, "the body of this request was erased")
	}
	sent := at.Detail.Request
	c := &Call{
		Format: Format, ID: at.ID, Kind: kind, CallID: at.CallID, Number: at.Number, MaxNumber: at.MaxNumber, StartedAt: at.StartedAt,
		TimeoutMs: event.DefaultTimeout.Milliseconds(), URL: weburl.PublicURL(at.URL), ConnectorID: at.ConnectorID, EndpointID: at.EndpointID,
		EventType: at.EventType, Related: at.Related,
		Request: Request{Method: sent.Method, Headers: shown(sent.Headers, func(string) bool { return false }), Body: bodyOf(sent.Body)},
		Answer:  answerOf(at),
	}
	r := reading{from, tenant, at, c}
	switch kind {
	case KindValidator:
		return c, r.validator(ctx)
	case KindEvent:
		return c, r.event(ctx)
	}
	return c, r.step(ctx)
}

// reading is a call while what belongs to it is read.
type reading struct {
	from   store.Reader
	tenant string
	at     *attempt.Attempt
	call   *Call
}

// unlessGone returns an error that does not say that something was removed.
func unlessGone(err error) error {
	if apierr.KindOf(err) == apierr.NotFound {
		return nil
	}
	return err
}

// validator reads what a validator was asked. The cart is in the request. Of its connector,
// the settings of today say the rest.
func (r *reading) validator(ctx context.Context) error {
	sent, err := schema.ParseStored(r.at.Detail.Request.Body)
	if err != nil {
		return fmt.Errorf("read the cart that was sent: %w", err)
	}
	if inner := sent.Object("cart"); inner != nil && sent.Len() == 1 {
		sent = inner
	}
	v := &Validator{Cart: Document{sent}}
	s, err := r.from.Settings(ctx, r.tenant)
	if err != nil {
		return err
	}
	for i := range s.Connectors {
		c := &s.Connectors[i]
		byURL := r.at.ConnectorID == "" && weburl.PublicURL(c.Host) == r.call.URL
		if c.IsValidator() && (byURL || r.at.ConnectorID != "" && c.ConnectorID == r.at.ConnectorID) {
			v.OnlyLineItems, r.call.TimeoutMs = c.OnlyLineItems, c.Timeout.Milliseconds()
			break
		}
	}
	r.call.Validator = v
	// What a validator's answer came to is stored nowhere but in the attempt.
	r.call.Decision = &Decision{Outcome: outcomeOf(r.at), Reason: r.at.Error, Warnings: r.at.Warnings}
	return nil
}

// event reads what became of a delivery. That of a test call is none, and is not tried again.
func (r *reading) event(ctx context.Context) error {
	r.call.Event = &Event{Export: r.at.Kind == attempt.KindExport}
	if e, err := r.from.EndpointByNo(ctx, r.tenant, r.at.Delivery.Endpoint); err == nil && e.Timeout > 0 {
		r.call.TimeoutMs = e.Timeout.Milliseconds()
	} else if unlessGone(err) != nil {
		return err
	}
	d := &Decision{Outcome: outcomeOf(r.at), Reason: r.at.Error, TurnsOff: r.at.Status == 410 && !r.call.Event.Export}
	if d.Outcome == Failed && r.at.Delivery.Event > 0 && r.at.Number < r.at.MaxNumber {
		delivery, err := r.from.Delivery(ctx, r.tenant, r.at.Delivery)
		if unlessGone(err) != nil {
			return err
		}
		if err != nil {
			return nil
		}
		switch {
		case delivery.Attempts > r.at.Number || delivery.Status == event.DeliveryPending:
			d.Outcome = Retry
		case !d.TurnsOff: // something else than this answer ended the delivery
			return nil
		}
	}
	r.call.Decision = d
	return nil
}

// step reads what a step was sent, and what became of its answer.
func (r *reading) step(ctx context.Context) error {
	value, config, err := partsOf(r.at.Detail.Request.Body)
	if err != nil {
		return err
	}
	s := &Step{Config: Document{config}, RunID: r.at.RunID, ShipmentID: r.at.ShipmentID, ReturnID: r.at.ReturnID,
		AnsweredAt: r.at.StartedAt.Add(time.Duration(r.at.DurationMs * float64(time.Millisecond)))}
	r.call.Step = s
	rn, err := r.from.Run(ctx, r.tenant, r.at.RunID)
	if unlessGone(err) != nil {
		return err
	}
	if err == nil {
		s.Status, s.OrderType, s.ShipmentID, s.ReturnID, s.Deadline = rn.EnteredStatus, rn.OrderType, rn.ShipmentID, rn.ReturnID, rn.Deadline
		if err := r.settings(ctx, rn); err != nil {
			return err
		}
	} else {
		s.Status, s.OrderType = value.Text("status"), value.Text("orderType")
	}
	o, err := r.version(ctx, versionOf(value))
	if err != nil {
		return err
	}
	s.Sent = Version{Document{value}, versionOf(value)}
	if o != nil {
		s.Sent = Version{Document{o.Doc}, o.StatusVersion}
	}
	if rn == nil {
		return nil
	}
	return r.decision(ctx, rn, versionOf(value))
}

// partsOf returns the order and the step's configuration in the request of a step. What is
// derived from other fields is left out of the order, as it is in those that are stored.
func partsOf(body []byte) (value, config *jsondoc.Object, err error) {
	sent, err := schema.ParseStored(body)
	if err != nil {
		return nil, nil, fmt.Errorf("read the order that was sent: %w", err)
	}
	o := sent.Object("value")
	config = sent.Object("workflowStep")
	if o == nil || config == nil {
		return nil, nil, apierr.Errorf(apierr.Conflict, "the recorded request has no order, or no configuration of its step")
	}
	value, _, err = schema.ParseOrder(o.JSON())
	if err != nil {
		return nil, nil, fmt.Errorf("read the order that was sent: %w", err)
	}
	return value, config, order.Complete(value)
}

// versionOf is the version that a document says.
func versionOf(doc *jsondoc.Object) int64 {
	v := Version{Order: Document{doc}}
	return v.order().Version
}

// version reads a version of the order; nil where it was removed.
func (r *reading) version(ctx context.Context, number int64) (*order.Order, error) {
	if number < 1 {
		return nil, nil
	}
	o, err := r.from.OrderVersion(ctx, r.tenant, r.at.OrderID, number)
	if unlessGone(err) != nil {
		return nil, fmt.Errorf("read version %d of the order: %w", number, err)
	}
	return o, nil
}

// settings reads what the settings say: of the step's call those that the run began with, of
// events those that were in force when the answer came.
func (r *reading) settings(ctx context.Context, rn *run.Run) error {
	config, err := r.from.SettingsVersion(ctx, r.tenant, rn.SettingsVersion)
	if unlessGone(err) != nil {
		return err
	}
	if err == nil {
		r.call.Step.MaxDurationMs = config.StatusOf(rn).MaxDuration.Milliseconds()
		for i := range config.Connectors {
			if c := &config.Connectors[i]; r.at.ConnectorID != "" && c.ConnectorID == r.at.ConnectorID {
				r.call.TimeoutMs = c.Timeout.Milliseconds()
			}
		}
	}
	today, err := r.inForce(ctx, r.call.Step.AnsweredAt)
	if err != nil {
		return err
	}
	for _, t := range today.OrderTypes {
		for _, status := range t.Statuses {
			if e := status.Events; e.Replace || len(e.Types) > 0 {
				r.call.Step.Events = append(r.call.Step.Events, StatusEvents{t.Name, t.Default, status.Name, e.Replace, e.Types})
			}
		}
	}
	return nil
}

// inForce reads the settings that were in force at a time; those of today where that cannot
// be found out.
func (r *reading) inForce(ctx context.Context, at time.Time) (*settings.Settings, error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		list, err := r.from.SettingsHistory(ctx, r.tenant, page)
		if err != nil {
			return nil, err
		}
		for _, v := range list.Items {
			if !v.Created.After(at) {
				s, err := r.from.SettingsVersion(ctx, r.tenant, v.Version)
				if err == nil || unlessGone(err) != nil {
					return s, err
				}
			}
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return r.from.Settings(ctx, r.tenant)
		}
	}
}
