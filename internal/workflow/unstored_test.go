package workflow

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
)

// called is a client that says when it is called, and has everything answered.
type called chan struct{}

func (c called) Post(context.Context, outbound.Request) outbound.Exchange {
	c <- struct{}{}
	return outbound.Exchange{StartedAt: time.Now(), Status: 200}
}

// While very many answers wait for the database, no new call is made.
func TestNoNewCallsWhileManyAnswersWait(t *testing.T) {
	c, calls := clocktest.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)), make(called, 1)
	db := oneStep(t, c.Now)
	e := New(Options{Store: db, Client: calls, Clock: c, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { e.Stop(context.Background()) })
	c.Hold()
	e.unstored.Store(mostUnstored)
	o, _, _ := schema.ParseOrder([]byte(`{"id":"O1"}`))
	started, err := e.CreateOrder(t.Context(), Caller{Tenant: "acme", Author: order.Author{By: "test"}}, Document{Object: o}, true)
	if err != nil {
		t.Fatal(err)
	}
	e.queues.running.Wait() // the queue has had its turn, and waits
	if len(calls) > 0 || !slices.Equal(c.Waits(), []time.Duration{again}) {
		t.Fatalf("%d calls, waits %v", len(calls), c.Waits())
	}
	e.unstored.Store(mostUnstored - 1)
	c.Release()
	<-calls
	if r, err := e.Await(t.Context(), "acme", started, time.Minute); err != nil || r.RunStatus != run.RunSucceeded {
		t.Errorf("%+v, %v", r, err)
	}
}
