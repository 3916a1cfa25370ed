package dash

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
)

// bulkFilters are the members of the filter of a bulk redelivery or cancel. They are those
// of the list, so that what somebody sees in it can be sent again, or canceled.
var bulkFilters = slices.Concat(deliveryFilters, deliveryMore)

// narrow reports whether a job may go over all that a filter picks. The rule is the API's
// own; here it decides whether the button is shown.
func narrow(query url.Values) bool {
	q := event.DeliveryQuery{EndpointID: query.Get("endpointId"), EventID: query.Get("eventId"), Status: event.DeliveryStatus(query.Get("status")), OrderID: query.Get("orderId"), LastStatus: query.Get("lastStatus")}
	return q.Narrow()
}

// confirmRedeliverAll is the page before all that a filter picks is sent again. Its query
// is that of the list.
func confirmRedeliverAll(v *visit) error { return v.confirmAll(asked(v.query()), nil) }

// confirmAll shows how many deliveries the filter picks, and some of them, before all of
// them are sent again. A filter that is too wide, or picks nothing, has no button and
// says why.
func (v *visit) confirmAll(filter url.Values, problem *Problem) error {
	c := Confirm{What: "The deliveries that the filter picks are sent again, in the background.", Action: "/deliveries/redeliver", Back: "/deliveries?" + filter.Encode(), Problem: problem,
		Notes: []string{"The filter goes over all of them, not over one page.", "The job can be watched, and canceled; what it has sent by then stays sent."}}
	var would redeliverable
	if narrow(filter) {
		// A dry run counts and sends nothing, so it may be made by a GET of the page.
		err := v.send(http.MethodPost, "/api/deliveries/redeliver", dryRun(filter), &would)
		// What the API said to the form itself is more important than what it says to the
		// dry run.
		if p := refused(err); p != nil {
			c.Blocked = true
			if problem == nil {
				c.Problem = p
			}
		}
		if err := unlessRefused(err); err != nil {
			return err
		}
		c.Facts = would.facts()
	}
	how := would.Total()
	c.repeat(filter)
	c.Sample, c.Button = deliverySample(would.Deliveries), "Send "+how+" again"
	switch {
	// Only a link that somebody wrote by hand leads here with such a filter.
	case !narrow(filter):
		c.Blocked = true
		c.Notes = append(c.Notes, "This filter picks everything that was ever sent. Choose a status, an answer, an endpoint, an event or an order first.")
	case would.Matched == 0 && !c.Blocked:
		c.Blocked = true
		c.Notes = append(c.Notes, "There is nothing to send with this filter.")
	}
	return v.confirm("Send many again", c)
}

// repeat shows the filter of a job by the labels of the list. The form repeats it in
// hidden fields, so that exactly this filter is sent.
func (c *Confirm) repeat(filter url.Values) {
	for _, f := range bulkFilters {
		if value := filter.Get(f.Name); value != "" {
			c.Facts = append(c.Facts, Fact{Name: f.Label, Value: value})
			c.Hidden = append(c.Hidden, Hidden{f.Name, value})
		}
	}
	c.Hidden = append(c.Hidden, newOnce())
}

// redeliverable is what the API says of a bulk redelivery before it is done. Total is how
// many are sent; the two counts are of those that are not.
type redeliverable struct {
	counted
	EndpointOff, NotSendable cappedCount
	Deliveries               []Delivery // some of those that are sent
}

// facts are how many are sent, and how many not and why. The first is always there. A
// reason that nothing falls under is left out.
func (r *redeliverable) facts() []Fact {
	out := []Fact{{Name: "To be sent again", Value: r.Total()}}
	if r.EndpointOff.Count > 0 {
		out = append(out, Fact{Name: "Not sent: the endpoint is off", Value: r.EndpointOff.Shown()})
	}
	if r.NotSendable.Count > 0 {
		out = append(out, Fact{Name: "Not sent: the endpoint was removed, or the data erased", Value: r.NotSendable.Shown()})
	}
	return out
}

// dryRun is a filter as the body of a call that only counts.
func dryRun(filter url.Values) map[string]any {
	body := members(filter)
	body["dryRun"] = true
	return body
}

// redeliverAll begins the job that sends all again.
func redeliverAll(v *visit) error { return v.overDeliveries("redeliver", v.confirmAll) }

// overDeliveries begins a job over the deliveries that a form's filter picks. It takes
// from the form no more than the filter has, so that the job is over the same deliveries
// that the page before has counted, and leads to the job, which can be watched there. If
// the API refuses, the page before says so.
func (v *visit) overDeliveries(what string, before func(url.Values, *Problem) error) error {
	body, filter := map[string]string{}, url.Values{}
	for _, f := range bulkFilters {
		if value := v.field(f.Name); value != "" {
			body[f.Name] = value
			filter.Set(f.Name, value)
		}
	}
	var job job.Job
	err := v.sendForm("/api"+href("deliveries", what), body, &job)
	if p := refused(err); p != nil {
		return before(filter, p)
	}
	if err != nil {
		return err
	}
	return v.see(href("jobs", job.ID))
}
