package settings

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// mostEvents bounds a status's list of events: each is a row in every write
// that enters the status.
const mostEvents = 100

// statusEvents reads the `events` of a status (docs/contract.md#event-types):
// names that take the place of the table's, names behind a
// "+" that are added, and an empty list, which leaves none. A built-in type has
// the spelling of the catalogue, in whatever case it is named here. The error names the
// entry.
func statusEvents(n node, returns bool) event.StatusEvents {
	list, given := value[[]any](n, "events", "a list of event types")
	if given && returns {
		n.warn(n.path("events"), "is not used: the events of an order that enters a status are set in orderTypes")
	}
	if len(list) > mostEvents {
		n.wrong(n.path("events"), "must have at most %d entries", mostEvents)
		return event.StatusEvents{}
	}
	// A list that is there and empty leaves no events. One that is not there leaves those
	// of the table.
	e := event.StatusEvents{Replace: given && len(list) == 0}
	for i, entry := range list {
		at := fmt.Sprintf("%s[%d]", n.path("events"), i)
		name, isText := entry.(string)
		if !isText {
			n.wrong(at, "must be text, not %s", jsondoc.TypeName(entry))
			continue
		}
		name, adds := strings.CutPrefix(name, "+")
		// One name without a + is enough to replace them.
		e.Replace = e.Replace || !adds
		known, _ := event.KnownEventType(name)
		e.Types = append(e.Types, cmp.Or(known.Name, name))
		for _, m := range event.CheckEventType(name, at) {
			n.wrong(m.Location, "%s", m.Message)
		}
		warnEvent(n, at, name)
	}
	return e
}

// EventTypes returns the types that `events` of statuses name. Endpoints that name one of
// them name nothing unknown.
func (s *Settings) EventTypes() (types []string) {
	for _, t := range s.OrderTypes {
		for _, status := range t.Statuses {
			types = append(types, status.Events.Types...)
		}
	}
	return types
}

// warnEvent notes a type whose receivers expect something else than an order.
func warnEvent(n node, at, name string) {
	t, known := event.KnownEventType(name)
	switch {
	case !known:
	case t.OnlyByName:
		n.warn(at, "%s is otherwise about something that failed, and here it has the order's data", t.Name)
	case t.Subject != event.SubjectOrder:
		n.warn(at, "%s is otherwise about a %s, and here it has the order's data", t.Name, t.Subject)
	}
}
