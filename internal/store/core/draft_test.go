package core

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// fake is a database in which there is nothing. What comes of commits, a test says.
type fake struct {
	commit  func(*Batch) error
	batches []*Batch
	numbers int64
}

func (f *fake) Query(ctx context.Context, each func(Row) error, text string, _ ...any) error {
	if strings.HasPrefix(text, "SELECT EXISTS") || strings.HasPrefix(text, "SELECT coalesce") || text == notBeingErased {
		if err := each(noRow{}); err != errEnough {
			return err
		}
	}
	return ctx.Err()
}

func (f *fake) QueryOnce(ctx context.Context, each func(Row) error, text string, args ...any) error {
	return f.Query(ctx, each, text, args...)
}

// noRow is what a question is answered with that always has an answer.
type noRow struct{}

func (noRow) Scan(...any) error { return nil }

func (f *fake) Commit(_ context.Context, b *Batch) error {
	f.batches = append(f.batches, b)
	if f.commit == nil {
		return nil
	}
	return f.commit(b)
}

func (f *fake) Numbers(_ context.Context, n int) (int64, error) {
	f.numbers += int64(n)
	return f.numbers - int64(n) + 1, nil
}

func (f *fake) Figures(context.Context) (store.Figures, error) { return store.Figures{}, nil }
func (f *fake) AwaitOthers(context.Context) (bool, error)      { return true, nil }
func (f *fake) EmptyJournal(context.Context) (bool, error)     { return true, nil }

func (f *fake) Dialect() *Dialect {
	return &Dialect{Pieces: map[string]string{"callkey": "", "same": "", "named": "", "numbers": "", "texts": "", "eachtext": "", "pairs": "", "newestevent": ""}}
}

func (f *fake) Ping(context.Context) error { return nil }
func (f *fake) Close() error               { return nil }

func newFake(commit func(*Batch) error) (*Store, *fake) {
	f := &fake{commit: commit}
	return New(f, Options{Clock: time.Now}), f
}

func putOrder(tx store.Tx) error {
	return tx.InsertOrder(ctx, "acme", &order.Order{ID: "o1", Version: 1, Doc: jsondoc.NewObject()})
}

