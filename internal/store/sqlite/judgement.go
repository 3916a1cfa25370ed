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

// judge says who gets events that are about to be published. That is done before
// the write, for no other writer should wait while filters are at work.
func (db *DB) judge(ctx context.Context, tenant string, events []*oms.Event) []judgement {
	judged := make([]judgement, len(events))
	by, err := db.Subscriptions(ctx, tenant)
	if err != nil {
		return judged // the write will say what is wrong
	}
	effort := filter.Outside()
	for i, e := range events {
		judged[i] = judgement{by, by.Match(e, effort)}
	}
	return judged
}
