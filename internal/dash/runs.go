package dash

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// runsView is the list of workflow runs.
type runsView struct {
	Filters Filters
	Items   []runItem
	Paging  Paging
	Resume  string   // the page that resumes all that the filters pick; "" where that is nothing
	Problem *Problem // the filters are not valid
	Server  string
}

// runItem is a run, as the API shows it.
type runItem struct {
	ID              string        `json:"id"`
	OrderID         string        `json:"orderId"`
	Status          oms.RunStatus `json:"status"`
	EnteredStatus   string        `json:"enteredStatus"`
	ShipmentID      string        `json:"shipmentId"`
	ReturnID        string        `json:"returnId"`
	SettingsVersion int64         `json:"settingsVersion"`
	Reason          string        `json:"reason"`
	TriggeredRunID  string        `json:"triggeredRunId"`
	NextAttempt     int           `json:"nextAttempt"`
	NextAttemptAt   time.Time     `json:"nextAttemptAt"`
	Deadline        time.Time     `json:"deadline"`
	Created         time.Time     `json:"created"`
	Updated         time.Time     `json:"updated"`
	Ended           time.Time     `json:"ended"`
	Results         []stepItem    `json:"orderActionExecutionResults"`
}

// stepItem is what one step of a run came to.
type stepItem struct {
	Step           string           `json:"step"`
	DisplayName    string           `json:"displayName"`
	ActionStatus   oms.ActionStatus `json:"actionStatus"`
	CancelWorkflow bool             `json:"cancelWorkflow"`
	ErrorReason    string           `json:"errorReason"`
	DurationMs     int64            `json:"durationMs"`
	Attempts       int              `json:"attempts"`
	CallID         string           `json:"callId"`
	Changes        []Change         `json:"changes"`
	Warnings       []oms.Warning    `json:"warnings"`
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
	stepTones = map[oms.ActionStatus]string{oms.ActionSuccess: "good", oms.ActionWarning: "warn", oms.ActionError: "bad", oms.ActionPending: "idle", oms.ActionSkipped: "idle", oms.ActionWouldRun: "busy"}
	stepTexts = map[oms.ActionStatus]string{oms.ActionSuccess: "success", oms.ActionWarning: "warning", oms.ActionError: "error", oms.ActionPending: "to come", oms.ActionSkipped: "skipped", oms.ActionWouldRun: "would run"}
)

// Steps are the steps of a run for its picture.
func (r runItem) Steps() []stepItem { return numbered(r.Results, !r.Status.Ended()) }

// numbered numbers steps, and marks the one that is under way: the first that is to come
// yet, if the run goes on.
func numbered(results []stepItem, goesOn bool) []stepItem {
	out := slices.Clone(results)
	for i := range out {
		out[i].Number = i + 1
		if goesOn && out[i].ActionStatus == oms.ActionPending {
			out[i].Here, goesOn = true, false
		}
	}
	return out
}

// Failed reports whether it ended in a way that nobody can resume.
func (r runItem) Failed() bool { return r.Status == oms.RunFailed }

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

// Aborted reports whether the run can be resumed.
func (r runItem) Aborted() bool { return r.Status == oms.RunAborted }

// GoesOn reports whether the run has not ended, so that it can be canceled.
func (r runItem) GoesOn() bool { return !r.Status.Ended() }

// Took is how long the run took, in milliseconds; 0 while it goes on.
func (r runItem) Took() float64 {
	if r.Ended.IsZero() {
		return 0
	}
	return float64(r.Ended.Sub(r.Created)) / float64(time.Millisecond)
}

var runsPage = newPage[runsView]("runs", "/runs")

func runPages(s *server) {
	s.page(oms.Reader, "GET /runs", listRuns)
	s.page(oms.Reader, "GET /runs/{id}", showRun)
	s.page(oms.Operator, "GET /runs/resume", confirmResumeRuns)
	s.page(oms.Operator, "POST /runs/resume", resumeRuns)
	s.page(oms.Operator, "GET /runs/{id}/resume", confirmResumeRun)
	s.page(oms.Operator, "POST /runs/{id}/resume", resumeRun)
	s.page(oms.Operator, "GET /runs/{id}/cancel", confirmCancelRun)
	s.page(oms.Operator, "POST /runs/{id}/cancel", cancelRun)
}

