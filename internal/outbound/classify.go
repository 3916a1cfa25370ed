package outbound

import (
	"net/http"
	"time"
)

// Class is what an outcome means for the call that an attempt belongs to. What follows from
// it is decided by who made the call.
type Class int

// The classes (docs/contract.md#outcomes).
const (
	Retry    Class = iota // failed; another attempt may do better
	Final                 // failed; another attempt would fail alike
	Answered              // a step's 2xx, its body still to be classified; or an event acknowledged
	// OwnTrouble is no outcome of the attempt: this server had no descriptor, port
	// or memory for it. It uses up no attempt and says nothing of the endpoint.
	OwnTrouble
)

// Classify says what an attempt's status (0 where none came) and its error
// (nil where the answer is complete) mean to a two-way step. Where a 400 or
// 404 came, it counts whatever happened to its body. For one-way requests see
// [Exchange.Class].
func Classify(status int, err error) Class {
	switch {
	case status == http.StatusBadRequest, status == http.StatusNotFound, unsendable(err) != nil:
		return Final
	case err == nil && status >= 200 && status <= 299:
		return Answered
	}
	return Retry
}

// acknowledges reports whether a status alone says that the endpoint has an event.
func acknowledges(status int) bool {
	switch status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return true
	}
	return false
}

// mostRetryAfter is the longest wait that a Retry-After is believed to mean.
const mostRetryAfter = 365 * 24 * time.Hour
