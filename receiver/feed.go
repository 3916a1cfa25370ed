package receiver

import (
	"context"
	"time"
)

// Feed is where events come from that no delivery brought: all those of an endpoint, in the
// order of the commits. An HTTPFeed asks a server of orderhook.
type Feed interface {
	// After returns the events after a position, the nearest first; "" is the beginning. Where
	// there is none it waits for one, at most so long.
	After(ctx context.Context, position string, wait time.Duration) (Page, error)
}

// Page is a part of a feed.
type Page struct {
	Events []Event
	// Next is the position to ask for the next page with. It may lie behind the last event: a
	// page of a feed with few events among many others may even have none.
	Next string
	// More says that there may be further events by now.
	More bool
	// Lost says that events after the position that was asked for are not retained any more,
	// and what is known of them; "" where there are none.
	Lost string
}
