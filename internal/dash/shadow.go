package dash

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// shadowPages registers the pages that promote a shadow step (docs/contract.md#shadow-steps).
func shadowPages(s *server) {
	s.page(access.Operator, "GET /workflows/shadows/{id}/promote", func(v *visit) error { return v.confirmPromotion(v.r.PathValue("id"), nil) })
	s.page(access.Operator, "POST /workflows/shadows/{id}/promote", promoteShadow)
}

// shadowStep is a shadow as the API shows it.
type shadowStep struct {
	ID, OrderType, Status, Name, DisplayName, CompareWith string
	Active, Promotable                                    bool
	PromoteAfter                                          int64
	Agreement                                             struct {
		Compared, Agreed, Slower, Different, Failed, Skipped, InARow int64
		Since                                                        time.Time
		Last                                                         []disagreement
	}
}

// disagreement is a call whose answers did not have the same effect.
type disagreement struct {
	AttemptID, Result string
	Paths             []string
	At                time.Time
}

// URL is the page of the shadow's attempt, which has the values.
func (d disagreement) URL() string { return href("attempts", d.AttemptID) }

// Says is in what the answers differed, in a line.
func (d disagreement) Says() string {
	return short(120, cmp.Or(strings.Join(d.Paths, ", "), d.Result))
}

// shownLast is how many of the last that did not agree the page of the workflows shows.
const shownLast = 3

// stepShadow is what the page of the workflows shows of a step that is a shadow.
type stepShadow struct {
	With              string
	Says              string // how often it agreed
	Skipped           int64
	Last              []disagreement
	Attempts, Promote string // URLs; "": whoever looks may not promote it
}

// label is what a step is known by, as settings.Step has it.
func (s *shadowStep) label() string { return cmp.Or(strings.TrimSpace(s.DisplayName), s.Name) }

// agreed says how often a shadow agreed.
func (s *shadowStep) agreed() string {
	a := &s.Agreement
	if a.Compared == 0 {
		return "nothing compared yet"
	}
	says := fmt.Sprintf("agreed %d of %d times, %d in a row of the %d that it takes", a.Agreed, a.Compared, a.InARow, s.PromoteAfter)
	if a.Slower > 0 {
		says += fmt.Sprintf("; %d were slower", a.Slower)
	}
	return says
}

// shadowsOf asks for the shadows of the settings, unless the document has none.
func (v *visit) shadowsOf(doc *jsondoc.Object) ([]shadowStep, error) {
	if !hasShadows(doc) {
		return nil, nil
	}
	var all List[shadowStep]
	err := v.get("/api/workflow-shadows", nil, &all)
	return all.Items, err
}

// hasShadows reports whether a settings document has a step that is a shadow.
func hasShadows(doc *jsondoc.Object) bool {
	statuses := doc.Objects("returnStatuses")
	for _, t := range doc.Objects("orderTypes") {
		statuses = append(statuses, t.Objects("orderStatuses")...)
	}
	return slices.ContainsFunc(statuses, func(s *jsondoc.Object) bool { return slices.ContainsFunc(s.Objects("workflowSteps"), isShadow) })
}

func isShadow(step *jsondoc.Object) bool { return spelling.SameName(step.Text("mode"), "shadow") }

// shadow is what is shown of a step that is one; nil: it is none.
func (d *flowDrawer) shadow(step, status *jsondoc.Object) *stepShadow {
	if !isShadow(step) {
		return nil
	}
	name := cmp.Or(strings.TrimSpace(step.Text("displayName")), step.Text("name"))
	for i := range d.shadows {
		s := &d.shadows[i]
		if !spelling.SameName(s.label(), name) || !spelling.SameName(s.Status, status.Text("name")) || !spelling.SameName(s.OrderType, d.orderType) {
			continue
		}
		out := &stepShadow{With: s.CompareWith, Says: s.agreed(), Skipped: s.Agreement.Skipped, Attempts: "/attempts?kind=shadow",
			Last: s.Agreement.Last[:min(shownLast, len(s.Agreement.Last))]}
		if d.edits && s.CompareWith != "" {
			out.Promote = href("workflows", "shadows", s.ID, "promote")
		}
		return out
	}
	return &stepShadow{With: step.Text("compareWith"), Says: "nothing compared yet", Attempts: "/attempts?kind=shadow"}
}

// confirmPromotion says what becomes of both steps. One that has not agreed often enough is
// promoted only by somebody who says so in the form.
func (v *visit) confirmPromotion(id string, problem *Problem) error {
	var all List[shadowStep]
	if err := v.get("/api/workflow-shadows", nil, &all); err != nil {
		return err
	}
	i := slices.IndexFunc(all.Items, func(s shadowStep) bool { return s.ID == id })
	if i < 0 {
		return apierr.Errorf(apierr.NotFound, "the settings have no such shadow step any more")
	}
	s, err := v.newestSettings()
	if err != nil {
		return err
	}
	sh := &all.Items[i]
	c := Confirm{Action: href("workflows", "shadows", id, "promote"), Button: "Promote", Back: "/workflows", Problem: problem}
	c.What = fmt.Sprintf("%s takes the place of %s: from the next run on it is the step whose answers change orders.", sh.label(), sh.CompareWith)
	c.Hidden = []Hidden{{"version", strconv.FormatInt(s.Version, 10)}}
	c.Facts = []Fact{{Name: "Status", Value: sh.Status}, {Name: "Agreement", Value: sh.agreed()}}
	if sh.OrderType != "" {
		c.Facts = append(c.Facts, Fact{Name: "Order type", Value: sh.OrderType})
	}
	c.Notes = []string{
		fmt.Sprintf("%s is not called any more. It stays in the settings as a shadow that is not active, with its secrets, and can be promoted back.", sh.CompareWith),
		"Runs that have begun go on with the settings that they began with.",
		"This is the next version of the settings, as any change is; an earlier one can be restored.",
	}
	if !sh.Promotable {
		c.Inputs = []Input{{Name: "force", Label: "Promote it although it has not agreed so often in a row", Type: "checkbox"}}
	}
	return v.confirm("Promote a shadow step", c)
}

// promoteShadow promotes a shadow of the settings that the form was made of.
func promoteShadow(v *visit) error {
	id := v.r.PathValue("id")
	path := "/api" + href("workflow-shadows", id, "promote")
	if v.field("force") == "true" {
		path += "?force=true"
	}
	// With the version that the page was made of, so a form that comes twice promotes once.
	err := v.sendIf(http.MethodPost, path, v.field("version"), nil, nil)
	if p := problemOf(err); p != nil && (refused(err) != nil || p.Status == http.StatusPreconditionFailed) {
		return v.confirmPromotion(id, p)
	}
	if err != nil {
		return err
	}
	return v.done("/workflows", "promoted")
}
