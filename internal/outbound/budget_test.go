package outbound

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/fair"
)

// limited returns a client with small budgets.
func limited(t *testing.T, outgoing, answerBytes int64) *Client {
	c := New(Options{Version: "1.2.3", Guard: Guard{AllowPrivate: true}, Outgoing: fair.New(outgoing), MaxAnswerBytes: answerBytes})
	t.Cleanup(c.Close)
	return c
}

// TestACallWaitsForASlot: the wait is none of the attempt's time, ends with the
// context, and then no call was made.
func TestACallWaitsForASlot(t *testing.T) {
	var came atomic.Int64
	url := serve(t, func(http.ResponseWriter, *http.Request) { came.Add(1) })
	c := limited(t, 1, 0)
	k := fair.Key{Tenant: "a", Member: "m"}
	slot, err := c.outgoing.Take(t.Context(), k, 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan Exchange)
	go func() { ended <- c.Post(ctx, Request{URL: url, For: k, Timeout: time.Millisecond}) }()
	cancel()
	if x := <-ended; x.Err != ErrCanceled || came.Load() != 0 {
		t.Errorf("%v, and %d calls", x.Err, came.Load())
	}
	if x := c.Post(t.Context(), Request{URL: url, For: k, Slot: slot}); x.Err != nil || c.outgoing.Used() != 1 {
		t.Errorf("with the caller's slot: %v, %d slots are taken", x.Err, c.outgoing.Used())
	}
	slot.Give()
	if x := c.Post(t.Context(), Request{URL: url, For: k}); x.Err != nil || c.outgoing.Used() != 0 {
		t.Errorf("with a slot free: %v, %d slots are taken", x.Err, c.outgoing.Used())
	}
}

// TestWhatAnswersCount: how much of the budgets an answer takes until it is released.
func TestWhatAnswersCount(t *testing.T) {
	var status, length int
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.Repeat("x", length))
	})
	const large = 200 << 10
	for _, row := range []struct {
		name             string
		oneWay           bool
		status, length   int
		reading, parsing int64
	}{
		{"an answer that will be parsed", false, 200, 1000, 0, 32_000},
		{"a large one", false, 200, large, 0, 32 * large},
		{"one without a body", false, 200, 0, 0, 0},
		{"one that is no success", false, 500, large, large, 0},
		{"one to an event", true, 200, 1000, 1000, 0},
		{"a large one to an event, of which the beginning is retained", true, 200, large, 64 << 10, 0},
	} {
		c := limited(t, 1, 0)
		status, length = row.status, row.length
		x := c.Post(t.Context(), Request{URL: url, OneWay: row.oneWay})
		if got := [2]int64{c.reading.Used(), c.parsing.Used()}; got != [2]int64{row.reading, row.parsing} {
			t.Errorf("%s: %v are counted", row.name, got)
		}
		x.Memory.Give()
		x.Memory.Give()
		if got := c.reading.Used() + c.parsing.Used(); got != 0 {
			t.Errorf("%s, released: %d are counted", row.name, got)
		}
	}
}

// TestLargeAnswersComeOneAfterTheOther (docs/contract.md#fairness): with budgets
// that one of them uses up, each is read once the one before it is released, and a
// small one of another tenant meanwhile.
func TestLargeAnswersComeOneAfterTheOther(t *testing.T) {
	const large, calls = 1 << 20, 8
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := large
		if r.URL.Path == "/small" {
			n = 100
		}
		_, _ = io.WriteString(w, strings.Repeat("x", n))
	})
	c := limited(t, 64, parsedTimes*large*5/4)
	var held, most atomic.Int64
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			x := c.Post(t.Context(), Request{URL: url, For: fair.Key{Tenant: "large", Member: fmt.Sprint(i)}})
			defer x.Memory.Give()
			defer held.Add(-1)
			if n := held.Add(1); n > most.Load() {
				most.Store(n)
			}
			if x.Err != nil || len(x.Body) != large {
				t.Errorf("%d bytes: %v", len(x.Body), x.Err)
			}
			small := c.Post(t.Context(), Request{URL: url + "/small", For: fair.Key{Tenant: "small"}})
			defer small.Memory.Give()
			if small.Err != nil || len(small.Body) != 100 {
				t.Errorf("the other tenant: %d bytes: %v", len(small.Body), small.Err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d large answers were in their callers' hands at once", most.Load())
	}
	if got := c.reading.Used() + c.parsing.Used() + c.outgoing.Used(); got != 0 {
		t.Errorf("%d are taken in the end", got)
	}
}

// TestAnAnswerWaitsForMemory before more than its beginning is read, until its time
// is over: that is this server's own trouble.
func TestAnAnswerWaitsForMemory(t *testing.T) {
	const length = 1 << 20
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", length)) })
	c := limited(t, 2, length)
	others := c.reading.Add(fair.Key{Tenant: "other"}, length)
	x := c.Post(t.Context(), Request{URL: url, Timeout: 2 * time.Second})
	if x.Class() != OwnTrouble || x.Err != errNoMemory || x.length > unshared || len(x.Body) > 0 {
		t.Errorf("class %v, %v, %d bytes were read, %d retained", x.Class(), x.Err, x.length, len(x.Body))
	}
	ended := make(chan Exchange)
	go func() { ended <- c.Post(t.Context(), Request{URL: url}) }()
	others.Give()
	if x := <-ended; x.Err != nil || len(x.Body) != length {
		t.Errorf("once there is memory: %d bytes, %v", len(x.Body), x.Err)
	}
	if got := c.reading.Used(); got != 0 {
		t.Errorf("%d bytes are counted as being read", got)
	}
}

// TestAnAnswerThatNobodyWaitsFor any more takes no memory.
func TestAnAnswerThatNobodyWaitsFor(t *testing.T) {
	answered := make(chan bool)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "answer")
		close(answered)
	})
	c := limited(t, 1, 1000)
	others := c.parsing.Add(fair.Key{Tenant: "other"}, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan Exchange)
	go func() { ended <- c.Post(ctx, Request{URL: url}) }()
	<-answered
	cancel()
	if x := <-ended; x.Err != ErrCanceled {
		t.Errorf("%v", x.Err)
	}
	others.Give()
	if got := c.parsing.Used() + c.outgoing.Used(); got != 0 {
		t.Errorf("%d are taken in the end", got)
	}
}
