package dash

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// editView is the page that changes one object of the settings, or all of them: first
// what would change is shown, then it is stored.
type editView struct {
	What     string // is edited, as people call it
	At       string // its place
	Action   string // where the form is sent
	Back     string
	Form     *settingsForm // nil: as JSON, or nothing is left to say
	JSON     string        // of the object
	Rows     int           // of the JSON's field
	AsJSON   bool
	Other    string // the URL of the other way to edit
	Remove   string // the URL of the page that takes it away; "" where it is not there yet
	Removing bool
	Step     *stepType // what the API says of the step
	Version  int64     // of the settings that are changed
	Problem  *Problem
	Newest   string // the URL of what has changed since, where somebody was faster
	Review   *review
	Trial    trialOrder
}

// review says what settings would change, before they are stored.
type review struct {
	Changes  []Change
	More     bool
	Warnings []oms.Warning
	Trials   []trialResult
	Seal     string // of exactly these settings
	Next     int64  // the version that they would be
}

// trialOrder is the order that settings are tried on.
type trialOrder struct {
	OrderID, Status, ReturnID string
}

// query is the order as the API's check takes it.
func (t trialOrder) query() url.Values {
	out := url.Values{}
	for name, value := range map[string]string{"orderId": t.OrderID, "status": t.Status, "returnId": t.ReturnID} {
		if value != "" && t.OrderID != "" {
			out.Set(name, value)
		}
	}
	return out
}

// trialResult is what would become of the order.
type trialResult struct {
	Title  string
	Result trialOutcome
}

var editPage = newPage[editView]("settings-edit", "/workflows")

func settingsPages(s *server) {
	s.page(oms.Reader, "GET /workflows", showWorkflows)
	s.page(oms.Reader, "GET /workflows/connectors", showConnectors)
	s.page(oms.Operator, "GET /workflows/edit", editSettings)
	s.page(oms.Operator, "POST /workflows/edit", editSettings)
	s.page(oms.Operator, "GET /workflows/remove", removeSettings)
	s.page(oms.Operator, "POST /workflows/remove", removeSettings)
	s.page(oms.Reader, "GET /workflows/history", showSettingsHistory)
	s.page(oms.Reader, "GET /workflows/history/{version}", showSettingsVersion)
	s.page(oms.Operator, "GET /workflows/history/{version}/restore", showRestore)
	s.page(oms.Operator, "POST /workflows/history/{version}/restore", restoreSettings)
}

// edited is what a request of the pages that change the settings is about.
type edited struct {
	place place
	base  stored      // what the form was made of
	was   *oms.Object // what is at the place
	form  url.Values  // what was posted; nil: nothing yet
}

// edited reads the place from the URL, and the version that the form was made of.
func (v *visit) edited() (e edited, err error) {
	if e.place, err = parsePlace(v.query().Get("at")); err != nil {
		return e, err
	}
	if v.r.Method == http.MethodPost {
		e.form = v.r.PostForm
		version, err := strconv.ParseInt(v.field("version"), 10, 64)
		if err != nil || version < 0 {
			return e, oms.Errorf(oms.Malformed, "the form says nothing of the version that it changes; open the page again")
		}
		e.base, err = v.settingsOf(version)
		if err != nil {
			return e, err
		}
	} else if e.base, err = v.newestSettings(); err != nil {
		return e, err
	}
	e.was, err = e.place.find(e.base.Doc)
	return e, err
}

func editSettings(v *visit) error {
	e, err := v.edited()
	if err != nil {
		return err
	}
	view := v.newEditView(e)
	view.Action, view.AsJSON = e.place.edit(), len(e.place) == 0 || v.query().Get("as") == "json"
	if len(e.place) > 0 {
		view.Other = with(v.r.URL, "as", "json")
		if view.AsJSON {
			view.Action, view.Other = view.Other, with(v.r.URL, "as", "")
		}
		if !e.place.isNew() {
			view.Remove = e.place.remove()
		}
	}
	if err := v.fill(&view, e); err != nil {
		return err
	}
	if e.form == nil {
		return editPage.show(v, view.title(), view)
	}
	next, err := e.next(view.AsJSON)
	if err != nil {
		return v.refuseEdit(view, err)
	}
	return v.reviewed(view, e, next)
}

// newEditView is what the pages that change the settings have in common.
func (v *visit) newEditView(e edited) editView {
	view := editView{What: e.place.what(e.base.Doc), At: e.place.String(), Version: e.base.Version, Back: e.place.back(e.base.Doc)}
	view.Trial = trialOrder{Status: e.place.status(e.base.Doc)}
	if e.form != nil {
		view.Trial = trialOrder{strings.TrimSpace(v.field("orderId")), strings.TrimSpace(v.field("status")), strings.TrimSpace(v.field("returnId"))}
	}
	return view
}

