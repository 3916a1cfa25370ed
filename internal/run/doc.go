// Package run is workflow runs: what the steps of a status have come to, what a step is
// sent, and what its answer says.
//
// It is pure: what becomes of a run is decided in package workflow/decide, and nothing here
// makes a call. Start with [Run], then [StepRequest] and [ParseStepAnswer].
package run
