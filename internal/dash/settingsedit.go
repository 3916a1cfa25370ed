package dash

import (
	"crypto/hmac"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// editView is the page that changes one object of the settings, or all of them: first
// what would change is shown, then it is stored. It goes through three stages at one URL:
// the form; the review, which has the form, too, so that one can go on changing; and the
// redirect to the version that was stored. What is not exported is for the page itself,
// and not for its template.
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
	Typed    string // the secrets that were typed, for the hidden field

	place place
	shown string // what the page showed of the object before somebody changed it
	typed *typedSecrets
}

// review says what settings would change, before they are stored. The API has checked the
// settings by then, so they can be stored, unless somebody is faster.
type review struct {
	Changes  []Change
	More     bool
	Warnings []apierr.Warning
	Trials   []trialResult
	Seal     string // of exactly these settings
	Next     int64  // the version that they would be
}

// trialOrder is the order that settings are tried on. The person who changes a workflow
// names an order of theirs, and sees what would become of it. An empty OrderID means that
// nothing is tried.
type trialOrder struct {
	OrderID, Status, ReturnID string
}

// query is the order as the API's check takes it. A status alone would be refused, so
// without an order there is no query.
func (t trialOrder) query() url.Values {
	out := url.Values{}
	for name, value := range map[string]string{"orderId": t.OrderID, "status": t.Status, "returnId": t.ReturnID} {
		if value != "" && t.OrderID != "" {
			out.Set(name, value)
		}
	}
	return out
}

// trialResult is what would become of the order. Two of them stand side by side: with the
// settings of today, and with these.
type trialResult struct {
	Title  string
	Result trialOutcome
}

// editPage changes the settings.
var editPage = newPage[editView]("settings-edit", "/workflows")

// settingsPages registers the pages about the settings. They are under /workflows, since
// that is what people look for; a form names the object by its place in the query,
// because every kind of object has the same form.
func settingsPages(s *server) {
	s.page(access.Reader, "GET /workflows", showWorkflows)
	s.page(access.Reader, "GET /workflows/connectors", showConnectors)
	s.page(access.Operator, "GET /workflows/edit", editSettings)
	s.page(access.Operator, "POST /workflows/edit", editSettings)
	s.page(access.Operator, "GET /workflows/remove", removeSettings)
	s.page(access.Operator, "POST /workflows/remove", removeSettings)
	s.page(access.Reader, "GET /workflows/history", showSettingsHistory)
	s.page(access.Reader, "GET /workflows/history/{version}", showSettingsVersion)
	s.page(access.Operator, "GET /workflows/history/{version}/restore", showRestore)
	s.page(access.Operator, "POST /workflows/history/{version}/restore", restoreSettings)
}

// edited is what a request of the pages that change the settings is about. base is a
// version that was stored, and not what is in force: a form is always about the version
// that it was made of, so that If-Match can tell whether somebody was faster.
type edited struct {
	place place
	base  stored          // what the form was made of
	was   *jsondoc.Object // what is at the place
	form  url.Values      // what was posted; nil: nothing yet
	typed *typedSecrets
}

