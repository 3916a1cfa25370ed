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

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func replays(a *api) {
	handle(a, oms.Operator, huma.Operation{OperationID: "replay-attempt", Method: http.MethodPost, Path: "/api/attempts/{id}/replay", Tags: []string{"Attempts"},
		Summary: "Send a request again, to the same or another URL", DefaultStatus: http.StatusOK,
		Description: "With today's secret headers and signature if it goes to the original scheme, host and port, and without them if not. " +
			"It is recorded as an attempt of the kind replay, and changes nothing.",
		RequestBody: optionalBody(bodyOf[replayTo](a, "Where to", map[string]any{"url": "https://staging.example.com/webhooks"}))}, a.replayAttempt)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-replay", Method: http.MethodGet, Path: "/api/attempts/{id}/replays/{replayId}", Tags: []string{"Attempts"},
		Summary: "Read a replay beside the request that was sent again", Description: "As the call answered that sent it, but for patches in responses that were not kept whole."}, a.getReplay)
}

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
	if again.Kind != oms.KindReplay || again.CallID != first.CallID {
		return nil, oms.Errorf(oms.NotFound, "%q is no replay of this attempt's call", in.ReplayID)
	}
	return &replayAnswer{replayed{showSide(first, nil), showSide(again, nil)}}, nil
}

// replayTo is the body that says where a request is sent again.
type replayTo struct {
	URL string `json:"url,omitempty" doc:"Where it went before if it is left out"`
}

// replayed is a request that was sent again, beside the first.
type replayed struct {
	Original side `json:"original"`
	Replay   side `json:"replay"`
}

// side is an attempt and, of a two-way step's, the patch it brought.
type side struct {
	FullAttempt
	Patch   *patchDocument `json:"patch,omitempty" doc:"Of a workflow step: its orderPatch; of a validator: its value"`
	Problem string         `json:"patchProblem,omitempty" doc:"Why the response has no patch that could be read"`
}

type replayAnswer struct{ Body replayed }

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
	if bodyErased(first) {
		return nil, oms.Errorf(oms.Conflict, "the body of this request was erased")
	}
	var again *oms.Attempt
	var answer hook.Exchange
	defer func() { answer.Memory.Give() }() // once the patches in it are shown
	earlier, err := a.onceOutside(ctx, in.OnceParams, func(ctx context.Context) (string, error) {
		if again, answer, err = a.replay(ctx, first, to); err != nil {
			return "", err
		}
		return again.ID, a.Store.Write(ctx, func(tx store.Tx) error { return addReplay(ctx, tx, first.ID, again) })
	})
	if err == nil && earlier != nil {
		again, err = a.Store.Attempt(ctx, tenantOf(ctx), earlier.Resource)
	}
	if err != nil {
		return nil, err
	}
	return &replayAnswer{replayed{showSide(first, nil), showSide(again, answer.Body)}}, nil
}

func bodyErased(at *oms.Attempt) bool {
	return at.Detail == nil || len(at.Detail.Request.Body) == 0
}

// addReplay records a replay. If the body of the first was erased while the
// request was under way, nothing of it is recorded here either; of a first that
// is gone nobody can tell.
func addReplay(ctx context.Context, tx store.Tx, first string, again *oms.Attempt) error {
	now, err := tx.Attempt(ctx, tenantOf(ctx), first)
	if err != nil && oms.KindOf(err) != oms.NotFound {
		return err
	}
	if err != nil || bodyErased(now) {
		bare := *again
		bare.Detail = bare.Detail.Bare()
		again = &bare
	}
	return tx.AddAttempt(ctx, tenantOf(ctx), again)
}

// replayURL reads the body's url, "" where there is none.
func (a *api) replayURL(ctx context.Context) (string, error) {
	doc, err := givenBody(ctx)
	if err != nil {
		return "", err
	}
	f := fields{doc: doc}
	f.only("url")
	to := f.text("url")
	if len(f.mistakes) > 0 || !doc.Has("url") {
		return "", f.err()
	}
	if u, why := oms.CheckURL(to); why != "" {
		f.wrong("url", "%s", why)
	} else if why := a.checkTarget(u); why != "" {
		f.wrong("url", "%s", why)
	}
	return oms.NormalURL(to), f.err()
}

