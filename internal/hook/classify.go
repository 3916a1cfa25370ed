package hook

import "net/http"

// Class is what an outcome means for the call that an attempt belongs to.
type Class int

// The classes (CONTRACT.md, "Outcome of one attempt").
const (
	Retry    Class = iota // failed; another attempt may do better
	Final                 // failed; another attempt would fail alike
	Answered              // a 2xx; whether its body is a valid result is for the reader to say
)

// Classify says what an attempt's status (0 where none came) and its error
// (nil where the answer is complete) mean to a two-way step. Where a 400 or
// 404 came, it counts whatever happened to its body.
func Classify(status int, err error) Class {
	switch {
	case status == http.StatusBadRequest, status == http.StatusNotFound, unsendable(err) != nil:
		return Final
	case err == nil && status >= 200 && status <= 299:
		return Answered
	}
	return Retry
}
