package event

import (
	"strconv"

	"github.com/orderhook/orderhook/internal/apierr"
)

// Place is where an event stands in the feed of an endpoint: the events that the endpoint
// was given, in the order of their commits (docs/design.md#the-feed). Positions ascend in
// that order. The places of one event differ from endpoint to endpoint in Previous alone.
type Place struct {
	// Position is 0 for an event that the endpoint was not given when it happened, as one
	// that was sent to it later by hand.
	Position int64
	// Previous is the position of the event before it in the same feed; 0: there was none.
	Previous int64
}

// FormatPosition writes a position, as callers and receivers see it.
func FormatPosition(n int64) string { return strconv.FormatInt(n, 10) }

// ParsePosition reads what FormatPosition has written, and 0, which is before all events.
func ParsePosition(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, apierr.Errorf(apierr.Invalid, "%q is not a position of a feed: it is a number, as the header webhook-position or the feed has given it", text)
	}
	return n, nil
}
