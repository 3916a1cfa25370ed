package contract

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

func TestAnyIDRoundTripsPercentEncoded(t *testing.T) {
	r := start(t)
	for _, id := range []string{"a/b", "//", "a b", " a ", "ø æ 日本語 🎁", "100%", "%2F", "a?b=c", "a#b", "a+b&c;d", `"quoted"`, `back\slash`, "...", "../../etc/passwd",
		"a:b", "<b>", "status", "a/status", strings.Repeat("x", 200), strings.Repeat("ø", 100)} {
		body, _ := json.Marshal(map[string]any{"id": id, "status": "Draft"})
		created := r.post(string(body)).is("order.id", id)
		path := "/api/orders/" + url.PathEscape(id)
		equals(t, "Location", created.Header.Get("Location"), path)
		r.get(path).is("id", id)
		r.call("PATCH", path, `{"tags":["a"]}`).want(200).is("id", id)
		r.call("POST", path+"/status", `{"status":"Held"}`).want(200).is("order.id", id)
		r.get(path+"/versions/2").is("id", id).is("tags", []string{"a"})
		r.get(path+"/history").is("items[2].operation", "Created")
		r.get("/api/runs?orderId="+url.QueryEscape(id)).is("items[1].orderId", id)
		r.call("DELETE", path+"?permanently=true", "").want(204)
		r.call("GET", path, "").problem(404)
	}
}

func TestIDsThatNoURLCanHoldAreRefused(t *testing.T) {
	r := start(t)
	for _, id := range []string{".", "..", "/", "a\x00b", "a\nb", "\x7f", strings.Repeat("x", 201), strings.Repeat("ø", 101), strings.Repeat("x", 1<<20)} {
		body, _ := json.Marshal(map[string]any{"id": id})
		if a := r.call("POST", "/api/orders", string(body)).problem(422, "body.id"); len(a.Raw) > 1000 {
			t.Errorf("an answer of %d bytes", len(a.Raw))
		}
	}
	r.get("/api/orders").is("items", []string{})
	for _, path := range []string{"/api/orders/%2e", "/api/orders/%2E%2E", "/api/runs/%2e%2e", "/api/orders/%00", "/api/orders/%ff", "/api/orders/" + strings.Repeat("x", 10_000)} {
		r.call("GET", path, "").problem(404)
	}
}

func TestAnotherMethodIsRefusedWithTheAllowedOnes(t *testing.T) {
	r := start(t)
	for call, allowed := range map[string]string{
		"PUT /api/orders":               "GET, POST",
		"DELETE /api/orders":            "GET, POST",
		"POST /api/orders/x":            "GET, PATCH, DELETE",
		"GET /api/orders/x/status":      "POST",
		"PATCH /api/settings":           "GET, PUT",
		"GET /api/settings/check/x":     "",
		"POST /api/settings/history":    "GET",
		"POST /api/runs":                "GET",
		"DELETE /api/attempts/x":        "GET",
		"PUT /api/keys/x":               "GET, PATCH, DELETE",
		"OPTIONS /api/orders":           "GET, POST",
		"POST /healthz":                 "GET",
		"DELETE /api/openapi.json":      "GET",
		"BREW /api/orders/x/versions/1": "GET",
	} {
		if allowed == "" {
			r.callOf(call, "").problem(404)
			continue
		}
		equals(t, call, r.callOf(call, "").problem(405).Header.Get("Allow"), allowed)
	}
}

func TestParametersAreChecked(t *testing.T) {
	r, _ := furnished(t)
	for path, place := range map[string]string{
		"/api/orders?colour=red":                          "query.colour",
		"/api/orders?Status=New":                          "query.Status",
		"/api/orders/ORD-12345?x=1":                       "query.x",
		"/api/settings?version=1":                         "query.version",
		"/api/orders?limit=0":                             "query.limit",
		"/api/orders?limit=201":                           "query.limit",
		"/api/orders?limit=-1":                            "query.limit",
		"/api/orders?limit=s3cret":                        "query.limit",
		"/api/orders?limit=99999999999999999999":          "query.limit",
		"/api/orders?cursor=s3cret":                       "query.cursor",
		"/api/orders?cursor=%00":                          "query.cursor",
		"/api/runs?cursor=bm9uZQ":                         "query.cursor",
		"/api/keys?cursor=!":                              "query.cursor",
		"/api/settings/history?cursor=!":                  "query.cursor",
		theOrder + "/history?cursor=!":                    "query.cursor",
		"/api/attempts?cursor=!":                          "query.cursor",
		"/api/orders?from=s3cret":                         "query.from",
		"/api/orders?to=2026-13-01":                       "query.to",
		"/api/attempts?from=now":                          "query.from",
		"/api/attempts?to=1":                              "query.to",
		"/api/attempts?status=6xx":                        "query.status",
		"/api/attempts?status=s3cret":                     "query.status",
		"/api/attempts?status=99":                         "query.status",
		"/api/attempts?minDurationMs=-1":                  "query.minDurationMs",
		"/api/attempts?minDurationMs=s3cret":              "query.minDurationMs",
		"/api/attempts?minDurationMs=9223372036854775807": "query.minDurationMs",
		"/api/attempts?kind=s3cret":                       "query.kind",
		"/api/attempts?outcome=s3cret":                    "query.outcome",
		"/api/runs?status=s3cret":                         "query.status",
		theOrder + "/versions/0":                          "path.version",
		theOrder + "/versions/s3cret":                     "path.version",
		"/api/settings/s3cret":                            "path.version",
		"/api/settings/-1":                                "path.version",
	} {
		t.Run(path, func(t *testing.T) { r.in(t).call("GET", path, "").problem(422, place) })
	}
}

func TestWriteParametersAreChecked(t *testing.T) {
	r, _ := furnished(t)
	before := r.stored()
	for call, place := range map[string]string{
		"POST /api/orders?wait=s3cret":                    "query.wait",
		"POST /api/orders?wait=-PT1S":                     "query.wait",
		"POST /api/orders?wait=PT2H":                      "query.wait",
		"POST /api/orders?wait=P1Y":                       "query.wait",
		"POST /api/orders?runWorkflow=s3cret":             "query.runWorkflow",
		"POST /api/orders?dry=1":                          "query.dry",
		"POST /api/orders/ORD-12345/status?wait=10":       "query.wait",
		"DELETE /api/orders/ORD-12345?wait=x":             "query.wait",
		"DELETE /api/orders/ORD-12345?permanently=s3cret": "query.permanently",
		"PATCH /api/orders/ORD-12345?runWorkflow=false":   "query.runWorkflow",
		"PUT /api/settings?dry=1":                         "query.dry",
	} {
		t.Run(call, func(t *testing.T) { r.in(t).callOf(call, `{"status":"Held"}`).problem(422, place) })
	}
	r.call("POST", "/api/orders", `{}`, "Idempotency-Key", strings.Repeat("k", 256)).problem(422, "header.Idempotency-Key")
	equals(t, "what is stored", r.stored(), before)
}
