package oms

import (
	"fmt"
	"strings"
)

// checkEventID returns what is wrong with a publisher's id. It stands in a URL,
// and in the ids of deliveries, where a dot separates it from what follows
// (CONTRACT.md, "Event notifications").
func checkEventID(id string) string {
	switch {
	case id == "" || len(id) > maxEventID:
		return fmt.Sprintf("must have from 1 to %d characters; leave it out and one is made", maxEventID)
	case strings.Contains(id, "."):
		return "must hold no dot"
	case id == "/":
		return fmt.Sprintf("must not be %q, which cannot stand in a URL", id)
	case strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "must be of visible ASCII characters"
	}
	return ""
}

func checkKind(kind string) string {
	if wrong := CheckEventType(kind, ""); len(wrong) > 0 || len(kind) > maxKind {
		return fmt.Sprintf("must be from 1 to %d letters, digits, _, - and .", maxKind)
	}
	return ""
}

// checkName returns what is wrong with a text that names something.
func checkName(name string, most int) string {
	switch {
	case name == "":
		return "must not be empty"
	case len(name) > most:
		return fmt.Sprintf("must be at most %d bytes long", most)
	}
	for i := range len(name) {
		if name[i] < ' ' || name[i] == 0x7f {
			return "must not hold control characters"
		}
	}
	return ""
}

// complete checks what fields say together and gives the event what it lacks.
func (r *eventReader) complete(e *Event) {
	for _, wrong := range CheckPublishedType(e.Type, "type") {
		r.mistake("type", wrong.Message)
	}
	if e.Data == nil {
		r.mistake("data", "is needed, as an object")
	}
	if e.ID == "" {
		e.ID = NewID(EventID)
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = r.now
	}
	if e.Subject == (Subject{}) && e.OrderID != "" {
		e.Subject = Subject{SubjectOrder, e.OrderID}
	}
	if e.Subject.Kind == SubjectOrder && e.OrderID != "" && e.OrderID != e.Subject.ID {
		r.mistake("orderId", "is another order than the subject")
	}
	e.relate()
}

// relate says of an event what its subject says.
func (e *Event) relate() {
	switch id := e.Subject.ID; e.Subject.Kind {
	case SubjectOrder:
		e.OrderID = id
	case SubjectShipment:
		e.ShipmentID = id
	case SubjectReturn:
		e.ReturnID = id
	case SubjectCart:
		e.CartID = id
	case SubjectSubscription:
		e.SubscriptionID = id
	case SubjectStockItem:
		e.StockItemID = id
	}
}
