package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/notify"
	"github.com/orderhook/orderhook/internal/oms"
)

// endpointBody is the body that makes an endpoint.
type endpointBody struct {
	EndpointFields
	Secret string `json:"secret,omitempty" doc:"whsec_ and the base64 of 24 to 64 bytes; one is made if it is left out. A later one is made by rotate-secret"`
}

// EndpointFields are those of an endpoint that a body can set.
type EndpointFields struct {
	URL            string            `json:"url" maxLength:"2048" format:"uri" doc:"http or https, without a fragment"`
	EventTypes     []string          `json:"eventTypes" nullable:"false" minItems:"1" maxItems:"100" doc:"Names of types, * for all, and beginnings as order_*" example:"[\"order_*\"]"`
	Description    string            `json:"description,omitempty" maxLength:"1000"`
	Format         oms.Format        `json:"format,omitempty" enum:"full,thin" default:"full" doc:"The whole event, or its ids alone"`
	Headers        map[string]string `json:"headers,omitempty" doc:"Sent with every request, at most 30. A list of {key, value} will do, too"`
	Enabled        bool              `json:"enabled,omitempty" default:"true"`
	Timeout        string            `json:"timeout,omitempty" default:"PT30S" doc:"Of one attempt, PT0.1S to PT5M"`
	RetrySchedule  []string          `json:"retrySchedule,omitempty" nullable:"false" minItems:"1" maxItems:"20" doc:"The wait before each repeat, at most P7D" example:"[\"PT5S\",\"PT1M\"]"`
	MaxConcurrency int               `json:"maxConcurrency,omitempty" minimum:"1" maximum:"256" doc:"How many attempts at the same time"`
	RateLimit      float64           `json:"rateLimit,omitempty" minimum:"0.001" maximum:"10000" doc:"Attempts a second; none if it is left out"`
	Ordering       oms.Ordering      `json:"ordering,omitempty" enum:"none,subject" default:"none" doc:"subject: the events of one subject arrive one after the other, in their order"`
	Filter         string            `json:"filter,omitempty" maxLength:"4096" doc:"An expression over id, type, timestamp, orderId, subject and data; only events that it is true for, or that it cannot judge, are sent" example:"data.orderForm.total > 1000"`
	TLS            *endpointTLS      `json:"tls,omitempty"`
	Signatures     []string          `json:"signatures,omitempty" nullable:"false" minItems:"1" enum:"v1,v1a" doc:"v1: HMAC-SHA256 with the secret; v1a: Ed25519, verified with the public key. [\"v1\"] if it is left out"`
}

// endpointTLS is how an endpoint's TLS is verified.
type endpointTLS struct {
	CA          string `json:"ca,omitempty" doc:"PEM, instead of the system's roots"`
	Certificate string `json:"certificate,omitempty" doc:"PEM: the client certificate, and what leads from it to its root"`
	Key         string `json:"key,omitempty" doc:"PEM, of the certificate; shown as ***"`
}

