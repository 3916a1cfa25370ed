package contract

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// sample is an operation of the API: the role it needs and a call of it that
// succeeds. Its path and body name things that a furnished rig has.
type sample struct {
	needs access.Role
	path  string
	body  string
}

// samples has every operation, by method and path as the OpenAPI document has
// them. A new operation needs a row here, and with it gets a role.
var samples = map[string]sample{
	"POST /api/orders":                                {access.Publisher, "/api/orders", `{}`},
	"GET /api/orders":                                 {access.Reader, "/api/orders", ""},
	"GET /api/orders/{id}":                            {access.Reader, "/api/orders/ORDER", ""},
	"PATCH /api/orders/{id}":                          {access.Publisher, "/api/orders/ORDER", `{"tags":["a"]}`},
	"DELETE /api/orders/{id}":                         {access.Publisher, "/api/orders/ORDER", ""},
	"POST /api/orders/{id}/status":                    {access.Publisher, "/api/orders/ORDER/status", `{"status":"Held"}`},
	"GET /api/orders/{id}/blame":                      {access.Reader, "/api/orders/ORDER/blame", ""},
	"GET /api/orders/{id}/history":                    {access.Reader, "/api/orders/ORDER/history", ""},
	"GET /api/orders/{id}/versions/{version}":         {access.Reader, "/api/orders/ORDER/versions/1", ""},
	"GET /api/runs":                                   {access.Reader, "/api/runs", ""},
	"GET /api/runs/{id}":                              {access.Reader, "/api/runs/RUN", ""},
	"GET /api/attempts":                               {access.Reader, "/api/attempts", ""},
	"GET /api/attempts/{id}":                          {access.Reader, "/api/attempts/ATTEMPT", ""},
	"GET /api/attempts/{id}/call":                     {access.Reader, "/api/attempts/ATTEMPT/call", ""},
	"GET /api/settings":                               {access.Reader, "/api/settings", ""},
	"PUT /api/settings":                               {access.Operator, "/api/settings", `{}`},
	"PUT /api/installation":                           {access.Admin, "/api/installation", `{}`},
	"POST /api/settings/check":                        {access.Operator, "/api/settings/check", `{}`},
	"GET /api/settings/history":                       {access.Reader, "/api/settings/history", ""},
	"GET /api/settings/{version}":                     {access.Reader, "/api/settings/1", ""},
	"POST /api/settings/{version}/restore":            {access.Operator, "/api/settings/1/restore", ""},
	"GET /api/workflow-shadows":                       {access.Reader, "/api/workflow-shadows", ""},
	"POST /api/workflow-shadows/{id}/promote":         {access.Operator, "/api/workflow-shadows/SHADOW/promote", ""},
	"GET /api/workflow-steps":                         {access.Reader, "/api/workflow-steps", ""},
	"GET /api/me":                                     {access.Reader, "/api/me", ""},
	"POST /api/orders/{id}/shipments":                 {access.Publisher, "/api/orders/ORDER/shipments", `{"shipmentId":"SHIP-3"}`},
	"PATCH /api/orders/{id}/shipments/{shipmentId}":   {access.Publisher, "/api/orders/ORDER/shipments/SHIP-2", `{"deliveryStatus":"Sent"}`},
	"POST /api/orders/{id}/returns/{returnId}/cancel": {access.Publisher, "/api/orders/ORDER/returns/RETURN/cancel", ""},
	"POST /api/orders/{id}/returns":                   {access.Publisher, "/api/orders/ORDER/returns", `{"lineItems":[{"lineItemId":"L1","returnQuantity":1}]}`},
	"POST /api/runs/resume":                           {access.Operator, "/api/runs/resume", `{"step":"none"}`},
	"POST /api/runs/{id}/resume":                      {access.Operator, "/api/runs/RUN/resume", ""},
	"POST /api/runs/{id}/cancel":                      {access.Operator, "/api/runs/RUN/cancel", ""},
	"POST /api/interceptions":                         {access.Operator, "/api/interceptions", `{"steps":["none"],"allOrders":true}`},
	"GET /api/interceptions":                          {access.Reader, "/api/interceptions", ""},
	"GET /api/interceptions/{id}":                     {access.Reader, "/api/interceptions/INTERCEPTION", ""},
	"POST /api/interceptions/{id}/calls":              {access.Operator, "/api/interceptions/INTERCEPTION/calls", ""},
	"PUT /api/interceptions/{id}/calls/{callId}":      {access.Operator, "/api/interceptions/INTERCEPTION/calls/none", `{"status":200}`},
	"DELETE /api/interceptions/{id}":                  {access.Operator, "/api/interceptions/INTERCEPTION", ""},
	"GET /api/connectors/health":                      {access.Reader, "/api/connectors/health", ""},
	"POST /api/connectors/try":                        {access.Operator, "/api/connectors/try", `{"name":"none"}`},
	"GET /api/carts":                                  {access.Reader, "/api/carts", ""},
	"GET /api/carts/{id}":                             {access.Reader, "/api/carts/CART", ""},
	"PUT /api/carts/{id}":                             {access.Publisher, "/api/carts/CART", `{}`},
	"PATCH /api/carts/{id}":                           {access.Publisher, "/api/carts/CART", `{"tags":["a"]}`},
	"DELETE /api/carts/{id}":                          {access.Publisher, "/api/carts/CART", ""},
	"POST /api/carts/validate":                        {access.Publisher, "/api/carts/validate", `{}`},
	"POST /api/carts/{id}/validate":                   {access.Publisher, "/api/carts/CART/validate", ""},
	"POST /api/carts/{id}/order":                      {access.Publisher, "/api/carts/CART/order", ""},
	"POST /api/endpoints":                             {access.Operator, "/api/endpoints", `{"url":"https://example.com/hook","eventTypes":["*"]}`},
	"GET /api/endpoints":                              {access.Reader, "/api/endpoints", ""},
	"GET /api/endpoints/{id}":                         {access.Reader, "/api/endpoints/ENDPOINT", ""},
	"GET /api/endpoints/{id}/feed":                    {access.Reader, "/api/endpoints/ENDPOINT/feed", ""},
	"PATCH /api/endpoints/{id}":                       {access.Operator, "/api/endpoints/ENDPOINT", `{"description":"x"}`},
	"DELETE /api/endpoints/{id}":                      {access.Operator, "/api/endpoints/ENDPOINT", ""},
	"POST /api/endpoints/explain":                     {access.Reader, "/api/endpoints/explain", `{"endpointId":"ENDPOINT"}`},
	"POST /api/endpoints/{id}/test":                   {access.Operator, "/api/endpoints/ENDPOINT/test", ""},
	"POST /api/endpoints/{id}/rotate-secret":          {access.Operator, "/api/endpoints/ENDPOINT/rotate-secret", ""},
	"POST /api/endpoints/{id}/recover":                {access.Operator, "/api/endpoints/ENDPOINT/recover", `{"from":"2026-01-01T00:00:00Z","what":"failed"}`},
	"GET /api/endpoints/{id}/public-key":              {access.Reader, "/api/endpoints/ENDPOINT/public-key", ""},
	"GET /api/jobs":                                   {access.Reader, "/api/jobs", ""},
	"GET /api/jobs/{id}":                              {access.Reader, "/api/jobs/JOB", ""},
	"POST /api/jobs/{id}/cancel":                      {access.Operator, "/api/jobs/JOB/cancel", ""},
	"POST /api/events":                                {access.Publisher, "/api/events", `{"type":"t","data":{}}`},
	"GET /api/events":                                 {access.Reader, "/api/events", ""},
	"GET /api/events/{id}":                            {access.Reader, "/api/events/EVENT", ""},
	"POST /api/events/{id}/redeliver":                 {access.Operator, "/api/events/EVENT/redeliver", ""},
	"GET /api/event-types":                            {access.Reader, "/api/event-types", ""},
	"GET /api/deliveries":                             {access.Reader, "/api/deliveries", ""},
	"GET /api/deliveries/{id}":                        {access.Reader, "/api/deliveries/DELIVERY", ""},
	"POST /api/deliveries/{id}/redeliver":             {access.Operator, "/api/deliveries/DELIVERY/redeliver", ""},
	"POST /api/deliveries/redeliver":                  {access.Operator, "/api/deliveries/redeliver", `{"status":"failed","dryRun":true}`},
	"POST /api/deliveries/cancel":                     {access.Operator, "/api/deliveries/cancel", `{"status":"pending","dryRun":true}`},
	"POST /api/deliveries/{id}/cancel":                {access.Operator, "/api/deliveries/DELIVERY/cancel", ""},
	"POST /api/attempts/{id}/replay":                  {access.Operator, "/api/attempts/ATTEMPT/replay", ""},
	"GET /api/attempts/{id}/replays/{replayId}":       {access.Reader, "/api/attempts/ATTEMPT/replays/REPLAY", ""},
	"GET /api/overview":                               {access.Reader, "/api/overview", ""},
	"GET /api/stock/{id}":                             {access.Reader, "/api/stock/STOCK", ""},
	"PUT /api/stock/{id}":                             {access.Publisher, "/api/stock/STOCK", `{"available":1}`},
	"POST /api/stock/{id}/adjust":                     {access.Publisher, "/api/stock/STOCK/adjust", `{"by":1}`},
	"POST /api/keys":                                  {access.Admin, "/api/keys", `{"role":"reader"}`},
	"GET /api/keys":                                   {access.Admin, "/api/keys", ""},
	"GET /api/keys/{id}":                              {access.Admin, "/api/keys/KEY", ""},
	"PATCH /api/keys/{id}":                            {access.Admin, "/api/keys/KEY", `{"name":"renamed"}`},
	"GET /api/audit":                                  {access.Admin, "/api/audit", ""},
	"GET /api/nodes":                                  {access.Operator, "/api/nodes", ""},
	"DELETE /api/keys/{id}":                           {access.Admin, "/api/keys/KEY", ""},
}

