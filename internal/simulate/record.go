package simulate

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// record is what happened to one order: what callers did, and what its runs did, both in the
// order in which it was decided. Versions and bodies are read when they are needed.
type record struct {
	from    store.Reader
	tenant  string
	order   *order.Order         // as it is now
	history []order.HistoryEntry // the oldest first
	runs    []*recordedRun       // in the order of their creation
	// decisions are those that left something in the history; done what of them was done by
	// callers, by jobs, and by exports that ended.
	decisions []*group
	done      []*done
}

// place is where in an order's history something happened: behind which entries, and when.
// Places ascend with the history, whatever the clock did meanwhile.
type place struct {
	seq float64
	at  time.Time
}

func (p place) before(q place) bool {
	if !p.at.Equal(q.at) {
		return p.at.Before(q.at)
	}
	return p.seq < q.seq
}

// group is what one decision left in the history.
type group struct {
	place
	now     time.Time // as the decision had it
	entries []order.HistoryEntry
}

func (g *group) first() *order.HistoryEntry { return &g.entries[0] }

// has reports whether one of the entries is of an operation, and returns it.
func (g *group) has(operation string) *order.HistoryEntry {
	for i := range g.entries {
		if g.entries[i].Operation == operation {
			return &g.entries[i]
		}
	}
	return nil
}

// call is the id of the call that the decision is about; "" for none.
func (g *group) call() string {
	for _, e := range g.entries {
		if e.CallID != "" {
			return e.CallID
		}
	}
	return ""
}

// done is something that was done to the order from outside of its runs.
type done struct {
	group
	run *recordedRun // that it began, canceled or resumed
}

// recordedRun is a run, with what it did by itself.
type recordedRun struct {
	*run.Run
	groups  []*group
	calls   []*recordedCall // in the order in which they began
	resumes int             // how often it was resumed
}

// beganBy is the version of the settings by which a run began. It says that itself, unless it got
// others when it was resumed.
func (rn *recordedRun) beganBy() int64 {
	if rn.Since == 0 || rn.resumes == 1 && rn.SettingsVersion != rn.Since {
		return rn.SettingsVersion
	}
	return byTime
}

// recordedCall is a call of a run, with its attempts by their number.
type recordedCall struct {
	id       string
	step     int   // in the results of the run; -1 where that is not known any more
	base     int64 // the version that was sent; 0 where that is not known
	attempts []*attempt.Attempt
}

// attempt returns the attempt of a number; nil where none is on record.
func (c *recordedCall) attempt(number int) *attempt.Attempt {
	for _, a := range c.attempts {
		if a.Number == number {
			return a
		}
	}
	return nil
}

// errGone is why an order cannot be simulated of which something was removed.
func errGone(format string, args ...any) error {
	return apierr.Errorf(apierr.Conflict, format, args...)
}

// readRecord reads what is on record of an order. The error is [apierr.Conflict] where too
// little is: then the record has what was read of it.
func readRecord(ctx context.Context, from store.Reader, tenant, id string) (*record, error) {
	r := &record{from: from, tenant: tenant}
	var err error
	if r.order, err = from.Order(ctx, tenant, id); err != nil {
		return nil, err
	}
	if r.history, err = all(func(p store.Page) (store.List[order.HistoryEntry], error) { return from.History(ctx, tenant, id, p) }); err != nil {
		return nil, err
	}
	runs, err := r.readRuns(ctx)
	if err != nil {
		return nil, err
	}
	for _, rn := range runs {
		r.runs = append(r.runs, &recordedRun{Run: rn})
	}
	if err := r.historyIsWhole(); err != nil {
		return r, err
	}
	if err := r.readCalls(ctx, id); err != nil {
		return r, err
	}
	r.divide()
	return r, r.placeBeginnings()
}

// readRuns reads the runs of the order as they are now.
func (r *record) readRuns(ctx context.Context) ([]*run.Run, error) {
	return all(func(p store.Page) (store.List[*run.Run], error) {
		return r.from.Runs(ctx, r.tenant, store.RunFilter{OrderID: r.order.ID}, p)
	})
}

// historyIsWhole says what of the order's history is missing: each version has left an entry.
func (r *record) historyIsWhole() error {
	if len(r.history) == 0 || r.history[0].Operation != order.OpCreated || r.history[0].Version != 1 {
		return errGone("the history does not begin with the creation of the order: it was removed, or the order was imported")
	}
	latest := int64(1)
	for _, e := range r.history {
		if e.Version > latest+1 {
			return errGone("the history does not say how version %d of the order came to be", latest+1)
		}
		latest = max(latest, e.Version)
	}
	if latest < r.order.Version {
		return errGone("the history does not say how version %d of the order came to be", latest+1)
	}
	return nil
}

