package oms

import (
	"strings"
	"sync"
	"sync/atomic"
)

// Subscriptions is a tenant's endpoints as an event finds them. It is not
// changed once made, and safe for concurrent use.
type Subscriptions struct {
	subscribers []subscriber
	byType      sync.Map // an event type to []subscriber: those of subscribers that want it
	types       atomic.Int64
}

type subscriber struct {
	*Endpoint
	filter *Filter // nil: every event
}

// NewSubscriptions takes what has been stored: a filter that does not compile
// is an error that no caller can have caused.
func NewSubscriptions(endpoints []*Endpoint) (*Subscriptions, error) {
	s := &Subscriptions{}
	for _, e := range endpoints {
		if !e.Enabled || e.Origin == OriginConnector {
			continue
		}
		filter, err := ParseFilter(e.Filter)
		if err != nil {
			return nil, err
		}
		s.subscribers = append(s.subscribers, subscriber{e, filter})
	}
	return s, nil
}

// Match returns the endpoints that are to get an event.
func (s *Subscriptions) Match(e *Event) []*Endpoint {
	var to []*Endpoint
	payload := payload{event: e}
	for _, sub := range s.wanting(e.Type) {
		if sub.filter.Admits(&payload) {
			to = append(to, sub.Endpoint)
		}
	}
	return to
}

// mostTypes bounds how many types the answers are kept for: anybody who may
// publish can make up new ones.
const mostTypes = 1000

func (s *Subscriptions) wanting(eventType string) []subscriber {
	if found, ok := s.byType.Load(eventType); ok {
		return found.([]subscriber)
	}
	var found []subscriber
	for _, sub := range s.subscribers {
		if sub.Wants(eventType) {
			found = append(found, sub)
		}
	}
	if s.types.Add(1) <= mostTypes {
		s.byType.Store(eventType, found)
	}
	return found
}

// Wants reports whether an endpoint's types name a type (CONTRACT.md, "Event
// notifications": names, `*`, and `order_*`).
func (e *Endpoint) Wants(eventType string) bool {
	for _, pattern := range e.EventTypes {
		prefix, wild := strings.CutSuffix(pattern, "*")
		if pattern == eventType || wild && strings.HasPrefix(eventType, prefix) {
			return true
		}
	}
	return false
}