// furnished is a rig with one of everything, and what fills in the samples' paths.
func furnished(t *testing.T) (*rig, *strings.Replacer) {
	r := start(t)
	s := answering(t, "")
	r.settings(config(status("New", shadowOf(s.URL, ""), fraud(s.URL))))
	res := r.call("POST", "/api/orders", order).want(201)
	returned := r.call("POST", theOrder+"/returns", lines("L1", "1")).want(201).text("returnId")
	key := r.call("POST", "/api/keys", `{"role":"reader","name":"furniture"}`).want(201)
	r.call("PUT", "/api/carts/CART-1", `{}`)
	attempt := r.get("/api/attempts?kind=step").text("items[0].id")
	replay := r.call("POST", "/api/attempts/"+attempt+"/replay", "").want(200).text("replay.id")
	r.call("PUT", "/api/stock/STOCK-1", `{"available":1}`).want(201)
	e := r.call("POST", "/api/endpoints", `{"url":"`+s.URL+`","eventTypes":["furniture"],"signatures":["v1","v1a"]}`).want(201)
	event := r.call("POST", "/api/events", `{"type":"furniture","data":{}}`).want(202).text("id")
	delivery := r.get("/api/events/" + event).text("deliveries[0].id")
	r.until("the event is delivered", func() bool { return r.get("/api/deliveries/"+delivery).text("status") == "succeeded" })
	job := r.call("POST", "/api/endpoints/"+e.text("id")+"/recover", `{"from":"2026-01-01T00:00:00Z","what":"failed"}`).want(202).text("id")
	r.until("the job has ended", func() bool { return r.get("/api/jobs/"+job).text("status") == "succeeded" })
	interception := r.call("POST", "/api/interceptions", `{"steps":["furniture"],"allOrders":true}`).want(201).text("id")
	return r, strings.NewReplacer("SHADOW", r.get("/api/workflow-shadows").text("items[0].id"), "INTERCEPTION", interception, "ORDER", "ORD-12345", "CART", "CART-1", "RUN", res.text("runId"), "ATTEMPT", attempt, "REPLAY", replay, "KEY", key.text("id"),
		"STOCK", "STOCK-1", "ENDPOINT", e.text("id"), "EVENT", event, "DELIVERY", delivery, "JOB", job, "RETURN", returned)
}

