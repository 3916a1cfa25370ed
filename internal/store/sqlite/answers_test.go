package sqlite

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// answers asks everything that the API asks about deliveries and attempts, and returns the
// answers as lines of text. testdata has those of the version before, which stored them in
// another way.
func answers(t *testing.T, db *DB) (lines []string) {
	t.Helper()
	say := func(what string, v any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(what, err)
		}
		text, err := json.Marshal(v)
		must(t, err)
		lines = append(lines, what+": "+string(text))
	}
	for _, f := range []store.DeliveryFilter{{}, {Status: event.DeliveryPending}, {Status: event.DeliverySucceeded}, {Status: event.DeliveryFailed},
		{Status: event.DeliveryCanceled}, {Endpoint: 1}, {Endpoint: 2, Status: event.DeliverySucceeded}, {Event: 3}, {OrderID: "o1"}, {EventType: "order_x"},
		{StatusFilter: store.StatusFilter{StatusFrom: 200, StatusTo: 299}}, {StatusFilter: store.StatusFilter{StatusFrom: 500}}, {StatusFilter: store.StatusFilter{NoStatus: true}},
		{From: time.Unix(1003, 0), To: time.Unix(1007, 0)}, {Sendable: store.SendableAtAll}, {Sendable: store.NotSendable}} {
		n, err := db.DeliveryCount(ctx, acme, f)
		say(fmt.Sprintf("deliveries %+v", f), n, err)
		for cursor := ""; ; {
			l, err := db.Deliveries(ctx, acme, f, store.Page{Limit: 3, Cursor: cursor})
			for _, d := range l.Items {
				if d.Status != event.DeliveryPending {
					d.Group = "" // in which nothing waits for it
				}
				if f == (store.DeliveryFilter{}) {
					say(d.ID(), d, nil)
				} else {
					say(d.ID(), d.Status, nil)
				}
				one, err := db.Delivery(ctx, acme, d.DeliveryKey)
				if must(t, err); one.Status != d.Status || one.Attempts != d.Attempts || !one.Updated.Equal(d.Updated) {
					t.Errorf("%s alone is %+v, in the list %+v", d.ID(), one, d)
				}
			}
			if cursor = l.NextCursor; err != nil || cursor == "" {
				must(t, err)
				break
			}
		}
	}
	for _, f := range []store.AttemptFilter{{}, {Kind: attempt.KindStep}, {CallID: "call_1"}, {CallID: "dlv_e3.1"}, {ConnectorID: "erp"}, {Host: "EP1.example"},
		{RunID: "r1"}, {Outcome: attempt.OutcomeFailed}, {EventType: "order_x"}, {Endpoint: 1}, {Endpoint: 2, Outcome: attempt.OutcomeSucceeded},
		{Delivery: &event.DeliveryKey{Event: 3, Endpoint: 1}}, {Body: "needle"}, {Body: "needle", Related: event.Related{OrderID: "o1"}},
		{Related: event.Related{OrderID: "o1"}}, {Related: event.Related{OrderID: "o1"}, Outcome: attempt.OutcomeFailed}, {Related: event.Related{ShipmentID: "s1"}},
		{Related: event.Related{SubscriptionID: "sub"}}, {Related: event.Related{CartID: "c1"}}, {From: time.Unix(1004, 0), To: time.Unix(1009, 0)}} {
		n, err := db.AttemptCount(ctx, acme, f)
		say(fmt.Sprintf("attempts %s %+v", strings.Split(fmt.Sprintf("%+v", f), " Delivery:")[0], f.Body), n, err)
		for cursor := ""; ; {
			l, err := db.Attempts(ctx, acme, f, store.Page{Limit: 3, Cursor: cursor})
			for _, a := range l.Items {
				say(a.ID, a.StartedAt, nil)
			}
			if cursor = l.NextCursor; err != nil || cursor == "" {
				must(t, err)
				break
			}
		}
	}
	all, err := db.Attempts(ctx, acme, store.AttemptFilter{}, store.Page{Limit: 200})
	must(t, err)
	for _, a := range all.Items {
		one, err := db.Attempt(ctx, acme, a.ID)
		must(t, err)
		say("whole", one, nil)
		if one.Detail != nil {
			say("of "+one.Detail.RemoteAddr, fmt.Sprint(string(one.Detail.Request.Body), one.Detail.Request.Headers, one.Detail.Response != nil), nil)
		}
	}
	for endpoint := int64(1); endpoint <= 3; endpoint++ {
		h, err := db.Health(ctx, acme, endpoint)
		say("health", h, err)
		recent, err := db.Recent(ctx, acme, endpoint, 5)
		say("recent", recent, err)
		missing, _, err := db.NewestMissing(ctx, acme, &job.Job{What: job.RecoverMissing, From: time.Unix(0, 0), To: time.Unix(1<<33, 0), Last: 1 << 40}, endpoint, 50)
		say("missing", missing, err)
		due, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: endpoint, Now: time.Unix(1<<33, 0), Limit: 50})
		say("due", due, err)
	}
	waiting, err := db.Waiting(ctx, acme)
	say("waiting", waiting, err)
	calls, err := db.Calls(ctx, acme, time.Unix(0, 0), time.Unix(10_000, 0), 15*time.Minute)
	say("calls", calls, err)
	return lines
}
