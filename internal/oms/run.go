package oms

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// RunStatus is where a workflow run stands.
type RunStatus string

// The statuses of a run, as `GET /api/runs` filters them (API.md, "Runs").
const (
	RunRunning    RunStatus = "running"    // a call is being made, or is about to be
	RunWaiting    RunStatus = "waiting"    // for its turn, a retry's time, or a deferred step's
	RunSucceeded  RunStatus = "succeeded"  // all its steps were taken
	RunAborted    RunStatus = "aborted"    // a step with StopOnError stopped it
	RunSuperseded RunStatus = "superseded" // someone else changed the status meanwhile
	RunFailed     RunStatus = "failed"     // it could not go on: its order is gone
	RunCanceled   RunStatus = "canceled"   // through the API
)

// Ended reports whether a run of this status will do nothing more.
func (s RunStatus) Ended() bool { return s != RunRunning && s != RunWaiting }

// Run is one run of a status's workflow over one order: what the row in the
// store holds, and with it all that is needed to go on after a crash. Its
// position always names the attempt that is under way or next, so a process
// that dies during an attempt repeats that very one.
type Run struct {
	ID      string    `json:"id"`
	OrderID string    `json:"orderId"`
	Status  RunStatus `json:"status"`
	// EnteredStatus is the order's status whose steps run.
	EnteredStatus   string `json:"enteredStatus"`
	OrderType       string `json:"orderType,omitempty"` // as it was then: a step may change it
	ShipmentID      string `json:"shipmentId,omitempty"`
	ReturnID        string `json:"returnId,omitempty"`
	SettingsVersion int64  `json:"settingsVersion"` // the settings it began with, and keeps
	// Since is the version of the settings that was in force when it was resumed last;
	// 0: it never was. Of the settings that it keeps, it may use what these still had.
	Since int64 `json:"since,omitempty"`
	// StatusVersion is the order's version at which its status was last set,
	// as this run knows it. When the order's own is another, someone else set it.
	// It is not in the stored document: a run that waits may get another without being read.
	StatusVersion int64 `json:"-"`
	// ScopeStatus is the same for the shipment or the return that the run is for:
	// the shipment's [ShipmentStatus], the return's own status.
	ScopeStatus string `json:"scopeStatus,omitempty"`
	// ShipmentsMoved says that a patch of one of its steps gave a shipment another
	// orderStatus, which may bring the order into a mainOrderStatus.
	ShipmentsMoved bool `json:"shipmentsMoved,omitempty"`

	Trigger   string       `json:"trigger,omitempty"`   // status to enter once this run has ended
	Triggered string       `json:"triggered,omitempty"` // the run of that status
	Chain     int          `json:"chain,omitempty"`     // how many runs triggered one another before this
	Position  Position     `json:"position"`
	Deadline  time.Time    `json:"deadline,omitzero"` // of the whole run; zero: none
	Results   []StepResult `json:"results"`
	Reason    string       `json:"reason,omitempty"` // why it was aborted, superseded or failed
	// AnswerVersion is the order's version when all but the deferred steps had
	// ended, which is when the caller got its answer; 0 before.
	AnswerVersion int64      `json:"answerVersion,omitempty"`
	Created       time.Time  `json:"created"`
	Updated       time.Time  `json:"updated"`
	Ended         *time.Time `json:"ended,omitempty"`

	// Revision counts how often the run was stored. It is the row's, and no part of
	// the document.
	Revision int64 `json:"-"`
}

// SecretsSince is the version of the settings that was in force when the run began, or
// was resumed last: it may use no secret that had been removed by then.
func (r *Run) SecretsSince() int64 { return cmp.Or(r.Since, r.SettingsVersion) }

// Clone returns a copy that can be changed without changing r.
func (r *Run) Clone() *Run {
	c := *r
	c.Results = slices.Clone(r.Results)
	return &c
}

// StepName names a step of the run for people: by its displayName where it has
// one, and with its place among the run's steps, as "Fraud check (step 2 of 3,
// WebhookWorkflowStep)". Deferred steps are counted after all others, in the
// order in which the run takes them.
func (r *Run) StepName(i int) string {
	s := &r.Results[i]
	if s.DisplayName == "" {
		return fmt.Sprintf("%s (step %d of %d)", s.Step, i+1, len(r.Results))
	}
	return fmt.Sprintf("%s (step %d of %d, %s)", s.DisplayName, i+1, len(r.Results), s.Step)
}

// ScopeID is the id of the shipment or the return that the run is for; "" where
// it is for the order itself.
func (r *Run) ScopeID() string { return cmp.Or(r.ShipmentID, r.ReturnID) }

// AtStep is the step that a run is at, or the one that it ended at before it had
// taken all of them; the zero one for a run that succeeded, or has no steps.
func (r *Run) AtStep() StepResult {
	if r.Status == RunSucceeded || r.Position.Step >= len(r.Results) {
		return StepResult{}
	}
	return r.Results[r.Position.Step]
}

// Position is the attempt a run is at.
type Position struct {
	Step      int       `json:"step"`               // index into Results
	CallID    string    `json:"callId,omitempty"`   // the same for all attempts of one call
	Attempt   int       `json:"attempt,omitempty"`  // number of the attempt under way or next, from 1
	DueAt     time.Time `json:"dueAt,omitzero"`     // not before this time
	StartedAt time.Time `json:"startedAt,omitzero"` // when the call's first attempt could begin
	// BaseVersion is the version of the order that the call sends, in every attempt.
	BaseVersion int64 `json:"baseVersion,omitempty"`
}

// ActionStatus is the result of a step (order-workflow-step.txt,
// "OrderActionExecutionResults fields").
type ActionStatus string

// The statuses of a step. The wire knows the first three; the others say why a
// step has none of them.
const (
	ActionSuccess  ActionStatus = "Success"
	ActionWarning  ActionStatus = "Warning"
	ActionError    ActionStatus = "Error"
	ActionPending  ActionStatus = "Pending"  // deferred, still to come
	ActionWouldRun ActionStatus = "WouldRun" // in a dry run that calls nothing
	ActionSkipped  ActionStatus = "Skipped"  // not for this order, or the run ended before it
)

// StepResult is one entry of a workflow result (API.md, "Orders").
type StepResult struct {
	Step           string       `json:"step"`
	DisplayName    string       `json:"displayName,omitempty"`
	ActionType     string       `json:"actionType"`
	ActionStatus   ActionStatus `json:"actionStatus"`
	CancelWorkflow bool         `json:"cancelWorkflow"`
	ErrorReason    string       `json:"errorReason,omitempty"`
	IsInvisible    bool         `json:"isInvisible"`
	TranslateKey   string       `json:"translateKey,omitempty"`
	DurationMs     int64        `json:"durationMs"` // from the first attempt to the last one's end
	Attempts       int          `json:"attempts"`
	CallID         string       `json:"callId,omitempty"`
	Changes        []Change     `json:"changes,omitempty"`
	Warnings       []Warning    `json:"warnings,omitempty"` // what of the answer was not read, or not applied
	// ConfigIndex finds the step in the status's list of the run's settings.
	ConfigIndex int  `json:"configIndex"`
	Deferred    bool `json:"deferred,omitempty"`
}

// By names the step as the one that made a change of the order.
func (r *StepResult) By() string {
	if r.DisplayName == "" {
		return "step " + r.Step
	}
	return "step " + r.Step + " (" + r.DisplayName + ")"
}
