package delivery

import (
	"context"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// Missing is the events that a recover job would send because an endpoint never got them.
// It is a preview: by the time that the job runs there may be more of them, or fewer.
type Missing struct {
	Count  store.Count    // if it is capped, there may be more
	Newest []*event.Event // the newest of them, without their data
}

// The limits of a preview of a recover job, so that the page comes quickly: how often it
// asks for [jobStep] events, how many events a filter evaluates, which have to be read
// whole, and how many events are shown.
const (
	mostAsked     = 25
	mostEvaluated = 2000
	mostShown     = 5
)

// Missing returns what a recover job would send, from the newest event to the oldest, as
// far as that can be found out quickly.
func (d *Dispatcher) Missing(ctx context.Context, tenant string, e *event.Endpoint, j job.Job) (m Missing, err error) {
	// As in a recover job, it does not matter whether the endpoint is on.
	on := *e
	on.Enabled = true
	alone, effort := event.NewSubscriptions([]*event.Endpoint{&on}), filter.NewEffort()
	evaluated := 0
	for asked := 0; j.Last > 0; asked++ {
		if asked == mostAsked {
			m.Count.Capped = true
			return m, nil
		}
		// The database finds those without a delivery; whether they were wanted is looked
		// at here.
		events, last, err := d.store.NewestMissing(ctx, tenant, &j, e.No, jobStep)
		if err != nil {
			return m, err
		}
		for _, event := range events {
			if on.Filter != "" && on.Wants(event.Type) {
				evaluated++
			}
			if evaluated > mostEvaluated || effort.Spent() {
				m.Count.Capped = true
				return m, nil
			}
			wanted, err := wants(ctx, d.store, tenant, &on, alone, effort, event)
			if err != nil {
				return m, err
			}
			if !wanted {
				continue
			}
			if m.Count.N++; len(m.Newest) < mostShown {
				m.Newest = append(m.Newest, event)
			}
		}
		// The next question is about what is older.
		j.Last = last - 1
	}
	return m, nil
}
