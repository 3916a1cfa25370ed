package event

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/ids"
)

// checkEventID returns what is wrong with a publisher's id. It stands in a URL,
// and in the ids of deliveries, where a dot separates it from what follows
// (docs/contract.md#publishing).
func checkEventID(id string) string {
	switch {
	case id == "" || len(id) > maxEventID:
		return fmt.Sprintf("must have from 1 to %d characters", maxEventID)
	case strings.Contains(id, "."):
		return "must hold no dot"
	case id == "/":
		return fmt.Sprintf("must not be %q, which cannot stand in a URL", id)
	case strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "must be of visible ASCII characters"
	}
	return ""
}

// checkKind returns what is wrong with the kind of a subject. It is written as a type is.
func checkKind(kind string) string {
	if wrong := CheckEventType(kind, ""); len(wrong) > 0 || len(kind) > maxKind {
		return fmt.Sprintf("must be from 1 to %d letters, digits, _, - and .", maxKind)
	}
	return ""
}

// checkName returns what is wrong with a text that names something. Its message does not
// repeat the name.
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

// anotherOrder is said of an orderId that its event's subject contradicts.
const anotherOrder = "is another order than the subject"

// checkData returns what is wrong with the payload of an event. Nothing in it is looked at
// but how deep it goes.
func checkData(v jsontext.Value, levels int) string {
	switch {
	case v.Kind() != '{':
		return "must be an object, not " + nameOf(v.Kind())
	case nestsDeeper(v, levels):
		return fmt.Sprintf("nests deeper than %d levels", levels)
	}
	return ""
}

// complete checks what fields say together and gives the event what it lacks. It is called
// once all fields of the event were read without an error.
func (r *eventReader) complete(e *Event) {
	// A type of orderhook's own would be a false promise to whoever gets it.
	for _, wrong := range CheckPublishedType(e.Type, "type") {
		r.invalid("type", wrong.Message)
	}
	if e.Data == nil {
		r.invalid("data", "is needed, as an object")
	}
	if e.ID == "" {
		e.ID = ids.New(ids.Event)
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = r.now
	}
	// An event that names an order and no subject is about that order.
	if e.Subject == (Subject{}) && e.OrderID != "" {
		e.Subject = Subject{SubjectOrder, e.OrderID}
	}
	if e.Subject.Kind == SubjectOrder && e.OrderID != "" && e.OrderID != e.Subject.ID {
		r.invalid("orderId", anotherOrder)
	}
	e.relate()
}

// relate says of an event what its subject says. So it is found as one that orderhook
// itself has made.
func (e *Event) relate() {
	// [Related] has no ids of other kinds, as an endpoint.
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
