package run

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
)

// RunStatus is where a workflow run stands.
type RunStatus string

// The statuses of a run, as `GET /api/runs` filters them (docs/contract.md#runs).
const (
	RunRunning    RunStatus = "running"    // a call is being made, or is about to be
	RunWaiting    RunStatus = "waiting"    // for its turn, a retry's time, or a deferred step's
	RunSucceeded  RunStatus = "succeeded"  // all its steps were taken
	RunAborted    RunStatus = "aborted"    // a step with StopOnError stopped it
	RunSuperseded RunStatus = "superseded" // someone else changed the status meanwhile
	RunFailed     RunStatus = "failed"     // it could not go on, by an error of orderhook's own
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
	// 0: it never was. The run may use of the settings that it keeps what these still had.
	Since int64 `json:"since,omitempty"`
	// StatusVersion is the order's version at which its status was last set,
	// as this run knows it. When the order's own is another, someone else set it.
	// It is not in the stored document: a run that waits may get another without being read.
	StatusVersion int64 `json:"-"`
	// ScopeStatus is the same for the shipment or the return that the run is for:
	// the shipment's [order.ShipmentStatus], the return's own status.
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
	AnswerVersion int64 `json:"answerVersion,omitempty"`
	// Trace is where the run belongs in a trace; nothing is stored of it where it belongs to
	// none.
	Trace   Trace      `json:"trace,omitzero"`
	Created time.Time  `json:"created"`
	Updated time.Time  `json:"updated"`
	Ended   *time.Time `json:"ended,omitempty"`

	// Revision counts how often the run was stored. It is the row's, and no part of
	// the document.
	Revision int64 `json:"-"`
}

// Trace is the place of a run in a trace.
type Trace struct {
	// Context is what the run's calls and events belong to, as the package trace writes
	// it: the span of the run or, where this server makes none, the span of whoever began
	// the run.
	Context string `json:"context"`
	// Parent is the id of the span above that of the run; "" where the run has none.
	Parent string `json:"parent,omitempty"`
	// Began is when the span of a run that was resumed began; zero: when it was created.
	Began time.Time `json:"began,omitzero"`
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

// Current is the result of the step that a run is at, or ended at; nil where it has
// taken all of them, or has none.
func (r *Run) Current() *StepResult {
	if r.Position.Step >= len(r.Results) {
		return nil
	}
	return &r.Results[r.Position.Step]
}

// AtDeferred reports whether the step that a run is at, or ended at, is a deferred one.
func (r *Run) AtDeferred() bool {
	s := r.Current()
	return s != nil && s.Deferred
}

// AtStep is the step that a run is at, or the one that it ended at before it had
// taken all of them; the zero one for a run that succeeded, or has no steps.
func (r *Run) AtStep() StepResult {
	if s := r.Current(); s != nil && r.Status != RunSucceeded {
		return *s
	}
	return StepResult{}
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

// ActionStatus is the result of a step (docs/contract.md#effects).
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

// StepResult is one entry of a workflow result (docs/contract.md#runs).
type StepResult struct {
	Step           string           `json:"step"`
	DisplayName    string           `json:"displayName,omitempty"`
	ActionType     string           `json:"actionType"`
	ActionStatus   ActionStatus     `json:"actionStatus"`
	CancelWorkflow bool             `json:"cancelWorkflow"`
	ErrorReason    string           `json:"errorReason,omitempty"`
	IsInvisible    bool             `json:"isInvisible"`
	TranslateKey   string           `json:"translateKey,omitempty"`
	DurationMs     int64            `json:"durationMs"` // from the first attempt to the last one's end
	Attempts       int              `json:"attempts"`
	CallID         string           `json:"callId,omitempty"`
	Changes        []order.Change   `json:"changes,omitempty" nullable:"false"`
	Warnings       []apierr.Warning `json:"warnings,omitempty" nullable:"false"` // what of the answer was not read, or not applied
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

// StepOf returns the step of a run that made a call; nil: none did.
func (r *Run) StepOf(callID string) *StepResult {
	i := slices.IndexFunc(r.Results, func(s StepResult) bool { return s.CallID == callID })
	if i < 0 {
		return nil
	}
	return &r.Results[i]
}

// Describe completes an entry with the run, and with the step's name there, if its call
// was a step of the run. It reports whether it was.
func (r *Run) Describe(h *order.HistoryEntry) bool {
	step := r.StepOf(h.CallID)
	if step == nil {
		return false
	}
	h.RunID, h.By, h.TranslateKey = r.ID, step.By(), step.TranslateKey
	return true
}

// WorkflowFailed reports whether a run that has ended is one that workflow_failed
// tells of: it was aborted or could not go on, or a step of it failed
// (docs/contract.md#event-types).
func (r *Run) WorkflowFailed() bool {
	return r.Status == RunAborted || r.Status == RunFailed || r.FailedStep() >= 0
}

// FailedStep returns the step that stopped the run, else the first that failed;
// -1 if none did.
func (r *Run) FailedStep() int {
	at := r.Position.Step
	if (r.Status == RunAborted || r.Status == RunFailed) && at < len(r.Results) {
		return at
	}
	return slices.IndexFunc(r.Results, func(s StepResult) bool { return s.ActionStatus == ActionError })
}
