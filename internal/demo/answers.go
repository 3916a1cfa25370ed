package demo

import (
	"time"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
)

// The parts of the API's answers that the demo prints (docs/api.md).

// workflowResult is what a POST of an order answers. Names of members are read in any
// case, so they need no tags.
type workflowResult struct {
	RunID     string
	IsAborted bool
	Order     document
}

// workflowRun is a run as it is read after it has ended, with all its steps.
type workflowRun struct {
	Status  string
	Reason  string
	Results []step `json:"orderActionExecutionResults"`
}

// step is what one step came to. CallID leads to its attempts; "" where nothing was
// called.
type step struct {
	ActionStatus string
	ErrorReason  string
	CallID       string
	Changes      []order.Change
}

// attempt is one request to one of the demo's endpoints. Response is nil where nothing
// came back, as after a time-out.
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

// document is an order or settings, its numbers to the digit. A struct with floats could
// show another price than the one that was sent.
type document struct{ *jsondoc.Object }

// UnmarshalJSON implements json.Unmarshaler. It reads the document as the server does.
func (d *document) UnmarshalJSON(data []byte) (err error) {
	d.Object, err = schema.Parse(data)
	return err
}
