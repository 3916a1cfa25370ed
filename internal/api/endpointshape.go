package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/net/http/httpguts"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/weburl"
)

// endpointTLS is how an endpoint's TLS is verified, as the API shows it. The certificates
// are shown, because they are public; of the key only *** is, where there is one.
type endpointTLS struct {
	CA          string `json:"ca,omitempty"`
	Certificate string `json:"certificate,omitempty"`
	Key         string `json:"key,omitempty"`
}

// Schema implements huma.SchemaProvider: it is shown as it comes in.
func (endpointTLS) Schema(huma.Registry) *huma.Schema { return schemaRef("EndpointTLS") }

// Endpoint is an endpoint as the API shows it. What an endpoint takes is a table in
// package event; whatever a caller sets is shown here, or masked
// (TestWhatAnEndpointTakesIsShown).
type Endpoint struct {
	ID             string            `json:"id"`
	URL            string            `json:"url" doc:"A password in it is shown as ***; the values in its query are, too, but to operators"`
	EventTypes     []string          `json:"eventTypes" nullable:"false"`
	Description    string            `json:"description,omitempty"`
	Format         event.Format      `json:"format" enum:"full,thin,data"`
	Headers        map[string]string `json:"headers,omitempty" doc:"Values are shown as ***"`
	Enabled        bool              `json:"enabled"`
	DisabledReason string            `json:"disabledReason,omitempty" doc:"Why orderhook turned it off"`
	DisabledAt     *time.Time        `json:"disabledAt,omitempty" doc:"When it did"`
	Timeout        string            `json:"timeout" example:"PT30S"`
	RetrySchedule  []string          `json:"retrySchedule" nullable:"false"`
	MaxConcurrency int               `json:"maxConcurrency"`
	RateLimit      float64           `json:"rateLimit,omitempty"`
	Ordering       event.Ordering    `json:"ordering" enum:"none,subject"`
	ReorderingJob  string            `json:"reorderingJob,omitempty" doc:"The job that has what is pending follow a change of ordering"`
	Filter         string            `json:"filter,omitempty"`
	TLS            *endpointTLS      `json:"tls,omitempty"`
	Signatures     []string          `json:"signatures" nullable:"false"`
	Secrets        []endpointSecret  `json:"secrets" nullable:"false" doc:"Those that sign, the newest first"`
	Origin         event.Origin      `json:"origin" enum:"api,webHook,connector" doc:"What made it: the API, the config file, or an ExportOrder step"`
	Created        time.Time         `json:"created"`
	Updated        time.Time         `json:"updated"`
	Counts         endpointCounts    `json:"counts"`
	Health         endpointHealth    `json:"health"`
	Recent         []recentAttempt   `json:"recent,omitzero" nullable:"false" doc:"With recent=N: what the newest N attempts came to, the newest first"`
	Warnings       []apierr.Warning  `json:"warnings,omitempty" nullable:"false" doc:"What was taken, and may be a mistake, in the answers that make or change the endpoint; of the webHook section, what it leaves open, in all"`
}

// recentAttempt is an attempt in short. A page shows them as a row of marks, for many
// endpoints at a time.
type recentAttempt struct {
	ID         string    `json:"id"`
	StartedAt  time.Time `json:"startedAt"`
	DurationMs float64   `json:"durationMs"`
	Status     int       `json:"status,omitempty" doc:"Absent where no answer came"`
	Outcome    string    `json:"outcome" enum:"succeeded,failed"`
}

// endpointSecret says that there is a secret which signs, and until when. Nothing of the
// secret itself can be shown.
type endpointSecret struct {
	Until *time.Time `json:"until,omitempty" doc:"It signs no longer then; absent: for good"`
}

// endpointCounts is how many deliveries an endpoint has. Pending and failed ones are rows
// that are counted, up to a bound; successes have no rows, and are added up with the
// health.
type endpointCounts struct {
	Pending       int64 `json:"pending" doc:"Deliveries with an attempt to come, counted up to 10,000"`
	PendingCapped bool  `json:"pendingCapped,omitempty" doc:"There are more than 10,000"`
	Failed        int64 `json:"failed" doc:"Deliveries that failed for good, counted up to 10,000"`
	FailedCapped  bool  `json:"failedCapped,omitempty" doc:"There are more than 10,000"`
	Succeeded     int64 `json:"succeeded" doc:"Deliveries that were acknowledged since the endpoint was made"`
}

// showCounts shows the counts of the health of an endpoint.
func showCounts(h event.Health) endpointCounts {
	return endpointCounts{h.Pending, h.PendingCapped, h.Failed, h.FailedCapped, h.Succeeded}
}

// endpointHealth is what the attempts at an endpoint came to, over all nodes, and the
// circuit as this node has it.
type endpointHealth struct {
	LastSuccess         *time.Time    `json:"lastSuccess,omitempty"`
	LastFailure         *time.Time    `json:"lastFailure,omitempty"`
	LastError           string        `json:"lastError,omitempty"`
	ConsecutiveFailures int           `json:"consecutiveFailures" doc:"Attempts since the last success"`
	FailingSince        *time.Time    `json:"failingSince,omitempty"`
	Circuit             breaker.State `json:"circuit" enum:"closed,open,halfOpen" doc:"open: it failed so often that deliveries wait"`
	FilterErrors        int64         `json:"filterErrors" doc:"Events that the filter could not judge, and that were sent therefore"`
	LastFilterError     *filterError  `json:"lastFilterError,omitempty"`
}

// showHealth shows the health of an endpoint, and its circuit.
func showHealth(h event.Health, c breaker.State) endpointHealth {
	return endpointHealth{timeOrNil(h.LastSuccess), timeOrNil(h.LastFailure), h.LastError, h.Consecutive, timeOrNil(h.FailingSince), c, h.FilterErrors, showFilterError(h.LastFilterError)}
}

