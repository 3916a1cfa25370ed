package dash

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/job"
)

// jobView is a background job and how far it is. The page follows the job until it has
// ended.
type jobView struct {
	Job    job.Job
	Row    jobRow
	Does   string // what the kind does, where no count says so
	Filter []Fact // which of a list it is about
	About  string // the section of what it is about; "" is none
	List   string // the URL of the list with the filter
	Cancel bool   // it can be canceled
}

// jobPage shows one job.
var jobPage = newPage[jobView]("job", "/jobs")

// jobPages registers the pages about background jobs. What begins a job is on the pages
// of what the job is about.
func jobPages(s *server) {
	s.page(access.Reader, "GET /jobs", listJobs)
	s.page(access.Reader, "GET /jobs/{id}", showJob)
	s.page(access.Operator, "GET /jobs/{id}/cancel", confirmCancelJob)
	s.page(access.Operator, "POST /jobs/{id}/cancel", cancelJob)
}

// job asks for the job of a page.
func (v *visit) job() (j job.Job, err error) {
	return j, v.get("/api"+href("jobs", v.r.PathValue("id")), nil, &j)
}

// showJob follows a job until it has ended. Jobs that would leave something half done
// have no button to cancel them, as the API would refuse that.
func showJob(v *visit) error {
	j, err := v.job()
	if err != nil {
		return err
	}
	view := jobView{Job: j, Row: newJobRow(j), Does: jobDoes[j.Kind], Filter: filterFacts(json.RawMessage(j.Filter))}
	if view.About = jobSections[j.Kind]; view.About != "" && len(view.Filter) > 0 {
		view.List = listOf(view.About, json.RawMessage(j.Filter))
	}
	view.Cancel = v.may(access.Operator) && j.Status == job.JobRunning && j.Kind != job.JobReorder && j.Kind != job.JobErase
	return jobPage.showLive(v, "Job "+j.ID, "jobs", view)
}

// jobSections are the lists that jobs are about. Kinds that are about one thing have
// none.
var jobSections = map[string]string{job.JobRedeliver: "deliveries", job.JobCancel: "deliveries", job.JobResume: "runs", job.JobRecover: "deliveries"}

// listOf is a list with the filter of a job, whose members are texts with the names of
// the list's parameters. What is no such filter leads to the whole list.
func listOf(section string, filter json.RawMessage) string {
	var members map[string]string
	if json.Unmarshal(filter, &members) != nil {
		return href(section)
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		pairs = append(pairs, name, members[name])
	}
	return search(section, pairs...)
}

// filterFacts are the members of a filter. The filter is the body that asked for the job.
func filterFacts(filter json.RawMessage) (facts []Fact) {
	if len(filter) == 0 { // a job that is about no list
		return nil
	}
	for _, c := range membersOf(filter) {
		value := c.New()
		_ = json.Unmarshal(c.After, &value) // a text, without its quotes
		facts = append(facts, Fact{Name: cmp.Or(filterLabels[c.Path], c.Path), Value: value})
	}
	return facts
}

// filterLabels are what the lists call the members of a filter.
var filterLabels = func() map[string]string {
	labels := map[string]string{}
	for _, f := range slices.Concat(bulkFilters, runFilters, runMore) {
		labels[f.Name] = f.Label
	}
	return labels
}()

// membersOf are the members of an object, in the order of their names.
func membersOf(object json.RawMessage) []Change {
	const all = 1000
	members, _ := compared(json.RawMessage("{}"), object, all)
	return members
}

// confirmCancelJob is the page before a job is canceled, which can be done at any time;
// what the job has done by then stays, and the page says so.
func confirmCancelJob(v *visit) error { return showCancelJob(v, nil) }

// showCancelJob says how far the job is, and with what filter a new one would go on.
// problem is why it was refused.
func showCancelJob(v *visit, problem *Problem) error {
	j, err := v.job()
	if err != nil {
		return err
	}
	c := Confirm{
		What:   "The job stops where it is.",
		Facts:  append([]Fact{{Name: "Job", Value: j.ID, URL: href("jobs", j.ID)}, {Name: "Kind", Value: j.Kind}, {Name: "Looked at until now", Value: count(int(j.Examined))}}, filterFacts(json.RawMessage(j.Filter))...),
		Notes:  []string{"What it has done until then stays done.", "It cannot be continued. A new job with the same filter takes up what is left."},
		Action: href("jobs", j.ID, "cancel"), Button: "Cancel the job", Danger: true, Back: href("jobs", j.ID), Problem: problem,
	}
	return v.confirm("Cancel the job", c)
}

// cancelJob cancels the job. One that has ended meanwhile is a conflict, which the page
// before says.
func cancelJob(v *visit) error {
	id := v.r.PathValue("id")
	err := v.send(http.MethodPost, "/api"+href("jobs", id, "cancel"), nil, nil)
	if p := problemOf(err); p != nil && p.Status == http.StatusConflict {
		return showCancelJob(v, p)
	}
	if err != nil {
		return err
	}
	return v.done(href("jobs", id), "job-canceled")
}