// Endpoint is an endpoint as the API shows it.
type Endpoint struct {
	ID             string            `json:"id"`
	URL            string            `json:"url" doc:"A password in it is shown as ***; the values in its query are, too, but to operators"`
	EventTypes     []string          `json:"eventTypes" nullable:"false"`
	Description    string            `json:"description,omitempty"`
	Format         oms.Format        `json:"format" enum:"full,thin,data"`
	Headers        map[string]string `json:"headers,omitempty" doc:"Values are shown as ***"`
	Enabled        bool              `json:"enabled"`
	DisabledReason string            `json:"disabledReason,omitempty" doc:"Why orderhook turned it off"`
	Timeout        string            `json:"timeout" example:"PT30S"`
	RetrySchedule  []string          `json:"retrySchedule" nullable:"false"`
	MaxConcurrency int               `json:"maxConcurrency"`
	RateLimit      float64           `json:"rateLimit,omitempty"`
	Ordering       oms.Ordering      `json:"ordering" enum:"none,subject"`
	ReorderingJob  string            `json:"reorderingJob,omitempty" doc:"The job that has what is pending follow a change of ordering"`
	Filter         string            `json:"filter,omitempty"`
	TLS            *endpointTLS      `json:"tls,omitempty"`
	Signatures     []string          `json:"signatures" nullable:"false"`
	Secrets        []endpointSecret  `json:"secrets" nullable:"false" doc:"Those that sign, the newest first"`
	Origin         oms.Origin        `json:"origin" enum:"api,webHook,connector" doc:"What made it: the API, the config file, or an ExportOrder step"`
	Created        time.Time         `json:"created"`
	Updated        time.Time         `json:"updated"`
	Counts         endpointCounts    `json:"counts"`
	Health         endpointHealth    `json:"health"`
	Recent         []recentAttempt   `json:"recent,omitzero" nullable:"false" doc:"With recent=N: what the newest N attempts came to, the newest first"`
	Warnings       []oms.Warning     `json:"warnings,omitempty" doc:"What was taken, and may be a mistake, in the answers that make or change the endpoint; of the webHook section, what it leaves open, in all"`
}

// recentAttempt is an attempt in short.
type recentAttempt struct {
	ID         string    `json:"id"`
	StartedAt  time.Time `json:"startedAt"`
	DurationMs float64   `json:"durationMs"`
	Status     int       `json:"status,omitempty" doc:"Absent where no answer came"`
	Outcome    string    `json:"outcome" enum:"succeeded,failed"`
}

type endpointSecret struct {
	Until *time.Time `json:"until,omitempty" doc:"It signs no longer then; absent: for good"`
}

type endpointCounts struct {
	Pending       int64 `json:"pending" doc:"Deliveries with an attempt to come, counted up to 10,000"`
	PendingCapped bool  `json:"pendingCapped,omitempty" doc:"There are more than 10,000"`
	Failed        int64 `json:"failed" doc:"Deliveries that failed for good, counted up to 10,000"`
	FailedCapped  bool  `json:"failedCapped,omitempty" doc:"There are more than 10,000"`
	Succeeded     int64 `json:"succeeded" doc:"Deliveries that were acknowledged since the endpoint was made"`
}

func showCounts(h oms.Health) endpointCounts {
	return endpointCounts{h.Pending, h.PendingCapped, h.Failed, h.FailedCapped, h.Succeeded}
}

type endpointHealth struct {
	LastSuccess         *time.Time     `json:"lastSuccess,omitempty"`
	LastFailure         *time.Time     `json:"lastFailure,omitempty"`
	LastError           string         `json:"lastError,omitempty"`
	ConsecutiveFailures int            `json:"consecutiveFailures" doc:"Attempts since the last success"`
	FailingSince        *time.Time     `json:"failingSince,omitempty"`
	Circuit             notify.Circuit `json:"circuit" enum:"closed,open,halfOpen" doc:"open: it failed so often that deliveries wait"`
	FilterErrors        int64          `json:"filterErrors" doc:"Events that the filter could not judge, and that were sent therefore"`
	LastFilterError     *filterError   `json:"lastFilterError,omitempty"`
}

func showHealth(h oms.Health, c notify.Circuit) endpointHealth {
	return endpointHealth{timeOrNil(h.LastSuccess), timeOrNil(h.LastFailure), h.LastError, h.Consecutive, timeOrNil(h.FailingSince), c, h.FilterErrors, showFilterError(h.LastFilterError)}
}

// filterError is why a filter could not judge an event.
type filterError struct {
	At      time.Time `json:"timestamp"`
	EventID string    `json:"eventId"`
	Message string    `json:"message" example:"line 1, column 22: cannot compare nil with int"`
}

func showFilterError(e oms.FilterError) *filterError {
	if e.At.IsZero() {
		return nil
	}
	return &filterError{e.At, e.EventID, e.Why}
}

// newEndpoint is an endpoint with its secret.
type newEndpoint struct {
	Endpoint
	Secret string `json:"secret,omitempty" doc:"Absent when the same Idempotency-Key made it before: it is shown once"`
}

