package dash

import (
	"encoding/json"

	"github.com/orderhook/orderhook/internal/job"
)

// jobsView is the list of background jobs.
type jobsView struct {
	Items  []jobRow
	Paging Paging
	Server string // this server's address, for the command
}

// jobRow is a job, with the counts that its kind has; "" is one that it has not.
type jobRow struct {
	job.Job
	Looked, Done, Skipped string
	Doing                 string // what it does with what it looks at, as people say it
	Picks                 []Fact // the filter that it is about
}

// newJobRow picks the counts that a kind of job has, in words. The others are always 0,
// and would say something that is not so.
func newJobRow(j job.Job) jobRow {
	// Each kind counts what it does under another name.
	row := jobRow{Job: j, Picks: filterFacts(json.RawMessage(j.Filter))}
	if j.Kind == job.JobErase { // which counts nothing
		return row
	}
	row.Looked = count(int(j.Examined))
	switch j.Kind {
	// Skipped are runs that could not go on any more when their turn came.
	case job.JobResume:
		row.Doing, row.Done, row.Skipped = "Resumed", count(int(j.Resumed)), count(int(j.Skipped))
	// Skipped are deliveries that could not be sent when their turn came.
	case job.JobRedeliver:
		row.Doing, row.Done, row.Skipped = "Sent again", count(int(j.Sent)), count(int(j.Skipped))
	// What has ended by then is left alone, and is no trouble.
	case job.JobCancel:
		row.Doing, row.Done = "Canceled", count(int(j.Canceled))
	case job.JobRecover: // what is not sent is not named
		row.Doing, row.Done = "Sent again", count(int(j.Sent))
		// What was missing was never sent before.
		if j.What == job.RecoverMissing {
			row.Doing = "Sent"
		}
	}
	return row
}

// jobDoes says what jobs do that send and resume nothing.
var jobDoes = map[string]string{
	job.JobErase: "It cancels what is still to be sent of the order. Then it removes the data of its events, the headers and bodies of its attempts, its versions, its history and its runs, some in each step. " +
		"The order itself is gone already; its id is free once the job has succeeded.",
	job.JobReorder: "It has the deliveries that wait for the endpoint follow its new ordering.",
}

// jobsPage lists the jobs.
var jobsPage = newPage[jobsView]("jobs", "/jobs")

// listJobs shows the newest jobs first, those that run and those that have ended.
func listJobs(v *visit) error {
	var list List[job.Job]
	if err := v.get("/api/jobs", asked(v.query()), &list); err != nil {
		return err
	}
	view := jobsView{Paging: newPaging(v.r.URL, &list), Server: v.s.address(v.r)}
	for _, j := range list.Items {
		view.Items = append(view.Items, newJobRow(j))
	}
	return jobsPage.showLive(v, "Jobs", "jobs", view)
}

// jobLabels are the kinds of jobs as people read them.
var jobLabels = map[string]string{
	job.JobRecover: "Recover an endpoint", job.JobRedeliver: "Send deliveries again", job.JobCancel: "Cancel deliveries", job.JobReorder: "Put what is pending in order", job.JobResume: "Resume runs", job.JobErase: "Erase an order",
}

// jobLabel is the kind of a job for people. A kind without one is shown as the API calls
// it.
func jobLabel(kind string) string {
	if l, ok := jobLabels[kind]; ok {
		return l
	}
	return kind
}
