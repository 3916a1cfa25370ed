package simulate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// Verdict is what a simulation of an order came to.
type Verdict string

// The verdicts.
const (
	Same          Verdict = "same"
	Differs       Verdict = "differs"
	Unknown       Verdict = "unknown"       // an answer is needed that is not on record
	NotRecorded   Verdict = "notRecorded"   // too little is on record of what happened, so nothing is compared
	NotReproduced Verdict = "notReproduced" // what happened comes out in another way, so nothing is compared
)

// Outcome is what would have become of an order.
type Outcome struct {
	OrderID string  `json:"orderId"`
	Runs    int     `json:"runs"` // on record
	Verdict Verdict `json:"verdict"`
	// Reason is why what happened could not be reproduced.
	Reason      string       `json:"reason,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
	// Unknown says of which answers nothing is on record. What would have followed from them is
	// in no difference.
	Unknown []string `json:"unknown,omitempty"`
	// Notes say what is less sure than the rest.
	Notes []string `json:"notes,omitempty"`
}

// Difference is something that is not as it was.
type Difference struct {
	Path string `json:"path"` // as status, errors, runs[New].status or order.tags
	Then any    `json:"then"` // nil: there was none
	Now  any    `json:"now"`
}

// Filter picks orders by their runs; an empty field picks all.
type Filter struct {
	OrderID  string
	From, To time.Time // From <= created < To
}

// Run simulates each order that has a run of the filter, once, and hands on what came of it.
// It reads the runs page by page, so that its memory does not grow with them.
func (s *Simulation) Run(ctx context.Context, f Filter, each func(Outcome) error) error {
	in, err := readRules(ctx, s.From, s.Tenant)
	if err != nil {
		return err
	}
	picks := store.RunFilter{OrderID: f.OrderID, From: f.From, To: f.To}
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		list, err := s.From.Runs(ctx, s.Tenant, picks, page)
		if err != nil {
			return err
		}
		for _, rn := range list.Items {
			// An order comes with the newest of its runs, and with that alone.
			of := picks
			of.OrderID = rn.OrderID
			newest, err := s.From.Runs(ctx, s.Tenant, of, store.Page{Limit: 1})
			if err != nil {
				return err
			}
			if len(newest.Items) == 0 || newest.Items[0].ID != rn.ID {
				continue
			}
			o, err := s.order(ctx, in, rn.OrderID)
			if apierr.KindOf(err) == apierr.NotFound { // it was erased meanwhile
				continue
			}
			if err == nil {
				err = each(o)
			}
			if err != nil {
				return err
			}
		}
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return nil
		}
	}
}

// order simulates one order: first by the settings that there were, then by those that are
// tried.
func (s *Simulation) order(ctx context.Context, in *asRecorded, id string) (Outcome, error) {
	c, r, then, err := s.checked(ctx, in, id)
	o := Outcome{OrderID: id, Runs: c.Runs, Verdict: Same, Reason: c.Reason}
	if err != nil || c.Reason != "" {
		if o.Verdict = NotReproduced; c.Missing {
			o.Verdict = NotRecorded
		}
		return o, err
	}
	if s.Settings == nil {
		return o, nil
	}
	try := *s.Settings
	try.Version = -1 // no version that a run began with
	now := newWorld(ctx, r, &tried{in, &try, s.Since})
	if err := now.play(); apierr.KindOf(err) == apierr.Conflict {
		o.Verdict, o.Unknown = Unknown, []string{err.Error()}
		return o, nil
	} else if err != nil {
		return o, err
	}
	o.compare(then, now)
	return o, nil
}

// compare notes what is another in a world than it was.
func (o *Outcome) compare(then, now *world) {
	o.Notes = now.notes
	for _, r := range slices.Concat(now.runs, now.ended) {
		if r.stuck != "" {
			o.Unknown = append(o.Unknown, fmt.Sprintf("the run of %s: %s", r.run.EnteredStatus, r.stuck))
		}
	}
	o.runs(then, now)
	if len(o.Unknown) == 0 {
		o.differ("status", then.order.Status(), now.order.Status())
		o.differ("errors", errorTexts(then.order.Doc), errorTexts(now.order.Doc))
		for _, c := range order.Diff(content(then.order.Doc), content(now.order.Doc)) {
			if c.Path != "status" && c.Path != "errors" && !isBeneath(c.Path, "errors[") {
				o.differ("order."+c.Path, c.Before, c.After)
			}
		}
	}
	switch {
	case len(o.Unknown) > 0:
		o.Verdict = Unknown
	case len(o.Differences) > 0:
		o.Verdict = Differs
	}
}

// MarshalJSON implements json.Marshaler: what was not there is written as null.
func (d Difference) MarshalJSON() ([]byte, error) {
	return jsondoc.NewObject(jsondoc.Pair("path", d.Path), jsondoc.Pair("then", d.Then), jsondoc.Pair("now", d.Now)).JSON(), nil
}

func isBeneath(path, what string) bool { return len(path) >= len(what) && path[:len(what)] == what }

func (o *Outcome) differ(path string, then, now any) {
	if !jsondoc.Equal(placeless(then), placeless(now)) {
		o.Differences = append(o.Differences, Difference{path, then, now})
	}
}

// stepPlace is where a step stands in its run, as messages say it.
var stepPlace = regexp.MustCompile(`\(step \d+ of \d+`)

// placeless is a value without the places of steps in its texts: a message is the same if the
// step has another number alone.
func placeless(v any) any {
	switch v := v.(type) {
	case string:
		return stepPlace.ReplaceAllString(v, "(step")
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = placeless(v[i])
		}
		return out
	}
	return v
}

// runs compares the runs of both, each with the one that it is.
func (o *Outcome) runs(then, now *world) {
	for _, recorded := range then.record.runs {
		was, is := then.find(recorded), now.find(recorded)
		at := "runs[" + runName(recorded.Run) + "]"
		if is == nil {
			if len(o.Unknown) == 0 {
				o.differ(at, string(was.run.Status), nil)
			}
			continue
		}
		o.steps(at, was, is)
		if is.stuck != "" {
			continue
		}
		o.differ(at+".status", string(was.run.Status), string(is.run.Status))
		o.differ(at+".reason", textOrNil(was.run.Reason), textOrNil(is.run.Reason))
		if a, b := took(was.run), took(is.run); (a - b).Abs() >= time.Second {
			o.differ(at+".took", a.String(), b.String())
		}
	}
	for _, r := range slices.Concat(now.runs, now.ended) {
		if r.recorded == nil {
			o.differ("runs["+runName(r.run)+"]", nil, string(r.run.Status))
		}
	}
}

// runName is what a run is known by in an order: the status, and the shipment or the return.
func runName(r *run.Run) string {
	if id := r.ScopeID(); id != "" {
		return r.EnteredStatus + " of " + id
	}
	return r.EnteredStatus
}

// took is how long a run took, to the tenth of a second; 0 of one that has not ended.
func took(r *run.Run) time.Duration {
	if r.Ended == nil {
		return 0
	}
	return r.Ended.Sub(r.Created).Round(100 * time.Millisecond)
}

// steps compares the steps of a run: which there are, in which order, and what each came to.
func (o *Outcome) steps(at string, was, is *simRun) {
	o.differ(at+".steps", stepNames(was.run), stepNames(is.run))
	for i := range is.run.Results {
		b := &is.run.Results[i]
		name := at + ".steps[" + stepName(b) + "]"
		j := is.same[i]
		if j < 0 {
			o.differ(name+".result", nil, string(b.ActionStatus))
			continue
		}
		a := &was.run.Results[j]
		if is.stuck != "" && b.ActionStatus == run.ActionPending { // nobody knows
			continue
		}
		o.differ(name+".result", string(a.ActionStatus), string(b.ActionStatus))
		o.differ(name+".reason", textOrNil(a.ErrorReason), textOrNil(b.ErrorReason))
		o.differ(name+".attempts", jsondoc.Number(fmt.Sprint(a.Attempts)), jsondoc.Number(fmt.Sprint(b.Attempts)))
	}
}

// stepNames are the steps of a run in their order.
func stepNames(r *run.Run) (names []any) {
	for i := range r.Results {
		names = append(names, stepName(&r.Results[i]))
	}
	return names
}

func stepName(s *run.StepResult) string {
	if s.DisplayName != "" {
		return s.DisplayName
	}
	if s.Step == event.TypeExportOrder {
		return s.Step
	}
	return fmt.Sprintf("%s %d", s.Step, s.ConfigIndex+1)
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// errorTexts are the messages of an order's errors.
func errorTexts(doc *jsondoc.Object) (texts []any) {
	for _, e := range doc.Objects("errors") {
		texts = append(texts, e.Text("message"))
	}
	return texts
}
