package job

import (
	"encoding/json"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/ids"
)

// JobStatus is where a job stands.
type JobStatus string

// The statuses of a job.
const (
	JobRunning   JobStatus = "running"
	JobSucceeded JobStatus = "succeeded" // it went through everything
	JobCanceled  JobStatus = "canceled"  // by somebody, or because a later one does the same
	JobFailed    JobStatus = "failed"    // its endpoint is gone
)

// The kinds of jobs.
const (
	JobRecover   = "recover"   // sends an endpoint what failed, or what it never got
	JobRedeliver = "redeliver" // sends the deliveries that a filter picks again
	JobCancel    = "cancel"    // cancels the pending deliveries that a filter picks
	JobReorder   = "reorder"   // has pending deliveries follow a change of their endpoint's ordering
	JobResume    = "resume"    // lets aborted runs go on
	JobErase     = "erase"     // removes what is stored of an order that was erased
)

// What a recover job sends again (docs/contract.md#endpoints).
const (
	RecoverFailed  = "failed"  // what failed for good
	RecoverMissing = "missing" // what the endpoint never got: it did not exist, or was off
)

// Job is work that goes on in the background, in steps of one write
// each. How far it is stands in the job itself, so it goes on there after a
// restart. Which of the fields before Status are set depends on the kind.
type Job struct {
	ID             string         `json:"id"`
	Kind           string         `json:"kind"`
	EndpointID     string         `json:"endpointId,omitempty"` // of a recover or reorder job
	What           string         `json:"what,omitempty"`       // of a recover job
	OrderID        string         `json:"orderId,omitempty"`    // of an erase job
	From           time.Time      `json:"from,omitzero"`
	To             time.Time      `json:"to,omitzero"`      // of the events' time: From <= time < To
	Filter         jsontext.Value `json:"filter,omitempty"` // the filter of a list, as it was asked for
	Status         JobStatus      `json:"status"`
	Reason         string         `json:"reason,omitempty"`         // why it failed or was canceled
	Position       int64          `json:"position"`                 // the Seq of the last event looked at
	Last           int64          `json:"last"`                     // the Seq of the last event to look at
	Stage          int            `json:"stage,omitempty"`          // of a reorder job
	Cursor         string         `json:"cursor,omitempty"`         // where the next page of the list begins
	Examined       int64          `json:"examined"`                 // what was looked at
	Expected       int64          `json:"expected,omitempty"`       // how many there were to look at when it was asked for; 0 where that was not counted
	ExpectedCapped bool           `json:"expectedCapped,omitempty"` // there were more than Expected, which was counted no further
	Sent           int64          `json:"sent"`                     // deliveries made due again
	Canceled       int64          `json:"canceled,omitempty"`       // deliveries that were pending
	Tried          []string       `json:"tried,omitempty"`          // of a redeliver job: the endpoints that one delivery was tried at, at once
	By             string         `json:"by,omitempty"`             // who asked for it, for the history of orders
	Resumed        int64          `json:"resumed,omitempty"`        // runs that go on
	Skipped        int64          `json:"skipped,omitempty"`        // what could not be dealt with
	Skips          []JobSkip      `json:"skips,omitempty"`          // the first of these
	Created        time.Time      `json:"created"`
	Updated        time.Time      `json:"updated"`
	Ended          time.Time      `json:"ended,omitzero"`

	// Revision counts how often the job was stored. It is the row's, and no part of
	// the document.
	Revision int64 `json:"-"`
}

// mostSkips is how many of what it left alone a job names.
const mostSkips = 10

// JobSkip is something that a job left alone, and why.
type JobSkip struct {
	ID     string `json:"id" doc:"Of the run or the delivery"`
	Reason string `json:"reason"`
}

// Skip counts something that the job leaves alone, and keeps the first of these.
func (j *Job) Skip(s JobSkip) {
	if j.Skipped++; len(j.Skips) < mostSkips {
		j.Skips = append(j.Skips, s)
	}
}

// NewJob returns a job that is to begin.
func NewJob(kind string, now time.Time) *Job {
	return &Job{ID: ids.New(ids.Job), Kind: kind, Status: JobRunning, Created: now, Updated: now}
}

// End ends a job at its time of update; reason says why it did not succeed.
func (j *Job) End(status JobStatus, reason string) {
	j.Status, j.Reason, j.Ended = status, reason, j.Updated
}

// Audited is a job as an audit entry has it, nil for one that is a consequence of a
// change which has an entry itself.
func (j *Job) Audited() *access.AuditedJob {
	switch j.Kind {
	case JobRecover, JobRedeliver, JobCancel, JobResume:
		return &access.AuditedJob{ID: j.ID, Kind: j.Kind, EndpointID: j.EndpointID, What: j.What, From: j.From, To: j.To, Filter: json.RawMessage(j.Filter)}
	}
	return nil
}