// TestAChangeWritesOnlyTheIndexesItHasTo: where nothing changes that orders are found by,
// neither those columns nor the external ids are written. A document that the write has changed
// in place cannot be compared with itself.
func TestAChangeWritesOnlyTheIndexesItHasTo(t *testing.T) {
	doc := func(fields string) *jsondoc.Object {
		o, err := jsondoc.Read([]byte(fields), jsondoc.Reading{Levels: 5})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	const was = `{"status":"New","orderType":"a","marketId":"a","customerEmail":"a","subscriptionId":"a","storeId":"a","errors":[],"externalIds":[{"id":"1"}],"note":"a"}`
	for change, want := range map[string]string{
		``:                                      "",
		`"note":"b"`:                            "",
		`"status":"NEW"`:                        "", // upper and lower case are the same
		`"externalIds":[{"id":1}]`:              "", // and so are these
		`"status":"b"`:                          "filters",
		`"orderType":"b"`:                       "filters",
		`"marketId":"b"`:                        "filters",
		`"customerEmail":"b"`:                   "filters",
		`"subscriptionId":"A"`:                  "filters",
		`"storeId":null`:                        "filters",
		`"errors":[{"key":"x"}]`:                "filters",
		`"externalIds":[]`:                      "external ids",
		`"externalIds":[{"id":"1"},{"id":"2"}]`: "external ids",
	} {
		s, f := newFake(nil)
		held := &order.Order{ID: "o1", Version: 1, Doc: doc(was)}
		for _, inPlace := range []bool{false, true} {
			is := *held
			is.Version = 2
			if !inPlace {
				is.Doc = held.Doc.Clone()
			}
			for _, m := range doc("{" + change + "}").Members() {
				is.Doc.Set(m.Name, m.Value)
			}
			err := s.Write(ctx, func(tx store.Tx) error {
				if _, err := tx.OrderUnless(ctx, "acme", held); err != nil {
					return err
				}
				return tx.UpdateOrder(ctx, "acme", &is)
			})
			if err != nil {
				t.Fatal(err)
			}
			var wrote []string
			for _, c := range f.batches[len(f.batches)-1].Changes {
				switch {
				case strings.Contains(c.Text, "status = ?, order_type = ?"):
					wrote = append(wrote, "filters")
				case strings.Contains(c.Text, "DELETE FROM order_external_ids"):
					wrote = append(wrote, "external ids")
				}
			}
			expected := want
			if inPlace {
				expected = "filters, external ids"
			}
			if got := strings.Join(wrote, ", "); got != expected {
				t.Errorf("%s, in place %t: wrote %q, want %q", change, inPlace, got, expected)
			}
		}
	}
}

// TestOvertakenAgainAndAgain: a write is decided again where it was overtaken,
// but not for ever.
func TestOvertakenAgainAndAgain(t *testing.T) {
	decided := 0
	s, f := newFake(func(*Batch) error { return ErrOvertaken })
	err := s.Write(ctx, func(tx store.Tx) error { decided++; return putOrder(tx) })
	if apierr.KindOf(err) != apierr.Unavailable || !strings.Contains(err.Error(), "others change the same again and again") {
		t.Error(err)
	}
	if decided != mostTries || len(f.batches) != mostTries {
		t.Errorf("decided %d times, committed %d", decided, len(f.batches))
	}

	left := 3
	s, f = newFake(func(*Batch) error {
		if left--; left >= 0 {
			return errors.Join(ErrOvertaken, errors.New("a key is taken"))
		}
		return nil
	})
	if err := s.Write(ctx, putOrder); err != nil || len(f.batches) != 4 {
		t.Errorf("%v after %d commits", err, len(f.batches))
	}
}

// TestALatenessOfAnotherNode counts, and is not told on as this node's own.
func TestALatenessOfAnotherNode(t *testing.T) {
	now := time.Now()
	var l lateness
	if l.hear(now, 20*time.Second); l.untold() != 0 || l.most() != 20*time.Second+leastLateness {
		t.Errorf("told on: %v; an attempt must be %v old", l.untold(), l.most())
	}
	if l.note(now, 30*time.Second); l.untold() != 30*time.Second {
		t.Error("its own is not told of")
	}
}

// TestWhatEndsAWrite: of a write that ends nothing is committed later.
func TestWhatEndsAWrite(t *testing.T) {
	s, f := newFake(nil)
	no := errors.New("no")
	if err := s.Write(ctx, func(tx store.Tx) error { return errors.Join(putOrder(tx), no) }); !errors.Is(err, no) || len(f.batches) != 0 {
		t.Errorf("its own error: %v, %d commits", err, len(f.batches))
	}
	if err := s.Write(ctx, func(tx store.Tx) error { _ = putOrder(tx); panic("oops") }); err == nil || !strings.Contains(err.Error(), "oops") || len(f.batches) != 0 {
		t.Errorf("its panic: %v, %d commits", err, len(f.batches))
	}
	if err := s.Write(ctx, func(store.Tx) error { return nil }); err != nil || len(f.batches) != 0 {
		t.Errorf("nothing to write: %v, %d commits", err, len(f.batches))
	}
	s, f = newFake(func(*Batch) error { return no })
	if err := s.Write(ctx, putOrder); !errors.Is(err, no) || len(f.batches) != 1 {
		t.Errorf("the database's: %v after %d commits", err, len(f.batches))
	}
	over, cancel := context.WithCancel(ctx)
	s, f = newFake(func(*Batch) error { cancel(); return ErrOvertaken })
	if err := s.Write(over, putOrder); !errors.Is(err, context.Canceled) || len(f.batches) != 1 {
		t.Errorf("the end of its context: %v after %d commits", err, len(f.batches))
	}
	s, f = newFake(nil)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(ctx, putOrder); apierr.KindOf(err) != apierr.Unavailable || len(f.batches) != 0 {
		t.Errorf("closed: %v, %d commits", err, len(f.batches))
	}
}

// TestTheContextOfAWrite: it ends all that the write waits for, whatever the
// contexts are that its questions are given.
func TestTheContextOfAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := newFake(nil)
		held, free := make(chan struct{}), make(chan struct{})
		go func() {
			_ = s.Write(ctx, func(tx store.Tx) error {
				_, _ = tx.Order(ctx, "acme", "o1")
				close(held)
				<-free
				return nil
			})
		}()
		<-held
		ends, cancel := context.WithCancel(ctx)
		answer := make(chan error)
		go func() {
			answer <- s.Write(ends, func(tx store.Tx) error { _, err := tx.Order(context.Background(), "acme", "o1"); return err })
		}()
		synctest.Wait()
		cancel()
		if err := <-answer; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(free)
		synctest.Wait()
		if len(s.turns.taken) != 0 {
			t.Errorf("left: %v", s.turns.taken)
		}
		over, cancel := context.WithCancel(ctx)
		err := s.Write(over, func(tx store.Tx) error { cancel(); _, err := tx.Cart(context.Background(), "acme", "c1"); return err })
		if !errors.Is(err, context.Canceled) || len(f.batches) != 0 {
			t.Error(err)
		}
	})
}

