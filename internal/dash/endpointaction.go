package dash

import (
	"net/http"
	"strings"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/attempt"
)

// endpointAction is something that is done to an endpoint after a page that says what it
// will do. All actions have the same two paths: GET shows the page before, and POST does
// it.
type endpointAction struct {
	name    string // the last part of its path
	title   string
	confirm func(h endpointHead) Confirm
	do      func(v *visit) error // what it returns that was refused is shown on the page again
}

// endpointActions is the list from which the paths and the pages are made. What an action
// refuses because of whose endpoint it is, its own page says.
var endpointActions = []endpointAction{
	{"test", "Send an example event", confirmTest, testEndpoint},
	{"enable", "Turn the endpoint on", confirmEnable, func(v *visit) error { return v.patchEndpoint(true, "enabled") }},
	{"disable", "Turn the endpoint off", confirmDisable, func(v *visit) error { return v.patchEndpoint(false, "disabled") }},
	{"rotate-secret", "Make a new secret", confirmRotation, rotateSecret},
	{"delete", "Delete the endpoint", confirmDelete, deleteEndpoint},
}

// show is the page before the action: what it will do, to which endpoint. The three facts
// which every action has come first. Secrets that were typed into a form that comes back
// are not shown again.
func (d *endpointAction) show(v *visit, problem *Problem) error {
	head, err := v.endpoint("", "0")
	if err != nil {
		return err
	}
	e := &head.Endpoint
	c := d.confirm(head)
	at := href("endpoints", e.ID)
	c.Facts = append([]Fact{{Name: "Endpoint", Value: titleOf(e), URL: at}, {Name: "URL", Value: e.URL}, {Name: "Event types", Value: short(200, strings.Join(e.EventTypes, ", "))}}, c.Facts...)
	c.Action, c.Back, c.Problem = href("endpoints", e.ID, d.name), at, problem
	c.Hidden = append(c.Hidden, newOnce())
	for i := range c.Inputs {
		if problem != nil { // what was filled in stays
			c.Inputs[i].Value = withoutSecret(c.Inputs[i].Name, v.field(c.Inputs[i].Name))
		}
	}
	return v.confirm(d.title, c)
}

// post does the action. What the API refuses comes back on the page before it, with the
// reason. Any other error is the error page.
func (d *endpointAction) post(v *visit) error {
	err := d.do(v)
	if p := refused(err); p != nil {
		return d.show(v, p)
	}
	return err
}

// waiting says how much waits for an endpoint, and what failed there. Turning off and
// deleting look harmless until one sees how much hangs on it.
func waiting(e *api.Endpoint) []Fact {
	return []Fact{
		{Name: "Deliveries that wait", Value: capped(e.Counts.Pending, e.Counts.PendingCapped), URL: deliveriesOf(e.ID, "pending")},
		{Name: "Deliveries that failed for good", Value: capped(e.Counts.Failed, e.Counts.FailedCapped), URL: deliveriesOf(e.ID, "failed")},
	}
}

// confirmTest is the page before an example is sent. It may be sent to an endpoint that
// is off: that is how one finds out whether the endpoint can be turned on.
func confirmTest(h endpointHead) Confirm {
	return Confirm{What: "An example event is sent to this endpoint now, once, whether it is on or off.",
		Notes: []string{"It is marked as an example, and is about nothing that is stored.", "The attempt is kept beside all others."}, Button: "Send it"}
}

// testEndpoint leads to the attempt, which shows what the endpoint answered.
func testEndpoint(v *visit) error {
	var at attempt.Attempt
	if err := v.sendForm("/api"+href("endpoints", v.endpointID(), "test"), nil, &at); err != nil {
		return err
	}
	return v.see(href("attempts", at.ID))
}

