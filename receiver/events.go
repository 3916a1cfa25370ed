package receiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Events has each event of an endpoint handled once; one of the order-state webhook each time
// that it comes, since it has no id. With a Feed they are handled in the
// order of the commits, without a gap: a delivery whose predecessor has not come has what lies
// between fetched first.
//
// An event whose handler fails is not passed over. Those after it wait, and it is tried again
// with the next delivery. One that can never be handled is for the handler to log, and to
// return nil.
type Events struct {
	// Lost is called where the feed has a gap that nothing can fill, because its events are
	// not retained any more. Without it the log says so. An error stops there.
	Lost func(ctx context.Context, what string) error

	receiver *Receiver
	name     string
	feed     Feed
	handle   func(context.Context, *Event) error
	// turn has one delivery at a time fetch and handle what is missing. That positions are
	// right is up to the Store: other processes may handle events of this name, too.
	turn    chan struct{}
	handler http.Handler
}

// Events returns a handler for the deliveries of an endpoint; feed is that of the same endpoint,
// or nil. The name tells its events from those of another in the Store.
func (r *Receiver) Events(name string, feed Feed, handle func(context.Context, *Event) error) *Events {
	e := &Events{receiver: r, name: name, feed: feed, handle: handle, turn: make(chan struct{}, 1)}
	e.handler = r.handler(func(ctx context.Context, call Call) ([]byte, error) {
		event, err := eventOf(call)
		if err == nil {
			err = e.deliver(ctx, event)
		}
		return nil, err
	})
	return e
}

// ServeHTTP implements http.Handler.
func (e *Events) ServeHTTP(w http.ResponseWriter, req *http.Request) { e.handler.ServeHTTP(w, req) }

// deliver handles an event that was delivered, and all before it.
//
// The headers that say where the event stands are not signed. So they move the position only
// with an event that is handled by it: a request that somebody has seen and sends again, with
// other headers, moves nothing. A request without a key could be such a one at any time.
func (e *Events) deliver(ctx context.Context, event *Event) error {
	if e.feed == nil || event.Position == "" || event.Key == "" {
		return e.once(ctx, event, "", "")
	}
	done, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	for {
		if handled, err := e.receiver.config.Store.Done(ctx, e.name, event.Key); err != nil || handled {
			return err
		}
		at, err := e.position(ctx)
		if err != nil {
			return err
		}
		if event.Previous != at || event.Position == at {
			return e.fetchUpTo(ctx, event)
		}
		if err := e.once(ctx, event, at, event.Position); !errors.Is(err, ErrMoved) {
			return err
		}
	}
}

