package rerun

import (
	"context"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// outcomeOf is whether an attempt succeeded.
func outcomeOf(at *attempt.Attempt) Outcome {
	if at.Outcome == attempt.OutcomeSucceeded {
		return Answered
	}
	return Failed
}

// decision reads what became of the answer: from the run, from the entries that the decision
// left in the order's history, and from the versions of the order before and after it. What
// was removed by now leaves the call without a decision.
func (r *reading) decision(ctx context.Context, rn *run.Run, sent int64) error {
	result := rn.StepOf(r.at.CallID)
	switch {
	case result == nil: // the run was resumed since, and has made another call
		return nil
	case result.Attempts > r.at.Number || rn.Position.CallID == r.at.CallID && rn.Position.Attempt > r.at.Number:
		r.retried(rn)
		return nil
	case result.Attempts != r.at.Number: // the run had ended before the answer came, which changed nothing
		return nil
	}
	w, err := r.readWritten(ctx)
	if err != nil || w == nil {
		return err
	}
	r.call.Step.AnsweredAt = w.at
	if w.before.Version != sent {
		r.call.Step.Meanwhile = &Version{Document{w.before.Doc}, w.before.StatusVersion}
	}
	endsHere := rn.Ended != nil && rn.Ended.Equal(w.at)
	d := r.decided(rn, result, w, endsHere)
	// The write that ends a run tells of that end, too, and of what follows from it. Events
	// are told apart by their time.
	if w.alone && (!endsHere || rn.Status == run.RunAborted) {
		if d.Events, err = r.events(ctx, w.at); err != nil {
			return err
		}
	}
	r.call.Decision = d
	return nil
}

// retried notes that another attempt was made after this one.
func (r *reading) retried(rn *run.Run) {
	if end := rn.Deadline; !end.IsZero() && !r.call.Step.AnsweredAt.Before(end) { // it was retried, so there was time left
		r.call.Step.AnsweredAt = end.Add(-time.Microsecond)
	}
	r.call.Decision = &Decision{Outcome: Retry, Reason: r.at.Error, Events: []string{}}
}

// written is what the decision about an answer wrote.
type written struct {
	at            time.Time
	entries       []order.HistoryEntry
	alone         bool         // no other decision is of the same time
	before, after *order.Order // the same version, where the decision made none
}

// readWritten reads what the decision wrote; nil where some of it was removed by now.
func (r *reading) readWritten(ctx context.Context) (*written, error) {
	entries, made, alone, err := r.entries(ctx)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	after, err := r.version(ctx, entries[0].Version)
	if err != nil || after == nil {
		return nil, err
	}
	before := after
	if made {
		if before, err = r.version(ctx, after.Version-1); err != nil || before == nil {
			return nil, err
		}
	}
	return &written{entries[0].Timestamp, entries, alone, before, after}, nil
}

// decided is the decision, but for its events. endsHere says that the run ended with it.
func (r *reading) decided(rn *run.Run, result *run.StepResult, w *written, endsHere bool) *Decision {
	i := slices.IndexFunc(rn.Results, func(s run.StepResult) bool { return s.CallID == r.at.CallID })
	d := &Decision{Outcome: outcomeOf(r.at), Reason: result.ErrorReason, Result: result.ActionStatus, Cancels: result.CancelWorkflow,
		TranslateKey: result.TranslateKey, Warnings: result.Warnings,
		Stops: rn.Status == run.RunAborted && rn.Position.Step == i, Superseded: rn.Status == run.RunSuperseded && rn.Position.Step == i}
	d.Status = statusSet(w.entries)
	if endsHere && rn.Status == run.RunSucceeded && rn.Triggered != "" { // it entered the status that it triggered
		d.Status = statusSet(w.entries[:lastStatus(w.entries)])
	}
	// Where several steps asked for a status, the last one got it. What it asked for is told
	// apart from the others only while it was the only one.
	if answer, err := run.ParseStepAnswer(r.call.Answer.Bytes()); err == nil && d.Outcome == Answered {
		d.Triggers = answer.Trigger
	}
	var others []string
	for j := range rn.Results {
		if j != i {
			others = append(others, rn.StepName(j)+": ")
		}
	}
	d.of(w.before.Doc, w.after.Doc, rn.StepName(i)+": ", others)
	return d
}

// lastStatus is where the last entry stands that says that the status became another.
func lastStatus(entries []order.HistoryEntry) int {
	for i, h := range slices.Backward(entries) {
		if h.Operation == order.OpStatusChanged {
			return i
		}
	}
	return len(entries)
}

// entries reads what the decision about the answer left in the order's history, in the order
// in which it did. The first of them says what the answer was, and the others follow it, of
// the same author, time and version. made is whether the decision made that version, alone
// whether no other decision is of the same time.
func (r *reading) entries(ctx context.Context) (found []order.HistoryEntry, made, alone bool, err error) {
	var same, newer []order.HistoryEntry // what follows an entry that may be the first; what follows that
	begun := false
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		list, err := r.from.History(ctx, r.tenant, r.at.OrderID, page)
		if err != nil {
			return nil, false, false, err
		}
		for _, h := range list.Items {
			if begun {
				// Each version left an entry: if the one before is of an earlier version, this
				// decision made the next.
				slices.Reverse(same)
				at := same[0].Timestamp
				alone = !h.Timestamp.Equal(at) && (newer == nil || !newer[len(newer)-1].Timestamp.Equal(at))
				return same, h.Version < same[0].Version, alone, nil
			}
			if len(same) > 0 && !together(same[0], h) {
				same, newer = nil, same
			}
			same = append(same, h)
			begun = h.CallID == r.at.CallID && h.RunID == r.at.RunID && ofAnswer[h.Operation]
			if !begun && ofAnswer[h.Operation] { // another call's
				same, newer = nil, same
			}
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return nil, false, false, nil // what was before has been removed, or there is none
		}
	}
}

// ofAnswer are the operations of the entries that say what the answer to a step was.
var ofAnswer = map[string]bool{order.OpExecuteExportOrder: true, order.OpStepFailed: true, order.OpStepWarning: true}

// together reports whether two entries of a history may be of one decision.
func together(a, b order.HistoryEntry) bool {
	return a.RunID == b.RunID && a.By == b.By && a.Version == b.Version && a.Timestamp.Equal(b.Timestamp)
}

// events reads the types of the events of a decision, in their order.
func (r *reading) events(ctx context.Context, at time.Time) ([]string, error) {
	types := []string{}
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		list, err := r.from.Events(ctx, r.tenant, store.EventFilter{Related: event.Related{OrderID: r.at.OrderID}, From: at, To: at.Add(time.Microsecond)}, page)
		if err != nil {
			return nil, err
		}
		for _, e := range list.Items {
			if e.Type != event.TypeExportOrder {
				types = append(types, e.Type)
			}
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return types, nil
		}
	}
}
