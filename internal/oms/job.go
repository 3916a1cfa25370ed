package oms

import "time"

// JobStatus is where a job stands.
type JobStatus string

// The statuses of a job.
const (
	JobRunning   JobStatus = "running"
	JobSucceeded JobStatus = "succeeded" // it went through everything
	JobCanceled  JobStatus = "canceled"
	JobFailed    JobStatus = "failed" // its endpoint is gone
)

// What a recover job sends again (API.md, "Webhook endpoints and events").
const (
	RecoverFailed  = "failed"  // what failed for good
	RecoverMissing = "missing" // what the endpoint never got: it did not exist, or was off
)

// Job is work that goes on in the background, in steps of one transaction
// each: Position is how far it is, so it goes on there after a restart.
type Job struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind"` // recover
	EndpointID string    `json:"endpointId"`
	What       string    `json:"what"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"` // of the events' time: From <= time < To
	Status     JobStatus `json:"status"`
	Reason     string    `json:"reason,omitempty"` // why it failed
	Position   int64     `json:"position"`         // the Seq of the last event looked at
	Last       int64     `json:"last"`             // the Seq of the last event to look at
	Examined   int64     `json:"examined"`         // events, or failed deliveries, looked at
	Sent       int64     `json:"sent"`             // deliveries made due again
	Created    time.Time `json:"created"`
	Updated    time.Time `json:"updated"`
	Ended      time.Time `json:"ended,omitzero"`
}
