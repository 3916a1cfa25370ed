package dash

import (
	"net/url"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
)

// bulkNames are the members of the filter of a bulk redelivery.
var bulkNames = func() (names []string) {
	for _, f := range slices.Concat(deliveryFilters, deliveryMore) {
		names = append(names, f.Name)
	}
	return names
}()

// narrow reports whether a filter may be sent again as a whole.
func narrow(query url.Values) bool {
	q := oms.DeliveryQuery{EndpointID: query.Get("endpointId"), EventID: query.Get("eventId"), Status: oms.DeliveryStatus(query.Get("status")), OrderID: query.Get("orderId"), LastStatus: query.Get("lastStatus")}
	return q.Narrow()
}

func confirmRedeliverAll(v *visit) error { return v.confirmAll(v.query(), nil) }

// confirmAll shows how many deliveries the filter picks, and some of them, before all of
// them are sent again.
func (v *visit) confirmAll(filter url.Values, problem *Problem) error {
	c := Confirm{What: "All deliveries that the filter picks are sent again, in the background.", Action: "/deliveries/redeliver", Back: "/deliveries?" + asked(filter).Encode(), Problem: problem,
		Notes: []string{"The filter goes over all of them, not over one page.", "Passed over are deliveries to endpoints that are off or were deleted, and those whose event's data was erased.",
			"The job can be watched, and canceled; what it has sent by then stays sent."}}
	var list List[Delivery]
	query := asked(filter)
	query.Set("count", "true")
	query.Set("limit", mostSample)
	err := v.get("/api/deliveries", query, &list)
	if problem == nil {
		c.Problem = refused(err)
	}
	if err := unlessRefused(err); err != nil {
		return err
	}
	how := list.Total()
	c.Facts = []Fact{{Name: "Deliveries", Value: how}}
	for _, f := range slices.Concat(deliveryFilters, deliveryMore) {
		if value := filter.Get(f.Name); value != "" {
			c.Facts = append(c.Facts, Fact{Name: f.Label, Value: value})
			c.Hidden = append(c.Hidden, Hidden{f.Name, value})
		}
	}
	c.Hidden = append(c.Hidden, newOnce())
	c.Sample, c.Button = deliverySample(list.Items), "Send "+how+" again"
	switch {
	case !narrow(filter):
		c.Blocked = true
		c.Notes = append(c.Notes, "This filter picks everything that was ever sent. Choose a status, an answer, an endpoint, an event or an order first.")
	case how == "0":
		c.Blocked = true
		c.Notes = append(c.Notes, "There is nothing that it picks.")
	}
	return v.confirm("Send many again", c)
}

func redeliverAll(v *visit) error {
	body, filter := map[string]string{}, url.Values{}
	for _, name := range bulkNames {
		if value := v.field(name); value != "" {
			body[name] = value
			filter.Set(name, value)
		}
	}
	var job oms.Job
	err := v.sendForm("/api/deliveries/redeliver", body, &job)
	if p := refused(err); p != nil {
		return v.confirmAll(filter, p)
	}
	if err != nil {
		return err
	}
	return v.see(href("jobs", job.ID))
}