// replay makes the request of an attempt once more. It returns the record of
// it, and the exchange.
func (a *api) replay(ctx context.Context, first *oms.Attempt, to string) (*oms.Attempt, hook.Exchange, error) {
	r, err := a.requestToday(ctx, first)
	if err != nil {
		return nil, hook.Exchange{}, err
	}
	today := r.URL
	to = replayTarget(to, first.URL, today)
	same := oms.URLOrigin(to) == oms.URLOrigin(first.URL) && oms.URLOrigin(to) == oms.URLOrigin(today)
	if !same { // nobody reads a secret by naming a URL
		r = hook.Request{Timeout: r.Timeout}
	}
	asRecorded(&r, first)
	if same { // a step's configuration names its URL
		r.Body = bytes.ReplaceAll(r.Body, []byte(oms.PublicURL(to)), []byte(to))
	}
	r.URL, r.For = to, fair.Key{Tenant: tenantOf(ctx), Member: "replays"}
	x := a.Client.Post(ctx, r)
	if x.Class() == hook.OwnTrouble {
		return nil, x, oms.Errorf(oms.Unavailable, "the request could not be made: %s", x.Failure())
	}
	at := &oms.Attempt{
		ID: oms.NewIDAt(oms.AttemptID, x.StartedAt), Kind: oms.KindReplay, CallID: first.CallID, Number: 1, MaxNumber: 1,
		StartedAt: x.StartedAt.Truncate(time.Microsecond), DurationMs: float64(x.Duration.Microseconds()) / 1000,
		URL: x.URL, Host: x.Host, Status: x.Status, Outcome: oms.OutcomeSucceeded, Error: x.Failure(),
		Related: first.Related, RunID: first.RunID, EndpointID: first.EndpointID, EventID: first.EventID, EventType: first.EventType,
		DeliveryID: first.DeliveryID, Delivery: first.Delivery, Format: first.Format, Detail: x.Detail(),
	}
	if same {
		at.ConnectorID = first.ConnectorID
	}
	if at.Error == "" {
		_, at.Warnings, at.Error = patchIn(first, x.Body)
	}
	if at.Error != "" {
		at.Outcome = oms.OutcomeFailed
	}
	return at, x, nil
}

// replayTarget is the URL that is asked for, else the one of before, with the
// password and the values in the query that only the URL of today has.
func replayTarget(asked, before, today string) string {
	if asked == "" {
		asked = before
	}
	if asked == oms.PublicURL(today) || asked == oms.OwnersURL(today) {
		return today
	}
	if oms.HasMaskedQuery(asked) {
		from := today
		if oms.URLOrigin(asked) != oms.URLOrigin(today) { // nobody reads a secret by naming a URL
			from = ""
		}
		asked = oms.Unmasked(asked, from)
	}
	u, err := url.Parse(asked)
	if err != nil || u.User == nil || oms.OwnersURL(asked) != asked {
		return asked
	}
	u.User = nil // nothing but its mask
	return u.String()
}

// asRecorded gives a request the body of an attempt, and the headers by which
// an endpoint knows it again.
func asRecorded(r *hook.Request, at *oms.Attempt) {
	sent := textproto.MIMEHeader(at.Detail.Request.Headers)
	number := func(name string) int { n, _ := strconv.Atoi(sent.Get(name)); return n }
	r.Body, r.ID, r.IdempotencyKey = at.Detail.Request.Body, sent.Get("Webhook-Id"), sent.Get("Idempotency-Key")
	r.Delivery, r.MaxDelivery, r.Attempt = number("X-Delivery-Count"), number("X-Max-Delivery-Count"), number("X-Attempt")
	r.OneWay = at.EndpointID != ""
}

func showSide(at *oms.Attempt, whole []byte) side {
	out := side{FullAttempt: showAttempt(at)}
	response := out.Response
	switch {
	case at.EndpointID != "" || response == nil || at.Status/100 != 2:
		return out
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

// patchIn reads the patch in the response to a two-way request, and names what of
// the response nobody reads.
func patchIn(at *oms.Attempt, body []byte) (patch *oms.Object, unread []oms.Warning, problem string) {
	switch {
	case at.EndpointID != "": // one way
	case at.RunID != "":
		answer, err := oms.ParseStepAnswer(body)
		if err != nil {
			return nil, nil, "invalid response: " + err.Error()
		}
		return answer.Patch, answer.Warnings, ""
	default:
		answer, err := oms.ParseValidation(body)
		if err != nil {
			return nil, nil, "invalid response: " + err.Error()
		}
		return answer.Value, answer.Unread, ""
	}
	return nil, nil, ""
}