// filterError is why a filter could not evaluate an event.
type filterError struct {
	At      time.Time `json:"timestamp"`
	EventID string    `json:"eventId"`
	Message string    `json:"message" example:"line 1, column 22: cannot compare nil with int"`
}

// showFilterError returns nil where the filter has evaluated every event.
func showFilterError(e event.FilterError) *filterError {
	if e.At.IsZero() {
		return nil
	}
	return &filterError{e.At, e.EventID, e.Why}
}

// newEndpoint is an endpoint with its secret. Only the answers that make a secret have
// one.
type newEndpoint struct {
	Endpoint
	Secret string `json:"secret,omitempty" doc:"Absent when the same Idempotency-Key made it before: it is shown once"`
}

// showEndpoint returns an endpoint as it is at a time, for a role. A role that may not
// change the endpoint does not see the values in the query of its URL
// (docs/contract.md#secrets). Everything that might be a secret is masked here, for every
// role: values of headers and keys. Recent and Warnings are left to the caller.
func showEndpoint(e *event.Endpoint, h event.Health, c breaker.State, role access.Role, now time.Time) Endpoint {
	address := weburl.PublicURL(e.URL)
	if role.Reaches(access.Operator) {
		address = weburl.OwnersURL(e.URL)
	}
	out := Endpoint{ID: e.ID, URL: address, EventTypes: append([]string{}, e.EventTypes...), Description: e.Description, Format: e.Format,
		Enabled: e.Enabled, DisabledReason: e.Disabled, DisabledAt: timeOrNil(e.DisabledAt), Timeout: timetext.FormatDuration(e.Timeout), RetrySchedule: []string{},
		MaxConcurrency: e.Concurrency, RateLimit: e.RateLimit, Ordering: e.Ordering, ReorderingJob: e.Reordering, Filter: e.Filter, Signatures: append([]string{}, e.Signatures...),
		Secrets: []endpointSecret{}, Origin: e.Origin, Created: e.Created, Updated: e.Updated,
		Counts: showCounts(h),
		Health: showHealth(h, c)}
	for _, d := range e.Schedule {
		out.RetrySchedule = append(out.RetrySchedule, timetext.FormatDuration(d))
	}
	// Without headers the field is absent, and not an empty object.
	for i, h := range e.Headers {
		if i == 0 {
			out.Headers = map[string]string{}
		}
		out.Headers[h.Name] = secret.Mask
	}
	for _, s := range e.LiveSecrets(now) {
		out.Secrets = append(out.Secrets, endpointSecret{timeOrNil(s.Until)})
	}
	if e.TLS != nil {
		out.TLS = &endpointTLS{CA: e.TLS.CA, Certificate: e.TLS.Certificate}
		if !e.TLS.Key.IsZero() {
			out.TLS.Key = secret.Mask
		}
	}
	return out
}

// timeOrNil turns the zero time, which means that something never happened, into nil, so
// that an answer leaves it out.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// endpointChecks are the checks for an endpoint of the caller's tenant.
func (a *api) endpointChecks(ctx context.Context) event.EndpointChecks {
	return EndpointChecks(ctx, a.Client, tenantOf(ctx))
}

// EndpointChecks are the checks of a tenant's endpoint that only the package that makes
// the requests can do.
func EndpointChecks(ctx context.Context, client Client, tenant string) event.EndpointChecks {
	return event.EndpointChecks{HeaderName: checkHeaderName, HeaderValue: checkHeaderValue, Secret: checkSecret,
		Target: client.Guard().For(tenant).Refusal,
		TLS: func(t event.EndpointTLS, url string) (field, why string) {
			return checkTLS(ctx, client, tenant, t, url)
		}}
}

// refusal returns what says why the guard will refuse a URL of the caller's tenant, if its
// host tells. Other names are checked when they are dialed.
func (a *api) refusal(ctx context.Context) func(*url.URL) string {
	return a.Client.Guard().For(tenantOf(ctx)).Refusal
}

// checkHeaderName returns the usual spelling of a name also where the header cannot be
// set, so that the message can name it.
func checkHeaderName(name string) (canonical, why string) {
	if !httpguts.ValidHeaderFieldName(name) {
		return "", "is no name that HTTP allows for a header"
	}
	if !outbound.EndpointHeaderAllowed(name) {
		why = "is a header that orderhook or HTTP itself writes, and cannot be set"
	}
	return http.CanonicalHeaderKey(name), why
}

// checkHeaderValue never repeats the value in its message, since it may be a secret.
func checkHeaderValue(value string) string {
	if !httpguts.ValidHeaderFieldValue(value) {
		return "holds a character that HTTP does not allow in a header"
	}
	return ""
}

// secretForm is the form of Standard Webhooks.
const secretForm = "must be whsec_ and the base64 of 24 to 64 bytes"

// checkSecret checks a secret that a caller chose. The signer says what is wrong, without
// the secret.
func checkSecret(text string) string {
	if !strings.HasPrefix(text, "whsec_") {
		return secretForm
	}
	if _, err := outbound.NewSigner(text); err != nil {
		return secretForm + ": " + errors.Unwrap(err).Error()
	}
	return ""
}

// checkTLS tries what a request would do with the certificates. The key may be one that
// is stored already; the client opens it only for the origin of the URL. An error that is
// about no single file is reported at the key.
func checkTLS(ctx context.Context, client Client, tenant string, t event.EndpointTLS, url string) (field, why string) {
	err := client.CheckTLS(ctx, tenant, url, t)
	if wrong, ok := errors.AsType[*outbound.TrustError](err); ok {
		return wrong.Field, wrong.Why
	}
	if err != nil {
		return "key", err.Error()
	}
	return "", ""
}