func (e editView) title() string {
	switch {
	case e.Removing:
		return "Remove " + e.What
	case strings.HasSuffix(e.At, "[+]"):
		return "Add " + e.What
	}
	return "Edit " + e.What
}

// mostIndented is how large an object may be, in bytes, that is shown with line breaks to
// edit: a form has a limit, and they would more than double what it sends.
const mostIndented = 512 << 10

// fill makes the inputs of the page.
func (v *visit) fill(view *editView, e edited) error {
	if view.AsJSON {
		text := e.was.JSON()
		if view.JSON = string(text); len(text) <= mostIndented {
			view.JSON = pretty(text)
		}
		if text, ok := posted(e.form, "json"); ok {
			view.JSON = text
		}
		view.Rows = min(max(strings.Count(view.JSON, "\n")+3, 12), 40)
		return nil
	}
	steps, err := v.stepTypes()
	if err != nil {
		return err
	}
	form := newSettingsForm(e.place, e.was, e.base.Doc, steps, e.form)
	view.Form = &form
	for i := range steps {
		if e.place.list() == "workflowSteps" && strings.EqualFold(steps[i].Key, e.was.Text("name")) {
			view.Step = &steps[i]
		}
	}
	return nil
}

// next is the settings as the form has them.
func (e edited) next(asJSON bool) (*oms.Object, error) {
	var o *oms.Object
	var err error
	if asJSON {
		text, _ := posted(e.form, "json")
		o, err = oms.Parse([]byte(text))
	} else {
		o, err = applyForm(e.was, e.place.shape(), e.form)
	}
	if err != nil {
		return nil, err
	}
	position := -1
	if text, ok := posted(e.form, "position"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, oms.Wrong("position", "must be a number from 1 on")
		}
		position = n - 1
	}
	return e.place.put(e.base.Doc, o, position)
}

// reviewed shows what the settings would change, and stores them once that was seen.
func (v *visit) reviewed(view editView, e edited, next *oms.Object) error {
	seal := v.seal(e.base, next)
	if v.field("do") == "save" && hmac.Equal([]byte(v.field("seal")), []byte(seal)) {
		return v.saved(view, next)
	}
	checked, err := v.check(next, view.Trial)
	if err != nil {
		return v.refuseEdit(view, err)
	}
	r := &review{Seal: seal, Next: e.base.Version + 1, Warnings: checked.Warnings}
	r.Changes, r.More = settingsChanges(e.base.Doc, next)
	if checked.DryRun != nil {
		if err := v.compareTrials(r, view.Trial, *checked.DryRun); err != nil {
			return v.refuseEdit(view, err)
		}
	}
	view.Review = r
	return editPage.show(v, view.title(), view)
}

// compareTrials puts beside what would become of the order what becomes of it today.
func (v *visit) compareTrials(r *review, t trialOrder, with trialOutcome) error {
	status := t.Status
	if status == "" {
		status = with.Order.Status
	}
	var today trialOutcome
	body := map[string]any{"status": status, "dryRun": true}
	if t.ReturnID != "" {
		body["returnId"] = t.ReturnID
	}
	if err := v.send(http.MethodPost, "/api"+href("orders", t.OrderID, "status"), body, &today); err != nil {
		return err
	}
	r.Trials = []trialResult{{"With the settings of today", today}, {"With these settings", with}}
	return nil
}

// saved stores the settings, if nobody was faster.
func (v *visit) saved(view editView, next *oms.Object) error {
	var answer struct {
		Version int64 `json:"version"`
	}
	err := v.sendIf(http.MethodPut, "/api/settings", strconv.FormatInt(view.Version, 10), rawOf(next), &answer)
	if p := problemOf(err); p != nil && p.Status == http.StatusPreconditionFailed {
		view.Newest = "/workflows/history"
	}
	if err != nil {
		return v.refuseEdit(view, err)
	}
	return v.see(with(&url.URL{Path: "/workflows/history/" + strconv.FormatInt(answer.Version, 10)}, noticeParam, "saved"))
}

// refuseEdit shows the form again, with what is wrong.
func (v *visit) refuseEdit(view editView, err error) error {
	p := v.s.explain(v.r, err)
	if p.Status >= http.StatusInternalServerError || p.Status == http.StatusForbidden {
		return err
	}
	view.Problem = p
	return editPage.refuse(v, view.title(), p, view)
}

func removeSettings(v *visit) error {
	e, err := v.edited()
	if err != nil {
		return err
	}
	if len(e.place) == 0 || e.place.isNew() {
		return oms.Wrong("at", "must be the place of what is to be removed")
	}
	next, err := e.place.put(e.base.Doc, nil, -1)
	if err != nil {
		return err
	}
	view := v.newEditView(e)
	view.Action, view.Removing = e.place.remove(), true
	return v.reviewed(view, e, next)
}