// showEndpoint shows an endpoint as it is at a time, to a role: who may not change
// it does not see the values in its URL's query (API.md, "Secrets in URLs").
func showEndpoint(e *oms.Endpoint, h oms.Health, c notify.Circuit, role oms.Role, now time.Time) Endpoint {
	address := oms.PublicURL(e.URL)
	if role.Reaches(oms.Operator) {
		address = oms.OwnersURL(e.URL)
	}
	out := Endpoint{ID: e.ID, URL: address, EventTypes: append([]string{}, e.EventTypes...), Description: e.Description, Format: e.Format,
		Enabled: e.Enabled, DisabledReason: e.Disabled, Timeout: oms.FormatDuration(e.Timeout), RetrySchedule: []string{},
		MaxConcurrency: e.Concurrency, RateLimit: e.RateLimit, Ordering: e.Ordering, ReorderingJob: e.Reordering, Filter: e.Filter, Signatures: append([]string{}, e.Signatures...),
		Secrets: []endpointSecret{}, Origin: e.Origin, Created: e.Created, Updated: e.Updated,
		Counts: showCounts(h),
		Health: showHealth(h, c)}
	for _, d := range e.Schedule {
		out.RetrySchedule = append(out.RetrySchedule, oms.FormatDuration(d))
	}
	for i, h := range e.Headers {
		if i == 0 {
			out.Headers = map[string]string{}
		}
		out.Headers[h.Name] = oms.Masked
	}
	for _, s := range e.LiveSecrets(now) {
		out.Secrets = append(out.Secrets, endpointSecret{timeOrNil(s.Until)})
	}
	if e.TLS != nil {
		out.TLS = &endpointTLS{CA: e.TLS.CA, Certificate: e.TLS.Certificate}
		if !e.TLS.Key.IsZero() {
			out.TLS.Key = oms.Masked
		}
	}
	return out
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// endpointChecks are the checks of an endpoint by the package that will make
// its requests.
func (a *api) endpointChecks(ctx context.Context) oms.EndpointChecks {
	return oms.EndpointChecks{Target: a.checkTarget, HeaderName: checkHeaderName, HeaderValue: checkHeaderValue, Secret: checkSecret,
		TLS: func(t oms.EndpointTLS, url string) (field, why string) { return a.checkTLS(ctx, t, url) }}
}

// checkTarget judges a URL by its host, if that says where it leads; where other
// names lead is judged when they are dialed.
func (a *api) checkTarget(u *url.URL) string {
	if err := a.Guard.CheckHost(strings.TrimPrefix(oms.URLOrigin(u.String()), u.Scheme+"://")); err != nil {
		return err.Error()
	}
	return ""
}

func checkHeaderName(name string) (canonical, why string) {
	if !httpguts.ValidHeaderFieldName(name) {
		return "", "is no name that HTTP allows for a header"
	}
	if !hook.EndpointHeaderAllowed(name) {
		why = "is a header that orderhook or HTTP itself writes, and cannot be set"
	}
	return http.CanonicalHeaderKey(name), why
}

func checkHeaderValue(value string) string {
	if !httpguts.ValidHeaderFieldValue(value) {
		return "holds a character that HTTP does not allow in a header"
	}
	return ""
}

const secretForm = "must be whsec_ and the base64 of 24 to 64 bytes"

func checkSecret(text string) string {
	if !strings.HasPrefix(text, "whsec_") {
		return secretForm
	}
	if _, err := hook.NewSigner(text); err != nil {
		return secretForm + ": " + errors.Unwrap(err).Error()
	}
	return ""
}

func (a *api) checkTLS(ctx context.Context, t oms.EndpointTLS, url string) (field, why string) {
	err := a.Client.CheckTLS(ctx, tenantOf(ctx), url, t)
	if wrong, ok := errors.AsType[*hook.TrustError](err); ok {
		return wrong.Field, wrong.Why
	}
	if err != nil {
		return "key", err.Error()
	}
	return "", ""
}
