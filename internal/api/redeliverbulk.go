package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// bulkRedelivery registers the call that sends again all that a filter picks.
func bulkRedelivery(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "redeliver-deliveries", Method: http.MethodPost, Path: "/api/deliveries/redeliver", Tags: []string{"Events"},
		Summary: "Send all deliveries again that a filter picks", DefaultStatus: http.StatusAccepted, Responses: bulkResponses[Counted](a),
		Description: "202 with a job, which goes on after a restart. The filter is that of the list, and must name a status, a lastStatus, an endpoint, an event or an order. " +
			"Deliveries to endpoints that are off or were removed are passed over, and so are those whose event's data was erased, and those of events that come later than this call. " +
			"With `dryRun` nothing is sent: 200 says how many would be, and how many would be passed over.",
		RequestBody: bodyOf(a, bulkFilterShape, "Which deliveries", map[string]any{"endpointId": "ep_019aa4c27d3e7f0c9b61d2e8f4a05b37", "status": "failed", "lastStatus": "5xx"})}, a.redeliverBulk)
}

// bulkFilterShape is the filter of the list of deliveries, as a body. With the same
// names: what somebody looked at in the list can be sent again by the same words.
var bulkFilterShape = &schema.Shape{Name: "BulkFilter", Noun: "the request", Fields: []schema.ShapeField{
	// Ids are compared exactly, types without regard to case, as in the list.
	{Name: "endpointId"}, {Name: "eventId"},
	{Name: "status", Enum: []string{string(event.DeliveryPending), string(event.DeliverySucceeded), string(event.DeliveryFailed), string(event.DeliveryCanceled)}, Blank: true},
	{Name: "eventType"}, {Name: "orderId"},
	{Name: "lastStatus", Doc: "Of the last attempt: as 500, 5xx, or none where no answer came"},
	{Name: "from", Type: schema.ShapeTime, Doc: "Of events that happened at or after this time"},
	{Name: "to", Type: schema.ShapeTime, Doc: "Of events that happened before this time"},
	{Name: "dryRun", Type: schema.ShapeFlag, Doc: "Send or cancel nothing: say how many it would be"},
}}

// redeliverBulk makes a job that sends again all that a filter picks. The filter is stored
// with the job, so that the job can go on after a restart, on any node.
func (a *api) redeliverBulk(ctx context.Context, in *OnceParams) (*bulkAnswer, error) {
	// Errors in single members are gathered, and said together at the end.
	body, err := readBody(ctx, bulkFilterShape)
	if err != nil {
		return nil, err
	}
	q, dryRun, err := parseBulkFilter(body, "everything that was ever sent would be sent again")
	if err != nil {
		return nil, err
	}
	f, err := a.bulkDeliveries(ctx, q)
	if err == nil {
		err = a.refuseFeedOnly(ctx, q.EndpointID)
	}
	if err != nil {
		return nil, err
	}
	// A dry run stores nothing, so it needs no Idempotency-Key.
	if dryRun {
		return a.countDeliveries(ctx, f)
	}
	return a.overDeliveries(ctx, *in, job.JobRedeliver, q, f)
}

// refuseFeedOnly refuses a filter that names an endpoint to which nothing is sent. One that
// is off, or was removed, passes: it may have deliveries, which are counted as passed over.
func (a *api) refuseFeedOnly(ctx context.Context, endpoint string) error {
	if endpoint == "" {
		return nil
	}
	e, err := a.Store.Endpoint(ctx, tenantOf(ctx), endpoint)
	switch {
	case apierr.KindOf(err) == apierr.NotFound:
		return nil
	case err == nil && e.FeedOnly():
		return errFeedOnly
	}
	return err
}

