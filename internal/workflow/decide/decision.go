package decide

import (
	"github.com/orderhook/orderhook/internal/oms"
)

// Decision is what becomes of an order and of a run of it: what is to be stored
// together, and what is to be told once it is durable.
type Decision struct {
	// Order is the order as it is then. Changed says that this is another
	// version than the stored one. Created is the first version of a new order,
	// which Order may follow at once.
	Order   *oms.Order
	Changed bool
	Created *oms.Order

	History []oms.HistoryEntry
	Events  []*oms.Event
	Exports []Export
	Attempt *oms.Attempt // to be recorded; nil: none was made

	Run  *oms.Run // nil: the decision is about no run
	Move Move     // what the store makes of Run
	Next *oms.Run // a run that Run triggered, to be stored behind the order's others
	// Carry says that the run gave the order a status itself: the runs that wait
	// behind it and knew the status of this version get to know the new one. Those
	// of a shipment or a return are as much to the point as before, and so are
	// those of the status that the order is in then; the others are superseded.
	Carry int64

	Warnings []oms.Warning // what of a patch nobody reads, and what was not applied
	Lines    []Line        // for the log
}

// Move is what the store makes of a decision's run.
type Move int

// The moves of a run.
const (
	Stays    Move = iota // nothing becomes of it
	Begins               // it is new, and stands behind the order's others
	Goes                 // it has another position
	Requeues             // it goes on, behind the order's others
)

// Export is what an ExportOrder step sends, and to which endpoint. The id of
// its delivery becomes the CallID of the run's step.
type Export struct {
	Step     int // of the run
	Event    *oms.Event
	Endpoint *oms.Endpoint // as it has to be
}

// Line is a line for the log: what a person has to look at.
type Line struct {
	Message string
	Attrs   []any
}

// builder is a decision in the making.
type builder struct {
	Facts
	d        *Decision
	doc      *oms.Object // what becomes of the order; the stored document until it is edited
	run      *oms.Run
	entered  []string // statuses that the order was given, in their order
	returnID string   // of the return that the decision is about
}

// change begins a decision about an order.
func change(f Facts) *builder {
	return &builder{Facts: f, d: &Decision{}, doc: f.Order.Doc}
}

// move begins a decision about a run that exists.
func move(f Facts) *builder {
	b := change(f)
	b.run, b.d.Move, b.returnID = f.Run.Clone(), Goes, f.Run.ReturnID
	return b
}

// stays is the decision that nothing becomes of the run: it has ended already.
func (b *builder) stays() *Decision {
	b.d.Order, b.d.Run, b.d.Move = b.Order, b.run, Stays
	return b.d
}

// edit returns the document to change.
func (b *builder) edit() *oms.Object {
	if b.doc == b.Order.Doc {
		b.doc = b.Order.Doc.Clone()
	}
	return b.doc
}

// note adds an entry to the history, completed with what all have in common.
func (b *builder) note(e oms.HistoryEntry) {
	e.ID, e.Timestamp, e.By, e.KeyName, e.RequestID = b.NewID(oms.HistoryID), b.Now, b.By, b.KeyName, b.RequestID
	if e.Category == "" {
		e.Category = oms.CategoryWorkflow
	}
	b.d.History = append(b.d.History, e)
}

// tell has the log say something once the decision is durable.
func (b *builder) tell(message string, attrs ...any) {
	b.d.Lines = append(b.d.Lines, Line{message, attrs})
}

// setStatus sets the order's status. It starts no workflow.
func (b *builder) setStatus(status string) {
	was := b.doc.Text("status")
	if oms.SameName(was, status) {
		return
	}
	b.edit().Set("status", status)
	b.noteStatus(was)
}

// noteStatus notes, for the history and for events, that the status is no longer
// what it was.
func (b *builder) noteStatus(was string) {
	is := b.doc.Text("status")
	b.entered = append(b.entered, is)
	b.note(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpStatusChanged, Status: is, PreviousStatus: was, Message: "the status became " + is})
}

// finish completes the decision with what is known only at its end: versions,
// and the events of all that happened.
func (b *builder) finish() *Decision {
	d, order := b.d, *b.Order
	switch {
	case b.doc == b.Order.Doc:
	case b.Rehearsal != Real: // a dry run makes no version
		order.Doc = b.doc
	default:
		order.Advance(b.doc, b.Now)
		d.Changed = true
	}
	d.Order, d.Run = &order, b.run
	d.Events = b.events()
	if d.Move == Goes && order.StatusVersion != b.Order.StatusVersion {
		d.Carry = b.Order.StatusVersion
	}
	for i := range d.History {
		h := &d.History[i]
		if h.Version == 0 {
			h.Version = order.Version
		}
		if b.run != nil {
			h.RunID, h.ShipmentID, h.ReturnID = b.run.ID, b.run.ShipmentID, b.run.ReturnID
		}
	}
	if b.run != nil {
		b.run.Updated = b.Now
		stamp(b.run, &order)
	}
	if d.Next != nil {
		stamp(d.Next, &order)
	}
	return d
}

// stamp gives a run the versions of the order that it knows.
func stamp(r *oms.Run, order *oms.Order) {
	r.StatusVersion, r.ScopeStatus = order.StatusVersion, scopeStatus(order.Doc, r)
	if r.Position.CallID != "" && r.Position.BaseVersion == 0 {
		r.Position.BaseVersion = order.Version
	}
	onlyDeferredLeft := r.Status.Ended() || r.Position.Step < len(r.Results) && r.Results[r.Position.Step].Deferred
	if r.AnswerVersion == 0 && onlyDeferredLeft {
		r.AnswerVersion = order.Version
	}
}

// events is what happened by the decision (CONTRACT.md, "Event notifications").
// What settings say of it is what they say now, whichever the run began with.
func (b *builder) events() (events []*oms.Event) {
	if b.Rehearsal != Real {
		return nil
	}
	if b.d.Changed || b.d.Created != nil {
		w := oms.OrderWrite{Before: b.Order.Doc, After: b.d.Order, Via: b.entered, ReturnID: b.returnID, At: b.Now,
			Settings: func(status string) oms.StatusEvents { return orderStatus(b.Today, b.d.Order.Doc, status).Events }}
		if b.d.Created != nil {
			w.Before = nil
		}
		events = w.Events()
	}
	if r := b.run; r != nil && r.Status.Ended() && r.WorkflowFailed() {
		events = append(events, oms.WorkflowFailedEvent(r, b.d.Order, b.Now))
	}
	return events
}
