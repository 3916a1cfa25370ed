package contract

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	orders "github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// damaged is a database that fails so many writes, with an error that no engine
// takes for one that passes.
type damaged struct {
	store.Store
	left *atomic.Int64
}

func (d damaged) Write(ctx context.Context, do func(store.Tx) error) error {
	if d.left.Add(-1) >= 0 {
		return errors.New("database disk image is malformed")
	}
	return d.Store.Write(ctx, do)
}

// A corrupt page of the database once made the same POST go out every second,
// without end.
func TestAnAnsweredCallIsNotMadeAgainWhateverErrorTheDatabaseHas(t *testing.T) {
	for name, row := range map[string]struct {
		failures int64
		waits    []time.Duration
	}{
		"few":  {3, []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second}},
		"many": {8, []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			var left atomic.Int64
			s := holding(t)
			r := ordered(t, config(status("Parked", step{Host: s.URL})))
			other := r.withEngineOn(damaged{r.store, &left})
			finish := other.begin(theOrder+"/status", `{"status":"Parked"}`)
			s.wait()
			before := len(r.clock.Waits())
			left.Store(row.failures)
			s.answer(answerWith(`{"Tags":["seen"]}`))
			r.until("the database takes writes again", func() bool { return left.Load() < 0 })
			finish().want(200).is("order.tags", []string{"first", "seen"}).is("orderActionExecutionResults[0].attempts", 1)
			equals(t, "calls", len(s.got()), 1)
			waits := slices.DeleteFunc(r.clock.Waits()[before:], func(d time.Duration) bool { return d > time.Minute })
			if !containsRun(waits, row.waits) {
				t.Errorf("waits %v, want %v among them", waits, row.waits)
			}
			if !strings.Contains(r.log.String(), "level=ERROR msg=\"what came of a call cannot be stored yet\"") {
				t.Errorf("the log says nothing:\n%s", r.log)
			}
		})
	}
}

func containsRun(all, want []time.Duration) bool {
	for i := 0; i+len(want) <= len(all); i++ {
		if slices.Equal(all[i:i+len(want)], want) {
			return true
		}
	}
	return false
}

// forgetful is a database that forgets in writes what settings a run has, while
// it is told so: something that cannot be, and that nothing is prepared for.
type forgetful struct {
	store.Store
	now *atomic.Bool
}

type forgetfulTx struct{ store.Tx }

func (f forgetful) Write(ctx context.Context, do func(store.Tx) error) error {
	return f.Store.Write(ctx, func(tx store.Tx) error {
		if f.now.Load() {
			tx = forgetfulTx{tx}
		}
		return do(tx)
	})
}

func (forgetfulTx) SettingsVersion(context.Context, string, int64) (*settings.Settings, error) {
	return settings.Empty(), nil
}

// An error of the program's own, too, makes no answered call again.
func TestAnInternalErrorInApplyingAnAnswerFailsTheRunAfterOneCall(t *testing.T) {
	var now atomic.Bool
	s := holding(t)
	r := ordered(t, config(status("Parked", step{Host: s.URL, Stop: true, ErrorStatus: "Stopped"})))
	other := r.withEngineOn(forgetful{r.store, &now})
	finish := other.begin(theOrder+"/status", `{"status":"Parked"}`)
	s.wait()
	now.Store(true)
	s.answer(answerWith(`{"Tags":["seen"]}`))
	const reason = "orderhook could not apply the answer of WebhookWorkflowStep (step 1 of 1), by an error of its own"
	finish().want(200).is("runStatus", "failed").is("reason", reason).is("order.status", "Parked").is("order.tags", []string{"first"}).
		is("orderActionExecutionResults[0].actionStatus", "Error")
	equals(t, "calls", len(s.got()), 1)
	r.get("/api/attempts?kind=step").is("items[0].outcome", "succeeded")
	if log := r.log.String(); !strings.Contains(log, "its run has failed") || !strings.Contains(log, "goroutine") {
		t.Errorf("the log does not lead to the error:\n%s", log)
	}
	for _, path := range []string{"/api/runs", theOrder, theOrder + "/history"} {
		r.get(path).says("goroutine", "index out of range")
	}
}

// pruned is a database from which the earlier versions of orders were removed.
type pruned struct{ store.Store }

type prunedTx struct{ store.Tx }

func (p pruned) Write(ctx context.Context, do func(store.Tx) error) error {
	return p.Store.Write(ctx, func(tx store.Tx) error { return do(prunedTx{tx}) })
}

func (prunedTx) OrderVersion(_ context.Context, _, id string, version int64) (*orders.Order, error) {
	return nil, apierr.Errorf(apierr.NotFound, "the order %q has no version %d", id, version)
}

// A run that has ended needs no earlier version of its order to go on.
func TestARunGoesOnAfterTheVersionsOfItsOrderAreGone(t *testing.T) {
	s := answering(t, canceled, success)
	r := ordered(t, config(status("Parked", step{Host: s.URL, Stop: true, ErrorStatus: "Stopped"})))
	id := r.enter("Parked").is("isAborted", true).text("runId")
	other := r.withEngineOn(pruned{r.store})
	other.call("POST", "/api/runs/"+id+"/resume", "").want(200)
	r.until("the run has ended", func() bool { return r.get("/api/runs/"+id).text("status") == "succeeded" })
}
