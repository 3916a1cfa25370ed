package checkup

// Severity says how bad a finding is.
type Severity string

// The severities, the worst first. Notes alone leave an endpoint without findings.
const (
	Error   Severity = "error"   // the server would fail the call, or something would be lost
	Warning Severity = "warning" // it works, and will make trouble
	Note    Severity = "note"    // it is good to know
)

// What a case came to, besides the severity of its worst finding.
const (
	resultOK      = "ok"
	resultSkipped = "skipped"
)

// Report is what a check has found. It holds no secret.
type Report struct {
	URL     string `json:"url"`
	Kind    Kind   `json:"kind"`
	Timeout string `json:"timeout"`
	Signed  bool   `json:"signed"`
	Cases   []Case `json:"cases"`
	// Unreachable says why there was no connection to the endpoint; "": there was one.
	Unreachable string `json:"unreachable,omitempty"`
	Errors      int    `json:"errors"`
	Warnings    int    `json:"warnings"`
	Notes       int    `json:"notes"`
}

// Findings is how many things there are to be changed.
func (r *Report) Findings() int { return r.Errors + r.Warnings }

// Case is some calls with one question.
type Case struct {
	Name     string    `json:"name"`
	About    string    `json:"about"`
	Result   string    `json:"result"`            // ok, note, warning, error or skipped
	Skipped  string    `json:"skipped,omitempty"` // why it was left out
	Calls    []Call    `json:"calls"`
	Findings []Finding `json:"findings"`
}

// Call is one request, and what came of it.
type Call struct {
	Sent       string  `json:"sent"` // in a few words
	Key        string  `json:"key"`  // Idempotency-Key, or webhook-id
	Attempt    int     `json:"attempt,omitzero"`
	Status     int     `json:"status,omitzero"` // 0: no answer came
	DurationMs float64 `json:"durationMs"`
	Failure    string  `json:"failure,omitempty"` // as the server would record it
	Effect     string  `json:"effect"`            // what the server would make of it
	Answer     string  `json:"answer,omitempty"`  // the beginning of its body
}

// Finding is something to be changed, or to be known.
type Finding struct {
	Kind     string   `json:"kind"` // stays the same over versions
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	Sent     string   `json:"sent"`
	Came     string   `json:"came"`
	Effect   string   `json:"effect"`
	Advice   string   `json:"advice"`
	Section  string   `json:"section"` // of the documentation
}

// finish gives a case its result: the worst of its findings.
func (c *Case) finish() {
	c.Result = resultOK
	if c.Skipped != "" {
		c.Result = resultSkipped
	}
	for _, s := range []Severity{Note, Warning, Error} {
		for _, f := range c.Findings {
			if f.Severity == s {
				c.Result = string(s)
			}
		}
	}
}

// count adds the findings of a case.
func (r *Report) count(c *Case) {
	for _, f := range c.Findings {
		switch f.Severity {
		case Error:
			r.Errors++
		case Warning:
			r.Warnings++
		case Note:
			r.Notes++
		}
	}
}
