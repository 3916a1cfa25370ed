package decide

import (
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Decision is what becomes of an order and of a run of it: what is to be stored
// together, and what is to be told once it is durable. Package workflow stores all of it in
// one transaction.
type Decision struct {
	// Order is the order as it is then. Changed says that this is another
	// version than the stored one. Created is the first version of a new order,
	// which Order may follow at once.
	Order   *order.Order
	Changed bool
	Created *order.Order

	// Beside the order: what its history says, whom to tell, what ExportOrder steps send,
	// and which attempt was made.
	History []order.HistoryEntry
	Events  []*event.Event
	Exports []Export
	Attempt *attempt.Attempt // to be recorded; nil: none was made

	Run  *run.Run // nil: the decision is about no run
	Move Move     // what the store makes of Run
	Next *run.Run // a run that Run triggered, to be stored behind the order's others
	// Rebase says that the run gave the order a status itself: the runs that wait
	// behind it and knew the status of this version get to know the new one. Those
	// of a shipment or a return are as much to the point as before, and so are
	// those of the status that the order is in then; the others are superseded.
	Rebase int64

	// Moved is the shipments and the returns whose own status becomes another: what
	// their earlier runs left undone is nobody's business any more.
	Moved []string

	Warnings []apierr.Warning // what of a patch nobody reads, and what was not applied
	Lines    []Line           // for the log
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
// its delivery becomes the CallID of the run's step. So whoever looks at the run finds the
// delivery and its attempts.
type Export struct {
	Step     int // of the run
	Event    *event.Event
	Endpoint *event.Endpoint // as it has to be
}

// Line is a line for the log: what a person has to look at. It is written after the commit
// only: a write that was overtaken is decided again, and must not leave lines about what
// never happened.
type Line struct {
	Message string
	Attrs   []any
}

// builder is a decision about an order in the making. It is made for one decision on one
// goroutine, and needs no lock.
type builder struct {
	Facts
	d        *Decision
	doc      *jsondoc.Object // what becomes of the order; the stored document until it is edited
	entered  []string        // statuses that the order was given, in their order
	returnID string          // of the return that the decision is about
}

// ofOrder begins a decision about an order. The document is the stored one until edit makes
// a copy of it.
func ofOrder(f Facts) *builder {
	return &builder{Facts: f, d: &Decision{}, doc: f.Order.Doc}
}

// edit returns the document to change. The stored document is never changed: others may be
// reading it, and the events compare with it. The copy is made at the first change, so that
// a decision without one makes no version.
func (b *builder) edit() *jsondoc.Object {
	if b.doc == b.Order.Doc {
		b.doc = b.Order.Doc.Clone()
	}
	return b.doc
}

// note adds an entry to the history, completed with what all have in common. The version
// and the run of the entry are known only at the end: finish adds them.
func (b *builder) note(e order.HistoryEntry) {
	e.ID, e.Timestamp, e.By, e.KeyName, e.RequestID = b.NewID(ids.History), b.Now, b.By, b.KeyName, b.RequestID
	if e.Category == "" {
		e.Category = order.CategoryWorkflow
	}
	b.d.History = append(b.d.History, e)
}

// warn has the log say something once the decision is durable.
func (b *builder) warn(message string, attrs ...any) {
	b.d.Lines = append(b.d.Lines, Line{message, attrs})
}

// setStatus sets the order's status. It starts no workflow. One that differs in letter case
// alone is no change (docs/contract.md#names), and makes neither a version nor an event.
func (b *builder) setStatus(status string) {
	was := b.doc.Text("status")
	if spelling.SameName(was, status) {
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
	change := order.Change{Path: "status", After: is}
	if was != "" { // else it was absent
		change.Before = was
	}
	b.note(order.HistoryEntry{Category: order.CategoryOrder, Operation: order.OpStatusChanged, Status: is, PreviousStatus: was, Changes: []order.Change{change}, Message: "the status became " + is})
}

// finish completes the decision with what is known only at its end: versions,
// and the events of all that happened. It comes last, and once for each decision: a change
// behind it would be in no version.
func (b *builder) finish() *Decision {
	d, o := b.d, *b.Order
	switch {
	case b.doc == b.Order.Doc:
	case b.DryRun != NoDryRun: // a dry run makes no version
		o.Doc = b.doc
	default:
		// Advance counts the version, and notes it as that of the status if the status
		// became another.
		o.Advance(b.doc, b.Now)
		d.Changed, d.Moved = true, order.Moved(b.Order.Doc, b.doc)
	}
	d.Order = &o
	d.Events = b.events()
	// The runs that wait behind this one must not take its own change of the status for
	// somebody else's.
	if d.Move == Goes && o.StatusVersion != b.Order.StatusVersion {
		d.Rebase = b.Order.StatusVersion
	}
	for i := range d.History {
		h := &d.History[i]
		// Only the entry about the creation has a version by now: that of the first
		// version, behind which a step may already have made the next.
		if h.Version == 0 {
			h.Version = o.Version
		}
		if d.Run != nil {
			h.RunID, h.ShipmentID, h.ReturnID = d.Run.ID, d.Run.ShipmentID, d.Run.ReturnID
		}
	}
	if d.Run != nil {
		d.Run.Updated = b.Now
		stamp(d.Run, &o)
	}
	if d.Next != nil {
		stamp(d.Next, &o)
	}
	return d
}

// stamp gives a run the versions of the order that it knows. BaseVersion is given once for
// each call: all attempts of the call send the order of that version. AnswerVersion is the
// version that the caller's answer shows.
func stamp(r *run.Run, order *order.Order) {
	r.StatusVersion, r.ScopeStatus = order.StatusVersion, scopeStatus(order.Doc, r)
	if r.Position.CallID != "" && r.Position.BaseVersion == 0 {
		r.Position.BaseVersion = order.Version
	}
	// No step is left, or only deferred ones are: whoever waits for the run gets its
	// answer.
	if r.AnswerVersion == 0 && (r.Status.Ended() || r.AtDeferred()) {
		r.AnswerVersion = order.Version
	}
}

// events is what happened by the decision (docs/contract.md#event-types).
// It goes by the settings of now, whichever the run began with.
func (b *builder) events() (events []*event.Event) {
	if b.DryRun != NoDryRun {
		return nil
	}
	if b.d.Changed || b.d.Created != nil {
		w := event.OrderWrite{Before: b.Order.Doc, After: b.d.Order, Via: b.entered, ReturnID: b.returnID, At: b.Now,
			Settings: func(status string) event.StatusEvents { return orderStatus(b.Today, b.d.Order.Doc, status).Events }}
		// All of a new order is new to its events: none of it was there before.
		if b.d.Created != nil {
			w.Before = nil
		}
		events = w.Events()
	}
	// The write that ends a run tells that it failed. A run that was resumed may end, and
	// tell it, again.
	if r := b.d.Run; r != nil && r.Status.Ended() && r.WorkflowFailed() {
		events = append(events, event.WorkflowFailedEvent(r, b.d.Order, b.Now))
	}
	return events
}
