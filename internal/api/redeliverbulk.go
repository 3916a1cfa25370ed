package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func bulkRedelivery(a *api) {
	handle(a, oms.Operator, huma.Operation{OperationID: "redeliver-deliveries", Method: http.MethodPost, Path: "/api/deliveries/redeliver", Tags: []string{"Events"},
		Summary: "Send all deliveries again that a filter picks", DefaultStatus: http.StatusAccepted, Responses: bulkResponses(a),
		Description: "202 with a job, which goes on after a restart. The filter is that of the list, and must name a status, a lastStatus, an endpoint, an event or an order. " +
			"Deliveries to endpoints that are off or were removed are passed over, and so are those whose event's data was erased, and those of events that come later than this call. " +
			"With `dryRun` nothing is sent: 200 says how many there are.",
		RequestBody: bodyOf[bulkFilter](a, "Which deliveries", map[string]any{"endpointId": "ep_019aa4c27d3e7f0c9b61d2e8f4a05b37", "status": "failed", "lastStatus": "5xx"})}, a.redeliverBulk)
}

// bulkFilter is the filter of the list of deliveries, as a body.
type bulkFilter struct {
	EndpointID string `json:"endpointId,omitempty"`
	EventID    string `json:"eventId,omitempty"`
	Status     string `json:"status,omitempty" enum:"pending,succeeded,failed,canceled"`
	EventType  string `json:"eventType,omitempty"`
	OrderID    string `json:"orderId,omitempty"`
	LastStatus string `json:"lastStatus,omitempty" doc:"Of the last attempt: as 500, 5xx, or none where no answer came"`
	From       string `json:"from,omitempty" format:"date-time" doc:"Of events that happened at or after this time"`
	To         string `json:"to,omitempty" format:"date-time" doc:"Of events that happened before this time"`
	DryRun     bool   `json:"dryRun,omitempty" doc:"Send nothing: say how many there are"`
}

func (a *api) redeliverBulk(ctx context.Context, in *OnceParams) (*bulkAnswer, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	q, dryRun, err := parseBulkFilter(doc)
	if err != nil {
		return nil, err
	}
	f, err := a.bulkDeliveries(ctx, q)
	if err != nil {
		return nil, err
	}
	if dryRun {
		return countAll(ctx, func(ctx context.Context, p store.Page) (store.List[*oms.Delivery], error) {
			return a.Store.Deliveries(ctx, tenantOf(ctx), f, p)
		})
	}
	filter, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	n, err := a.Store.DeliveryCount(ctx, tenantOf(ctx), f)
	if err != nil {
		return nil, err
	}
	var job *oms.Job
	earlier, err := a.once(ctx, *in, func(tx store.Tx, now time.Time) (string, error) {
		newest, err := tx.Events(ctx, tenantOf(ctx), store.EventFilter{}, store.Page{Limit: 1})
		if err != nil {
			return "", err
		}
		job = oms.NewJob(oms.JobRedeliver, now)
		job.Filter = filter
		expect(job, n)
		for _, e := range newest.Items {
			job.Last = e.Seq
		}
		job.Cursor = store.Cursor{At: job.Last + 1, ID: "0"}.String()
		return job.ID, tx.PutJob(ctx, tenantOf(ctx), job)
	})
	return a.answerJob(ctx, job, earlier, err)
}

// parseBulkFilter reads the body of a call about many deliveries.
func parseBulkFilter(doc *oms.Object) (q oms.DeliveryQuery, dryRun bool, err error) {
	f := fields{doc: doc}
	f.only("endpointId", "eventId", "status", "eventType", "orderId", "lastStatus", "from", "to", "dryRun")
	q = oms.DeliveryQuery{EndpointID: f.text("endpointId"), EventID: f.text("eventId"), Status: oms.DeliveryStatus(f.text("status")),
		EventType: f.text("eventType"), OrderID: f.text("orderId"), LastStatus: f.text("lastStatus"), From: f.time("from"), To: f.time("to")}
	dryRun = f.flag("dryRun")
	switch q.Status {
	case "", oms.DeliveryPending, oms.DeliverySucceeded, oms.DeliveryFailed, oms.DeliveryCanceled:
	default:
		f.wrong("status", "must be pending, succeeded, failed or canceled")
	}
	if _, ok := store.ParseStatus(q.LastStatus); !ok {
		f.wrong("lastStatus", "%s", store.StatusForm)
	}
	if len(f.mistakes) == 0 && !q.Narrow() {
		return q, dryRun, oms.Wrong("body", "must name a status, a lastStatus, an endpointId, an eventId or an orderId: "+
			"everything that was ever sent would be sent again otherwise")
	}
	return q, dryRun, f.err()
}

// bulkDeliveries returns the filter of a query, whose names must be those of
// something that there is.
func (a *api) bulkDeliveries(ctx context.Context, q oms.DeliveryQuery) (store.DeliveryFilter, error) {
	if q.EndpointID != "" {
		if _, err := a.Store.EndpointNo(ctx, tenantOf(ctx), q.EndpointID); oms.KindOf(err) == oms.NotFound {
			return store.DeliveryFilter{}, oms.Wrong("body.endpointId", "there is no such endpoint")
		}
	}
	f, err := store.DeliveriesOf(ctx, a.Store, tenantOf(ctx), q)
	if oms.KindOf(err) == oms.NotFound {
		err = oms.Wrong("body.eventId", "there is no such event")
	}
	return f, err
}
