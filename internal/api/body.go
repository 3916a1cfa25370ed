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
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/schema"
)

// bodyLimit is the largest body, and the flag that sets it. The flag stands in the
// answer, so that an operator who gets it knows what to change.
type bodyLimit struct {
	bytes int64
	flag  string // "": none does
}

// maxBody is the largest document or patch that the API accepts
// (docs/contract.md#limits).
var maxBody = bodyLimit{bytes: 10 << 20}

// bodyLimitOf returns the limit of an operation. Settings have a limit of their own.
func bodyLimitOf(op *huma.Operation) bodyLimit {
	if op.MaxBodyBytes > 0 {
		return bodyLimit{op.MaxBodyBytes, "--max-settings-bytes"}
	}
	return maxBody
}

// exceeded is the answer to a body that is too large.
func (l bodyLimit) exceeded() error {
	e := apierr.Errorf(apierr.TooLarge, "the body is larger than %d bytes", l.bytes)
	if l.flag != "" {
		e.Detail += " (" + l.flag + ")"
	}
	return e
}

// mostTrusted is how many bytes are reserved for a body only because its caller says that
// it will be so long. Even if a tenant has as many requests as it may, they take no more
// than its limit in this way: 256 times 256 KiB are 64 MiB. A body that is longer grows
// as it comes, like one that does not say how long it is.
const mostTrusted = 256 << 10

// takeBody reads the body of the request, if its method has one, and gives Huma the part
// that it has to read. The ticket counts the memory, and the caller of takeBody gives it
// back after the answer. A GET has no body that anybody reads; observed has set a deadline
// for what comes all the same.
//
// Huma gets the body as [schema.Parse] understands it, because Huma is less strict: names in
// camelCase, and none of them twice. Handlers of documents parse c.body by themselves
// (SkipValidateBody), with all its digits. Huma then gets an empty object, since it insists
// on some body.
func (c *call) takeBody(w http.ResponseWriter, r *http.Request, op *huma.Operation, ticket *admission.Ticket, most bodyLimit) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if err := c.read(w, r, ticket, most); err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json") // whatever it is called, nothing else is read
	text := c.body
	switch {
	case op.RequestBody == nil, len(c.body) == 0 && !op.RequestBody.Required: // nothing is to be read
	case op.SkipValidateBody: // the handler reads c.body, and Huma nothing
		text = []byte("{}")
	default:
		doc, err := schema.Parse(c.body)
		if err != nil {
			return within(err)
		}
		text = doc.JSON()
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return nil
}

// read reads the body, within a size and a time. It counts the memory that the body
// takes, before the memory is used. That depends on what has come, and not on what the
// caller says will come: so callers that send nothing hold nearly no memory.
//
// At the end of the body, net/http removes the read deadline. Otherwise it would end the
// context of the request while the caller waits for a run.
func (c *call) read(w http.ResponseWriter, r *http.Request, ticket *admission.Ticket, most bodyLimit) error {
	if r.ContentLength > most.bytes {
		return most.exceeded()
	}
	conn := http.NewResponseController(w)
	var pace pace
	var body []byte
	for {
		if len(body) == cap(body) {
			space := spaceFor(int64(cap(body)), r.ContentLength, most.bytes)
			if err := ticket.Grow(space - int64(cap(body))); err != nil {
				return err
			}
			body = append(make([]byte, 0, space), body...)
		}
		_ = conn.SetReadDeadline(pace.deadline(time.Now())) // not of every writer; a test's has none
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		pace.bytes += int64(n)
		switch {
		// A body without a declared length shows only here that it is too large.
		case int64(len(body)) > most.bytes:
			return most.exceeded()
		case err == io.EOF:
			c.body = body
			return nil
		// The caller still gets an answer, since the deadline was for reading alone.
		case errors.Is(err, os.ErrDeadlineExceeded):
			return apierr.Errorf(apierr.Malformed, "the body came too slowly: it may take %v, and a second more for each %d bytes", paceStart, paceRate)
		case err != nil:
			return apierr.Errorf(apierr.Malformed, "the body could not be read to its end")
		}
	}
}

// spaceFor returns how much memory a body gets next, after it has filled what it had. The
// most is one byte more than a body may have: so a body that is too large is noticed. A
// body of unknown length doubles its space, so that it is copied few times. A caller that
// has sent what it was trusted with may get the whole declared length, but at most four
// times what it had: who declares 10 MiB and stops at 256 KiB holds 1 MiB.
func spaceFor(had, declared, most int64) int64 {
	const least = 4 << 10
	switch {
	case declared < 0:
		return min(max(least, 2*had), most+1)
	case had == 0:
		return min(declared, mostTrusted) + 1
	default: // what it declared was true until now
		return min(4*had, max(declared, had)+1)
	}
}

// recovered answers for a handler that panicked. The stack is only logged, and the caller
// gets a 500 that says nothing of the inside. An answer that cannot be encoded comes
// here, too: nothing of it has been written by then (encodeFirst).
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
