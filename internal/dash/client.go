package dash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/oms"
)

// Problem is an error answer of the API (RFC 9457).
type Problem struct {
	Status   int              `json:"status"`
	Title    string           `json:"title"`
	Detail   string           `json:"detail"`
	Errors   []oms.FieldError `json:"errors"`
	Instance string           `json:"instance"` // the request's id

	RetryAfter string `json:"-"` // in seconds; "" where waiting does not help
}

// hint sets the header that says when to try again.
func (p *Problem) hint(h http.Header) {
	if p.RetryAfter != "" {
		h.Set("Retry-After", p.RetryAfter)
	}
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// problemOf returns the problem that an error is; nil if it is none.
func problemOf(err error) *Problem {
	p, _ := errors.AsType[*Problem](err)
	return p
}

// get asks the API, with the key of the session, and reads its answer into a
// value. What the API refuses is a [*Problem].
func (v *visit) get(path string, query url.Values, into any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return v.send(http.MethodGet, path, nil, into)
}

// send has the API do something. A nil body is none, and a nil into takes nothing of
// the answer.
func (v *visit) send(method, path string, body, into any) error {
	return v.sendIf(method, path, "", body, into)
}

// sendIf is send of what holds only while the version is still this one; "" is any.
func (v *visit) sendIf(method, path, version string, body, into any) error {
	r, err := newRequest(v.r, method, path, body)
	if err != nil {
		return err
	}
	if version != "" {
		r.Header.Set("If-Match", `"`+version+`"`)
	}
	return v.s.call(r.WithContext(api.WithKey(r.Context(), v.key)), v.ticket, into)
}

// keyOf asks the API what a key is. It counts the wrong ones by the address that
// they come from.
func (s *server) keyOf(from *http.Request, secret string) (k oms.Key, err error) {
	r, err := newRequest(from, http.MethodGet, "/api/me", nil)
	if err != nil {
		return k, err
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	return k, s.call(r, nil, &k)
}

// newRequest makes a request of the API, for somebody who asked for a page.
func newRequest(from *http.Request, method, path string, body any) (*http.Request, error) {
	var content io.Reader = http.NoBody
	switch body := body.(type) {
	case nil:
	case json.RawMessage: // exactly this text
		content = bytes.NewReader(body)
	default:
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(from.Context(), method, path, content)
	if err != nil {
		return nil, oms.Errorf(oms.NotFound, "there is nothing at this path")
	}
	r.RemoteAddr, r.Host = from.RemoteAddr, from.Host
	r.Header.Set(requestIDHeader, idOf(from))
	return r, nil
}

// call has the API answer a request in this process.
func (s *server) call(r *http.Request, room *admission.Ticket, into any) error {
	a := &answer{header: http.Header{}, room: room}
	if err := a.take(s.API, r); err != nil {
		return err
	}
	if a.status >= http.StatusBadRequest {
		return a.problem()
	}
	if a.status >= http.StatusMultipleChoices { // an id of .. leads away from what was asked for
		return oms.Errorf(oms.NotFound, "there is nothing at this path")
	}
	switch into := into.(type) {
	case nil:
		return nil
	case *json.RawMessage:
		*into = a.body.Bytes()
		return nil
	}
	return json.Unmarshal(a.body.Bytes(), into)
}

// answer is what the API says, in memory. It is counted while the page is made.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	room   *admission.Ticket // nil: nothing is counted
	err    error             // there was no room
}

// take lets the API answer. It breaks off an answer that cannot be finished.
func (a *answer) take(h http.Handler, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			err = errors.Join(a.err, context.Cause(r.Context()))
			if err == nil {
				err = errors.New("the API broke off its answer")
			}
		} else if p != nil {
			panic(p)
		}
	}()
	h.ServeHTTP(a, r)
	return a.err
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.room != nil && a.err == nil {
		a.err = fullHouse(a.room.Grow(int64(len(p))))
	}
	if a.err != nil {
		return 0, a.err
	}
	return a.body.Write(p)
}

// problem reads an error answer.
func (a *answer) problem() error {
	p := &Problem{}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(a.body.Bytes(), p) != nil {
		p.Detail = "the API answered with something else than a problem"
	}
	p.Status, p.RetryAfter = a.status, a.header.Get("Retry-After")
	return p
}
