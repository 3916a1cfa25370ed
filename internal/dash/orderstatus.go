package dash

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/spelling"
)

// statusView is the page that changes an order's status: it says what would happen
// before anything does. Names are suggestions, and not the only statuses that one may
// write. Once is the hidden field that makes the form one of its own; it is made anew
// with the page.
type statusView struct {
	Order       orderSummary
	Change      statusChange
	Names       []string // of the statuses that the settings have
	Shipments   []Option
	Would       *wouldView // what would happen; nil as long as no status is chosen
	Called      bool       // the endpoints were called to find that out
	Problem     *Problem
	StatusError string // what is wrong with the status
	OfError     string // what is wrong with the choice of a shipment
	Once        Hidden
	Action      string
	Back        string
}

// statusChange is what the form says. Its JSON is the body of the API's call. An empty
// ShipmentID means the order itself.
type statusChange struct {
	Status          string `json:"status"`
	ShipmentID      string `json:"shipmentId,omitempty"`
	ReturnID        string `json:"returnId,omitempty"`
	SkipRunWorkflow bool   `json:"skipRunWorkflow,omitempty"`
	DryRun          bool   `json:"dryRun,omitempty"`
	CallWebhooks    bool   `json:"callWebhooks,omitempty"`
}

// wouldView is what a status change would come to. It is made of the answer to a dry run,
// whose order is the one that would be.
type wouldView struct {
	RunStatus string
	Reason    string
	Aborted   bool
	Steps     []stepItem
	Changes   []Change // of the order
	More      bool     // there are more changes
}

// workflowResult is what the API answers to a status change. A real change and a dry run
// have the same form of answer.
type workflowResult struct {
	RunID     string          `json:"runId"`
	RunStatus string          `json:"runStatus"`
	Reason    string          `json:"reason"`
	IsAborted bool            `json:"isAborted"`
	Order     json.RawMessage `json:"order"`
	Results   []stepItem      `json:"orderActionExecutionResults"`
}

// statusPage is the form, with what would happen beneath it.
var statusPage = newPage[statusView]("orderstatus", "/orders")

// fields are those of the form, as an error names them. A return has no choice of a shipment,
// nor has an order without shipments: an error names the field then, and leads nowhere. They
// are not inputs of a list, as those of other forms, because the template writes them by
// itself.
func (s *statusView) fields() []labelled {
	shipment := labelled{"body.shipmentId", "Shipment", "field-shipmentId"}
	if s.Change.ReturnID != "" || len(s.Shipments) == 0 {
		shipment.id = ""
	}
	return []labelled{{"body.status", "Enter the status", "field-status"}, shipment, {"body.returnId", "Return", ""}, {"body.skipRunWorkflow", "Without its workflow", "field-skipRunWorkflow"}}
}

// changeOf reads the change from a query or a form. So the form that one looks at and the
// one that is sent are read in the same way.
func changeOf(values url.Values) statusChange {
	return statusChange{Status: strings.TrimSpace(values.Get("status")), ShipmentID: values.Get("shipmentId"), ReturnID: values.Get("returnId"), SkipRunWorkflow: values.Get("skipRunWorkflow") == "true"}
}

// prepareStatus shows the form, and once a status is chosen what it would do. It is a
// dry run, which calls nobody, so a GET may ask for it. A link from a run fills in the
// status, and the shipment or return that the run was for.
func prepareStatus(v *visit) error {
	change := changeOf(v.query())
	return showStatus(v, change, change.Status != "", false, nil)
}

// enterStatus enters the status; or, if that is asked for, calls the endpoints to find
// out what would change. It waits two seconds for the run, so that a quick one has its
// result when the page of the run is shown; a slow one is followed there.
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

// showStatus shows the page. dry asks for a dry run of the change, and call for one that
// calls the endpoints, which only a POST does. A dry run that the API refuses shows what
// is wrong at the field, as a refused change does.
func showStatus(v *visit, change statusChange, dry, call bool, problem *Problem) error {
	doc, summary, err := v.order()
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
	if id := change.ShipmentID; id != "" && !slices.Contains(view.Shipments, Option{id, id}) { // one beyond those that are listed; without it the form would mean the order
		view.Shipments = append(view.Shipments, Option{id, id})
	}
	if dry {
		// A dry run is sent without a key: it stores nothing, so to repeat it does no
		// harm.
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
		view.StatusError, view.OfError = view.Problem.about("status"), view.Problem.about("shipmentId")
		view.Problem.form = view.fields()
		return statusPage.refuse(v, title, view.Problem, view)
	}
	return statusPage.show(v, title, view)
}

// would shows the result of a dry run: its steps, and the fields in which the order would
// differ from now.
func would(now json.RawMessage, r *workflowResult) (w *wouldView, err error) {
	w = &wouldView{RunStatus: r.RunStatus, Reason: r.Reason, Aborted: r.IsAborted, Steps: numbered(r.Results, false)}
	w.Changes, w.More, err = differences(now, r.Order)
	return w, err
}

// statusNames are the statuses that the settings have, for orders or for returns. An
// order may enter others, too. A name that several order types have is there once.
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
		if !slices.ContainsFunc(names, func(have string) bool { return spelling.SameName(have, name) }) {
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
