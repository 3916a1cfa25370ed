package oms

import "time"

// Operations of history entries. ExecuteExportOrder is the name that
// order-workflow-step.txt ("Behavior") gives the event of an answered step.
const (
	OpCreated            = "Created"
	OpPatched            = "Patched"
	OpReturned           = "ReturnCreated"
	OpStatusChanged      = "StatusChanged"
	OpReturnCancelled    = "ReturnCancelled"
	OpErrorsCleared      = "ErrorsCleared"
	OpExecuteExportOrder = "ExecuteExportOrder"
	OpStepFailed         = "WorkflowStepFailed"
	OpStepWarning        = "WorkflowStepWarning"
	OpStepSkipped        = "WorkflowStepSkipped"
	OpStepWaits          = "WorkflowStepWaits"
	OpTotalsUnfit        = "TotalsNotComputed"
	OpFieldsNotApplied   = "PatchFieldsNotApplied"
	OpConflict           = "Conflict"
	OpRunEnded           = "WorkflowEnded"
	OpRunResumed         = "WorkflowResumed"
)

// Categories of history entries.
const (
	CategoryOrder    = "Order"
	CategoryWorkflow = "Workflow"
)

// Author is who did something to an order.
type Author struct {
	By        string // `key ID`, a step, `workflow`
	KeyName   string // of the key; "" where it has none
	RequestID string // of the request that asked for it; "" where none did
}

// HistoryEntry is one thing that happened to an order, as API.md lists its fields.
type HistoryEntry struct {
	ID             string    `json:"id"`
	Timestamp      time.Time `json:"timestamp"`
	Category       string    `json:"category"`
	Operation      string    `json:"operation"`
	Message        string    `json:"message,omitempty"`
	Status         string    `json:"status,omitempty"`
	PreviousStatus string    `json:"previousStatus,omitempty"`
	Step           string    `json:"step,omitempty"`
	ShipmentID     string    `json:"shipmentId,omitempty"`
	ReturnID       string    `json:"returnId,omitempty"`
	CallID         string    `json:"callId,omitempty"`
	RunID          string    `json:"runId,omitempty"`
	By             string    `json:"by,omitempty"`        // the key, or the step, that did it
	KeyName        string    `json:"keyName,omitempty"`   // as the key was called then
	RequestID      string    `json:"requestId,omitempty"` // of the request that asked for it
	IsError        bool      `json:"isError"`
	Version        int64     `json:"version,omitempty"` // of the order, after it
	Changes        []Change  `json:"changes,omitempty"`
	Warnings       []Warning `json:"warnings,omitempty"` // what of a document, a patch or an answer was not read

	// Of the log item of an export (CONTRACT.md, "Export Order").
	Created      *bool  `json:"created,omitempty"`     // whether it was exported
	IsSuccess    *bool  `json:"isSuccess,omitempty"`   // the same
	ErrorReason  string `json:"errorReason,omitempty"` // why it was not
	Type         string `json:"type,omitempty"`        // the step's key
	TranslateKey string `json:"translateKey,omitempty"`
}
