package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Config is what a Receiver is made of.
type Config struct {
	Verifier Verifier
	// Unsigned has requests taken that nobody has signed. Without it a Verifier without any
	// secret is an error: an endpoint that everybody may call is not made by an oversight.
	Unsigned bool
	// Store remembers what was done; nil is a Memory of 100,000 calls and events.
	Store Store
	// MaxBody bounds a request's bytes; 0 is 22 MiB, which every order fits in: it may have
	// 10 MiB unless the server has another --max-order-bytes, and a step is sent its lines twice.
	MaxBody int64
	// Log gets the errors of handlers, which are not told to the caller; nil is slog.Default().
	Log *slog.Logger
}

// Receiver makes handlers of HTTP for what orderhook sends.
type Receiver struct {
	config   Config
	verifier *verifier
}

// New returns a Receiver. The error names the secret that cannot be read by its position.
func New(c Config) (*Receiver, error) {
	v, err := c.Verifier.parsed()
	if err != nil {
		return nil, err
	}
	if v.empty() && !c.Unsigned {
		return nil, errors.New("no secret to verify requests with: set Verifier, or Unsigned to take whatever comes")
	}
	if c.Store == nil {
		c.Store = NewMemory(100_000)
	}
	if c.MaxBody == 0 {
		c.MaxBody = 22 << 20
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Receiver{c, v}, nil
}

// Call is what all requests have. It is verified.
type Call struct {
	// Key is the same in all attempts of one call: the webhook-id, which is signed, or of a
	// Receiver that takes what nobody has signed, else the Idempotency-Key. It is "" of what
	// X-Signature signs, for that covers the body alone: no header of such a request can be
	// trusted, and one that comes again cannot be known.
	Key     string
	Attempt int // from 1; 0 where orderhook does not say, as to validators
	// MaxAttempts is how many attempts of a step there will be at most.
	MaxAttempts int
	Header      http.Header
	Body        []byte // to the byte
}

// StatusError is an error that is answered with a status of its own. Its message goes to the
// caller, and is recorded there. To a step 400 and 404 say that no further attempt helps; to
// an event 410 says that the endpoint wants no more.
type StatusError struct {
	Status  int
	Message string
}

// Error implements error.
func (e *StatusError) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Message) }

func unreadable(err error) error {
	return &StatusError{http.StatusBadRequest, "the body cannot be read: " + err.Error()}
}

// handler reads and verifies requests, and writes answers. An answer of nil has no body.
func (r *Receiver) handler(answer func(context.Context, Call) ([]byte, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		call, err := r.read(w, req)
		var body []byte
		if err == nil {
			body, err = answer(req.Context(), call)
		}
		switch {
		case err != nil:
			r.refuse(w, req, err)
		case body == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body) // a caller who is gone calls again
		}
	})
}

func (r *Receiver) read(w http.ResponseWriter, req *http.Request) (Call, error) {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return Call{}, &StatusError{http.StatusMethodNotAllowed, "only POST is answered here"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, r.config.MaxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return Call{}, &StatusError{http.StatusRequestEntityTooLarge, "the body has more than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes"}
	}
	if err != nil {
		return Call{}, &StatusError{http.StatusBadRequest, "the body did not come whole"}
	}
	if !r.config.Unsigned {
		if err := r.verifier.verify(req.Header, body, time.Now()); err != nil {
			return Call{}, &StatusError{http.StatusUnauthorized, err.Error()}
		}
	}
	call := Call{Key: cmp.Or(req.Header.Get("Webhook-Id"), req.Header.Get("Idempotency-Key")), Header: req.Header, Body: body}
	if r.verifier.byBody(req.Header) {
		call.Key = ""
	}
	call.Attempt, call.MaxAttempts = attemptOf(req.Header, "X-Delivery-Count"), attemptOf(req.Header, "X-Max-Delivery-Count")
	if call.Attempt == 0 {
		call.Attempt = attemptOf(req.Header, "X-Attempt")
	}
	return call, nil
}

// refuse answers with an error. What is no StatusError may hold what the caller must not
// learn, so it goes into the log alone.
func (r *Receiver) refuse(w http.ResponseWriter, req *http.Request, err error) {
	var said *StatusError
	if errors.As(err, &said) {
		http.Error(w, said.Message, said.Status)
		return
	}
	r.config.Log.ErrorContext(req.Context(), "a request of orderhook failed", "path", req.URL.Path, "error", err)
	http.Error(w, "the endpoint failed", http.StatusInternalServerError)
}

// once has a call done once, and answers a repeated one with the answer that it had. A call
// without a key cannot be known again.
func (r *Receiver) once(ctx context.Context, name string, call Call, do func(context.Context) ([]byte, error)) ([]byte, error) {
	answer, _, err := r.config.Store.Once(ctx, Mark{Name: name, Key: call.Key}, do)
	return answer, err
}
