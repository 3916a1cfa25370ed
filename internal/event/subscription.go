package event

import (
	"slices"
	"strings"
	"sync"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Subscriptions is a tenant's endpoints as an event finds them. It is not
// changed once made, and safe for concurrent use. When an endpoint of the tenant changes,
// another one takes its place.
type Subscriptions struct {
	subscribers []subscriber
	named       map[string][]int // an event type, folded, to the subscribers that name it, in their order
	wild        []int            // those with a wildcard
}

// subscriber is an endpoint that is on, with its filter as it is evaluated.
type subscriber struct {
	*Endpoint
	filter *filter.Filter // nil: every event
	broken error          // why its filter cannot evaluate any event; nil: it can
}

// NewSubscriptions takes what has been stored. A filter that is not understood
// any more, as one of an earlier version, evaluates no event. Endpoints that are off are
// left out, and so are those of exports: an export is sent to its own endpoint, not by its
// type. The endpoints must not be changed afterwards.
func NewSubscriptions(endpoints []*Endpoint) *Subscriptions {
	s := &Subscriptions{named: map[string][]int{}}
	for _, e := range endpoints {
		if !e.Enabled || e.Origin == OriginConnector {
			continue
		}
		sub := subscriber{Endpoint: e}
		if e.Filter != "" {
			sub.filter, sub.broken = filter.Parse(e.Filter)
		}
		at, wild := len(s.subscribers), false
		s.subscribers = append(s.subscribers, sub)
		for _, pattern := range e.EventTypes {
			if strings.HasSuffix(pattern, "*") {
				wild = true
			} else if list := s.named[spelling.Fold(pattern)]; !slices.Contains(list[max(0, len(list)-1):], at) {
				// If it names a type twice, the last entry of the list is this endpoint
				// already.
				s.named[spelling.Fold(pattern)] = append(list, at)
			}
		}
		// Each event is held against an endpoint with a wildcard.
		if wild {
			s.wild = append(s.wild, at)
		}
	}
	return s
}

// Receiver is an endpoint that is to get an event. A delivery is made for each.
type Receiver struct {
	*Endpoint
	// FilterError is why its filter cannot evaluate the event, which it gets then
	// (docs/contract.md#filters); "" where it can.
	FilterError string
}

// ReceiversOf returns the endpoints that are to get an event. The effort bounds what
// their filters take. It reads memory alone. What it costs is spent before the write comes
// to the writer (docs/design.md#a-write-is-a-value).
func (s *Subscriptions) ReceiversOf(e *Event, effort *filter.Effort) []Receiver {
	var to []Receiver
	seen := filterEvent(e)
	for _, at := range s.wanting(e.Type) {
		sub := &s.subscribers[at]
		if sub.Origin == OriginWebHook && e.OrderID == "" {
			continue // published under one of its types, and its body is an order's
		}
		// A nil filter admits every event.
		admitted, err := sub.filter.Admits(seen, effort)
		if sub.broken != nil {
			err = sub.broken
		}
		switch {
		case err != nil:
			to = append(to, Receiver{sub.Endpoint, err.Error()})
		case admitted:
			to = append(to, Receiver{Endpoint: sub.Endpoint})
		}
	}
	return to
}

// Named reports whether an endpoint names a type in full: whether there is
// anybody to tell of what only such endpoints are told of. By that an event that nobody
// would get is not even made.
func (s *Subscriptions) Named(eventType string) bool {
	return len(s.named[spelling.Fold(eventType)]) > 0
}

// wanting returns the subscribers of a type, in their order. Types are looked up, since a
// tenant may have 10,000 endpoints; only those with a wildcard are gone through.
func (s *Subscriptions) wanting(eventType string) []int {
	name := spelling.Fold(eventType)
	found := s.named[name]
	if len(s.wild) == 0 {
		return found
	}
	found = slices.Clone(found)
	for _, at := range s.wild {
		if s.subscribers[at].Wants(name) {
			found = append(found, at)
		}
	}
	slices.Sort(found)
	return slices.Compact(found) // one may name the type and have a wildcard, too
}

// Wants reports whether an endpoint's types name a type
// (docs/contract.md#endpoints): names, `*`, and `order_*`, without regard to
// case. A few types must be named in full; see [EventType].
func (e *Endpoint) Wants(eventType string) bool {
	name := spelling.Fold(eventType)
	for _, pattern := range e.EventTypes {
		prefix, wild := strings.CutSuffix(spelling.Fold(pattern), "*")
		if prefix == name && !wild || wild && strings.HasPrefix(name, prefix) && !onlyByName()[name] {
			return true
		}
	}
	return false
}

// onlyByName returns the types that no wildcard stands for, folded. It is made once, from
// the list of types.
var onlyByName = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, t := range EventTypes() {
		if t.OnlyByName {
			names[spelling.Fold(t.Name)] = true
		}
	}
	return names
})
