package hook

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// maxRecorded is how much of a response's body is recorded, in bytes (API.md,
// "Attempts").
const maxRecorded = 64 << 10

// Exchange is one attempt as it went.
type Exchange struct {
	StartedAt time.Time
	Duration  time.Duration
	URL       string // as [PublicURL] shows it
	Host      string // the URL's host, with the port where it has one; "" if the URL is invalid

	Status   int         // 0: no answer came
	Header   http.Header // the answer's
	Body     []byte      // as far as it was read
	TooLarge bool        // the body is longer than [MaxBody], and was read only so far
	// Err is why the answer did not come or broke off; nil for a whole answer
	// of any status, and for one that is TooLarge. Its text holds no secret.
	Err error

	sent    http.Header // secrets masked
	secrets []string    // that were sent, and may come back
	body    []byte      // the request's
	wire    wire
}

// Class says what the attempt means, its body aside; see [Classify].
func (x Exchange) Class() Class { return Classify(x.Status, x.Err) }

// Failure says in short why the attempt is not [Answered], "" if it is. A
// status that is no 2xx is reason enough, whatever happened to the body.
func (x Exchange) Failure() string {
	switch {
	case x.Class() == Answered:
		return ""
	case x.Err != nil && (x.Status == 0 || x.Status/100 == 2):
		return x.Err.Error()
	}
	return strings.TrimSpace(fmt.Sprintf("answered %d %s", x.Status, http.StatusText(x.Status)))
}

// Detail returns the record of both sides, with *** for secrets.
func (x Exchange) Detail() *oms.AttemptDetail {
	d := &oms.AttemptDetail{
		Request:    oms.Message{Method: http.MethodPost, Headers: x.sent, Body: x.body, BodyBytes: int64(len(x.body))},
		RemoteAddr: x.wire.remoteAddr,
		TLSVersion: x.wire.tlsVersion,
		Timing:     x.wire.timing,
	}
	if x.Status != 0 {
		d.Response = x.response()
	}
	return d
}

func (x Exchange) response() *oms.Message {
	m := &oms.Message{
		Headers:   masked(x.Header, map[string]bool{"Set-Cookie": true}),
		Body:      x.Body,
		BodyBytes: int64(len(x.Body)),
		Truncated: x.TooLarge,
	}
	if len(m.Body) > maxRecorded {
		m.Body, m.Truncated = bytes.Clone(m.Body[:maxRecorded]), true // not to hold on to all of it
	}
	for _, secret := range x.secrets { // an endpoint may repeat what it was sent
		m.Body = bytes.ReplaceAll(m.Body, []byte(secret), []byte(mask))
		for _, values := range m.Headers {
			for i := range values {
				values[i] = strings.ReplaceAll(values[i], secret, mask)
			}
		}
	}
	return m
}
