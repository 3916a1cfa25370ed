package dash

import "github.com/orderhook/orderhook/internal/oms"

// jobsView is the list of background jobs.
type jobsView struct {
	Items  []oms.Job
	Paging Paging
}

var jobsPage = newPage[jobsView]("jobs", "/jobs")

func listJobs(v *visit) error {
	var list List[oms.Job]
	if err := v.get("/api/jobs", asked(v.query()), &list); err != nil {
		return err
	}
	return jobsPage.showLive(v, "Jobs", "jobs", jobsView{list.Items, newPaging(v.r.URL, &list)})
}

// jobLabels are the kinds of jobs as people read them.
var jobLabels = map[string]string{
	oms.JobRecover: "Recover an endpoint", oms.JobRedeliver: "Send deliveries again", oms.JobReorder: "Put what is pending in order", oms.JobResume: "Resume runs", oms.JobErase: "Erase an order",
}

// jobLabel is the kind of a job for people.
func jobLabel(kind string) string {
	if l, ok := jobLabels[kind]; ok {
		return l
	}
	return kind
}
