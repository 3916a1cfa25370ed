package sqlite

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// receivers are the endpoints that an event became due for.
func receivers(l *dueList, event string) string {
	var ids []string
	for _, due := range l.due {
		if due.Delivery.EventID == event {
			ids = append(ids, due.Delivery.EndpointID)
		}
	}
	return strings.Join(ids, " ")
}

// A publication is judged before its write, which takes that over, and judges
// only what was judged by other endpoints than are there now.
func TestPublicationsAreJudgedBeforeTheirWrite(t *testing.T) {
	db := openTemp(t)
	l := &dueList{}
	db.Listen(l)
	all := putEndpoints(t, db, 2, func(e *oms.Endpoint) { e.Filter = `data.none == nil` })
	now, err := db.Subscriptions(ctx, acme)
	must(t, err)
	judged := func(id string, by *oms.Subscriptions, to ...oms.Receiver) *write {
		job := publication(acme, id)
		job.judged = []judgement{{by, to}}
		return job
	}
	old := oms.NewSubscriptions(all)
	release := hold(t, db)
	jobs := enqueueAll(t, db, judged("as judged", now, oms.Receiver{Endpoint: all[1]}), publication(acme, "not judged"),
		judged("nobody", now), judged("by others", old, oms.Receiver{Endpoint: all[0]}))
	release()
	for _, job := range jobs {
		<-job.done
		must(t, job.err)
	}
	both := all[0].ID + " " + all[1].ID
	for event, want := range map[string]string{"as judged": all[1].ID, "nobody": "", "not judged": both, "by others": both} {
		if got := receivers(l, event); got != want {
			t.Errorf("%s: %q, not %q", event, got, want)
		}
	}
	if got := db.publication(ctx, acme, []*oms.Event{benchEvent(benchTime)}).judged; len(got) != 1 || got[0].by != now || len(got[0].to) != 2 {
		t.Errorf("judged as %+v", got)
	}
}

// Filters that take long leave the time of a write to the others.
func TestAWriteWithHeavyFilters(t *testing.T) {
	db := openTemp(t)
	l := &dueList{}
	db.Listen(l)
	putEndpoints(t, db, 20, func(e *oms.Endpoint) { e.Filter = `any(1..1000, sum(1..1000) == # * 1.5)` })
	light := testEndpoint("light")
	light.Filter = `data.none != nil`
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, light) }))
	e := benchEvent(benchTime)
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.AddEvents(ctx, acme, e) }))
	if len(l.due) != 20 || receivers(l, e.ID) == "" {
		t.Errorf("%d deliveries are due", len(l.due))
	}
	if strings.Contains(receivers(l, e.ID), "light") {
		t.Error("a light filter was not asked")
	}
}
