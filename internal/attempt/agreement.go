package attempt

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Result is how the answer of a shadow compares with that of its live step
// (docs/contract.md#shadow-steps). The package rerun says which it is.
type Result string

// The results.
const (
	ResultSame      Result = "same"
	ResultSlower    Result = "slower" // the same, and it took too long
	ResultDifferent Result = "different"
	ResultFailed    Result = "failed"
)

// Agrees reports whether both answers had the same effect.
func (r Result) Agrees() bool { return r == ResultSame || r == ResultSlower }

// Comparison is what a shadow's answer would have done beside what the live step's did. It is
// a part of the record of the shadow's attempt, since it has values of the order: what erases
// that erases this.
type Comparison struct {
	ShadowID string `json:"shadowId"`
	With     string `json:"with" doc:"The attempt of the live step that it is compared with"`
	Result   Result `json:"result" enum:"same,slower,different,failed"`
	// Differences are the first of them, More how many there are beside these.
	Differences []Difference `json:"differences,omitempty" nullable:"false"`
	More        int          `json:"more,omitempty" doc:"Differences that are not shown"`
}

// Difference is one field in which the effects differ. A value that is too large to be kept is
// the text "…".
type Difference struct {
	Path   string         `json:"path"`
	Live   jsontext.Value `json:"live"`
	Shadow jsontext.Value `json:"shadow"`
}

// Paths are those of the differences.
func (c *Comparison) Paths() []string {
	paths := make([]string, len(c.Differences))
	for i, d := range c.Differences {
		paths[i] = d.Path
	}
	return paths
}

// Agreement counts how the answers of a shadow compared. It has no value of any order.
type Agreement struct {
	ID string `json:"id"` // of the shadow
	// Digest is that of the shadow's configuration (settings.Shadow).
	Digest    string `json:"digest"`
	Same      int64  `json:"same"`
	Slower    int64  `json:"slower"`
	Different int64  `json:"different"`
	Failed    int64  `json:"failed"`
	Skipped   int64  `json:"skipped"` // calls of the live step beside which the shadow was not called
	// InARow is how often it agreed since it last did not.
	InARow  int64          `json:"inARow"`
	Since   time.Time      `json:"since"`
	Updated time.Time      `json:"updated"`
	Last    []Disagreement `json:"last,omitempty"` // the newest first

	// Revision counts how often it was stored. It is the row's, and no part of the document.
	Revision int64 `json:"-"`
}

// Disagreement is a call whose answers did not have the same effect.
type Disagreement struct {
	AttemptID string    `json:"attemptId" doc:"Of the shadow; its record has the values"`
	Result    Result    `json:"result" enum:"different,failed"`
	Paths     []string  `json:"paths" nullable:"false"`
	At        time.Time `json:"at"`
}

// Bounds of an agreement.
const (
	mostLast  = 20
	mostPaths = 10
)

// Compared is how many answers were compared.
func (a *Agreement) Compared() int64 { return a.Same + a.Slower + a.Different + a.Failed }

// Add counts an attempt of the shadow, whose detail has the comparison.
func (a *Agreement) Add(at *Attempt, now time.Time) {
	c := at.Detail.Comparison
	switch c.Result {
	case ResultSame:
		a.Same++
	case ResultSlower:
		a.Slower++
	case ResultDifferent:
		a.Different++
	case ResultFailed:
		a.Failed++
	}
	a.Updated = now
	if c.Result.Agrees() {
		a.InARow++
		return
	}
	a.InARow = 0
	paths := c.Paths()
	last := Disagreement{AttemptID: at.ID, Result: c.Result, Paths: paths[:min(mostPaths, len(paths))], At: now}
	a.Last = slices.Insert(slices.Clone(a.Last), 0, last)
	a.Last = a.Last[:min(mostLast, len(a.Last))]
}
