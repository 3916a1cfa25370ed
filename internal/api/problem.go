package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
)

// problem is an error answer (RFC 9457).
type problem struct {
	Type     string           `json:"type" doc:"about:blank: the status says it all" example:"about:blank"`
	Title    string           `json:"title" doc:"The status in words"`
	Status   int              `json:"status"`
	Detail   string           `json:"detail,omitempty" doc:"What is wrong, for a person to read"`
	Errors   []oms.FieldError `json:"errors,omitempty" doc:"Each mistake and where it is"`
	Instance string           `json:"instance,omitempty" doc:"The request's id, which the log has, too"`
}

// Error implements error.
func (p *problem) Error() string { return p.Detail }

// GetStatus implements huma.StatusError.
func (p *problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *problem) ContentType(string) string { return "application/problem+json" }

func newProblem(status int, detail string, fields []oms.FieldError) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: fields}
}

// statuses is the one table from an error's kind to an HTTP status.
var statuses = map[oms.Kind]int{
	oms.Malformed:    http.StatusBadRequest,
	oms.Invalid:      http.StatusUnprocessableEntity,
	oms.Unauthorized: http.StatusUnauthorized,
	oms.Forbidden:    http.StatusForbidden,
	oms.NotFound:     http.StatusNotFound,
	oms.Conflict:     http.StatusConflict,
	oms.Stale:        http.StatusPreconditionFailed,
	oms.TooLarge:     http.StatusRequestEntityTooLarge,
	oms.Unavailable:  http.StatusServiceUnavailable,
	oms.TooMany:      http.StatusTooManyRequests,
}

// problemOf turns the error of a request into an answer. What is not meant for
// the caller goes to the log alone, with the request's id.
func problemOf(log *slog.Logger, request string, err error) error {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*oms.Error](err); ok {
		if status, ok := statuses[e.Kind]; ok {
			p := newProblem(status, e.Detail, e.Fields)
			if e.Kind == oms.Unavailable || e.Kind == oms.TooMany {
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

// retryAfter is how long a caller should wait, in whole seconds: one where
// nobody knows better.
func retryAfter(e *oms.Error) string {
	seconds := (e.RetryAfter + time.Second - 1) / time.Second
	return strconv.FormatInt(max(int64(seconds), 1), 10)
}

func init() {
	huma.DefaultArrayNullable = false // no list in an answer is null
	// Huma's own errors, of parameters and bodies that its schemas refuse,
	// become problems too; the values that they echo stay behind, since they
	// may be secrets.
	huma.NewError = func(status int, detail string, errs ...error) huma.StatusError {
		var fields []oms.FieldError
		for _, err := range errs {
			if d, ok := err.(huma.ErrorDetailer); ok {
				fields = append(fields, oms.FieldError{Location: d.ErrorDetail().Location, Message: d.ErrorDetail().Message})
			} else if err != nil {
				fields = append(fields, oms.FieldError{Message: err.Error()})
			}
		}
		return newProblem(status, detail, fields)
	}
}

// unreadTime is how long what is left of the body of a refused request may take.
// net/http reads a little of it before it answers, since callers send a whole
// request before they read.
const unreadTime = time.Second

// writeProblem answers outside of Huma.
func writeProblem(w http.ResponseWriter, status int, detail string, fields []oms.FieldError) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(unreadTime)) // not of every writer; a test's has none
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	p := newProblem(status, detail, fields)
	p.Instance = idOf(w)
	_ = out.Encode(p)
}

// refuse answers an error outside of Huma.
func (a *api) refuse(w http.ResponseWriter, err error) {
	answer := problemOf(a.Log, idOf(w), err)
	if h, ok := errors.AsType[huma.HeadersError](answer); ok {
		maps.Copy(w.Header(), h.GetHeaders())
	}
	p, _ := errors.AsType[*problem](answer)
	writeProblem(w, p.Status, p.Detail, p.Errors)
}
