package core

import (
	"bytes"
	"database/sql"

	"github.com/orderhook/orderhook/internal/event"
)

// bodyColumns and bodyJoins select the bodies of an attempt a: the request's is
// made from its event, or stored by its call. They read only what its format shows of
// the event, for it is one of thousands in a search.
const (
	bodyColumns = `a.format, e.id, e.type, e.at, CASE WHEN a.format = 'thin' THEN e.subject_kind END, CASE WHEN a.format = 'thin' THEN e.subject_id END,
		CASE WHEN a.format = 'thin' THEN e.order_id END, e.data, b.body, a.response_body`
	bodyJoins = eventOfAttempt + `
		LEFT JOIN bodies AS b ON b.tenant = a.tenant AND b.call_id = a.call_id AND a.call_id <> ''`
)

// bodies is what a query of bodyColumns reads. It holds for one row only: the slices belong
// to the driver, which uses them again for the next row.
type bodies struct {
	format                          event.Format
	id, kind, subject, about, order sql.NullString // of the event
	at                              sql.NullInt64
	data, call, response            sql.RawBytes
}

// columns returns where the values of bodyColumns go.
func (b *bodies) columns() []any {
	return []any{&b.format, &b.id, &b.kind, &b.at, &b.subject, &b.about, &b.order, &b.data, &b.call, &b.response}
}

// request returns the body of the request, nil if there was none, or none is left. For an
// attempt at a delivery it makes the body from the event again, as it was made for the
// request (event.Event.Body); it never stores it twice.
func (b *bodies) request() []byte {
	if !b.id.Valid {
		return b.call
	}
	e := event.Event{ID: b.id.String, Type: b.kind.String, Subject: event.Subject{Kind: b.subject.String, ID: b.about.String},
		Related: event.Related{OrderID: b.order.String}, Timestamp: fromMicros(b.at.Int64), Data: []byte(b.data)}
	return e.Body(b.format)
}

// clone copies a body out of the row it was read from.
func clone(body []byte) []byte { return bytes.Clone(body) }
