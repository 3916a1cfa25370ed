package sqlite

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// listening is a listener that does with what is due what the test says.
type listening struct{ due func([]store.Due) }

func (l *listening) Due(due []store.Due)                            { l.due(due) }
func (l *listening) EndpointChanged(string, *event.Endpoint, int64) {}
func (l *listening) EndpointDeleted(string, int64, int64)           {}
func (l *listening) Ended(string, event.DeliveryKey)                {}
func (l *listening) Behind(string, int64)                           {}
func (l *listening) FilterFailed(store.FilterFailure)               {}

// dueList is a listener that keeps what it is told.
type dueList struct {
	listening
	due []store.Due
}

func (l *dueList) Due(due []store.Due) { l.due = append(l.due, due...) }

func testEndpoint(id string) *event.Endpoint {
	return &event.Endpoint{ID: id, Origin: event.OriginAPI, URL: "https://example.com/" + id, EventTypes: []string{"*"}, Enabled: true,
		Schedule: event.DefaultSchedule, Ordering: event.OrderingNone}
}

// putEndpoints stores as many endpoints, changed as is said.
func putEndpoints(tb testing.TB, db *DB, n int, change func(*event.Endpoint)) (all []*event.Endpoint) {
	tb.Helper()
	must(tb, db.Write(ctx, func(tx store.Tx) error {
		all = nil
		for i := range n {
			e := testEndpoint(fmt.Sprint("ep_", i))
			if change != nil {
				change(e)
			}
			if err := tx.PutEndpoint(ctx, acme, e); err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	}))
	return all
}

// benchTime is when the events of tests are of that need no other time.
var benchTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// benchData is a payload of about 1.5 KB.
var benchData = jsontext.Value(`{"id":"ord-1","note":"` + strings.Repeat("text ", 290) + `"}`)

func benchEvent(now time.Time) *event.Event {
	id := ids.NewAt(ids.Event, now)
	return &event.Event{ID: id, Type: "OrderAccepted", Subject: event.Subject{Kind: event.SubjectOrder, ID: id[4:]},
		Related: event.Related{OrderID: id[4:]}, Timestamp: now, Data: benchData}
}

func namedEvent(id string) *event.Event {
	e := benchEvent(benchTime)
	e.ID = id
	return e
}

func publish(tb testing.TB, db *DB, events ...*event.Event) {
	tb.Helper()
	must(tb, db.Write(ctx, func(tx store.Tx) error { return tx.AddEvents(ctx, acme, events...) }))
}
