package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/oms"
)

// bodyLimit is how large a body may be, and the flag that says so.
type bodyLimit struct {
	bytes int64
	flag  string // "": none does
}

// maxBody is how much of a document or a patch the API takes (API.md, "Idempotency").
var maxBody = bodyLimit{bytes: 10 << 20}

// bodyLimitOf is the limit of an operation: settings have one of their own.
func bodyLimitOf(op *huma.Operation) bodyLimit {
	if op.MaxBodyBytes > 0 {
		return bodyLimit{op.MaxBodyBytes, "--max-settings-bytes"}
	}
	return maxBody
}

// exceeded is the answer to a body that is larger.
func (l bodyLimit) exceeded() error {
	e := oms.Errorf(oms.TooLarge, "the body is larger than %d bytes", l.bytes)
	if l.flag != "" {
		e.Detail += " (" + l.flag + ")"
	}
	return e
}

// mostTrusted is how much room a body gets because its caller says that it will
// be that long. A tenant's requests, as many as there may be, take no more of
// its limit this way than there is: 256 times 256 KiB are 64 MiB.
const mostTrusted = 256 << 10

// takeBody reads the request's body, if its method has one, and gives Huma what
// it is to read of it.
func (c *call) takeBody(w http.ResponseWriter, r *http.Request, op *huma.Operation, ticket *admission.Ticket, most bodyLimit) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if err := c.read(w, r, ticket, most); err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	r.Header.Set("Content-Type", "application/json") // whatever it is called, nothing else is read
	return c.reread(r, op)
}

// read reads the body within a size and a time. What is counted is the room that
// it takes in memory, before it is taken: it follows what has come, not what the
// caller says will come, so that those who send nothing hold next to nothing.
//
// At the body's end net/http lifts the read deadline, which would end the
// request's context while the caller waits for a run.
func (c *call) read(w http.ResponseWriter, r *http.Request, ticket *admission.Ticket, most bodyLimit) error {
	if r.ContentLength > most.bytes {
		return most.exceeded()
	}
	conn := http.NewResponseController(w)
	var pace pace
	var body []byte
	for {
		if len(body) == cap(body) {
			room := roomFor(int64(cap(body)), r.ContentLength, most.bytes)
			if err := ticket.Grow(room - int64(cap(body))); err != nil {
				return err
			}
			body = append(make([]byte, 0, room), body...)
		}
		_ = conn.SetReadDeadline(pace.deadline(time.Now())) // not of every writer; a test's has none
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		pace.bytes += int64(n)
		switch {
		case int64(len(body)) > most.bytes:
			return most.exceeded()
		case err == io.EOF:
			c.body = body
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return oms.Errorf(oms.Malformed, "the body came too slowly: it may take %v, and a second more for each %d bytes", paceStart, paceRate)
		case err != nil:
			return oms.Errorf(oms.Malformed, "the body could not be read to its end")
		}
	}
}

// roomFor is how much room a body has next that filled what it had. There is a
// byte more than a body may have, which tells the largest from one too large.
func roomFor(had, declared, most int64) int64 {
	const least = 4 << 10
	switch {
	case declared < 0:
		return min(max(least, 2*had), most+1)
	case had == 0:
		return min(declared, mostTrusted) + 1
	default: // it is honest so far
		return min(4*had, max(declared, had)+1)
	}
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
