package hook

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Class is what an outcome means for the call that an attempt belongs to.
type Class int

// The classes (CONTRACT.md, "Outcome of one attempt").
const (
	Retry    Class = iota // failed; another attempt may do better
	Final                 // failed; another attempt would fail alike
	Answered              // a step's 2xx, its body still to be judged; or an event acknowledged
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

// Acknowledged reports whether status and err, as of [Classify], say that the
// endpoint has an event: 200, 201, 202 or 204 with a whole answer. Anything
// else is a failure that is tried again (CONTRACT.md, "Event notifications").
func Acknowledged(status int, err error) bool {
	return err == nil && acknowledges(status)
}

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
// malformed, negative, past, or more than a year away.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = date.Sub(now)
	}
	if wait < 0 || wait > mostRetryAfter {
		return 0
	}
	return wait
}
