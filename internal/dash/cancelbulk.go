package dash

import (
	"net/http"
	"net/url"

	"github.com/orderhook/orderhook/internal/event"
)

// confirmCancelAll shows how many pending deliveries the filter picks, and some of them,
// before all of them are canceled. A filter that is too wide, or picks nothing that is
// pending, has no button and says why. problem is what the API said to the form itself.
func (v *visit) confirmCancelAll(filter url.Values, problem *Problem) error {
	c := Confirm{What: "The pending deliveries that the filter picks are canceled, in the background: their events are not sent to these endpoints any more.",
		Action: "/deliveries/cancel", Back: "/deliveries?" + filter.Encode(), Danger: true, Problem: problem,
		Notes: []string{"The filter goes over all of them, not over one page.", "Attempts that are under way end, and are recorded.", "What is canceled can be sent again later.",
			"The job can be watched, and stopped; what it has canceled by then stays canceled."}}
	var would struct {
		counted
		Deliveries []Delivery
	}
	wide := !narrow(filter)
	if !wide {
		// A dry run counts and cancels nothing, so it may be made by a GET of the page.
		err := v.send(http.MethodPost, "/api/deliveries/cancel", dryRun(filter), &would)
		if p := refused(err); p != nil {
			c.Blocked = true
			if problem == nil {
				c.Problem = p
			}
		}
		if err := unlessRefused(err); err != nil {
			return err
		}
		c.Facts = append(c.Facts, Fact{Name: "To be canceled", Value: would.Total()})
	}
	// The job will have this status in its filter, and so has the page.
	if !wide && filter.Get("status") == "" {
		filter.Set("status", string(event.DeliveryPending))
	}
	c.repeat(filter)
	c.Sample, c.Button = deliverySample(would.Deliveries), "Cancel "+would.Total()
	switch {
	// Only a link that somebody wrote by hand leads here with such a filter.
	case wide:
		c.Blocked = true
		c.Notes = []string{"This filter picks everything that is pending. Choose a status, an answer, an endpoint, an event or an order first."}
	case would.Matched == 0 && !c.Blocked:
		c.Blocked = true
		c.Notes = []string{"Nothing is pending with this filter."}
	}
	return v.confirm("Cancel many deliveries", c)
}

// cancelAllPending begins the job that cancels all of them.
func cancelAllPending(v *visit) error { return v.overDeliveries("cancel", v.confirmCancelAll) }