// begin waits for the turn.
func (e *Events) begin(ctx context.Context) (done func(), err error) {
	select {
	case e.turn <- struct{}{}:
		return func() { <-e.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fetchUpTo fetches and handles what the feed has, in which the event must be.
func (e *Events) fetchUpTo(ctx context.Context, event *Event) error {
	if _, err := e.catchUp(ctx); err != nil {
		return err
	}
	handled, err := e.receiver.config.Store.Done(ctx, e.name, event.Key)
	if err == nil && !handled {
		// A feed may show an event a moment after its delivery. If the mark was forgotten, the
		// event is an old one; nothing tells the two apart, and to try again does no harm.
		err = &StatusError{http.StatusServiceUnavailable, "the feed does not have this event yet"}
	}
	return err
}

// CatchUp fetches what was missed, and returns how many events it handled. Call it at the
// start: what was given up while the program was not there comes in no further delivery.
func (e *Events) CatchUp(ctx context.Context) (int, error) {
	done, err := e.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	return e.catchUp(ctx)
}

func (e *Events) catchUp(ctx context.Context) (handled int, err error) {
	at, err := e.position(ctx)
	for from := at; err == nil; {
		var page Page
		if page, err = e.feed.After(ctx, from, 0); err != nil {
			break
		}
		var n int
		at, n, err = e.take(ctx, page, at)
		handled += n
		if errors.Is(err, ErrMoved) { // another process handles this feed, too
			at, err = e.position(ctx)
			from = at
			continue
		}
		if err == nil && !page.More {
			return handled, nil
		}
		from = page.Next
	}
	return handled, err
}

func (e *Events) position(ctx context.Context) (string, error) {
	return e.receiver.config.Store.Position(ctx, e.name)
}

// take handles a page, and returns the position of the last event that was handled.
func (e *Events) take(ctx context.Context, page Page, at string) (last string, handled int, err error) {
	if page.Lost != "" {
		if err := e.lost(ctx, page.Lost); err != nil {
			return at, 0, err
		}
	}
	for i := range page.Events {
		event := &page.Events[i]
		if event.Gone != "" {
			err = e.pass(ctx, event, at)
		} else {
			err = e.once(ctx, event, at, event.Position)
		}
		if err != nil {
			return at, handled, err
		}
		at = event.Position
		handled++
	}
	return at, handled, nil
}

// pass says that an event is gone, and moves on behind it.
func (e *Events) pass(ctx context.Context, event *Event, at string) error {
	if err := e.lost(ctx, "the event at the position "+event.Position+", which is "+event.Gone); err != nil {
		return err
	}
	mark := Mark{Name: e.name, From: at, To: event.Position}
	_, _, err := e.receiver.config.Store.Once(ctx, mark, func(context.Context) ([]byte, error) { return nil, nil })
	return err
}

func (e *Events) lost(ctx context.Context, what string) error {
	if e.Lost != nil {
		return e.Lost(ctx, what)
	}
	e.receiver.config.Log.ErrorContext(ctx, "events of the feed are not retained any more, and were missed", "feed", e.name, "lost", what)
	return nil
}

// once has an event handled, and moves the position of the feed, both or neither.
func (e *Events) once(ctx context.Context, event *Event, from, to string) error {
	mark := Mark{Name: e.name, Key: event.Key, From: from, To: to}
	_, _, err := e.receiver.config.Store.Once(ctx, mark, func(ctx context.Context) ([]byte, error) { return nil, e.handle(ctx, event) })
	if err != nil && !errors.Is(err, ErrMoved) {
		return fmt.Errorf("event %s: %w", event.Key, err)
	}
	return err
}

// longestPoll is how long Follow has the feed wait for an event.
const longestPoll = 20 * time.Second

// Follow handles events as the feed has them, without any delivery, until the context ends; it
// returns why. What fails is in the log, and tried again after a pause.
func (e *Events) Follow(ctx context.Context) error {
	var c cursor
	for pause := time.Second; ctx.Err() == nil; {
		next, err := e.follow(ctx, c)
		if c = next; err == nil {
			pause = time.Second
			continue
		}
		if ctx.Err() == nil {
			e.receiver.config.Log.ErrorContext(ctx, "the feed cannot be followed at the moment", "feed", e.name, "error", err, "again_in", pause)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, time.Minute)
	}
	return ctx.Err()
}

// cursor is where the next page of the feed begins, as long as the position of the Store is
// the one that it was.
type cursor struct{ at, from string }

// follow waits for the next page, and handles it. Deliveries need not wait meanwhile.
func (e *Events) follow(ctx context.Context, c cursor) (cursor, error) {
	at, err := e.position(ctx)
	if err != nil {
		return cursor{}, err
	}
	if c.at != at {
		c.from = at
	}
	page, err := e.feed.After(ctx, c.from, longestPoll)
	if err != nil {
		return cursor{}, err
	}
	done, err := e.begin(ctx)
	if err != nil {
		return cursor{}, err
	}
	defer done()
	at, _, err = e.take(ctx, page, at)
	switch {
	case errors.Is(err, ErrMoved): // deliveries were faster
		return cursor{}, nil
	case err != nil: // what failed is not passed over
		return cursor{}, err
	}
	return cursor{at, page.Next}, nil
}
