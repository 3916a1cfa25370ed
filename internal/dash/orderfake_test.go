package dash

import "maps"

// fakeOrder is an order with a hostile text wherever a page shows one.
const fakeOrder = `{"id":"HOSTILE","version":3,"created":"2026-11-28T10:00:00Z","modified":"2026-11-28T11:00:00Z","status":"HOSTILE","orderType":"HOSTILE","marketId":"HOSTILE",
	"customerName":"HOSTILE","customerEmail":"HOSTILE","billingCurrency":"HOSTILE","subscriptionId":"HOSTILE","HOSTILE":"HOSTILE",
	"errors":[{"key":"HOSTILE","displayName":"HOSTILE","message":"HOSTILE","status":"New","referenceId":"HOSTILE","runId":"HOSTILE","occurred":"2026-11-28T10:30:00Z"}],
	"orderForm":{"total":1234.50,"lineItems":[` + fakeLine + `],"shipments":[{"shipmentId":"HOSTILE","status":"HOSTILE","orderStatus":"HOSTILE","deliveryStatus":"HOSTILE","warehouseCode":"HOSTILE","shippingMethodName":"HOSTILE","shipmentTrackingNumber":"HOSTILE"}]},
	"returnOrderForms":[{"returnId":"HOSTILE","status":"HOSTILE","returnComment":"HOSTILE","lineItems":[` + fakeLine + `]},{"returnId":"1","status":"Returned","lineItems":[` + fakeLine + `]}]}`

const fakeLine = `{"lineItemId":"HOSTILE","code":"HOSTILE","displayName":"HOSTILE","quantity":2.0,"canceledQuantity":1,"returnQuantity":1,"placedPrice":"HOSTILE","extendedPrice":617.25}`

const fakeChange = `{"path":"HOSTILE","before":"HOSTILE","after":{"HOSTILE":["HOSTILE"]},"theirs":"HOSTILE"}`

const fakeSteps = `[{"step":"HOSTILE","displayName":"HOSTILE","actionStatus":"Error","cancelWorkflow":true,"errorReason":"HOSTILE","durationMs":12,"attempts":4,"callId":"HOSTILE",
	"changes":[` + fakeChange + `],"warnings":[{"path":"HOSTILE","message":"HOSTILE"}]},{"step":"HOSTILE","displayName":"x","actionStatus":"Pending"},{"step":"s","displayName":"HOSTILE","actionStatus":"Skipped","errorReason":"HOSTILE"}]`

const fakeRun = `{"id":"HOSTILE","orderId":"HOSTILE","status":"aborted","enteredStatus":"HOSTILE","shipmentId":"HOSTILE","reason":"HOSTILE","triggeredRunId":"HOSTILE",
	"nextAttempt":2,"nextAttemptAt":"2026-11-28T12:00:05Z","deadline":"2026-11-28T13:00:00Z","created":"2026-11-28T10:00:00Z","updated":"2026-11-28T10:01:00Z","ended":"2026-11-28T10:01:00Z","orderActionExecutionResults":` + fakeSteps + `}`

const fakeHistory = `{"id":"HOSTILE","timestamp":"2026-11-28T10:00:00Z","operation":"HOSTILE","message":"HOSTILE","status":"HOSTILE","previousStatus":"HOSTILE","step":"HOSTILE",
	"shipmentId":"HOSTILE","returnId":"HOSTILE","callId":"HOSTILE","runId":"HOSTILE","by":"HOSTILE","keyName":"HOSTILE","requestId":"HOSTILE","isError":true,"version":3,"changes":[` + fakeChange + `],"warnings":[{"path":"HOSTILE","message":"HOSTILE"}]}`

const fakeEvent = `{"id":"HOSTILE","type":"HOSTILE","subject":{"kind":"HOSTILE","id":"HOSTILE"},"timestamp":"2026-11-28T10:00:00Z","orderId":"HOSTILE"}`

const fakeSource = `{"operation":"HOSTILE","message":"HOSTILE","by":"HOSTILE","keyName":"HOSTILE","requestId":"HOSTILE","step":"HOSTILE","displayName":"HOSTILE","runId":"HOSTILE","callId":"HOSTILE","attemptId":"HOSTILE"}`

func init() {
	list := func(item string) string {
		return `{"items":[` + item + `],"nextCursor":"HOSTILE","count":10000,"countCapped":true}`
	}
	maps.Copy(answers, map[string]string{
		"GET /api/orders":                         list(fakeOrder),
		"GET /api/orders/1":                       fakeOrder,
		"GET /api/orders/HOSTILE":                 fakeOrder,
		"GET /api/orders/1/history":               list(fakeHistory),
		"GET /api/orders/" + hostile + "/history": list(fakeHistory),
		"GET /api/orders/1/blame":                 list(`{"path":"HOSTILE","pointer":"HOSTILE","value":"HOSTILE","version":3,"before":["HOSTILE"],"timestamp":"2026-11-28T10:00:00Z","source":` + fakeSource + `},{"path":"x","pointer":"/x","value":1,"unknown":"HOSTILE"}`),
		"GET /api/orders/1/versions/2":            fakeOrder,
		"GET /api/events":                         list(fakeEvent),
		"GET /api/runs":                           list(fakeRun),
		"GET /api/runs/1":                         fakeRun,
		"POST /api/runs/1/resume":                 `{}`,
		"POST /api/runs/1/cancel":                 `{}`,
		"POST /api/runs/resume":                   `{"dryRun":true,"matched":3,"id":"job_1"}`,
		"GET /api/carts":                          list(fakeOrder),
		"GET /api/carts/1":                        fakeOrder,
		"POST /api/carts/1/validate":              `{"isValidatedSuccessful":false}`,
		"GET /api/attempts/" + hostile:            fakeFullAttempt,
		"GET /api/settings":                       `{"orderTypes":[{"orderStatuses":[{"name":"HOSTILE"}]}],"returnStatuses":[{"name":"HOSTILE"}]}`,
		"POST /api/orders/1/status":               `{"runId":"HOSTILE","reason":"HOSTILE","order":` + fakeOrder + `,"orderActionExecutionResults":` + fakeSteps + `}`,
		"POST /api/orders/" + hostile + "/status": `{"reason":"HOSTILE","order":` + fakeOrder + `,"orderActionExecutionResults":` + fakeSteps + `}`,
		"POST /api/orders/1/returns/1/cancel":     `{}`,
	})
}