// operations returns every operation of the OpenAPI document that needs a key,
// as samples names them.
func (r *rig) operations() []string {
	var out []string
	for _, path := range r.get("/api/openapi.json").doc().Object("paths").Members() {
		for _, method := range path.Value.(*jsondoc.Object).Members() {
			if strings.HasPrefix(path.Name, "/api/") {
				out = append(out, strings.ToUpper(method.Name)+" "+path.Name)
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return -strings.Compare(a, b) }) // DELETE comes last
	return out
}

func TestEveryOperationHasASample(t *testing.T) {
	for _, name := range start(t).operations() {
		if _, ok := samples[name]; !ok {
			t.Errorf("%s has no row in samples: which role does it need?", name)
		}
	}
}

func TestNothingIsAnsweredWithoutAKey(t *testing.T) {
	r, names := furnished(t)
	before := r.get("/api/orders").Raw
	for name, s := range samples {
		method, _, _ := strings.Cut(name, " ")
		r.clock.Advance(time.Minute) // or there would be too many wrong keys
		for _, header := range []string{"", "Bearer", "Bearer ", "Bearer unknown", "Basic " + adminKey, adminKey, "Bearer " + adminKey + "x"} {
			a := r.as("").call(method, names.Replace(s.path), s.body, "Authorization", header).problem(401)
			if a.Header.Get("WWW-Authenticate") != `Bearer realm="orderhook"` {
				t.Errorf("%s with %q: WWW-Authenticate %q", name, header, a.Header.Get("WWW-Authenticate"))
			}
		}
	}
	if after := r.get("/api/orders").Raw; string(after) != string(before) {
		t.Errorf("something happened: %s", after)
	}
	r.as("").call("GET", "/api/no-such-thing", "").problem(401)
	r.as("").call("GET", "/api/orders", "", "Authorization", "bearer  "+adminKey).want(200)
}

func TestEachRoleDoesWhatItMay(t *testing.T) {
	for _, role := range access.Roles {
		t.Run(string(role), func(t *testing.T) {
			r, names := furnished(t)
			r.addKey("key-of-"+string(role), access.DefaultTenant, role)
			as := r.as("key-of-" + string(role))
			as.get("/api/me").is("role", role).is("tenant", "default").says("hash", "key-of-")
			for _, name := range r.operations() {
				s := samples[name]
				method, _, _ := strings.Cut(name, " ")
				if !role.Reaches(s.needs) {
					as.call(method, names.Replace(s.path), s.body).problem(403)
					as.call(method, names.Replace(s.path), `{"nonsense`).problem(403)
					continue
				}
				a := as.call(method, names.Replace(s.path), names.Replace(s.body))
				// 409: not in a state for it. There is no connector, and the settings that were put
				// before have no shadow.
				if a.Status/100 != 2 && a.Status != 409 && name != "POST /api/connectors/try" && name != "POST /api/workflow-shadows/{id}/promote" {
					t.Errorf("%s is answered %d %s", name, a.Status, a.Raw)
				}
			}
		})
	}
}

func TestADeletedKeyIsWorthless(t *testing.T) {
	r := start(t)
	made := r.call("POST", "/api/keys", `{"ROLE":"operator","name":"ci"}`).want(201).is("role", "operator").is("name", "ci")
	as := r.as(made.text("key"))
	as.get("/api/me").is("id", made.text("id")).is("role", "operator").is("name", "ci")
	r.get("/api/keys").is("items[0].id", made.text("id")).says(made.text("key"), "hash", adminKey)
	r.call("DELETE", "/api/keys/"+made.text("id"), "").want(204)
	as.call("GET", "/api/me", "").problem(401)
	r.call("DELETE", "/api/keys/"+made.text("id"), "").problem(404)
}