// TestTurnsEndWithTheirWrite: also where it fails, or panics.
func TestTurnsEndWithTheirWrite(t *testing.T) {
	s, _ := newFake(nil)
	for _, end := range []func() error{func() error { return nil }, func() error { return errors.New("no") }, func() error { panic("no") }} {
		_ = s.Write(ctx, func(tx store.Tx) error {
			_, _ = tx.Order(ctx, "acme", "o1")
			_, _ = tx.Cart(ctx, "acme", "c1")
			if len(s.turns.taken) != 1 {
				t.Errorf("a write has %d turns", len(s.turns.taken))
			}
			return end()
		})
	}
	if len(s.turns.taken) != 0 {
		t.Errorf("left: %v", s.turns.taken)
	}
}

// TestWhoseWriteItIs: the engine takes tenants in turn, and so has to be told.
func TestWhoseWriteItIs(t *testing.T) {
	s, f := newFake(nil)
	for name, do := range map[string]func(tx store.Tx) error{
		"an order": putOrder,
		"history":  func(tx store.Tx) error { return tx.AddHistory(ctx, "acme", "o1", order.HistoryEntry{ID: "h"}) },
		"an event": func(tx store.Tx) error { return tx.AddEvents(ctx, "acme", &event.Event{ID: "e"}) },
		"a run":    func(tx store.Tx) error { return tx.InsertRun(ctx, "acme", &run.Run{ID: "r"}) },
		"an attempt": func(tx store.Tx) error {
			return tx.AddAttempt(ctx, "acme", &attempt.Attempt{ID: "a", Detail: &attempt.AttemptDetail{Request: attempt.Message{Body: []byte("x")}}})
		},
		"a job": func(tx store.Tx) error { return tx.PutJob(ctx, "acme", &job.Job{ID: "j"}) },
	} {
		f.batches = nil
		if err := s.Write(ctx, do); err != nil || len(f.batches) != 1 || f.batches[0].Tenant != "acme" {
			t.Errorf("%s: %v, %+v", name, err, f.batches)
		}
	}
	f.batches = nil
	if err := s.Write(ctx, func(tx store.Tx) error {
		return tx.AddHistory(ctx, "acme", "o1", order.HistoryEntry{Message: strings.Repeat("x", 5000)})
	}); err != nil || f.batches[0].Size < 5000 || f.batches[0].Size > 7000 {
		t.Errorf("%v: a batch of %d bytes", err, f.batches[0].Size)
	}
}

// TestAnErasureAmongOtherWrites of the same commit has the journal emptied, whichever of them it is.
func TestAnErasureAmongOtherWrites(t *testing.T) {
	erasure, other := &Batch{effects: effects{erased: true}}, &Batch{}
	for _, together := range [][]*Batch{{erasure, other}, {other, erasure}} {
		s := New(&fake{}, Options{Clock: time.Now})
		s.erased.Store(false)
		if s.Committed([]*Batch{other}); s.erased.Load() {
			t.Error("a write that erases nothing has the journal emptied")
		}
		if s.Committed(together); !s.erased.Load() {
			t.Error("an erasure among others has not")
		}
	}
}
