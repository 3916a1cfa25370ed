package dash

import (
	"net/http"
	"strings"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/oms"
)

// endpointDeed is something that is done to an endpoint after a page that says what it
// will do.
type endpointDeed struct {
	name    string // the last part of its path
	title   string
	confirm func(h endpointHead) Confirm
	do      func(v *visit) error // what it returns that was refused is shown on the page again
}

var endpointDeeds = []endpointDeed{
	{"test", "Send an example event", confirmTest, testEndpoint},
	{"enable", "Turn the endpoint on", confirmEnable, func(v *visit) error { return v.patchEndpoint(true, "enabled") }},
	{"disable", "Turn the endpoint off", confirmDisable, func(v *visit) error { return v.patchEndpoint(false, "disabled") }},
	{"rotate-secret", "Make a new secret", confirmRotation, rotateSecret},
	{"delete", "Delete the endpoint", confirmDelete, deleteEndpoint},
}

func (d *endpointDeed) show(v *visit, problem *Problem) error {
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
			c.Inputs[i].Value, c.Inputs[i].Error = v.field(c.Inputs[i].Name), problem.about(c.Inputs[i].Name)
		}
	}
	return v.confirm(d.title, c)
}

func (d *endpointDeed) post(v *visit) error {
	err := d.do(v)
	if p := refused(err); p != nil {
		return d.show(v, p)
	}
	return err
}

// waiting says how much waits for an endpoint, and what failed there.
func waiting(e *api.Endpoint) []Fact {
	return []Fact{
		{Name: "Deliveries that wait", Value: capped(e.Counts.Pending, e.Counts.PendingCapped), URL: deliveriesOf(e.ID, "pending")},
		{Name: "Deliveries that failed for good", Value: capped(e.Counts.Failed, e.Counts.FailedCapped), URL: deliveriesOf(e.ID, "failed")},
	}
}

func confirmTest(h endpointHead) Confirm {
	return Confirm{What: "An example event is sent to this endpoint now, once, whether it is on or off.",
		Notes: []string{"It is marked as an example, and is about nothing that is stored.", "The attempt is kept beside all others."}, Button: "Send it"}
}

func testEndpoint(v *visit) error {
	var at oms.Attempt
	if err := v.sendForm("/api"+href("endpoints", v.endpointID(), "test"), nil, &at); err != nil {
		return err
	}
	return v.see(href("attempts", at.ID))
}

func confirmEnable(h endpointHead) Confirm {
	c := Confirm{What: "The endpoint gets what happens from now on.", Facts: waiting(&h.Endpoint), Button: "Turn it on",
		Notes: []string{"What waits for it is sent now.", "What happened while it was off is not: recover it afterwards.", "What it failed at is forgotten, so that it is not turned off again for that."}}
	if h.Endpoint.DisabledReason != "" {
		c.Facts = append([]Fact{{Name: "It was turned off because", Value: h.Endpoint.DisabledReason}}, c.Facts...)
	}
	return c
}

func confirmDisable(h endpointHead) Confirm {
	return Confirm{What: "The endpoint gets nothing any more.", Facts: waiting(&h.Endpoint), Button: "Turn it off", Danger: true,
		Notes: []string{"What waits for it goes on waiting until it is on again.", "What happens while it is off is not kept for it; once it is on, that can be recovered."}}
}

func (v *visit) patchEndpoint(on bool, notice string) error {
	at := href("endpoints", v.endpointID())
	if err := v.send(http.MethodPatch, "/api"+at, map[string]bool{"enabled": on}, nil); err != nil {
		return err
	}
	return v.done(at, notice)
}

func confirmRotation(h endpointHead) Confirm {
	return Confirm{What: "A new secret signs what is sent. The next page shows it, and nothing shows it again.", Button: "Make a new secret",
		Notes: []string{"The secret before signs, too, until the overlap is over, so that nothing fails while you bring the new one to the other side."},
		Inputs: []Input{{Name: "overlap", Label: "The secret before signs for", Value: "PT24H", Hint: "PT24H", Help: "At most P30D; PT0S ends it at once."},
			{Name: "secret", Label: "New secret", Hint: "whsec_…", Help: "One is made if it is left out."}}}
}

func rotateSecret(v *visit) error {
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

func confirmDelete(h endpointHead) Confirm {
	return Confirm{What: "The endpoint is removed, and what waits for it is canceled.", Facts: waiting(&h.Endpoint), Button: "Delete the endpoint", Danger: true,
		Notes: []string{"It cannot be brought back, and its secret is gone.", "What was delivered, and the attempts, stay."}}
}

func deleteEndpoint(v *visit) error {
	if err := v.send(http.MethodDelete, "/api"+href("endpoints", v.endpointID()), nil, nil); err != nil {
		return err
	}
	return v.done("/endpoints", "deleted")
}
