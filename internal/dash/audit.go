package dash

import (
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// auditView is who changed what.
type auditView struct {
	Filters Filters
	Items   []auditRow
	Paging  Paging
	Problem *Problem
}

// auditRow is an entry of the audit log.
type auditRow struct {
	oms.AuditEntry
	URL   string // of what was changed; "" where it has no page
	Facts []Fact
}

var auditPage = newPage[auditView]("audit", "/audit")

func auditPages(s *server) { s.page(oms.Admin, "GET /audit", listAudit) }

var (
	auditFilters = []Filter{
		{Name: "keyId", Label: "Key", Hint: "key_…"},
		{Name: "kind", Label: "Of", Options: options(oms.AuditSettings, oms.AuditEndpoint, oms.AuditKey, oms.AuditAttempt, oms.AuditRun, oms.AuditDelivery, oms.AuditEvent, oms.AuditOrder, oms.AuditJob)},
		{Name: "target", Label: "Id", Hint: "ep_…, ORD-1"},
		{Name: "action", Label: "Action", Hint: "put-settings"},
		{Name: "requestId", Label: "Request", Hint: "req_…"},
		{Name: "from", Label: "From", Hint: "2026-11-28T08:00:00Z"},
		{Name: "to", Label: "Before", Hint: "2026-11-28T09:00:00Z"},
	}
	// auditTargets are the pages of what was changed, by its kind. Keys and settings have none
	// of their own.
	auditTargets = map[string]string{oms.AuditEndpoint: "endpoints", oms.AuditAttempt: "attempts", oms.AuditRun: "runs", oms.AuditDelivery: "deliveries",
		oms.AuditEvent: "events", oms.AuditOrder: "orders", oms.AuditJob: "jobs"}
)

func listAudit(v *visit) error {
	view := auditView{Filters: newFilters(v.r.URL, auditFilters, nil)}
	view.Filters.Ranges = timeRanges(v.r.URL, v.s.Clock.Now())
	var list List[oms.AuditEntry]
	err := v.get("/api/audit", asked(v.query()), &list)
	if p := refused(err); p != nil {
		view.Problem = p
		return auditPage.refuse(v, "Audit", p, view)
	}
	if err != nil {
		return err
	}
	for _, e := range list.Items {
		row := auditRow{AuditEntry: e, Facts: auditFacts(&e.Detail)}
		if section, ok := auditTargets[e.Target.Kind]; ok {
			row.URL = href(section, e.Target.ID)
		}
		view.Items = append(view.Items, row)
	}
	view.Paging = newPaging(v.r.URL, &list)
	return auditPage.show(v, "Audit", view)
}

// auditFacts is what there is to say of a change.
func auditFacts(d *oms.AuditDetail) (facts []Fact) {
	add := func(name, value, url string) {
		if value != "" {
			facts = append(facts, Fact{name, value, url})
		}
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
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
	for _, id := range d.EndpointIDs {
		add("endpoint", id, href("endpoints", id))
	}
	add("sent again", number(int64(d.Sent)), "")
	if j := d.Job; j != nil {
		add(j.Kind+" job", j.ID, href("jobs", j.ID))
		add("what", j.What, "")
		facts = append(facts, filterFacts(j.Filter)...)
	}
	return facts
}
