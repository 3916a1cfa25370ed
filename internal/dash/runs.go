package dash

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
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
// picks. Where a parameter stands in the URL twice, the first counts.
func members(picks url.Values) map[string]any {
	body := map[string]any{}
	for name, values := range picks {
		body[name] = values[0]
	}
	return body
}
