package event

import (
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/timetext"
)

// CheckImported refuses, as [apierr.Invalid], an event that no orderhook can have exported. A
// field has to pass what it passes when it is published. What orderhook itself makes may be
// more: its own types, and the ids of parts of an order, which are whatever the order has.
// The event gets its time as it is stored, and the ids that its subject stands for.
func CheckImported(e *Event) error {
	c := &schema.Checker{}
	check := func(field, why string) {
		if why != "" {
			c.Add(field, why)
		}
	}
	check("id", checkEventID(e.ID))
	// It is a header of each delivery, and is signed.
	check("webhookId", checkEventID(e.MessageID()))
	for _, wrong := range CheckEventType(e.Type, "type") {
		c.Add("type", wrong.Message)
	}
	if at, err := timetext.Stored(e.Timestamp); err != nil {
		c.Add("timestamp", err.Error())
	} else {
		e.Timestamp = at
	}
	e.checkImportedSubject(check)
	if e.Data != nil {
		// An order stands some levels higher in its documents than in what is made of them.
		check("data", checkData(e.Data, jsondoc.MaxDepth+jsondoc.StoredDepth))
	}
	if len(c.Errors) > 0 {
		return &apierr.Error{Kind: apierr.Invalid, Detail: "the event is not valid", Fields: c.Errors}
	}
	return nil
}

// checkImportedSubject checks what an event is about. The ids of orders, carts and stock
// items were checked when these came; those of shipments, returns and subscriptions stand
// in documents of others, and are any text.
func (e *Event) checkImportedSubject(check func(field, why string)) {
	for _, id := range [][2]string{{"orderId", e.OrderID}, {"cartId", e.CartID}, {"stockItemId", e.StockItemID}} {
		if id[1] != "" {
			check(id[0], checkName(id[1], ids.MaxLength))
		}
	}
	if e.Subject == (Subject{}) {
		return
	}
	check("subject.kind", checkKind(e.Subject.Kind))
	ofDocument := e.Subject.Kind == SubjectShipment || e.Subject.Kind == SubjectReturn
	if !ofDocument || e.Subject.ID == "" {
		check("subject.id", checkName(e.Subject.ID, ids.MaxLength))
	}
	was := e.Related
	if e.relate(); e.OrderID != was.OrderID && was.OrderID != "" {
		check("orderId", anotherOrder)
	}
}
