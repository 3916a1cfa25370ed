package oms

import (
	"slices"
	"strings"
	"sync"

	"github.com/orderhook/orderhook/internal/filter"
)

// Subscriptions is a tenant's endpoints as an event finds them. It is not
// changed once made, and safe for concurrent use.
type Subscriptions struct {
	subscribers []subscriber
	named       map[string][]int // an event type, folded, to the subscribers that name it, in their order
	wild        []int            // those with a wildcard
}

type subscriber struct {
	*Endpoint
	filter *filter.Filter // nil: every event
	broken error          // why its filter cannot judge any event; nil: it can
}

// NewSubscriptions takes what has been stored. A filter that is not understood
// any more, as one of an earlier version, judges no event.
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
		s.add(sub)
	}
	return s
}

func (s *Subscriptions) add(sub subscriber) {
	at := len(s.subscribers)
	s.subscribers = append(s.subscribers, sub)
	wild := false
	for _, pattern := range sub.EventTypes {
		if strings.HasSuffix(pattern, "*") {
			wild = true
		} else if list := s.named[fold(pattern)]; !slices.Contains(list[max(0, len(list)-1):], at) {
			s.named[fold(pattern)] = append(list, at)
		}
	}
	if wild {
		s.wild = append(s.wild, at)
	}
}

// Receiver is an endpoint that is to get an event.
type Receiver struct {
	*Endpoint
	// Unjudged is why its filter cannot judge the event, which it gets then
	// (CONTRACT.md, "Event notifications"); "" where it can.
	Unjudged string
}

// Match returns the endpoints that are to get an event. The effort bounds what
// their filters take.
func (s *Subscriptions) Match(e *Event, effort *filter.Effort) []Receiver {
	var to []Receiver
	seen := filterEvent(e)
	for _, at := range s.wanting(e.Type) {
		sub := &s.subscribers[at]
		if sub.Origin == OriginWebHook && e.OrderID == "" {
			continue // published under one of its types, and its body is an order's
		}
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
// anybody to tell of what only such endpoints are told of.
func (s *Subscriptions) Named(eventType string) bool { return len(s.named[fold(eventType)]) > 0 }

// wanting returns the subscribers of a type, in their order.
func (s *Subscriptions) wanting(eventType string) []int {
	name := fold(eventType)
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

// Wants reports whether an endpoint's types name a type (CONTRACT.md, "Event
// notifications"): names, `*`, and `order_*`, without regard to case. A few
// types must be named in full; see [EventType].
func (e *Endpoint) Wants(eventType string) bool {
	name := fold(eventType)
	for _, pattern := range e.EventTypes {
		prefix, wild := strings.CutSuffix(fold(pattern), "*")
		if prefix == name && !wild || wild && strings.HasPrefix(name, prefix) && !onlyByName()[name] {
			return true
		}
	}
	return false
}

// onlyByName returns the types that no wildcard stands for, folded.
var onlyByName = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, t := range EventTypes() {
		if t.OnlyByName {
			names[fold(t.Name)] = true
		}
	}
	return names
})
