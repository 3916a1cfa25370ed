package dash

import (
	"net/url"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/run"
)

// runView is a run, and the picture of its steps. The attempts are those of all its
// steps.
type runView struct {
	Run      runItem
	Attempts []attempt.Attempt // the newest
	More     bool              // there are more attempts
}

// runPage shows one run.
var runPage = newPage[runView]("run", "/runs")

// run asks for the run of a page, with why it cannot be resumed.
func (v *visit) run() (r runItem, err error) {
	return r, v.get("/api"+href("runs", v.r.PathValue("id")), nil, &r)
}

// showRun shows a run, its steps, and its newest attempts.
func showRun(v *visit) error {
	r, err := v.run()
	if err != nil {
		return err
	}
	view := runView{Run: r}
	// The attempts say what each step has sent and got.
	var attempts List[attempt.Attempt]
	if err := v.get("/api/attempts", url.Values{"runId": {r.ID}, "limit": {"50"}}, &attempts); err != nil {
		return err
	}
	view.Attempts, view.More = attempts.Items, attempts.NextCursor != ""
	return runPage.showLive(v, "Run "+r.ID, "runs,attempts", view)
}

// runFacts say which run it is. The step is the one that is under way, or the one that
// stopped the run.
func runFacts(r *runItem) []Fact {
	facts := []Fact{{Name: "Run", Value: r.ID, URL: href("runs", r.ID)}, {Name: "Order", Value: r.OrderID, URL: href("orders", r.OrderID)}, {Name: "Of the status", Value: r.EnteredStatus}}
	if scope := r.Scope(); scope != "" {
		facts = append(facts, Fact{Name: "For", Value: scope})
	}
	facts = append(facts, Fact{Name: "It is", Value: string(r.Status)})
	// The first such step is the one that the run is at.
	for _, s := range r.Steps() {
		if s.Here || s.CancelWorkflow || r.Aborted() && s.ActionStatus == run.ActionError {
			facts = append(facts, Fact{Name: "At the step", Value: s.DisplayName})
			break
		}
	}
	if r.Reason != "" {
		facts = append(facts, Fact{Name: "Since", Value: r.Reason})
	}
	return facts
}

// control is what can be done with one run. Both actions are alike: a page that says what
// will happen, and a form that does it once.
type control struct {
	action, title, what, button, notice string
	notes                               []string
	danger                              bool
}

var (
	// What cannot be undone, and what stays as it is, are the notes.
	resumption = control{action: "resume", title: "Resume the run", button: "Resume the run", notice: "resumed",
		what:  "The run goes on at the step that stopped it: its endpoint is called again, and then the steps behind it.",
		notes: []string{"The steps before it are not repeated.", "The endpoint gets the order as it is now."}}
	cancellation = control{action: "cancel", title: "Cancel the run", button: "Cancel the run", notice: "canceled", danger: true,
		what:  "The run ends, and its remaining steps are not taken.",
		notes: []string{"What its steps have done stays done.", "The answer to a call that is under way is recorded and changes nothing.", "It cannot be resumed. Entering the order's status again begins a new run."}}
)

// confirm is the page before a run is resumed or canceled. The run says by itself why it
// cannot be resumed; then there is no button.
func (c control) confirm(v *visit, problem *Problem) error {
	r, err := v.run()
	if err != nil {
		return err
	}
	page := Confirm{What: c.what, Facts: runFacts(&r), Notes: c.notes, Action: href("runs", r.ID, c.action), Button: c.button, Danger: c.danger,
		Hidden: []Hidden{newOnce()}, Back: href("runs", r.ID), Problem: problem}
	// To cancel is always possible until the run has ended, and then the API refuses it.
	if c.action == resumption.action && r.NotResumable != "" {
		page.Blocked, page.Notes = true, []string{"It cannot be resumed: " + r.NotResumable + "."}
	}
	return v.confirm(c.title, page)
}

// do resumes or cancels the run. What was refused meanwhile, as another has resumed it, is said
// on the page before.
func (c control) do(v *visit) error {
	path := href("runs", v.r.PathValue("id"))
	err := v.sendForm("/api"+path+href(c.action), nil, nil)
	if p := refused(err); p != nil {
		return c.confirm(v, p)
	}
	if err != nil {
		return err
	}
	return v.done(path, c.notice)
}

// These are the handlers of the two actions.
func confirmResumeRun(v *visit) error { return resumption.confirm(v, nil) }
func resumeRun(v *visit) error        { return resumption.do(v) }
func confirmCancelRun(v *visit) error { return cancellation.confirm(v, nil) }
func cancelRun(v *visit) error        { return cancellation.do(v) }
