package event

import "github.com/orderhook/orderhook/internal/filter"

// Reasons why an endpoint does not get an event. The API answers with them, so they do not
// change.
const (
	NotEnabled  = "disabled"
	NotItsType  = "eventType"
	NoOrder     = "noOrder"
	NotFiltered = "filter"
)

// Match says whether an endpoint would get an event that happened now, and why not. People
// who wonder why nothing came are told so. All reasons are there, not the first alone, so
// that one correction need not lead to the next.
type Match struct {
	Wanted      bool
	Reasons     []string // why it is not, all of them; nil if it is
	FilterError string   // why its filter cannot evaluate the event, which it gets then; "" where it can
	Conditions  []filter.Condition
}

// Explain says whether the endpoint would get an event as [Subscriptions.ReceiversOf] decides
// it, and of each condition of its filter whether it holds. The effort bounds what that
// takes.
func (e *Endpoint) Explain(event *Event, effort *filter.Effort) (m Match) {
	reason := func(why string, is bool) {
		if is {
			m.Reasons = append(m.Reasons, why)
		}
	}
	reason(NotEnabled, !e.Enabled)
	reason(NotItsType, !e.Wants(event.Type))
	reason(NoOrder, e.Origin == OriginWebHook && event.OrderID == "")
	if e.Filter != "" {
		// The cache has it nearly always.
		f, err := filter.Parse(e.Filter)
		// A filter that cannot be parsed any more lets the event pass, as one that cannot
		// evaluate it does.
		admitted := err == nil
		if err == nil {
			seen := filterEvent(event)
			admitted, err = f.Admits(seen, effort)
			m.Conditions = f.Explain(seen, effort)
		}
		if err != nil {
			m.FilterError = err.Error()
		}
		reason(NotFiltered, err == nil && !admitted)
	}
	m.Wanted = len(m.Reasons) == 0
	return m
}

// filterEvent is an event as filters see it. There is nothing else that they could name.
func filterEvent(e *Event) *filter.Event {
	return &filter.Event{ID: e.ID, Type: e.Type, OrderID: e.OrderID, SubjectKind: e.Subject.Kind, SubjectID: e.Subject.ID,
		Timestamp: e.Timestamp, Data: e.Data}
}
