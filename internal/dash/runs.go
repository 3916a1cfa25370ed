package dash

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/run"
)

// runsView is the list of workflow runs. Resume is offered to operators alone.
type runsView struct {
	Filters Filters
	Items   []runItem
	Paging  Paging
	Resume  string   // the page that resumes all that the filters pick; "" where that is nothing
	Problem *Problem // the filters are not valid
	Server  string
}

// runItem is a run, as the API shows it. Lists and the pages of orders show it, too. The
// methods are what templates ask of it.
//
// SettingsVersion is the version of the settings that the run began with. A run goes on
// with it, whatever is stored later. TriggeredRunID is the run of the status that a step
// of this one asked for. NextAttempt is the number of the attempt that comes next at the
// step; it is 0 while none is planned.
type runItem struct {
	ID              string        `json:"id"`
	OrderID         string        `json:"orderId"`
	Status          run.RunStatus `json:"status"`
	EnteredStatus   string        `json:"enteredStatus"`
	ShipmentID      string        `json:"shipmentId"`
	ReturnID        string        `json:"returnId"`
	SettingsVersion int64         `json:"settingsVersion"`
	Reason          string        `json:"reason"`
	NotResumable    string        `json:"notResumable"` // why it cannot go on; only of a run that was read alone
	TriggeredRunID  string        `json:"triggeredRunId"`
	NextAttempt     int           `json:"nextAttempt"`
	NextAttemptAt   time.Time     `json:"nextAttemptAt"`
	Deadline        time.Time     `json:"deadline"`
	Created         time.Time     `json:"created"`
	Updated         time.Time     `json:"updated"`
	Ended           time.Time     `json:"ended"`
	Results         []stepItem    `json:"orderActionExecutionResults"`
}

// stepItem is what one step of a run came to. Here and Number are worked out by numbered.
type stepItem struct {
	Step           string           `json:"step"`
	DisplayName    string           `json:"displayName"`
	ActionStatus   run.ActionStatus `json:"actionStatus"`
	CancelWorkflow bool             `json:"cancelWorkflow"`
	ErrorReason    string           `json:"errorReason"`
	DurationMs     int64            `json:"durationMs"`
	Attempts       int              `json:"attempts"`
	CallID         string           `json:"callId"`
	Changes        []Change         `json:"changes"`
	Warnings       []apierr.Warning `json:"warnings"`
	Here           bool             `json:"-"` // the run is at this step
	Number         int              `json:"-"` // from 1
}

// Took is how long its attempts took, in milliseconds.
func (s stepItem) Took() float64 { return float64(s.DurationMs) }

// Tone is the colour of the step in a picture.
func (s stepItem) Tone() string {
	if s.Here {
		return "busy"
	}
	return stepTones[s.ActionStatus]
}

// Says is the step's state for people.
func (s stepItem) Says() string {
	if s.Here {
		return "under way"
	}
	return stepTexts[s.ActionStatus]
}

var (
	// These are the states of a step as colours and in words.
	stepTones = map[run.ActionStatus]string{run.ActionSuccess: "good", run.ActionWarning: "warn", run.ActionError: "bad", run.ActionPending: "idle", run.ActionSkipped: "idle", run.ActionWouldRun: "busy"}
	stepTexts = map[run.ActionStatus]string{run.ActionSuccess: "success", run.ActionWarning: "warning", run.ActionError: "error", run.ActionPending: "to come", run.ActionSkipped: "skipped", run.ActionWouldRun: "would run"}
)

// Steps are the steps of a run for its picture.
func (r runItem) Steps() []stepItem { return numbered(r.Results, !r.Status.Ended()) }

// numbered numbers steps, and marks the one that is under way: the first that is to come
// yet, if the run goes on. The results themselves stay as they are, since they may be
// shared.
func numbered(results []stepItem, goesOn bool) []stepItem {
	out := slices.Clone(results)
	for i := range out {
		out[i].Number = i + 1
		// Only the first one is marked: those behind it have not begun.
		if goesOn && out[i].ActionStatus == run.ActionPending {
			out[i].Here, goesOn = true, false
		}
	}
	return out
}

// Failed reports whether it ended in a way that nobody can resume.
func (r runItem) Failed() bool { return r.Status == run.RunFailed }

// AgainURL is the form that enters the run's status again, for what the run was for.
func (r runItem) AgainURL() string {
	return enterURL(r.OrderID, r.EnteredStatus, r.ShipmentID, r.ReturnID)
}