// moved reports whether something has happened to the order since its record was read.
func (r *record) moved(ctx context.Context) (bool, error) {
	now, err := r.from.Order(ctx, r.tenant, r.order.ID)
	if err != nil {
		return false, err
	}
	newest, err := r.from.History(ctx, r.tenant, r.order.ID, store.Page{Limit: 1})
	if err != nil {
		return false, err
	}
	runs, err := r.readRuns(ctx)
	if err != nil {
		return false, err
	}
	same := now.Version == r.order.Version && len(newest.Items) == min(1, len(r.history)) &&
		(len(r.history) == 0 || newest.Items[0].ID == r.history[len(r.history)-1].ID) &&
		slices.EqualFunc(runs, r.runs, func(a *run.Run, b *recordedRun) bool { return a.ID == b.ID && a.Revision == b.Revision })
	return !same, nil
}

// all reads all pages of a list, and returns the oldest item first.
func all[T any](list func(store.Page) (store.List[T], error)) (items []T, err error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := list(page)
		if err != nil {
			return nil, err
		}
		items = append(items, l.Items...)
		if page.Cursor = l.NextCursor; page.Cursor == "" {
			slices.Reverse(items)
			return items, nil
		}
	}
}

// run returns the run of an id; nil for none.
func (r *record) run(id string) *recordedRun {
	for _, rn := range r.runs {
		if id != "" && rn.ID == id {
			return rn
		}
	}
	return nil
}

// readCalls reads which calls the runs made, and which versions they sent.
func (r *record) readCalls(ctx context.Context, id string) error {
	attempts, err := all(func(p store.Page) (store.List[*attempt.Attempt], error) {
		return r.from.Attempts(ctx, r.tenant, store.AttemptFilter{Related: event.Related{OrderID: id}}, p)
	})
	if err != nil {
		return err
	}
	for _, a := range attempts {
		rn := r.run(a.RunID)
		if rn == nil || a.Kind != attempt.KindStep && a.Kind != attempt.KindReturnStep {
			continue
		}
		c := rn.call(a.CallID)
		if c == nil {
			c = &recordedCall{id: a.CallID, step: -1}
			rn.calls = append(rn.calls, c)
		}
		c.attempts = append(c.attempts, a)
	}
	for _, rn := range r.runs {
		for i, s := range rn.Results {
			if s.CallID == "" || s.Step == event.TypeExportOrder {
				continue
			}
			if rn.call(s.CallID) == nil { // it ended before its first attempt was recorded
				rn.calls = append(rn.calls, &recordedCall{id: s.CallID, step: i})
			}
			rn.call(s.CallID).step = i
		}
		for _, c := range rn.calls {
			if c.step < 0 {
				c.step = r.stepOf(rn, c.id)
			}
			if err := r.readBase(ctx, rn, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (rn *recordedRun) call(id string) *recordedCall {
	for _, c := range rn.calls {
		if c.id == id {
			return c
		}
	}
	return nil
}

// stepOf finds the step of a call that was made before its run was resumed: only the
// history has its name by now. It is -1 where that does not say it, either.
func (r *record) stepOf(rn *recordedRun, callID string) int {
	for _, e := range r.history {
		for i := range rn.Results {
			if e.CallID == callID && strings.HasPrefix(e.Message, rn.StepName(i)+": ") {
				return i
			}
		}
	}
	return -1
}

// readBase reads which version of the order a call sent.
func (r *record) readBase(ctx context.Context, rn *recordedRun, c *recordedCall) error {
	if rn.Position.CallID == c.id {
		c.base = rn.Position.BaseVersion
	}
	if c.base > 0 || len(c.attempts) == 0 {
		return nil
	}
	at, err := r.from.Attempt(ctx, r.tenant, c.attempts[0].ID)
	if err != nil {
		return err
	}
	if at.Detail == nil || len(at.Detail.Request.Body) == 0 {
		return errGone("the body of the attempt %s was removed", at.ID)
	}
	sent, err := schema.ParseStored(at.Detail.Request.Body)
	if err != nil {
		return err
	}
	v, _ := sent.Object("value").Get("version")
	c.base = versionNumber(v)
	return nil
}

// version reads a version of the order.
func (r *record) version(ctx context.Context, number int64) (*order.Order, error) {
	o, err := r.from.OrderVersion(ctx, r.tenant, r.order.ID, number)
	if apierr.KindOf(err) == apierr.NotFound {
		return nil, errGone("version %d of the order was removed", number)
	}
	return o, err
}
