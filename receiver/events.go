package receiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Events has each event of an endpoint handled once. With a Feed they are handled in the
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
func (e *Events) deliver(ctx context.Context, event *Event) error {
	if e.feed == nil || event.Position == "" {
		return e.once(ctx, event, "", "")
	}
	done, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	for {
		at, err := e.receiver.config.Store.Position(ctx, e.name)
		if err != nil {
			return err
		}
		if event.Previous == at && event.Position != at {
			if err = e.once(ctx, event, at, event.Position); !errors.Is(err, ErrMoved) {
				return err
			}
			continue
		}
		// It is either a repeat, or ahead of others.
		if handled, err := e.receiver.config.Store.Done(ctx, e.name, event.Key); err != nil || handled {
			return err
		}
		return e.fetchUpTo(ctx, event)
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
	for {
		page, at, err := e.next(ctx, 0)
		if err != nil {
			return handled, err
		}
		n, err := e.take(ctx, page, at)
		handled += n
		if err != nil && !errors.Is(err, ErrMoved) {
			return handled, err
		}
		if err == nil && !page.More {
			return handled, nil
		}
	}
}

// next fetches a page, and returns the position that it follows.
func (e *Events) next(ctx context.Context, wait time.Duration) (Page, string, error) {
	at, err := e.receiver.config.Store.Position(ctx, e.name)
	if err != nil {
		return Page{}, "", err
	}
	page, err := e.feed.After(ctx, at, wait)
	return page, at, err
}

// take handles a page.
func (e *Events) take(ctx context.Context, page Page, at string) (handled int, err error) {
	if page.Lost != "" {
		if err := e.lost(ctx, page.Lost); err != nil {
			return 0, err
		}
	}
	for i := range page.Events {
		event := &page.Events[i]
		if err := e.once(ctx, event, at, event.Position); err != nil {
			return handled, err
		}
		at = event.Position
		handled++
	}
	return handled, nil
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
	for pause := time.Second; ctx.Err() == nil; {
		err := e.follow(ctx)
		if err == nil {
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

// follow waits for a page, and handles it. Deliveries need not wait meanwhile.
func (e *Events) follow(ctx context.Context) error {
	page, at, err := e.next(ctx, longestPoll)
	if err != nil {
		return err
	}
	done, err := e.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if _, err = e.take(ctx, page, at); errors.Is(err, ErrMoved) {
		return nil // deliveries were faster
	}
	return err
}
