package order

import (
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
)

// Operations of history entries. ExecuteExportOrder is the name that
// the specification gives the event of an answered step (docs/contract.md#effects). Other
// systems and the dashboard go by these names, so they do not change. [HistoryEntry] has
// one of them in Operation.
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

// Categories of history entries. The first is for what happened to the order, whoever did
// it; the second for how its workflow went.
const (
	CategoryOrder    = "Order"
	CategoryWorkflow = "Workflow"
)

// Author is who did something to an order. It is copied into each entry of the history, so
// that the entry says who it was even when the key is gone.
type Author struct {
	By        string // `key ID`, a step, `workflow`
	KeyName   string // of the key; "" where it has none
	RequestID string // of the request that asked for it; "" where none did
}

// HistoryEntry is one thing that happened to an order, as docs/contract.md#versions
// lists its fields. Entries never change once they are stored. An order that is erased
// loses them.
type HistoryEntry struct {
	ID             string           `json:"id"`
	Timestamp      time.Time        `json:"timestamp"`
	Category       string           `json:"category"`
	Operation      string           `json:"operation"`
	Message        string           `json:"message,omitempty"`
	Status         string           `json:"status,omitempty"`
	PreviousStatus string           `json:"previousStatus,omitempty"`
	Step           string           `json:"step,omitempty"`
	ShipmentID     string           `json:"shipmentId,omitempty"`
	ReturnID       string           `json:"returnId,omitempty"`
	CallID         string           `json:"callId,omitempty"`
	RunID          string           `json:"runId,omitempty"`
	By             string           `json:"by,omitempty"`        // the key, or the step, that did it
	KeyName        string           `json:"keyName,omitempty"`   // as the key was called then
	RequestID      string           `json:"requestId,omitempty"` // of the request that asked for it
	IsError        bool             `json:"isError"`
	Version        int64            `json:"version,omitempty"` // of the order, after it
	Changes        []Change         `json:"changes,omitempty" nullable:"false"`
	Warnings       []apierr.Warning `json:"warnings,omitempty" nullable:"false"` // what of a document, a patch or an answer was not read

	// For the log item of an export (docs/contract.md#exports).
	Created      *bool  `json:"created,omitempty"`     // whether it was exported
	IsSuccess    *bool  `json:"isSuccess,omitempty"`   // the same
	ErrorReason  string `json:"errorReason,omitempty"` // why it was not
	Type         string `json:"type,omitempty"`        // the step's key
	TranslateKey string `json:"translateKey,omitempty"`
}
