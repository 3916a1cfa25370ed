package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

const acme = "acme"

// rig is a dispatcher on a real database, whose requests go to a function. It
// is for tests inside a synctest bubble: all waiting is of its time.
type rig struct {
	t     *testing.T
	store *sqlite.DB
	d     *Dispatcher
	jobs  *jobrunner.Runner
	calls *calls
	// For the next start.
	webHook *WebHook
	reading func() // nil, or what holds up each reading of an endpoint queue's table, once its rows are read
}

func newRig(t *testing.T, answer func(call) outbound.Exchange) *rig {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"), sqlite.Options{EncryptionKey: secret.NewKey()})
	must(t, err)
	r := &rig{t: t, store: db, calls: &calls{answer: answer}}
	r.start()
	t.Cleanup(func() {
		r.stop()
		must(t, db.Close())
	})
	return r
}

func (r *rig) start() {
	var s store.Store = r.store
	if r.reading != nil {
		s = slowReads{s, r.reading}
	}
	r.startOn(s)
}

func (r *rig) startOn(s store.Store) {
	r.d = New(Options{Store: s, Client: r.calls, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler), WebHook: r.webHook})
	must(r.t, r.d.Start(r.t.Context()))
	r.jobs = jobrunner.New(jobrunner.Options{Store: s, Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)}, r.d.Jobs())
	must(r.t, r.jobs.Start(r.t.Context()))
}

func (r *rig) stop() {
	r.jobs.Stop()
	r.d.Stop(context.Background())
}

// slowReads is a store whose answer to what is due comes later than it was true.
type slowReads struct {
	store.Store
	reading func()
}

func (s slowReads) DueDeliveries(ctx context.Context, tenant string, q store.DueQuery) (store.DueList, error) {
	list, err := s.Store.DueDeliveries(ctx, tenant, q)
	s.reading()
	return list, err
}

// restart is a new process on the same database.
func (r *rig) restart() {
	r.stop()
	r.start()
}

// endpoint stores an endpoint; change completes it.
func (r *rig) endpoint(name string, change func(*event.Endpoint)) *event.Endpoint {
	r.t.Helper()
	e := &event.Endpoint{
		ID: ids.Endpoint + name, Origin: event.OriginAPI, URL: "http://" + name + ".example/hook", EventTypes: []string{"*"}, Format: event.FormatFull,
		Enabled: true, Timeout: 30 * time.Second, Schedule: event.DefaultSchedule, Concurrency: 4, Ordering: event.OrderingNone,
		Signatures: []string{event.SignatureV1}, Secrets: []event.Secret{{Value: secret.New(outbound.NewSecret())}},
	}
	if change != nil {
		change(e)
	}
	r.write(func(tx store.Tx) error { return tx.PutEndpoint(r.t.Context(), acme, e) })
	return e
}

func (r *rig) erase(id string) {
	r.t.Helper()
	r.write(func(tx store.Tx) error { return tx.EraseOrder(r.t.Context(), acme, id) })
	j := job.Job{OrderID: id}
	for done := false; !done; {
		next := j
		r.write(func(tx store.Tx) (err error) {
			done, err = tx.EraseSome(r.t.Context(), acme, &next, 100)
			return err
		})
		j = next
	}
}

func (r *rig) write(do func(store.Tx) error) {
	r.t.Helper()
	must(r.t, r.store.Write(r.t.Context(), do))
}

// publish stores an event about an order.
func (r *rig) publish(id, order string) *event.Event {
	r.t.Helper()
	e := &event.Event{ID: id, Type: "order_packed", Subject: event.Subject{Kind: event.SubjectOrder, ID: order}, Related: event.Related{OrderID: order},
		Timestamp: time.Now(), Data: fmt.Appendf(nil, `{"id":%q,"status":"Packed"}`, order)}
	r.write(func(tx store.Tx) error {
		err := tx.AddEvents(r.t.Context(), acme, e)
		return err
	})
	return e
}

// publishMany stores events at once.
func (r *rig) publishMany(name string, count int) []*event.Event {
	r.t.Helper()
	var all []*event.Event
	for i := range count {
		all = append(all, &event.Event{ID: fmt.Sprint("evt_", name, i), Type: "order_packed", Timestamp: time.Now(), Data: []byte(`{}`)})
	}
	must(r.t, r.store.Publish(r.t.Context(), acme, all...))
	return all
}

func (r *rig) delivery(e *event.Event, to *event.Endpoint) *event.Delivery {
	r.t.Helper()
	d, err := r.store.Delivery(r.t.Context(), acme, event.DeliveryKey{Event: e.Seq, Endpoint: to.No})
	must(r.t, err)
	return d
}

func (r *rig) attempts() []*attempt.Attempt {
	r.t.Helper()
	list, err := r.store.Attempts(r.t.Context(), acme, store.AttemptFilter{}, store.Page{Limit: store.MaxLimit})
	must(r.t, err)
	return list.Items
}

// call is one request as it was made.
type call struct {
	outbound.Request
	began, ended time.Time
	ok           bool
}

// calls makes no requests but notes them, and answers as it is told.
type calls struct {
	answer func(call) outbound.Exchange
	mu     sync.Mutex
	all    []*call
}

// Post implements Client.
func (c *calls) Post(ctx context.Context, r outbound.Request) outbound.Exchange {
	one := &call{Request: r, began: time.Now()}
	c.mu.Lock()
	c.all = append(c.all, one)
	c.mu.Unlock()
	x := c.answer(*one)
	if ctx.Err() != nil {
		x = outbound.Exchange{Err: outbound.ErrCanceled}
	}
	x.OneWay, x.StartedAt, x.URL, x.Duration = true, one.began, r.URL, time.Since(one.began)
	c.mu.Lock()
	one.ended, one.ok = time.Now(), x.Class() == outbound.Answered
	c.mu.Unlock()
	return x
}

func (c *calls) made() []call {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]call, len(c.all))
	for i, one := range c.all {
		out[i] = *one
	}
	return out
}

// answering takes some time and answers with a status.
func answering(status int, takes time.Duration) func(call) outbound.Exchange {
	return func(call) outbound.Exchange {
		time.Sleep(takes)
		return outbound.Exchange{Status: status}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
