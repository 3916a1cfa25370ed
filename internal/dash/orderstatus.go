package dash

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// statusView is the page that changes an order's status: it says what would happen
// before anything does.
type statusView struct {
	Order     orderSummary
	Change    statusChange
	Names     []string // of the statuses that the settings have
	Shipments []Option
	Would     *wouldView // what would happen; nil as long as no status is chosen
	Called    bool       // the endpoints were called to find that out
	Problem   *Problem
	Once      Hidden
	Action    string
	Back      string
}

// statusChange is what the form says.
type statusChange struct {
	Status          string `json:"status"`
	ShipmentID      string `json:"shipmentId,omitempty"`
	ReturnID        string `json:"returnId,omitempty"`
	SkipRunWorkflow bool   `json:"skipRunWorkflow,omitempty"`
	DryRun          bool   `json:"dryRun,omitempty"`
	CallWebhooks    bool   `json:"callWebhooks,omitempty"`
}

// wouldView is what a status change would come to.
type wouldView struct {
	RunStatus string
	Reason    string
	Aborted   bool
	Steps     []stepItem
	Changes   []Change // of the order
	More      bool     // there are more changes
}

// workflowResult is what the API answers to a status change.
type workflowResult struct {
	RunID     string          `json:"runId"`
	RunStatus string          `json:"runStatus"`
	Reason    string          `json:"reason"`
	IsAborted bool            `json:"isAborted"`
	Order     json.RawMessage `json:"order"`
	Results   []stepItem      `json:"orderActionExecutionResults"`
}

var statusPage = newPage[statusView]("orderstatus", "/orders")

// changeOf reads the change from a query or a form.
func changeOf(values url.Values) statusChange {
	return statusChange{Status: strings.TrimSpace(values.Get("status")), ShipmentID: values.Get("shipmentId"), ReturnID: values.Get("returnId"), SkipRunWorkflow: values.Get("skipRunWorkflow") == "true"}
}

// prepareStatus shows the form, and once a status is chosen what it would do. It is a
// dry run, which calls nobody, so a GET may ask for it.
func prepareStatus(v *visit) error {
	change := changeOf(v.query())
	return showStatus(v, change, change.Status != "", false, nil)
}

// enterStatus enters the status; or, if that is asked for, calls the endpoints to find
// out what would change.
func enterStatus(v *visit) error {
	change := changeOf(v.r.PostForm)
	if v.field("try") == "true" {
		return showStatus(v, change, true, true, nil)
	}
	path := href("orders", v.r.PathValue("id"))
	var result workflowResult
	err := v.sendForm("/api"+path+"/status?wait=PT2S", change, &result)
	if p := refused(err); p != nil {
		return showStatus(v, change, false, false, p)
	}
	if err != nil {
		return err
	}
	if result.RunID != "" {
		return v.done(href("runs", result.RunID), "entered")
	}
	return v.done(path, "entered")
}

func showStatus(v *visit, change statusChange, dry, call bool, problem *Problem) error {
	doc, summary, err := v.order("")
	if err != nil {
		return err
	}
	path := href("orders", summary.ID)
	view := statusView{Order: summary, Change: change, Problem: problem, Once: newOnce(), Action: path + "/status", Back: path, Called: call}
	if view.Names, err = v.statusNames(change.ReturnID != ""); err != nil {
		return err
	}
	for _, s := range shipments(objectOf(doc).object("orderForm")) {
		view.Shipments = append(view.Shipments, Option{s.ID, s.ID})
	}
	if dry {
		rehearsal := change
		rehearsal.DryRun, rehearsal.CallWebhooks = true, call
		var result workflowResult
		err := v.send(http.MethodPost, "/api"+path+"/status", rehearsal, &result)
		if p := refused(err); p != nil {
			view.Problem = p
		} else if err != nil {
			return err
		} else if view.Would, err = would(doc, &result); err != nil {
			return err
		}
	}
	title := "Change the status of " + summary.ID
	if view.Problem != nil {
		return statusPage.refuse(v, title, view.Problem, view)
	}
	return statusPage.show(v, title, view)
}

func would(now json.RawMessage, r *workflowResult) (w *wouldView, err error) {
	w = &wouldView{RunStatus: r.RunStatus, Reason: r.Reason, Aborted: r.IsAborted, Steps: numbered(r.Results, false)}
	w.Changes, w.More, err = differences(now, r.Order)
	return w, err
}

// statusNames are the statuses that the settings have, for orders or for returns. An
// order may enter others, too.
func (v *visit) statusNames(ofReturns bool) (names []string, err error) {
	var settings struct {
		OrderTypes []struct {
			OrderStatuses []struct{ Name string }
		}
		ReturnStatuses []struct{ Name string }
	}
	if err := v.get("/api/settings", nil, &settings); err != nil {
		return nil, err
	}
	add := func(name string) {
		if !slices.ContainsFunc(names, func(have string) bool { return oms.SameName(have, name) }) {
			names = append(names, name)
		}
	}
	if ofReturns {
		for _, s := range settings.ReturnStatuses {
			add(s.Name)
		}
		return names, nil
	}
	for _, t := range settings.OrderTypes {
		for _, s := range t.OrderStatuses {
			add(s.Name)
		}
	}
	return names, nil
}
