package workflow

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// troubledStore refuses so many writes, or cannot be read.
type troubledStore struct {
	store.Store
	refuses    atomic.Int32
	unreadable atomic.Bool
}

func (s *troubledStore) Write(ctx context.Context, do func(store.Tx) error) error {
	if s.refuses.Add(-1) >= 0 {
		return apierr.Errorf(apierr.Invalid, "a text is too long to be looked up")
	}
	return s.Store.Write(ctx, do)
}

func (s *troubledStore) reads() error {
	if s.unreadable.Load() {
		return apierr.Errorf(apierr.Unavailable, "the database cannot be reached now")
	}
	return nil
}

func (s *troubledStore) Run(ctx context.Context, tenant, id string) (*run.Run, error) {
	if err := s.reads(); err != nil {
		return nil, err
	}
	return s.Store.Run(ctx, tenant, id)
}

func (s *troubledStore) Order(ctx context.Context, tenant, id string) (*order.Order, error) {
	if err := s.reads(); err != nil {
		return nil, err
	}
	return s.Store.Order(ctx, tenant, id)
}

func (s *troubledStore) OrderVersion(ctx context.Context, tenant, id string, version int64) (*order.Order, error) {
	if err := s.reads(); err != nil {
		return nil, err
	}
	return s.Store.OrderVersion(ctx, tenant, id, version)
}

// refusing is a client whose answers the store refuses once.
type refusing struct {
	store *troubledStore
	calls atomic.Int32
}

func (c *refusing) Post(context.Context, outbound.Request) outbound.Exchange {
	c.calls.Add(1)
	c.store.refuses.Store(1)
	return outbound.Exchange{StartedAt: time.Now(), Status: 200}
}

// troubled is an engine on a store that may be in trouble, and that client.
func troubled(t *testing.T) (*Engine, *troubledStore, *refusing) {
	t.Helper()
	c := clocktest.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	db := oneStep(t, c.Now)
	st := &troubledStore{Store: db}
	client := &refusing{store: st}
	e := New(Options{Store: st, Client: client, Clock: c, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { e.Stop(context.Background()) })
	return e, st, client
}

func (e *Engine) created(t *testing.T, doc string, runs bool) Started {
	t.Helper()
	o, _, _ := schema.ParseOrder([]byte(doc))
	started, err := e.CreateOrder(t.Context(), Caller{Tenant: "acme", Author: order.Author{By: "test"}}, Document{Object: o}, runs)
	if err != nil {
		t.Fatal(err)
	}
	return started
}

// TestAnAnswerThatTheDatabaseRefuses fails its run: it would be refused each time, and the call
// is not made again for that.
func TestAnAnswerThatTheDatabaseRefuses(t *testing.T) {
	e, st, client := troubled(t)
	r, err := e.Await(t.Context(), "acme", e.created(t, `{"id":"O1"}`, true), time.Minute)
	if err != nil || r.RunStatus != run.RunFailed || !strings.Contains(r.Reason, "could not be stored: a text is too long") {
		t.Fatalf("%+v, %v", r, err)
	}
	if n := client.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
	made, err := st.Attempts(t.Context(), "acme", store.AttemptFilter{}, store.Page{Limit: 9})
	if err != nil || len(made.Items) != 1 || !strings.Contains(made.Items[0].Error, "could not be stored") {
		t.Errorf("%+v, %v", made.Items, err)
	}
}

// TestAChangeWhoseResultCannotBeRead is no error: the caller would make it again.
func TestAChangeWhoseResultCannotBeRead(t *testing.T) {
	for runs, want := range map[bool]run.RunStatus{true: run.RunRunning, false: ""} {
		e, st, _ := troubled(t)
		started := e.created(t, `{"id":"O1","notes":"x"}`, runs)
		st.unreadable.Store(true)
		r, err := e.Await(t.Context(), "acme", started, 0)
		if err != nil || r.RunID != started.RunID || r.Done == runs || r.RunStatus != want || r.Order.Doc.Text("notes") != "x" {
			t.Errorf("%t: %+v, %v", runs, r, err)
		}
		// A repeated request made nothing, and may well be made again.
		if _, err := e.Await(t.Context(), "acme", Started{OrderID: "O1", RunID: started.RunID, Version: 1}, 0); apierr.KindOf(err) != apierr.Unavailable {
			t.Errorf("a repeated one: %v", err)
		}
		st.unreadable.Store(false)
	}
}