// edited reads the place from the URL, and the version that the form was made of. A GET
// begins with the newest version. A POST brings its version along, and the secrets that
// were typed before.
func (v *visit) edited() (e edited, err error) {
	e.typed = &typedSecrets{}
	if e.place, err = parsePlace(v.query().Get("at")); err != nil {
		return e, err
	}
	if v.r.Method == http.MethodPost {
		// The secrets that were typed come sealed, so that the page need not show them.
		e.form = v.r.PostForm
		if e.typed, err = v.openTyped(e.place.String()); err != nil {
			return e, err
		}
		version, err := strconv.ParseInt(v.field("version"), 10, 64)
		if err != nil || version < 0 {
			return e, apierr.Errorf(apierr.Malformed, "the form says nothing of the version that it changes; open the page again")
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

// editSettings shows the form, or what was posted with it would change, or stores that. One path
// has all three, so that the URL says what is edited throughout, and a reload does no
// harm. What was posted and cannot be understood comes back with the form.
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
	// The form is filled in before anything is checked, so that it can be shown with what
	// was wrong.
	if err := v.fill(&view, e); err != nil {
		return err
	}
	if e.form == nil {
		return editPage.show(v, view.title(), view)
	}
	// next has the whole settings with this one object changed.
	next, err := e.next(view.AsJSON)
	if err != nil {
		return v.refuseEdit(view, err)
	}
	return v.reviewed(view, e, next)
}

// newEditView is what the pages that change the settings have in common. The status of
// the trial is that of the step or status that is edited, as long as nobody has written
// another.
func (v *visit) newEditView(e edited) editView {
	view := editView{place: e.place, shown: string(e.was.JSON()), typed: e.typed, What: e.place.what(e.base.Doc), At: e.place.String(), Version: e.base.Version, Back: e.place.back(e.base.Doc)}
	view.Trial = trialOrder{Status: e.place.status(e.base.Doc)}
	if e.form != nil {
		view.Trial = trialOrder{strings.TrimSpace(v.field("orderId")), strings.TrimSpace(v.field("status")), strings.TrimSpace(v.field("returnId"))}
	}
	return view
}

// title says what the page does, and with which object.
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

// editable is an object as it is shown to edit. A larger one is shown as it is, and can
// still be edited.
func editable(text []byte) string {
	if len(text) > mostIndented {
		return string(text)
	}
	return pretty(text)
}

// parsedJSON reads what somebody wrote into the JSON's field. It reads it as the API
// would, so an error has the same words.
func parsedJSON(text string) (*jsondoc.Object, error) { return schema.Parse([]byte(text)) }

// fill makes the inputs of the page. What was posted is shown again. The description of a
// step is shown beside its form, where the API knows the step.
func (v *visit) fill(view *editView, e edited) error {
	if view.AsJSON {
		view.JSON = editable(e.was.JSON())
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
		if e.place.list() == "workflowSteps" && spelling.SameName(steps[i].Key, e.was.Text("name")) {
			view.Step = &steps[i]
		}
	}
	return nil
}

// next is the settings as the form has them. It changes the object in a copy of the
// document that the form was made of. The position is counted from 1, as people do.
func (e edited) next(asJSON bool) (*jsondoc.Object, error) {
	var o *jsondoc.Object
	var err error
	if asJSON {
		text, _ := posted(e.form, "json")
		o, err = parsedJSON(text)
	} else {
		o, err = applyForm(e.was, e.place.shape(), e.form)
	}
	if err != nil {
		return nil, err
	}
	// What stands for a typed secret becomes that secret again.
	if err := e.typed.restore(e.place, o); err != nil {
		return nil, err
	}
	position := -1
	if text, ok := posted(e.form, "position"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, apierr.Wrong("position", "must be a number from 1 on")
		}
		position = n - 1
	}
	return e.place.put(e.base.Doc, o, position)
}

// reviewed shows what the settings would change, and stores them once that was seen.
//
// "do" says which button was pressed. The seal is compared with one that is made of the
// settings as they are in this form: if anything was changed after the review, it does
// not fit, and the review is shown anew.
func (v *visit) reviewed(view editView, e edited, next *jsondoc.Object) error {
	seal := v.seal(e.base, next)
	if v.field("do") == "save" && hmac.Equal([]byte(v.field("seal")), []byte(seal)) {
		return v.saved(view, next)
	}
	// The API checks the settings as if they were stored, and tries the order if one was
	// named.
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
	if err := v.hideSecrets(&view); err != nil {
		return err
	}
	return editPage.show(v, view.title(), view)
}

// compareTrials puts beside what would become of the order what becomes of it today.
// Today's is a dry run of the API's call that enters a status. Without a status it is the
// one that the order is in, which the other result says.
func (v *visit) compareTrials(r *review, t trialOrder, with trialOutcome) error {
	// Both results have to be of the same status, or they could not be compared.
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

// saved stores the settings, if nobody was faster. It sends the whole document, with the
// version that the form was made of. If another one is in force by now, nothing is
// stored, and the page says where one sees what changed.
func (v *visit) saved(view editView, next *jsondoc.Object) error {
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

// refuseEdit shows the form again, with what is wrong. Errors of the server, and missing
// rights, are no errors of the form.
func (v *visit) refuseEdit(view editView, err error) error {
	p := v.s.explain(v.r, err)
	if p.Status >= http.StatusInternalServerError || p.Status == http.StatusForbidden {
		return err
	}
	view.Problem = p
	if err := v.hideSecrets(&view); err != nil {
		return err
	}
	if view.Form != nil {
		p.markSettings(view.Form, view.place)
	}
	return editPage.refuse(v, view.title(), p, view)
}

// removeSettings shows at once what would be gone: there is no form to fill in first.
// Otherwise it goes the way of editSettings: a review, a seal, and then the change.
func removeSettings(v *visit) error {
	e, err := v.edited()
	if err != nil {
		return err
	}
	// The settings as a whole cannot be removed, and what is not there yet neither.
	if len(e.place) == 0 || e.place.isNew() {
		return apierr.Wrong("at", "must be the place of what is to be removed")
	}
	next, err := e.place.put(e.base.Doc, nil, -1)
	if err != nil {
		return err
	}
	view := v.newEditView(e)
	view.Action, view.Removing = e.place.remove(), true
	return v.reviewed(view, e, next)
}