// confirmEnable says why the endpoint was turned off, since turning it on forgets that.
func confirmEnable(h endpointHead) Confirm {
	c := Confirm{What: "The endpoint gets what happens from now on.", Facts: waiting(&h.Endpoint), Button: "Turn it on",
		Notes: []string{"What waits for it is sent now.", "What happened while it was off is not: recover it afterwards.", "What it failed at is forgotten, so that it is not turned off again for that."}}
	if h.Endpoint.DisabledReason != "" {
		why := []Fact{{Name: "It was turned off because", Value: h.Endpoint.DisabledReason}}
		if h.Endpoint.DisabledAt != nil {
			why = append(why, Fact{Name: "Since", At: *h.Endpoint.DisabledAt})
		}
		c.Facts = append(why, c.Facts...)
	}
	if !h.Own() {
		c.What, c.Blocked, c.Notes = "This endpoint cannot be turned on here.", true, []string{h.Whose()}
	}
	return c
}

// confirmDisable is the page before an endpoint is turned off. It says what becomes of
// what waits, and of what happens meanwhile.
func confirmDisable(h endpointHead) Confirm {
	return Confirm{What: "The endpoint gets nothing any more.", Facts: waiting(&h.Endpoint), Button: "Turn it off", Danger: true,
		Notes: []string{"What waits for it goes on waiting until it is on again.", "What happens while it is off is not kept for it; once it is on, that can be recovered."}}
}

// patchEndpoint turns an endpoint on or off, and leads to its page with a notice. It
// sends that one field, so nothing else that somebody changes meanwhile is lost.
func (v *visit) patchEndpoint(on bool, notice string) error {
	at := href("endpoints", v.endpointID())
	if err := v.send(http.MethodPatch, "/api"+at, map[string]bool{"enabled": on}, nil); err != nil {
		return err
	}
	return v.done(at, notice)
}

// confirmRotation offers an overlap by default: without one, what is sent until the other side
// has the new secret fails there.
func confirmRotation(h endpointHead) Confirm {
	return Confirm{What: "A new secret signs what is sent. The next page shows it, and nothing shows it again.", Button: "Make a new secret",
		Notes: []string{"The secret before signs, too, until the overlap is over, so that nothing fails while you bring the new one to the other side."},
		Inputs: []Input{{Name: "overlap", Label: "The secret before signs for", Value: "PT24H", Hint: "PT24H", Help: "At most P30D; PT0S ends it at once."},
			{Name: "secret", Label: "New secret", Hint: "whsec_…", Help: "One is made if it is left out."}}}
}

// rotateSecret answers the form with the page that has the secret, and does not lead to it by a
// redirect: no URL may show the secret a second time.
func rotateSecret(v *visit) error {
	if p := v.untyped(); p != nil {
		return p
	}
	body := map[string]string{}
	for _, name := range []string{"overlap", "secret"} {
		if text := v.field(name); text != "" {
			body[name] = text
		}
	}
	var made struct {
		api.Endpoint
		Secret string `json:"secret"`
	}
	if err := v.sendForm("/api"+href("endpoints", v.endpointID(), "rotate-secret"), body, &made); err != nil {
		return err
	}
	return endpointSavedPage.show(v, "New secret", endpointSavedView{What: "The new secret signs from now on.", Endpoint: made.Endpoint, Secret: made.Secret, Gone: made.Secret == ""})
}

// confirmDelete is the page before an endpoint is deleted.
func confirmDelete(h endpointHead) Confirm {
	return Confirm{What: "The endpoint is removed, and what waits for it is canceled.", Facts: waiting(&h.Endpoint), Button: "Delete the endpoint", Danger: true,
		Notes: []string{"It cannot be brought back, and its secret is gone.", "What was delivered, and the attempts, stay."}}
}

// deleteEndpoint deletes an endpoint, and leads to the list, since its own page is gone.
func deleteEndpoint(v *visit) error {
	if err := v.send(http.MethodDelete, "/api"+href("endpoints", v.endpointID()), nil, nil); err != nil {
		return err
	}
	return v.done("/endpoints", "deleted")
}
