package receiver

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Event is something that happened (docs/contract.md#event-types).
type Event struct {
	// Call is the request that it came in. One that was fetched from the feed has Key and
	// Body alone.
	Call
	Type string
	// ID is the publisher's; Key is what repeats are known by.
	ID        string
	Timestamp time.Time
	// Data is the order, the shipment, the stock item, or what was published, to the byte. It
	// is nil of thin events, which say only what they are about.
	Data    json.RawMessage
	OrderID string  // of thin events about an order
	Subject Subject // of thin events about anything else
	// Position is where it stands among the events of the endpoint, and Previous where the one
	// before it does; "" where orderhook does not say.
	Position, Previous string
	// Gone says why the feed has no body of it any more: "erased", "removed". No handler gets
	// such an event.
	Gone string
}

// Subject is what an event is about.
type Subject struct{ Kind, ID string }

// The headers of a delivery that say where its event stands.
const (
	positionHeader = "Webhook-Position"
	previousHeader = "Webhook-Previous-Position"
)

// eventOf reads the body of a delivery: {id, type, timestamp, data}, or one of the thin ones.
func eventOf(call Call) (*Event, error) {
	var body struct {
		ID, Type, OrderID, EventID, EventType string
		Timestamp                             time.Time
		Data                                  json.RawMessage
		Subject                               Subject
	}
	if err := json.Unmarshal(call.Body, &body); err != nil {
		return nil, unreadable(err)
	}
	e := &Event{Call: call, Type: body.Type, ID: body.ID, Timestamp: body.Timestamp, Data: body.Data, OrderID: body.OrderID, Subject: body.Subject,
		Position: call.Header.Get(positionHeader), Previous: previousOf(call.Header.Get(previousHeader))}
	if e.Type == "" {
		e.Type = body.EventType
	}
	if e.ID == "" {
		e.ID = body.EventID
	}
	if e.Type == "" {
		return nil, unreadable(errors.New("this is no event: it has no type"))
	}
	return e, nil
}

// previousOf reads the position of the event before. orderhook writes 0 where there was none.
func previousOf(text string) string {
	if text == "0" {
		return ""
	}
	return text
}

// Order is the order of an event about one.
func (e *Event) Order() (*Order, error) { return dataOf[Order](e) }

// Shipment is the shipment of an event about one.
func (e *Event) Shipment() (*Shipment, error) { return dataOf[Shipment](e) }

// StockItem is the stock item of an event about one.
func (e *Event) StockItem() (*StockItem, error) { return dataOf[StockItem](e) }

func dataOf[T any](e *Event) (*T, error) {
	if e.Data == nil {
		return nil, fmt.Errorf("the event %s is a thin one, without data", e.Key)
	}
	out := new(T)
	if err := json.Unmarshal(e.Data, out); err != nil {
		return nil, fmt.Errorf("the data of the event %s: %w", e.Key, err)
	}
	return out, nil
}
