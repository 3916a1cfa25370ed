package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
)

// maxBody is how much of a document or a patch the API takes (API.md, "Idempotency").
const maxBody = 10 << 20

// mostTrusted is how much room a body gets because its caller says it will be
// that long.
const mostTrusted = 1 << 20

// bodyTime is how long a request may take to send its body.
const bodyTime = time.Minute

// withBody reads a request's body before its handler runs, within a size and a
// time. The read deadline is lifted then: it would end the request's context
// while the caller waits for a run.
func (a *api) withBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := callOf(r.Context())
		if c.key.ID == "" || r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		if err := c.read(w, r); err != nil {
			a.refuse(w, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(c.body))
		r.Header.Set("Content-Type", "application/json") // whatever it is called, nothing else is read
		next.ServeHTTP(w, r)
	})
}

func (c *call) read(w http.ResponseWriter, r *http.Request) error {
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(bodyTime)) // not of every writer; a test's has none
	var body bytes.Buffer
	body.Grow(int(min(max(r.ContentLength, 0), mostTrusted)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	_ = deadline.SetReadDeadline(time.Time{})
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		w.Header().Set("Connection", "close") // what is left of the body is not read
		return oms.Errorf(oms.TooLarge, "the body is larger than %d bytes", maxBody)
	}
	if err != nil {
		return oms.Errorf(oms.Malformed, "the body could not be read to its end")
	}
	c.body = body.Bytes()
	return nil
}

// reread gives Huma, which is less strict, the body as [oms.Parse] understands
// it: names in camelCase and none of them twice.
func (c *call) reread(r *http.Request, op *huma.Operation) error {
	text := []byte("{}")
	switch {
	case op.RequestBody == nil, len(c.body) == 0 && !op.RequestBody.Required:
		return nil
	case !op.SkipValidateBody: // else the handler reads c.body, and Huma nothing
		doc, err := oms.Parse(c.body)
		if err != nil {
			return within(err)
		}
		text = doc.JSON()
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return nil
}

// recovered answers for a handler that panicked. Nobody outside sees the stack.
func (a *api) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == http.ErrAbortHandler {
				panic(p) // the connection is broken off
			}
			if p != nil {
				for _, name := range []string{"ETag", "Location"} {
					w.Header().Del(name) // of the answer that did not come about
				}
				a.Log.Error("a handler panicked", "request", idOf(w), "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				writeProblem(w, http.StatusInternalServerError, "something went wrong inside; the log says what", nil)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