// enterURL is the form that enters a status of an order, or of its shipment or return.
func enterURL(order, status, shipment, returned string) string {
	return filtered(href("orders", order, "status"), "status", status, "shipmentId", shipment, "returnId", returned)
}

// Scope is what the run is for, beside its order: a shipment or a return.
func (r runItem) Scope() string {
	switch {
	case r.ShipmentID != "":
		return "shipment " + r.ShipmentID
	case r.ReturnID != "":
		return "return " + r.ReturnID
	}
	return ""
}

// Aborted reports whether the run was stopped by a step.
func (r runItem) Aborted() bool { return r.Status == run.RunAborted }

// Resumable reports whether it can go on, as far as is known. In a list nobody has asked
// whether it can, so a run that was aborted counts as one that can; its own page knows.
func (r runItem) Resumable() bool { return r.Aborted() && r.NotResumable == "" }

// GoesOn reports whether the run has not ended, so that it can be canceled.
func (r runItem) GoesOn() bool { return !r.Status.Ended() }

// Took is how long the run took, in milliseconds; 0 while it goes on. Waiting counts,
// too.
func (r runItem) Took() float64 {
	if r.Ended.IsZero() {
		return 0
	}
	return float64(r.Ended.Sub(r.Created)) / float64(time.Millisecond)
}

// runsPage lists the runs.
var runsPage = newPage[runsView]("runs", "/runs")

// runPages registers the pages about runs. The path resume stands before {id}, as in the
// API.
func runPages(s *server) {
	s.page(access.Reader, "GET /runs", listRuns)
	s.page(access.Reader, "GET /runs/{id}", showRun)
	s.page(access.Operator, "GET /runs/resume", confirmResumeRuns)
	s.page(access.Operator, "POST /runs/resume", resumeRuns)
	s.page(access.Operator, "GET /runs/{id}/resume", confirmResumeRun)
	s.page(access.Operator, "POST /runs/{id}/resume", resumeRun)
	s.page(access.Operator, "GET /runs/{id}/cancel", confirmCancelRun)
	s.page(access.Operator, "POST /runs/{id}/cancel", cancelRun)
}

// The filters of the list, as of orders.
var (
	runFilters = []Filter{
		// The status of the run, and not that of the order.
		{Name: "status", Label: "Status", Options: options(run.RunStatuses...)},
		{Name: "step", Label: "At the step", Hint: "Send to ERP", Wide: true},
		{Name: "orderId", Label: "Order", Hint: "ORD-1"},
	}
	runMore = []Filter{
		{Name: "from", Label: "Began from", Hint: "2026-11-28T08:00:00Z", Type: timeFilter},
		{Name: "to", Label: "Began before", Hint: "2026-11-28T09:00:00Z", Type: timeFilter},
		{Name: "canceled", Label: "Canceled", Options: []Option{{"true", "canceled"}, {"false", "not canceled"}}},
		{Name: "resumable", Label: "Resumable", Options: []Option{{"true", "can be resumed"}}},
	}
)

