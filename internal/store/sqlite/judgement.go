package sqlite

import (
	"context"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/oms"
)

// judgement is who gets an event by the endpoints as they were a moment before it
// was stored. It holds if they are the same in the write.
type judgement struct {
	by *oms.Subscriptions // nil: it was not judged
	to []oms.Receiver
}

// publication is the write of events that are about to be published. Who gets them
// is judged here, before the write, for no other writer should wait while filters
// are at work.
func (db *DB) publication(ctx context.Context, tenant string, events []*oms.Event) *write {
	w := &write{tenant: tenant, events: events}
	by, err := db.Subscriptions(ctx, tenant)
	if err != nil {
		return w // which will say what is wrong
	}
	effort := filter.Outside()
	w.judged = make([]judgement, len(events))
	for i, e := range events {
		w.judged[i] = judgement{by, by.Match(e, effort)}
	}
	return w
}
