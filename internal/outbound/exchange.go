package outbound

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/weburl"
)

// Exchange is one attempt as it went. What came back has *** where it repeated a
// secret of the request. It is a value, and whoever gets it gives Memory back.
type Exchange struct {
	StartedAt time.Time
	Duration  time.Duration
	URL       string // as [weburl.PublicURL] shows it
	Host      string // the URL's host, with the port where it has one; "" if the URL is invalid
	OneWay    bool   // as the request was

	Status   int         // 0: no answer came
	Header   http.Header // the answer's
	Body     []byte      // as far as it was read; of a one-way request, its first 64 KiB
	TooLarge bool        // the body is longer than [MaxBody], and was read only so far
	// Err is why the answer did not come or broke off; nil for a whole answer
	// of any status, and for one that is TooLarge, but to a one-way request.
	// Its text holds no secret.
	Err error

	// Memory is what the answer takes of the budgets of the client (docs/contract.md#limits).
	// Whoever has applied or recorded the answer gives it back. nil: nothing.
	Memory *fair.Part

	target  string      // the URL as it was called
	sent    http.Header // with its secrets
	secret  []string    // the names of those in sent whose values are not shown, canonical
	body    []byte      // the request's
	length  int64       // of the answer's body, as far as it was read
	dropped int64       // bytes of it that were read after Body
	// unhidden are the secrets that Body has yet to be searched for, and brokeOff says that
	// its end did not come.
	unhidden []string
	brokeOff bool
	wire     wire
	// listener is who a carrier took the request to; nil: it went over the network.
	listener *attempt.Listener
}

// Class says what the attempt means, its body aside: see [Classify]. A one-way request was
// acknowledged by 200, 201, 202 or 204 with a whole answer. Anything else is a failure that is
// tried again (docs/contract.md#delivery).
func (x Exchange) Class() Class {
	if x.Err != nil {
		// Where the status is a failure by itself, it does not matter that the rest of the
		// answer could not be read.
		if _, own := errors.AsType[OwnTroubleError](x.Err); own && (x.Status == 0 || x.succeeding()) {
			return OwnTrouble
		}
	}
	switch {
	case !x.OneWay:
		return Classify(x.Status, x.Err)
	case x.Err == nil && acknowledges(x.Status):
		return Answered
	}
	return Retry
}

// Refused reports whether the target guard refused the request. Nothing was sent then.
func (x Exchange) Refused() bool {
	_, refused := errors.AsType[*RefusedError](x.Err)
	return refused
}

// Gone reports whether the endpoint says that it is there no more. What follows from that
// is decided by package delivery.
func (x Exchange) Gone() bool { return x.Status == http.StatusGone }

// RetryAfter returns how long the endpoint asks to be left alone, by its Retry-After header
// (RFC 9110, 10.2.3): whole seconds, or a date, held against now. It returns 0 where there is
// none or where it is malformed, negative or past, and a year where it is further away, however
// many digits it has. An endpoint cannot stop its deliveries by it: package delivery takes
// it for a wish.
func (x Exchange) RetryAfter(now time.Time) time.Duration {
	value := strings.TrimSpace(x.Header.Get("Retry-After"))
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

// Failure says in short why the attempt is not [Answered], "" if it is. A
// status that is no success is reason enough, whatever happened to the body. It is part of
// the record, of errors on orders and of logs, so it holds no secret.
func (x Exchange) Failure() string {
	switch {
	case x.Class() == Answered:
		return ""
	case x.Err != nil && (x.Status == 0 || x.succeeding()):
		return x.Err.Error()
	}
	return strings.TrimSpace(fmt.Sprintf("answered %d %s", x.Status, http.StatusText(x.Status)))
}

// succeeding reports whether the status alone would be a success.
func (x Exchange) succeeding() bool {
	if x.OneWay {
		return acknowledges(x.Status)
	}
	return x.Status/100 == 2
}

// Detail returns the record of both sides, with *** for secrets. Set-Cookie of an answer is
// masked as well: it would let its reader continue the session.
func (x Exchange) Detail() *attempt.AttemptDetail {
	d := &attempt.AttemptDetail{
		Request:    attempt.Message{Method: http.MethodPost, Headers: masked(x.sent, x.secret), Body: x.shownBody(), BodyBytes: int64(len(x.body))},
		TLSVersion: x.wire.tlsVersion,
		Timing:     x.wire.timing,
		Listener:   x.listener,
	}
	if x.wire.remoteAddr != nil {
		d.RemoteAddr = x.wire.remoteAddr.String()
	}
	if x.Status != 0 {
		d.Response = &attempt.Message{Headers: masked(x.Header, []string{"Set-Cookie"}), Body: x.Body, BodyBytes: x.length, Truncated: x.TooLarge || x.dropped > 0}
		if m := d.Response; len(m.Body) > maxRecorded {
			m.Body, m.Truncated = bytes.Clone(m.Body[:maxRecorded]), true // not to hold on to all of it
		}
	}
	return d
}

// shownBody is the request's body with the URL, which a step's configuration
// names there, as it is shown elsewhere.
func (x Exchange) shownBody() []byte {
	if x.URL == x.target {
		return x.body
	}
	return withURLShown(x.body, x.target, weburl.PublicURL)
}