// The filters of the list, as of orders.
var (
	runFilters = []Filter{
		{Name: "status", Label: "Status", Options: options("running", "waiting", "succeeded", "aborted", "superseded", "failed", "canceled")},
		{Name: "step", Label: "At the step", Hint: "Send to ERP", Wide: true},
		{Name: "orderId", Label: "Order", Hint: "ORD-1"},
	}
	runMore = []Filter{
		{Name: "from", Label: "Began from", Hint: "2026-11-28T08:00:00Z"},
		{Name: "to", Label: "Began before", Hint: "2026-11-28T09:00:00Z"},
		{Name: "canceled", Label: "Canceled", Options: []Option{{"true", "canceled"}, {"false", "not canceled"}}},
	}
)

func listRuns(v *visit) error {
	view := runsView{Filters: newFilters(v.r.URL, runFilters, runMore), Server: v.s.address(v.r)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	var list List[runItem]
	err := v.get("/api/runs", askedWithCount(v.query()), &list)
	if p := refused(err); p != nil {
		view.Problem = p
		return runsPage.refuse(v, "Runs", p, view)
	}
	if err != nil {
		return err
	}
	view.Items, view.Paging = list.Items, newPaging(v.r.URL, &list)
	picks := runFilter(v.query())
	if status := picks.Get("status"); v.may(oms.Operator) && len(list.Items) > 0 && (status == "" || status == string(oms.RunAborted)) { // whatever this page shows of them
		picks.Set("status", string(oms.RunAborted)) // no other run can be resumed
		view.Resume = href("runs", "resume") + "?" + picks.Encode()
	}
	return runsPage.showLive(v, "Runs", "runs", view)
}

// runFilter is the filter of a list of runs, without its page.
func runFilter(query url.Values) url.Values {
	picks := asked(query)
	picks.Del("cursor")
	picks.Del("limit")
	if picks.Get("canceled") == "false" {
		picks.Del("canceled") // an aborted run is not canceled
	}
	return picks
}

// members are the filter as the API takes it in the body of a call about all that it
// picks.
func members(picks url.Values) map[string]any {
	body := map[string]any{}
	for name, values := range picks {
		body[name] = values[0]
	}
	return body
}

// runView is a run, and the picture of its steps.
type runView struct {
	Run      runItem
	Attempts []oms.Attempt // the newest
	More     bool          // there are more attempts
}

var runPage = newPage[runView]("run", "/runs")

func (v *visit) run() (r runItem, err error) {
	return r, v.get("/api"+href("runs", v.r.PathValue("id")), nil, &r)
}

func showRun(v *visit) error {
	r, err := v.run()
	if err != nil {
		return err
	}
	view := runView{Run: r}
	var attempts List[oms.Attempt]
	if err := v.get("/api/attempts", url.Values{"runId": {r.ID}, "limit": {"50"}}, &attempts); err != nil {
		return err
	}
	view.Attempts, view.More = attempts.Items, attempts.NextCursor != ""
	return runPage.showLive(v, "Run "+r.ID, "runs,attempts", view)
}

// runFacts say which run it is.
func runFacts(r *runItem) []Fact {
	facts := []Fact{{"Run", r.ID, href("runs", r.ID)}, {"Order", r.OrderID, href("orders", r.OrderID)}, {"Of the status", r.EnteredStatus, ""}}
	if scope := r.Scope(); scope != "" {
		facts = append(facts, Fact{Name: "For", Value: scope})
	}
	facts = append(facts, Fact{Name: "It is", Value: string(r.Status)})
	for _, s := range r.Steps() {
		if s.Here || s.CancelWorkflow || r.Aborted() && s.ActionStatus == oms.ActionError {
			facts = append(facts, Fact{Name: "At the step", Value: s.DisplayName})
			break
		}
	}
	if r.Reason != "" {
		facts = append(facts, Fact{Name: "Since", Value: r.Reason})
	}
	return facts
}

// control is what can be done with one run.
type control struct {
	action, title, what, button, notice string
	notes                               []string
	danger                              bool
}

var (
	resumption = control{action: "resume", title: "Resume the run", button: "Resume the run", notice: "resumed",
		what:  "The run goes on at the step that stopped it: its endpoint is called again, and then the steps behind it.",
		notes: []string{"The steps before it are not repeated.", "The endpoint gets the order as it is now."}}
	cancellation = control{action: "cancel", title: "Cancel the run", button: "Cancel the run", notice: "canceled", danger: true,
		what:  "The run ends, and its remaining steps are not taken.",
		notes: []string{"What its steps have done stays done.", "The answer to a call that is under way is recorded and changes nothing.", "It cannot be resumed. Entering the order's status again begins a new run."}}
)

func (c control) confirm(v *visit, problem *Problem) error {
	r, err := v.run()
	if err != nil {
		return err
	}
	return v.confirm(c.title, Confirm{What: c.what, Facts: runFacts(&r), Notes: c.notes, Action: href("runs", r.ID, c.action), Button: c.button, Danger: c.danger,
		Hidden: []Hidden{newOnce()}, Back: href("runs", r.ID), Problem: problem})
}

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

func confirmResumeRun(v *visit) error { return resumption.confirm(v, nil) }
func resumeRun(v *visit) error        { return resumption.do(v) }
func confirmCancelRun(v *visit) error { return cancellation.confirm(v, nil) }
func cancelRun(v *visit) error        { return cancellation.do(v) }

// counted is how many a filter picks, as the API counts them before a job.
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

func confirmResumeRuns(v *visit) error { return v.confirmResumeAll(runFilter(v.query()), nil) }

// confirmResumeAll says how many runs the filter picks, and shows some of them.
func (v *visit) confirmResumeAll(picks url.Values, problem *Problem) error {
	list := href("runs") + "?" + picks.Encode()
	c := Confirm{What: "All aborted runs with this filter go on, each at the step that stopped it: its endpoint is called again.",
		Action: href("runs", "resume"), Button: "Resume them all", Back: list, Hidden: []Hidden{newOnce()}, Problem: problem,
		Notes: []string{"A job does it, also for the runs that other pages of the list have. You can watch it, and cancel it.",
			"Each endpoint gets the order as it is now. Runs that cannot go on, since the order's status was changed meanwhile, are skipped and named."}}
	dry := members(picks)
	dry["dryRun"] = true
	var n counted
	var sample List[runItem]
	err := v.send(http.MethodPost, "/api/runs/resume", dry, &n)
	if err == nil {
		some := maps.Clone(picks)
		some.Set("limit", "5")
		err = v.get("/api/runs", some, &sample)
	}
	if err := unlessRefused(err); err != nil {
		return err
	}
	if p := refused(err); p != nil {
		c.Problem, c.Blocked = p, true
	} else if n.Matched == 0 {
		c.Blocked, c.Notes = true, []string{"There is nothing to resume with this filter."}
	}
	c.Facts = []Fact{{"Runs", n.Total(), list}}
	for _, r := range sample.Items {
		c.Sample = append(c.Sample, Fact{Name: r.OrderID + ": " + short(150, r.Reason), Value: r.ID, URL: href("runs", r.ID)})
	}
	filters := slices.Concat(runFilters, runMore)
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

func resumeRuns(v *visit) error {
	picks := maps.Clone(v.r.PostForm)
	picks.Del(formToken)
	picks.Del(onceField)
	var job oms.Job
	err := v.sendForm("/api/runs/resume", members(picks), &job)
	if p := refused(err); p != nil {
		return v.confirmResumeAll(picks, p)
	}
	if err != nil {
		return err
	}
	return v.see(href("jobs", job.ID))
}
