package outbound

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
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
// [Acknowledged].
func Classify(status int, err error) Class {
	switch {
	case status == http.StatusBadRequest, status == http.StatusNotFound, unsendable(err) != nil:
		return Final
	case err == nil && status >= 200 && status <= 299:
		return Answered
	}
	return Retry
}

// Acknowledged reports whether status and err, as of [Classify], say that the
// endpoint has an event: 200, 201, 202 or 204 with a whole answer. Anything
// else is a failure that is tried again (docs/contract.md#delivery).
func Acknowledged(status int, err error) bool {
	return err == nil && acknowledges(status)
}

// acknowledges is [Acknowledged] of the status alone.
func acknowledges(status int) bool {
	switch status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return true
	}
	return false
}

// mostRetryAfter is the longest wait that a Retry-After is believed to mean.
const mostRetryAfter = 365 * 24 * time.Hour

// RetryAfter reads the value of a Retry-After header (RFC 9110, 10.2.3): whole
// seconds, or a date, held against now. It returns 0 where the value is
// malformed, negative or past, and a year where it is further away, however
// many digits it has. An endpoint cannot stop its deliveries by it: package delivery takes
// it for a wish.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // then it is the largest there is
		return time.Duration(min(seconds, uint64(mostRetryAfter/time.Second))) * time.Second
	}
	// It may be a date instead.
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(0, date.Sub(now)), mostRetryAfter)
}
