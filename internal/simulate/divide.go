package simulate

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// divide tells the decisions apart that the history is of, and gives them to the runs, or
// to whoever did something from outside.
func (r *record) divide() {
	var (
		g      *group
		latest time.Time
	)
	flush := func() {
		if g == nil {
			return
		}
		r.decisions = append(r.decisions, g)
		rn := r.run(g.first().RunID)
		if rn != nil && ofRun(g.first()) {
			rn.groups = append(rn.groups, g)
		} else {
			if rn != nil && g.has(order.OpRunResumed) != nil {
				rn.resumes++
			}
			r.done = append(r.done, &done{group: *g, run: rn})
		}
		g = nil
	}
	for i, e := range r.history {
		// The clock may have been set back meanwhile. Places do not go back.
		if e.Timestamp.After(latest) {
			latest = e.Timestamp
		}
		if g != nil && !continues(g, &e) {
			flush()
		}
		if g == nil {
			g = &group{now: e.Timestamp}
		}
		g.entries, g.place = append(g.entries, e), place{float64(i), latest}
	}
	flush()
}

// ofRun reports whether an entry is of a decision that a run came to by itself. What an
// export came to is told by whoever delivers it.
func ofRun(e *order.HistoryEntry) bool {
	return e.Created == nil && (e.By == decide.ByWorkflow || strings.HasPrefix(e.By, "step "))
}

// begins are the operations that a decision begins with, and that stand nowhere else in one.
var begins = map[string]bool{order.OpCreated: true, order.OpPatched: true, order.OpReturned: true, order.OpRunResumed: true, order.OpStepWaits: true}

// answers are the operations of the entries that say what the answer to a step was.
var answers = map[string]bool{order.OpExecuteExportOrder: true, order.OpStepFailed: true, order.OpStepWarning: true}

// continues reports whether an entry is of the same decision as those before it.
func continues(g *group, e *order.HistoryEntry) bool {
	last := &g.entries[len(g.entries)-1]
	created := last.Operation == order.OpCreated // whose entry has the first version, which the same decision may follow with another
	switch {
	case e.Created != nil || last.Created != nil, begins[e.Operation], answers[e.Operation] && e.CallID != "":
		return false
	case e.By != last.By || e.RunID != last.RunID || e.RequestID != last.RequestID || !e.Timestamp.Equal(last.Timestamp):
		return false
	}
	return e.Version == last.Version || created
}

// placeBeginnings finds where runs began of which no entry tells: a status was entered that
// the order had already.
func (r *record) placeBeginnings() error {
	begun := map[string]bool{}
	for _, d := range r.done {
		if d.run != nil && d.has(order.OpRunEnded) == nil && d.has(order.OpRunResumed) == nil && d.first().Created == nil {
			begun[d.run.ID] = true
		}
	}
	for _, rn := range r.runs {
		begun[rn.Triggered] = true
	}
	for _, rn := range r.runs {
		if begun[rn.ID] {
			continue
		}
		if rn.Chain > 0 {
			return errGone("the run that triggered the run %s was removed", rn.ID)
		}
		r.begin(&done{group: group{now: rn.Created, place: r.placeOf(rn)}, run: rn})
	}
	return nil
}

// begin adds something that was done where its place is.
func (r *record) begin(d *done) {
	at := len(r.done)
	for at > 0 && d.place.seq < r.done[at-1].place.seq {
		at--
	}
	r.done = append(r.done[:at], append([]*done{d}, r.done[at:]...)...)
}

// placeOf is where a run began of whose beginning no entry tells: before all that it did, and
// behind all that was earlier.
func (r *record) placeOf(rn *recordedRun) place {
	// It sent the version that there was then, or a later one; where it sent none, it ended at
	// one.
	p, latest := place{-0.5, rn.Created}, rn.AnswerVersion
	if len(rn.calls) > 0 {
		latest = rn.calls[0].base
	}
	for i, e := range r.history {
		later := e.Timestamp.After(rn.Created) || e.Timestamp.Equal(rn.Created) && madeAt(e.ID) > madeAt(rn.ID)
		if e.RunID == rn.ID || later || latest > 0 && e.Version > latest {
			break
		}
		p.seq = float64(i) + 0.5
	}
	if p.seq >= 0 {
		if at := r.history[int(p.seq)].Timestamp; at.After(p.at) {
			p.at = at
		}
	}
	return p
}

// madeAt is when an id was made, as texts compare. It tells apart what has the same time by the
// clock of the engine.
func madeAt(id string) string {
	_, id, _ = strings.Cut(id, "_")
	return id[:min(len(id), 16)]
}

// since is the place behind the decision that made a version.
func (r *record) since(version int64) place {
	for _, g := range r.decisions {
		for _, e := range g.entries {
			if e.Version >= version {
				return place{g.seq + 0.25, g.at}
			}
		}
	}
	return place{}
}

// versionNumber reads the version that a document says.
func versionNumber(v any) int64 {
	d, ok := jsondoc.DecimalOf(v)
	if !ok {
		d = decimal.Zero
	}
	return d.IntPart()
}
