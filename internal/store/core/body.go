package core

import (
	"bytes"
	"database/sql"

	"github.com/orderhook/orderhook/internal/oms"
)

// bodyColumns and bodyJoins select the bodies of an attempt a: the request's is
// made from its event, or kept by its call. Of the event they read only what
// its format shows, for it is one of thousands in a search.
const (
	bodyColumns = `a.format, e.id, e.type, e.at, iif(a.format = 'thin', e.subject_kind, NULL), iif(a.format = 'thin', e.subject_id, NULL),
		iif(a.format = 'thin', e.order_id, NULL), e.data, b.body, a.response_body`
	bodyJoins = `
		LEFT JOIN events AS e ON e.seq = a.event AND e.tenant = a.tenant
		LEFT JOIN bodies AS b ON b.tenant = a.tenant AND b.call_id = a.call_id AND a.call_id <> ''`
)

// bodies is what a query of bodyColumns reads. It holds for one row only.
type bodies struct {
	format                          oms.Format
	id, kind, subject, about, order sql.NullString // of the event
	at                              sql.NullInt64
	data, call, response            sql.RawBytes
}

func (b *bodies) columns() []any {
	return []any{&b.format, &b.id, &b.kind, &b.at, &b.subject, &b.about, &b.order, &b.data, &b.call, &b.response}
}

// request returns the body of the request, nil if there was none, or none is left.
func (b *bodies) request() []byte {
	if !b.id.Valid {
		return b.call
	}
	e := oms.Event{ID: b.id.String, Type: b.kind.String, Subject: oms.Subject{Kind: b.subject.String, ID: b.about.String},
		Related: oms.Related{OrderID: b.order.String}, Timestamp: fromMicros(b.at.Int64), Data: []byte(b.data)}
	return e.Body(b.format)
}

// clone copies a body out of the row it was read from.
func clone(body []byte) []byte { return bytes.Clone(body) }
