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

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
)

// Problem is an error answer of the API (RFC 9457). It is an error, so that a page may
// return it as it is; server.fail then shows it. A page that has a form shows it in that,
// with the errors at their fields.
type Problem struct {
	Status   int                 `json:"status"`
	Title    string              `json:"title"`
	Detail   string              `json:"detail"`
	Errors   []apierr.FieldError `json:"errors"`
	Instance string              `json:"instance"` // the request's id

	RetryAfter string `json:"-"` // in seconds; "" where waiting does not help

	// The two fields are for mark: the labels of the form, so that the problem can name a
	// field as the form does, and whether the browser begins at a field already.
	form  []labelled // the fields of the form that was refused
	begun bool       // one of them was found to be wrong
}

// hint sets the header that says when to try again. A browser does not wait by it, but
// programs that read pages do.
func (p *Problem) hint(h http.Header) {
	if p.RetryAfter != "" {
		h.Set("Retry-After", p.RetryAfter)
	}
}

// Error implements error. It is what the API says to the caller, so it may be shown.
func (p *Problem) Error() string { return p.Detail }

// problemOf returns the problem that an error is; nil if it is none.
func problemOf(err error) *Problem {
	p, _ := errors.AsType[*Problem](err)
	return p
}

// get asks the API, with the key of the session, and reads its answer into a
// value. What the API refuses is a [*Problem]. Nothing is asked over the network: the
// handler of the API runs on this goroutine, within the time of the request.
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

// sendIf is send with an If-Match: the API refuses the change if what is changed has
// another version by now. An empty version means any.
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
// they come from. So the address of the browser goes along (newRequest). There is no
// visit yet, and no ticket: the answer is a few bytes.
func (s *server) keyOf(from *http.Request, secret string) (k access.Key, err error) {
	r, err := newRequest(from, http.MethodGet, "/api/me", nil)
	if err != nil {
		return k, err
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	return k, s.call(r, nil, &k)
}

// newRequest makes a request of the API, for somebody who asked for a page. It has the
// browser's address, for the audit log, and the id of the page's request, so that both
// are found in the log together. It has none of the browser's headers, and so neither its
// cookie nor a key.
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
		return nil, apierr.Errorf(apierr.NotFound, "there is nothing at this path")
	}
	r.RemoteAddr, r.Host = from.RemoteAddr, from.Host
	r.Header.Set(requestIDHeader, idOf(from))
	return r, nil
}

// call has the API answer a request in this process.
//
// The answer is read into memory first, because it says only at its end whether it is
// whole.
func (s *server) call(r *http.Request, budget *admission.Ticket, into any) error {
	a := &answer{header: http.Header{}, budget: budget}
	if err := a.take(s.API, r); err != nil {
		return err
	}
	if a.status >= http.StatusBadRequest {
		return a.problem()
	}
	if a.status >= http.StatusMultipleChoices { // an id of .. leads away from what was asked for
		return apierr.Errorf(apierr.NotFound, "there is nothing at this path")
	}
	switch into := into.(type) {
	case nil:
		return nil
	// The page wants the text itself, as of a document whose digits must stay.
	case *json.RawMessage:
		*into = a.body.Bytes()
		return nil
	}
	return json.Unmarshal(a.body.Bytes(), into)
}

// answer is what the API says, in memory. It is counted while the page is made. It takes
// the place of the connection for the API's handler. One goroutine uses it.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	budget *admission.Ticket // nil: nothing is counted
	err    error             // why no more of it is taken: the tenant's budget for pages is used up
}

// take lets the API answer. It breaks off an answer that cannot be finished. The API ends
// an answer that broke off by a panic, as net/http wants it; here that is an error. Any
// other panic goes on to observed.
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

// WriteHeader implements http.ResponseWriter. What comes before the answer, as 100
// Continue, is not its status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
}

// Write implements http.ResponseWriter. The budget is taken before the bytes are stored.
// Once it is used up, every further write fails, so the API stops.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.budget != nil && a.err == nil {
		a.err = fullHouse(a.budget.Grow(int64(len(p))))
	}
	if a.err != nil {
		return 0, a.err
	}
	return a.body.Write(p)
}

// problem reads an error answer. An error that is no problem comes from something else
// than the API's operations; the page still says that something failed, and with which
// status.
func (a *answer) problem() error {
	p := &Problem{}
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(a.body.Bytes(), p) != nil {
		p.Detail = "the API answered with something else than a problem"
	}
	p.Status, p.RetryAfter = a.status, a.header.Get("Retry-After")
	return p
}
