package postgres

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// performed is the plans of what was asked and written, which the server tells as it has
// done them.
type performed struct {
	mu    sync.Mutex
	plans []performedPlan
}

type performedPlan struct {
	Text string `json:"Query Text"`
	Plan node
}

// note notes a plan that auto_explain tells.
func (p *performed) note(_ *pgconn.PgConn, n *pgconn.Notice) {
	var one performedPlan
	_, plan, _ := strings.Cut(n.Message, "plan:\n")
	if json.Unmarshal([]byte(plan), &one) == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.plans = append(p.plans, one)
	}
}

func (p *performed) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans = nil
}

// TestDeliveriesOfATableThatWasEmpty are looked up one by one, although the server has
// planned that when the table was empty, and goes by the plan until it next analyses the
// table: an endpoint that is down gathers very many meanwhile.
func TestDeliveriesOfATableThatWasEmpty(t *testing.T) {
	done := &performed{}
	now := time.Unix(1_800_000_000, 0)
	db := openAt(t, pgtest.Database(t, Migrate), func(c *config) {
		c.pool.ConnConfig.OnNotice = done.note
		for name, value := range map[string]string{"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0", "auto_explain.log_analyze": "on",
			"auto_explain.log_format": "json", "auto_explain.log_level": "notice", "auto_explain.log_timing": "off"} {
			c.pool.ConnConfig.RuntimeParams[name] = value
		}
	}, Options{Clock: func() time.Time { return now }, Writers: 1})
	exec(t, db.engine.config.pool.ConnString(), `ALTER TABLE deliveries SET (autovacuum_enabled = off)`)
	to := putEndpoint(t, db, event.OrderingNone)
	publish := func(count int) {
		t.Helper()
		var all []*event.Event
		for i := range count {
			all = append(all, newEvent(ids.New(ids.Event), fmt.Sprint("s", i)))
		}
		must(t, db.Publish(ctx, acme, all...))
	}
	deliver := func(limit int) {
		t.Helper()
		list, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: now, Limit: limit, MostData: 100})
		must(t, err)
		if len(list.Due) != limit {
			t.Fatalf("%d are due, want %d", len(list.Due), limit)
		}
		var all []store.Completion
		for _, d := range list.Due {
			all = append(all, store.Completion{Key: d.Delivery.DeliveryKey, Status: event.DeliverySucceeded, Attempts: 1, At: now,
				Attempt: &attempt.Attempt{ID: ids.Numbered(ids.Attempt, now), Kind: attempt.KindEvent, Format: event.FormatFull, StartedAt: now, Number: 1, Status: 200, Outcome: attempt.OutcomeSucceeded, Delivery: d.Delivery.DeliveryKey}})
		}
		must(t, db.Write(ctx, func(tx store.Tx) error {
			_, err := tx.CompleteDeliveries(ctx, acme, all...)
			return err
		}))
	}
	// The server plans a prepared statement for good when it is asked the sixth time.
	for range 10 {
		publish(2)
		deliver(2)
	}
	const waiting, limit = 5000, 100
	for range waiting / 1000 {
		publish(1000)
	}
	done.forget()
	for range 3 {
		deliver(limit)
	}
	seen := 0
	for _, p := range done.plans {
		if !strings.Contains(p.Text, "deliveries") {
			continue
		}
		seen++
		if rows, inVain := p.Plan.read(); rows+inVain > waiting/2 {
			t.Errorf("reads %.0f rows, and looks at %.0f in vain: %s: %+v", rows, inVain, p.Text, p.Plan)
		}
	}
	if seen < 9 { // which are due, these, and their removal
		t.Errorf("%d plans are known", seen)
	}
}
