package demo

import (
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// The parts of the API's answers that the demo prints (docs/api.md).

type workflowResult struct {
	RunID     string
	IsAborted bool
	Order     document
}

type workflowRun struct {
	Status  string
	Reason  string
	Results []step `json:"orderActionExecutionResults"`
}

type step struct {
	ActionStatus string
	ErrorReason  string
	CallID       string
	Changes      []oms.Change
}

type attempt struct {
	ID         string
	Number     int
	MaxNumber  int
	StartedAt  time.Time
	DurationMs float64
	URL        string
	Status     int
	Error      string
	Response   *struct{ Body string }
}

// document is an order or settings, its numbers to the digit.
type document struct{ *oms.Object }

// UnmarshalJSON implements json.Unmarshaler.
func (d *document) UnmarshalJSON(data []byte) (err error) {
	d.Object, err = oms.Parse(data)
	return err
}
