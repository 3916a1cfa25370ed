package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/apierr"
)

// problem is an error answer (RFC 9457). It is the only form in which the API says that
// something went wrong, whether a handler, Huma or one of the outer handlers says it.
// None of its texts holds a secret, or what is the matter inside.
type problem struct {
	Type     string              `json:"type" doc:"about:blank: the status says it all" example:"about:blank"`
	Title    string              `json:"title" doc:"The status in words"`
	Status   int                 `json:"status"`
	Detail   string              `json:"detail,omitempty" doc:"What is wrong, for a person to read"`
	Errors   []apierr.FieldError `json:"errors,omitempty" nullable:"false" doc:"Each mistake and where it is"`
	Instance string              `json:"instance,omitempty" doc:"The request's id, which the log has, too"`
}

// Error implements error.
func (p *problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// mostErrors is how many errors one problem names. What finds them has a bound of its own; this one
// holds for whatever is added.
const mostErrors = 100

// newProblem makes a problem without an Instance, which named or writeProblem adds.
func newProblem(status int, detail string, fields []apierr.FieldError) *problem {
	if more := len(fields) - mostErrors; more > 0 {
		// The list is another's, and so a copy is changed.
		fields = append(slices.Clone(fields[:mostErrors-1]), apierr.FieldError{Location: fields[mostErrors-1].Location,
			Message: fields[mostErrors-1].Message + fmt.Sprintf(" (and %d more errors)", more)})
	}
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: fields}
}

// statuses is the only table from the kind of an error to an HTTP status. A kind that is
// not in it is an internal error.
var statuses = map[apierr.Kind]int{
	apierr.Malformed:    http.StatusBadRequest,
	apierr.Invalid:      http.StatusUnprocessableEntity,
	apierr.Unauthorized: http.StatusUnauthorized,
	apierr.Forbidden:    http.StatusForbidden,
	apierr.NotFound:     http.StatusNotFound,
	apierr.Conflict:     http.StatusConflict,
	apierr.Stale:        http.StatusPreconditionFailed,
	apierr.TooLarge:     http.StatusRequestEntityTooLarge,
	apierr.Unavailable:  http.StatusServiceUnavailable,
	apierr.TooMany:      http.StatusTooManyRequests,
}

// problemOf turns the error of a request into an answer. What the caller must not see is
// only logged, with the id of the request.
//
// An error that is a problem already stays as it is. A canceled context is no error to
// log: the caller hung up, and nobody will read the answer.
func problemOf(log *slog.Logger, request string, err error) error {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*apierr.Error](err); ok {
		if status, ok := statuses[e.Kind]; ok {
			p := newProblem(status, e.Detail, e.Fields)
			if e.Kind == apierr.Unavailable || e.Kind == apierr.TooMany {
				return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {retryAfter(e)}})
			}
			return p
		}
	}
	if !errors.Is(err, context.Canceled) {
		log.Error("a request failed", "request", request, "error", err)
	}
	return newProblem(http.StatusInternalServerError, "something went wrong inside; the log says what", nil)
}

// retryAfter returns how long a caller should wait, in whole seconds: one second, unless
// the error says more. A part of a second is rounded up: who comes back too early is
// refused once more.
func retryAfter(e *apierr.Error) string {
	seconds := (e.RetryAfter + time.Second - 1) / time.Second
	return strconv.FormatInt(max(int64(seconds), 1), 10)
}

// asProblem turns Huma's own errors, about parameters and bodies, into problems. It
// leaves out the values that they repeat, because these may be secrets. Everything but an
// error of Huma's passes through unchanged.
func asProblem(_ huma.Context, _ string, body any) (any, error) {
	e, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	var fields []apierr.FieldError
	for _, d := range e.Errors {
		if d != nil { // Huma leaves a gap where it was given no error
			fields = append(fields, apierr.FieldError{Location: d.Location, Message: d.Message})
		}
	}
	return newProblem(e.Status, e.Detail, fields), nil
}

// unreadTime is how long reading the remaining body of a refused request may take.
// net/http reads a little of it before it answers, because callers send a whole request
// before they read.
const unreadTime = time.Second

// writeProblem answers outside of Huma. It is for answers before an operation was found,
// or before Huma has the request. The body of such a request was not read, so the
// deadline bounds what net/http reads of it.
func writeProblem(w http.ResponseWriter, status int, detail string, fields []apierr.FieldError) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(unreadTime)) // not of every writer; a test's has none
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	p := newProblem(status, detail, fields)
	p.Instance = idOf(w)
	_ = out.Encode(p)
}

// refuse answers an error outside of Huma. A wait that the error asks for is in
// Retry-After, as it is in Huma's answers.
func (a *api) refuse(w http.ResponseWriter, err error) {
	answer := problemOf(a.Log, idOf(w), err)
	if h, ok := errors.AsType[huma.HeadersError](answer); ok {
		maps.Copy(w.Header(), h.GetHeaders())
	}
	p, _ := errors.AsType[*problem](answer)
	writeProblem(w, p.Status, p.Detail, p.Errors)
}