// overDeliveries makes a job of a kind that goes over all deliveries that a filter picks
// now, from the newest event to older ones. It leaves out what happens after the call. q
// is the filter as it is stored with the job.
func (a *api) overDeliveries(ctx context.Context, once OnceParams, kind string, q event.DeliveryQuery, f store.DeliveryFilter) (*bulkAnswer, error) {
	filter, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	// The count is for whoever watches the job, to see how far it is. It is taken before
	// the write, because it may take longer.
	n, err := a.Store.DeliveryCount(ctx, tenantOf(ctx), f)
	if err != nil {
		return nil, err
	}
	var j *job.Job
	earlier, err := a.once(ctx, once, func(tx store.Tx, now time.Time) (string, error) {
		// The newest event is read within the write: what is published after that is not
		// part of the job.
		newest, err := newestSeq(ctx, tx)
		if err != nil {
			return "", err
		}
		j = job.NewJob(kind, now)
		j.Filter, j.Last = filter, newest
		expect(j, n)
		// The list goes down from its cursor, so it begins with the newest event itself.
		j.Cursor = store.Cursor{At: newest + 1, ID: "0"}.String()
		return j.ID, tx.PutJob(ctx, tenantOf(ctx), j)
	})
	return a.answerJob(ctx, j, earlier, err)
}

// countDeliveries answers a dry run: with what the job would send, and what it would
// skip. Those that would be skipped are counted by the reason, each up to the bound of
// counts.
func (a *api) countDeliveries(ctx context.Context, f store.DeliveryFilter) (*bulkAnswer, error) {
	// It is a caller's question, and must not take the connections of orderhook's own
	// work.
	ctx = store.Read.Mark(ctx)
	var off, not CappedCount
	for _, skipped := range []struct {
		why  store.Sendable
		into *CappedCount
	}{{store.SendableOnceOn, &off}, {store.NotSendable, &not}} {
		f.Sendable = skipped.why
		n, err := a.Store.DeliveryCount(ctx, tenantOf(ctx), f)
		if err != nil {
			return nil, err
		}
		*skipped.into = showCount(n)
	}
	// The rest is what the job would send. Some of it comes with the answer, so that
	// somebody can look at it.
	f.Sendable = store.SendableNow
	out, newest, err := countAll(ctx, func(ctx context.Context, p store.Page) (store.List[*event.Delivery], error) {
		return a.Store.Deliveries(ctx, tenantOf(ctx), f, p)
	})
	out.EndpointOff, out.NotSendable = &off, &not
	if err == nil {
		out.Deliveries, err = a.showDeliveries(ctx, newest)
	}
	return &bulkAnswer{Status: http.StatusOK, Body: out}, err
}

// parseBulkFilter reads the body of a call about many deliveries. An empty filter is
// refused, and so is one of nothing but times and types: the caller has probably left
// something out, and neither what was sent nor what was canceled can be called back.
// otherwise says what would happen then.
func parseBulkFilter(body *schema.ObjectReader, otherwise string) (q event.DeliveryQuery, dryRun bool, err error) {
	q = event.DeliveryQuery{EndpointID: body.Text("endpointId"), EventID: body.Text("eventId"), Status: event.DeliveryStatus(body.Text("status")),
		EventType: body.Text("eventType"), OrderID: body.Text("orderId"), LastStatus: body.Text("lastStatus"), From: body.Time("from"), To: body.Time("to")}
	dryRun = body.Flag("dryRun")
	// All that is wrong with the body is said at once.
	refuseBlank(body, "endpointId", "eventId", "eventType", "orderId")
	if _, ok := store.ParseStatus(q.LastStatus); !ok {
		body.Wrong("lastStatus", "%s", store.StatusForm)
	}
	if body.OK() && !q.Narrow() {
		return q, dryRun, apierr.Wrong("body", "must name a status, a lastStatus, an endpointId, an eventId or an orderId: %s otherwise", otherwise)
	}
	return q, dryRun, within(body.Err())
}

// bulkDeliveries returns the filter of a query, whose names must be those of
// something that there is. In a list a name that does not exist picks nothing. Here it is
// an error, since somebody wanted something to happen.
func (a *api) bulkDeliveries(ctx context.Context, q event.DeliveryQuery) (store.DeliveryFilter, error) {
	if q.EndpointID != "" {
		if _, err := a.Store.EndpointNo(ctx, tenantOf(ctx), q.EndpointID); apierr.KindOf(err) == apierr.NotFound {
			return store.DeliveryFilter{}, apierr.Wrong("body.endpointId", "there is no such endpoint")
		}
	}
	// The endpoint was found above, so what is not found here is the event.
	f, err := store.DeliveriesOf(ctx, a.Store, tenantOf(ctx), q)
	if apierr.KindOf(err) == apierr.NotFound {
		err = apierr.Wrong("body.eventId", "there is no such event")
	}
	return f, err
}
