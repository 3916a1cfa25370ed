package delivery

import (
	"fmt"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/store"
)

// numbered is a result that a test knows again.
func numbered(by, n int) result {
	return result{completion: store.Completion{Attempt: &attempt.Attempt{ID: fmt.Sprint(by), Number: n}}}
}

// TestAnIntakeLosesNothing: what many put in at once while it is taken comes out once, that of
// each in its order.
func TestAnIntakeLosesNothing(t *testing.T) {
	const all, each = 8, 2000
	var i intake
	var putting sync.WaitGroup
	for by := range all {
		putting.Go(func() {
			for n := range each {
				i.put(numbered(by, n))
			}
		})
	}
	ended := make(chan struct{})
	go func() { putting.Wait(); close(ended) }()
	next := map[string]int{}
	took := func() {
		for _, one := range i.take(nil) {
			a := one.completion.Attempt
			if a.Number != next[a.ID] {
				t.Fatalf("number %d of %s came in the place of %d", a.Number, a.ID, next[a.ID])
			}
			next[a.ID]++
			i.remove(&one)
		}
	}
	for done := false; !done; took() {
		select {
		case <-ended:
			done = true
		default:
		}
	}
	for by := range all {
		if n := next[fmt.Sprint(by)]; n != each {
			t.Errorf("%d of %d came from %d", n, each, by)
		}
	}
	if i.count.Load() != 0 || i.bytes.Load() != 0 {
		t.Errorf("%d of %d bytes are left", i.count.Load(), i.bytes.Load())
	}
}

// TestAnIntakeIsFull from its bound on, until half of it is written. Who finds it full first is
// told, once.
func TestAnIntakeIsFull(t *testing.T) {
	var i intake
	wants := func(when string, full, first bool) {
		t.Helper()
		if f, is := i.full(); f != full || is != first {
			t.Errorf("%s: full %t, first %t", when, f, is)
		}
	}
	put := func(n int) {
		for range n {
			i.put(numbered(0, 0))
		}
	}
	write := func(n int) {
		one := numbered(0, 0)
		for range n {
			i.remove(&one)
		}
	}
	put(mostUnrecorded - 1)
	wants("one below the bound", false, false)
	put(1)
	if i.reopened() {
		t.Error("nobody has found it full, and it is reopened")
	}
	wants("at the bound", true, true)
	wants("again", true, false)
	write(mostUnrecorded/2 - 1)
	wants("with one more than half", true, false)
	if i.reopened() {
		t.Error("it is reopened with one more than half")
	}
	write(1)
	if !i.reopened() || i.reopened() {
		t.Error("with half it is not reopened once")
	}
	wants("reopened", false, false)
}
