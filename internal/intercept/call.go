package intercept

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
)

// Why an offered call is not taken.
var (
	ErrEnded = errors.New("the interception has ended")
	ErrFull  = errors.New("too many calls of the interception wait")
)

// Call is one attempt that is offered to a listener. It is the [outbound.Carrier] of its
// request. The lock of the board guards it.
type Call struct {
	of      *Interception
	id      string
	subject Subject

	taken   chan struct{} // closed once a poll has it
	ready   chan struct{} // closed once request is there
	over    chan struct{} // closed once nobody waits for the answer any more
	is      progress
	used    bool // the answer was taken in time
	request Request
	answer  chan Answer // has room for one
}

// progress is how far a call is.
type progress int

const (
	offered  progress = iota
	taken             // by a poll, which waits for the request
	handed            // the listener has it
	answered          // or it was too late for an answer
)

// Request is what a listener is handed. It goes out as it is here.
type Request struct {
	ID      string
	Subject Subject
	Header  http.Header
	Body    []byte
	Timeout time.Duration // of the attempt, from the handing out on
}

// Answer is what a listener brings back: an answer, or the Error why there is none.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Error  string
}

// Offer has a call wait until a poll takes it. The caller then makes the request with the call
// as its carrier, and calls Close in the end. The error is ErrEnded, ErrFull or that of ctx.
func (i *Interception) Offer(ctx context.Context, s Subject) (*Call, error) {
	c := &Call{of: i, id: ids.New(ids.Handover), subject: s,
		taken: make(chan struct{}), ready: make(chan struct{}), over: make(chan struct{}), answer: make(chan Answer, 1)}
	if err := i.queue(c); err != nil {
		return nil, err
	}
	select {
	case <-c.taken:
		return c, nil
	case <-i.done:
		c.Close()
		return nil, ErrEnded
	case <-ctx.Done():
		c.Close()
		return nil, ctx.Err()
	}
}

// queue has a call wait, and wakes those who poll.
func (i *Interception) queue(c *Call) error {
	i.board.mu.Lock()
	defer i.board.mu.Unlock()
	switch {
	case !i.state.Ended.IsZero():
		return ErrEnded
	case len(i.calls) >= MostCalls:
		return ErrFull
	}
	i.waiting, i.calls = append(i.waiting, c), append(i.calls, c)
	i.wake()
	return nil
}

// wake has those who poll look again. The lock is held.
func (i *Interception) wake() {
	close(i.news)
	i.news = make(chan struct{})
}

// Close ends a call: a listener that has it answers too late. It may be called again.
func (c *Call) Close() {
	i := c.of
	i.board.mu.Lock()
	defer i.board.mu.Unlock()
	is := func(o *Call) bool { return o == c }
	if !slices.ContainsFunc(i.calls, is) {
		return
	}
	i.calls, i.waiting = slices.DeleteFunc(i.calls, is), slices.DeleteFunc(i.waiting, is)
	c.is = answered
	close(c.over)
}

// Listener implements [outbound.Carrier].
func (c *Call) Listener() attempt.Listener { return c.of.state.By } // which nobody changes

const (
	// mostHeaderBytes is how much of names and values an answer's headers may have, as those
	// of an endpoint.
	mostHeaderBytes = 64 << 10

	errEnded   = outbound.CarrierError("the interception ended before the listener answered")
	errHeaders = outbound.CarrierError("response headers over 64 KiB")
)

