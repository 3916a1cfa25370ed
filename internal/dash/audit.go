package dash

import (
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/access"
)

// auditView is who changed what. Only admins see it, as the API says.
type auditView struct {
	Filters Filters
	Items   []auditRow
	Paging  Paging
	Problem *Problem
}

// auditRow is an entry of the audit log. The entry is the API's own type, since its JSON
// is what the page shows, field by field.
type auditRow struct {
	access.AuditEntry
	URL   string // of what was changed; "" where it has no page
	Facts []Fact
}

// auditPage shows the log with its filters.
var auditPage = newPage[auditView]("audit", "/audit")

// auditPages registers the page of the audit log.
func auditPages(s *server) { s.page(access.Admin, "GET /audit", listAudit) }

var (
	// auditFilters are all filters of the API's log.
	auditFilters = []Filter{
		{Name: "keyId", Label: "Key", Hint: "key_…"},
		{Name: "kind", Label: "Of", Options: options(access.AuditKinds...)},
		{Name: "target", Label: "Id", Hint: "ep_…, ORD-1"},
		{Name: "action", Label: "Action", Hint: "put-settings"},
		{Name: "requestId", Label: "Request", Hint: "req_…"},
		{Name: "from", Label: "From", Hint: "2026-11-28T08:00:00Z", Type: timeFilter},
		{Name: "to", Label: "Before", Hint: "2026-11-28T09:00:00Z", Type: timeFilter},
	}
	// auditTargets are the pages of what was changed, by its kind. Keys have none of their
	// own.
	auditTargets = map[string]string{access.AuditSettings: "workflows/history", access.AuditEndpoint: "endpoints", access.AuditAttempt: "attempts", access.AuditRun: "runs", access.AuditDelivery: "deliveries",
		access.AuditEvent: "events", access.AuditOrder: "orders", access.AuditJob: "jobs"}
)

// listAudit shows the log of changes. It is not live: who reads a log wants it to stand still.
func listAudit(v *visit) error {
	view := auditView{Filters: newFilters(v.r.URL, auditFilters, nil)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	var list List[access.AuditEntry]
	// The log is not counted: nobody needs to know how long it is.
	err := v.get("/api/audit", asked(v.query()), &list)
	if p := refused(err); p != nil {
		view.Problem = p
		p.markFilters(&view.Filters)
		return auditPage.refuse(v, "Audit", p, view)
	}
	if err != nil {
		return err
	}
	for _, e := range list.Items {
		row := auditRow{AuditEntry: e, Facts: auditFacts(&e.Detail)}
		// What was deleted since has no page any more. The link then leads to a 404,
		// which says so.
		if section, ok := auditTargets[e.Target.Kind]; ok {
			row.URL = href(append(strings.Split(section, "/"), e.Target.ID)...)
		}
		view.Items = append(view.Items, row)
	}
	view.Paging = newPaging(v.r.URL, &list)
	return auditPage.show(v, "Audit", view)
}

// auditFacts is what there is to say of a change. A detail has only the members that its
// action knows, so what is empty is left out.
func auditFacts(d *access.AuditDetail) (facts []Fact) {
	// add leaves out what is empty, and number writes 0 as empty.
	add := func(name, value, url string) {
		if value != "" {
			facts = append(facts, Fact{Name: name, Value: value, URL: url})
		}
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	// The names are short and in small letters, since they stand in one line behind the
	// action.
	add("changed", strings.Join(d.Changed, ", "), "")
	add("from version", number(d.FromVersion), "")
	add("to version", number(d.ToVersion), "")
	add("role", string(d.Role), "")
	add("name", d.Name, "")
	if d.OrderID != "" {
		add("order", d.OrderID, href("orders", d.OrderID))
	}
	if d.AttemptID != "" {
		add("attempt", d.AttemptID, href("attempts", d.AttemptID))
	}
	add("to", d.URL, "")
	// Of many endpoints the entry names only the first ones; the count below is of all.
	for _, id := range d.EndpointIDs {
		add("endpoint", id, href("endpoints", id))
	}
	add("sent again", number(int64(d.Sent)), "")
	// A job names the filter that picked what it works on.
	if j := d.Job; j != nil {
		add(j.Kind+" job", j.ID, href("jobs", j.ID))
		add("what", j.What, "")
		facts = append(facts, filterFacts(j.Filter)...)
	}
	return facts
}