// listRuns shows the newest runs, or those that the filters pick. The button to resume is
// about all that the filter picks, and not about the page.
func listRuns(v *visit) error {
	view := runsView{Filters: newFilters(v.r.URL, runFilters, runMore), Server: v.s.address(v.r)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	var list List[runItem]
	err := v.get("/api/runs", askedWithCount(v.query()), &list)
	if p := refused(err); p != nil {
		view.Problem = p
		p.markFilters(&view.Filters)
		return runsPage.refuse(v, "Runs", p, view)
	}
	if err != nil {
		return err
	}
	view.Items, view.Paging = list.Items, newPaging(v.r.URL, &list)
	picks := runFilter(v.query())
	// The button is offered if any run of the whole list can be resumed, also where this
	// page has none.
	some, err := v.anyResumable(picks)
	if err != nil {
		return err
	}
	if some {
		picks.Set("status", string(run.RunAborted)) // no other run can be resumed
		view.Resume = href("runs", "resume") + "?" + picks.Encode()
	}
	return runsPage.showLive(v, "Runs", "runs", view)
}

// anyResumable reports whether a filter picks a run that can be resumed, and that somebody
// who sees the page may resume. A bulk resume is offered only then, whatever the page of
// the list shows of them. A list ends its search after a while: then there may be some. A
// filter by another status, or of canceled runs, picks none, so nobody is asked.
func (v *visit) anyResumable(picks url.Values) (bool, error) {
	status := picks.Get("status")
	if !v.may(access.Operator) || status != "" && status != string(run.RunAborted) || picks.Has("canceled") {
		return false, nil
	}
	// One run is enough to know, so the list is asked for one.
	query := maps.Clone(picks)
	query.Set("resumable", "true")
	query.Set("limit", "1")
	var list List[runItem]
	err := v.get("/api/runs", query, &list)
	return len(list.Items) > 0 || list.NextCursor != "", err
}

// runFilter is the filter of a list of runs, without its page. What a bulk resume does
// not take as a filter is left out, where it changes nothing.
func runFilter(query url.Values) url.Values {
	picks := asked(query)
	picks.Del("cursor")
	picks.Del("limit")
	picks.Del("resumable") // a bulk resume takes no others
	if picks.Get("canceled") == "false" {
		picks.Del("canceled") // an aborted run is not canceled
	}
	return picks
}

// members are the filter as the API takes it in the body of a call about all that it
// picks. Of a parameter that stands in the URL twice the first counts.
func members(picks url.Values) map[string]any {
	body := map[string]any{}
	for name, values := range picks {
		body[name] = values[0]
	}
	return body
}

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

// counted is how many a filter picks, as the API counts them before a job. More means
// that there are at least so many.
type counted struct {
	Matched int  `json:"matched"`
	More    bool `json:"more"`
}

// Total is the number for people.
func (c counted) Total() string {
	if c.More {
		return count(c.Matched) + "+"
	}
	return count(c.Matched)
}

// confirmResumeRuns is the page before many runs are resumed. Its query is that of the
// list.
func confirmResumeRuns(v *visit) error { return v.confirmResumeAll(runFilter(v.query()), nil) }

// confirmResumeAll says how many runs the filter picks, and shows some of them. The
// filter is shown by the labels of the list, and repeated in hidden fields.
func (v *visit) confirmResumeAll(picks url.Values, problem *Problem) error {
	list := href("runs") + "?" + picks.Encode()
	c := Confirm{What: "The aborted runs with this filter go on, each at the step that stopped it: its endpoint is called again.",
		Action: href("runs", "resume"), Button: "Resume them all", Back: list, Hidden: []Hidden{newOnce()}, Problem: problem,
		Notes: []string{"A job does it, also for the runs that other pages of the list have. You can watch it, and cancel it.",
			"Each endpoint gets the order as it is now. A run whose order's status is changed until its turn comes is skipped and named."}}
	// The dry run counts what would be resumed, and returns some of it.
	var n struct {
		counted
		NotResumable cappedCount
		Runs         []runItem
	}
	err := v.send(http.MethodPost, "/api/runs/resume", dryRun(picks), &n)
	if err := unlessRefused(err); err != nil {
		return err
	}
	if p := refused(err); p != nil {
		c.Problem, c.Blocked = p, true
	} else if n.Matched == 0 {
		c.Blocked, c.Notes = true, []string{"There is nothing to resume with this filter."}
	}
	c.Facts = []Fact{{Name: "To be resumed", Value: n.Total(), URL: list}}
	// These are aborted, too, and would be left out by the job.
	if n.NotResumable.Count > 0 {
		c.Facts = append(c.Facts, Fact{Name: "Not resumed: the status was set again since", Value: n.NotResumable.Shown()})
	}
	for _, r := range n.Runs {
		c.Sample = append(c.Sample, Fact{Name: r.OrderID + ": " + short(150, r.Reason), Value: r.ID, URL: href("runs", r.ID)})
	}
	filters := slices.Concat(runFilters, runMore)
	// They are sorted, so that the page looks the same each time.
	for _, name := range slices.Sorted(maps.Keys(picks)) {
		label := name
		if i := slices.IndexFunc(filters, func(f Filter) bool { return f.Name == name }); i >= 0 {
			label = filters[i].Label
		}
		c.Facts = append(c.Facts, Fact{Name: label, Value: picks.Get(name)})
		c.Hidden = append(c.Hidden, Hidden{name, picks.Get(name)})
	}
	return v.confirm("Resume runs", c)
}

// resumeRuns begins the job, and leads to it. Every field of the form but the dashboard's
// own goes to the API, which refuses what it does not know.
func resumeRuns(v *visit) error {
	picks := maps.Clone(v.r.PostForm)
	picks.Del(formToken)
	picks.Del(onceField)
	var job job.Job
	err := v.sendForm("/api/runs/resume", members(picks), &job)
	if p := refused(err); p != nil {
		return v.confirmResumeAll(picks, p)
	}
	if err != nil {
		return err
	}
	return v.see(href("jobs", job.ID))
}