// RoundTrip implements [outbound.Carrier]: it hands req to the poll that has taken the call, and
// waits for the answer.
func (c *Call) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	c.request = Request{ID: c.id, Subject: c.subject, Header: canonical(req.Header), Body: body}
	if end, ok := req.Context().Deadline(); ok {
		c.request.Timeout = time.Until(end)
	}
	close(c.ready)
	select {
	case a := <-c.answer:
		c.of.board.mu.Lock()
		c.used = true
		c.of.board.mu.Unlock()
		return a.response(req)
	case <-c.of.done:
		return nil, errEnded
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// canonical returns headers with the names that net/http looks up.
func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		out[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	return out
}

// response is an answer as the endpoint's would be.
func (a Answer) response(req *http.Request) (*http.Response, error) {
	if a.Error != "" {
		return nil, outbound.CarrierError("the listener got no answer: " + a.Error)
	}
	n := 0
	for name, values := range a.Header {
		for _, v := range values {
			n += len(name) + len(v)
		}
	}
	if n > mostHeaderBytes {
		return nil, errHeaders
	}
	return &http.Response{Status: http.StatusText(a.Status), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: canonical(a.Header), Body: io.NopCloser(bytes.NewReader(a.Body)), ContentLength: int64(len(a.Body)), Request: req}, nil
}

// Take waits for a call of an interception, and hands it out; nil if none came before over was
// closed, or ctx ended, with which its caller has gone. It renews the lease. The error is [apierr.NotFound] if the interception is not known,
// and [apierr.Conflict] if it has ended, also while Take waits.
func (b *Board) Take(ctx context.Context, over <-chan struct{}, tenant, id string) (*Request, error) {
	b.mu.Lock()
	i, err := b.find(tenant, id)
	if err == nil {
		err = i.ended()
	}
	if err != nil {
		b.mu.Unlock()
		return nil, err
	}
	i.polls++
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if i.polls--; i.state.Ended.IsZero() {
			i.renew()
		}
	}()
	for {
		b.mu.Lock()
		err, news, c := i.ended(), i.news, i.next()
		b.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if c != nil {
			// The time of the attempt has begun, so it is waited for also when over is closed.
			if r := i.receive(ctx, c); r != nil || ctx.Err() != nil {
				return r, nil
			}
			continue
		}
		select {
		case <-news:
		case <-i.done:
		case <-over:
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// ended is the error of an interception that has ended. The lock is held.
func (i *Interception) ended() error {
	if i.state.Ended.IsZero() {
		return nil
	}
	return apierr.Errorf(apierr.Conflict, "the interception ended at %s: %s; calls go to their endpoints", i.state.Ended.Format(time.RFC3339), i.state.Why)
}

// next takes the first call that waits; nil if none does. The lock is held.
func (i *Interception) next() *Call {
	if len(i.waiting) == 0 {
		return nil
	}
	c := i.waiting[0]
	i.waiting = i.waiting[1:]
	if c.is == offered { // else a poll had it that is gone
		c.is = taken
		close(c.taken)
	}
	return c
}

// receive waits for the request of a call that was taken, which comes at once. It returns nil
// if the call ended before, or if ctx did: then the next poll gets it.
func (i *Interception) receive(ctx context.Context, c *Call) *Request {
	select {
	case <-c.ready:
	case <-c.over:
		return nil
	case <-ctx.Done():
	}
	i.board.mu.Lock()
	defer i.board.mu.Unlock()
	switch {
	case c.is != taken:
		return nil
	case ctx.Err() != nil:
		i.waiting = slices.Insert(i.waiting, 0, c)
		i.wake()
		return nil
	}
	c.is = handed
	i.state.Handed++
	return &c.request
}

// BringAnswer brings the answer to a call that was handed out, and returns once that was applied,
// so the memory of its body is counted for its caller until then. It returns nil, too, if ctx
// ends before. The error is [apierr.NotFound] if
// the interception is not known, and [apierr.Conflict] if the call waits for no answer: it has
// one, its time was over, or it was never handed out.
func (b *Board) BringAnswer(ctx context.Context, tenant, id, call string, a Answer) error {
	c, err := b.answered(tenant, id, call, a)
	if err != nil {
		return err
	}
	select {
	case <-c.over:
	case <-ctx.Done():
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !c.used {
		return tooLate(call)
	}
	c.of.state.Answered++
	return nil
}

// answered gives the answer to who waits for it.
func (b *Board) answered(tenant, id, call string, a Answer) (*Call, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, err := b.find(tenant, id)
	if err != nil {
		return nil, err
	}
	for _, c := range i.calls {
		if c.id == call && c.is == handed && i.state.Ended.IsZero() {
			c.is = answered
			c.answer <- a
			return c, nil
		}
	}
	return nil, tooLate(call)
}

// tooLate is the error of an answer that nobody waits for.
func tooLate(call string) error {
	return apierr.Errorf(apierr.Conflict, "the call %q waits for no answer: it has one, or its time was over", call)
}
