package dash

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/orderhook/orderhook/internal/job"
)

// counted is how many a filter picks, as the API counts them before a job. More means
// that there are at least so many.
type counted struct {
	Matched int  `json:"matched"`
	More    bool `json:"more"`
}

// Total is the number for people.
func (c counted) Total() string {
	if c.More {
		return count(c.Matched) + "+"
	}
	return count(c.Matched)
}

// confirmResumeRuns is the page before many runs are resumed. Its query is that of the
// list.
func confirmResumeRuns(v *visit) error { return v.confirmResumeAll(runFilter(v.query()), nil) }

// confirmResumeAll says how many runs the filter picks, and shows some of them. The
// filter is shown by the labels of the list, and repeated in hidden fields.
func (v *visit) confirmResumeAll(picks url.Values, problem *Problem) error {
	list := href("runs") + "?" + picks.Encode()
	c := Confirm{What: "The aborted runs with this filter go on, each at the step that stopped it: its endpoint is called again.",
		Action: href("runs", "resume"), Button: "Resume them all", Back: list, Hidden: []Hidden{newOnce()}, Problem: problem,
		Notes: []string{"A job does it, also for the runs that other pages of the list have. You can watch it, and cancel it.",
			"Each endpoint gets the order as it is now. A run whose order's status is changed until its turn comes is skipped and named."}}
	// The dry run counts what would be resumed, and returns some of it.
	var n struct {
		counted
		NotResumable cappedCount
		Runs         []runItem
	}
	err := v.send(http.MethodPost, "/api/runs/resume", dryRun(picks), &n)
	if err := unlessRefused(err); err != nil {
		return err
	}
	if p := refused(err); p != nil {
		c.Problem, c.Blocked = p, true
	} else if n.Matched == 0 {
		c.Blocked, c.Notes = true, []string{"There is nothing to resume with this filter."}
	}
	c.Facts = []Fact{{Name: "To be resumed", Value: n.Total(), URL: list}}
	// These are aborted, too, and would be left out by the job.
	if n.NotResumable.Count > 0 {
		c.Facts = append(c.Facts, Fact{Name: "Not resumed: the status was set again since", Value: n.NotResumable.Shown()})
	}
	for _, r := range n.Runs {
		c.Sample = append(c.Sample, Fact{Name: r.OrderID + ": " + short(150, r.Reason), Value: r.ID, URL: href("runs", r.ID)})
	}
	filters := slices.Concat(runFilters, runMore)
	// They are sorted, so that the page looks the same each time.
	for _, name := range slices.Sorted(maps.Keys(picks)) {
		label := name
		if i := slices.IndexFunc(filters, func(f Filter) bool { return f.Name == name }); i >= 0 {
			label = filters[i].Label
		}
		c.Facts = append(c.Facts, Fact{Name: label, Value: picks.Get(name)})
		c.Hidden = append(c.Hidden, Hidden{name, picks.Get(name)})
	}
	return v.confirm("Resume runs", c)
}

// resumeRuns begins the job, and leads to it. Every field of the form but the dashboard's
// own goes to the API, which refuses what it does not know.
func resumeRuns(v *visit) error {
	picks := maps.Clone(v.r.PostForm)
	picks.Del(formToken)
	picks.Del(onceField)
	var job job.Job
	err := v.sendForm("/api/runs/resume", members(picks), &job)
	if p := refused(err); p != nil {
		return v.confirmResumeAll(picks, p)
	}
	if err != nil {
		return err
	}
	return v.see(href("jobs", job.ID))
}
