package api

import (
	"bytes"
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// replays registers the operations that send a recorded request again
// (docs/contract.md#attempts).
func replays(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "replay-attempt", Method: http.MethodPost, Path: "/api/attempts/{id}/replay", Tags: []string{"Attempts"},
		Summary: "Send a request again, to the same or another URL", DefaultStatus: http.StatusOK,
		Description: "With today's secret headers and signature if it goes to the original scheme, host and port, and without them if not. " +
			"It is recorded as an attempt of the kind replay, and changes nothing.",
		RequestBody: optionalBody(bodyOf(a, replayShape, "Where to", map[string]any{"url": "https://staging.example.com/webhooks"}))}, a.replayAttempt)
	handle(a, access.Reader, huma.Operation{OperationID: "get-replay", Method: http.MethodGet, Path: "/api/attempts/{id}/replays/{replayId}", Tags: []string{"Attempts"},
		Summary: "Read a replay beside the request that was sent again", Description: "As the call answered that sent it, but for patches in responses that were not kept whole."}, a.getReplay)
}

// getReplay shows a replay beside the request that it repeated. Both must be of one call,
// so that nobody compares what has nothing to do with each other. It shows what was
// recorded, which is what replayAttempt showed, unless an answer was too long to be
// recorded whole.
func (a *api) getReplay(ctx context.Context, in *struct {
	AttemptID
	ReplayID string `path:"replayId" doc:"The id of the attempt of the kind replay"`
}) (*replayAnswer, error) {
	first, err := a.Store.Attempt(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	again, err := a.Store.Attempt(ctx, tenantOf(ctx), in.ReplayID)
	if err != nil {
		return nil, err
	}
	if again.Kind != attempt.KindReplay || again.CallID != first.CallID {
		return nil, apierr.Errorf(apierr.NotFound, "%q is no replay of this attempt's call", in.ReplayID)
	}
	return &replayAnswer{replayed{showSide(first, nil), showSide(again, nil)}}, nil
}

// replayShape is the body that says where a request is sent again.
var replayShape = &schema.Shape{Name: "ReplayTo", Noun: "the request", Fields: []schema.ShapeField{
	{Name: "url", Doc: "Where it went before if it is left out"},
}}

// replayed is a request that was sent again, and the first one. Whoever mends an endpoint
// compares the two.
type replayed struct {
	Original side `json:"original"`
	Replay   side `json:"replay"`
}

// side is an attempt and, of a two-way step, the patch in its answer. The patch is shown
// and not applied: a replay changes nothing.
type side struct {
	FullAttempt
	Patch   *patchDocument `json:"patch,omitempty" doc:"Of a workflow step: its orderPatch; of a validator: its value"`
	Problem string         `json:"patchProblem,omitempty" doc:"Why the response has no patch that could be read"`
}

// replayAnswer is the answer of both operations.
type replayAnswer struct{ Body replayed }

// replayAttempt sends a recorded request once more, and changes nothing else. The request
// is made outside of a write. A repeated request returns the attempt of the first one.
// The attempt is recorded in the same call, before the answer. If the process dies
// between the request and the record, the request was made and nobody knows of it; a
// repetition makes it once more.
func (a *api) replayAttempt(ctx context.Context, in *struct {
	AttemptID
	OnceParams
}) (*replayAnswer, error) {
	to, err := a.replayURL(ctx)
	if err != nil {
		return nil, err
	}
	first, err := a.Store.Attempt(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	// Without its X-Shadow the endpoint would take the request for one that counts.
	if first.Kind == attempt.KindShadow {
		return nil, apierr.Errorf(apierr.Conflict, "the request of a shadow step is not sent again: send that of its live step")
	}
	if bodyErased(first) {
		return nil, apierr.Errorf(apierr.Conflict, "the body of this request was erased")
	}
	var again *attempt.Attempt
	var answer outbound.Exchange
	// answer is assigned below, so what is to be given back is known only at the end.
	defer func() { answer.Memory.Give() }() // once the patches in it are shown
	earlier, err := a.onceOutside(ctx, in.OnceParams, func(ctx context.Context) (string, error) {
		if again, answer, err = a.replay(ctx, first, to); err != nil {
			return "", err
		}
		err := store.Recording(func() error {
			return a.Store.Write(ctx, func(tx store.Tx) error { return addReplay(ctx, tx, first.ID, again) })
		}, again)
		return again.ID, err
	})
	if err == nil && earlier != nil {
		again, err = a.Store.Attempt(ctx, tenantOf(ctx), earlier.Resource)
	}
	if err != nil {
		return nil, err
	}
	return &replayAnswer{replayed{showSide(first, nil), showSide(again, answer.Body)}}, nil
}

// bodyErased reports whether there is no body left to send. Every request that orderhook
// makes has one, so an empty one was erased.
func bodyErased(at *attempt.Attempt) bool {
	return at.Detail == nil || len(at.Detail.Request.Body) == 0
}

// addReplay records a replay. If the body of the first attempt was erased while the
// request was under way, the body of the replay is not recorded either. If the first
// attempt was removed, nobody can say whether it was erased.
func addReplay(ctx context.Context, tx store.Tx, first string, again *attempt.Attempt) error {
	now, err := tx.Attempt(ctx, tenantOf(ctx), first)
	if err != nil && apierr.KindOf(err) != apierr.NotFound {
		return err
	}
	if err != nil || bodyErased(now) {
		again = again.Bare()
	}
	return tx.AddAttempt(ctx, tenantOf(ctx), again)
}

// replayURL reads the body's url, "" where there is none. It is checked as the URL of an
// endpoint is, the target guard included (docs/contract.md#targets).
func (a *api) replayURL(ctx context.Context) (string, error) {
	body, err := readGivenBody(ctx, replayShape)
	if err != nil {
		return "", err
	}
	to := body.Text("url")
	if !body.OK() || !body.Has("url") {
		return "", within(body.Err())
	}
	if u, why := event.CheckURL(to); why != "" {
		body.Wrong("url", "%s", why)
	} else if why := a.refusal(ctx)(u); why != "" {
		body.Wrong("url", "%s", why)
	}
	return weburl.NormalURL(to), within(body.Err())
}

// replay makes the request of an attempt once more. It returns the new attempt, and the
// exchange.
//
// The secrets are today's, and go along only if the request goes to the origin from
// before, which must be today's origin, too (docs/contract.md#secrets). A status that is
// no success is an attempt that failed, and no error: the caller wants to see it. An
// error means that no request was made.
func (a *api) replay(ctx context.Context, first *attempt.Attempt, to string) (*attempt.Attempt, outbound.Exchange, error) {
	r, err := a.requestToday(ctx, first)
	if err != nil {
		return nil, outbound.Exchange{}, err
	}
	today := r.URL
	to = replayTarget(to, first.URL, today)
	same := weburl.URLOrigin(to) == weburl.URLOrigin(first.URL) && weburl.URLOrigin(to) == weburl.URLOrigin(today)
	if !same { // nobody reads a secret by naming a URL
		r = outbound.ToURL(to, r.Timeout)
	}
	asRecorded(&r, first)
	if same { // a step's configuration names its URL
		r.Body = bytes.ReplaceAll(r.Body, []byte(weburl.PublicURL(to)), []byte(to))
	}
	// All replays of a tenant are one member of its share of outgoing calls, so that they
	// cannot take the slots of deliveries and steps (docs/contract.md#fairness).
	r.Kind, r.URL, r.For = attempt.KindReplay, to, fair.Key{Tenant: tenantOf(ctx), Member: "replays"}
	x := a.Client.Post(ctx, r)
	if x.Class() == outbound.OwnTrouble {
		return nil, x, apierr.Errorf(apierr.Unavailable, "the request could not be made: %s", x.Failure())
	}
	failure := x.Failure()
	var unread []apierr.Warning
	if failure == "" {
		_, unread, failure = patchIn(first, x.Body)
	}
	at := x.Record(attempt.KindReplay, failure)
	at.StartedAt = at.StartedAt.Truncate(time.Microsecond) // as whoever reads it later is shown it
	at.CallID, at.Warnings, at.Related, at.RunID = first.CallID, unread, first.Related, first.RunID
	at.EndpointID, at.EventID, at.EventType = first.EndpointID, first.EventID, first.EventType
	at.DeliveryID, at.Delivery, at.Format = first.DeliveryID, first.Delivery, first.Format
	if same {
		at.ConnectorID = first.ConnectorID
	}
	return at, x, nil
}

// replayTarget returns the URL that the caller asks for, or else the one of the first
// attempt. The password and the values in the query are those of today's URL. What was
// recorded has *** in their place. Where today's URL cannot give them, the values in the
// query are left out, and so is the user.
func replayTarget(asked, before, today string) string {
	if asked == "" {
		asked = before
	}
	if asked == weburl.PublicURL(today) || asked == weburl.OwnersURL(today) {
		return today
	}
	if weburl.HasMaskedQuery(asked) {
		from := today
		if weburl.URLOrigin(asked) != weburl.URLOrigin(today) { // nobody reads a secret by naming a URL
			from = ""
		}
		asked = weburl.Unmasked(asked, from)
	}
	u, err := url.Parse(asked)
	if err != nil || u.User == nil || weburl.OwnersURL(asked) != asked {
		return asked
	}
	u.User = nil // nothing but its mask
	return u.String()
}

// asRecorded gives a request the recorded body, and the headers by which an endpoint
// recognizes it. The ids and the numbers of the attempt are those of before, so the
// endpoint takes it for a repetition. Headers with secrets, and the signature, are made
// anew, since the record has them masked.
func asRecorded(r *outbound.Request, at *attempt.Attempt) {
	sent := textproto.MIMEHeader(at.Detail.Request.Headers)
	number := func(name string) int { n, _ := strconv.Atoi(sent.Get(name)); return n }
	r.Body, r.ID, r.IdempotencyKey = at.Detail.Request.Body, sent.Get("Webhook-Id"), sent.Get("Idempotency-Key")
	r.Delivery, r.MaxDelivery, r.Attempt = number("X-Delivery-Count"), number("X-Max-Delivery-Count"), number("X-Attempt")
	r.OneWay = at.EndpointID != ""
}

// showSide returns one side of the comparison, with the patch in its answer. whole is the
// whole answer, which the record may have only the beginning of. An event has no answer
// to read, and an answer that is no success has no patch.
func showSide(at *attempt.Attempt, whole []byte) side {
	out := side{FullAttempt: ShowAttempt(at)}
	response := out.Response
	switch {
	case at.EndpointID != "" || response == nil || at.Status/100 != 2:
		return out
	// The beginning of a JSON text cannot be read, and would look like an error of the
	// endpoint.
	case whole == nil && response.Truncated:
		out.Problem = "the response was not kept whole"
		return out
	case whole == nil:
		whole = at.Detail.Response.Body
	}
	patch, _, problem := patchIn(at, whole)
	if out.Problem = problem; patch != nil {
		out.Patch = &patchDocument{patch}
	}
	return out
}

// patchIn reads the patch in the answer to a two-way request, and names what was not read
// in the answer. It reads the answer as the workflow, or the validation, would read it,
// with the same words for what is wrong.
func patchIn(at *attempt.Attempt, body []byte) (patch *jsondoc.Object, unread []apierr.Warning, problem string) {
	switch {
	case at.EndpointID != "": // one way
	case at.RunID != "":
		answer, err := run.ParseStepAnswer(body)
		if err != nil {
			return nil, nil, "invalid response: " + err.Error()
		}
		return answer.Patch, answer.Warnings, ""
	default:
		answer, err := cart.ParseValidation(body)
		if err != nil {
			return nil, nil, "invalid response: " + err.Error()
		}
		return answer.Value, answer.Unread, ""
	}
	return nil, nil, ""
}
