package contract

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#endpoints: what an endpoint is, and how it is
// read, changed and removed.

// subscribed makes an endpoint for all events at a URL.
func (r *rig) subscribed(url, more string) answer {
	r.t.Helper()
	return r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*"]%s}`, url, more)).want(201)
}

// publish publishes one event and returns its id.
func (r *rig) publish(more string) string {
	r.t.Helper()
	return r.call("POST", "/api/events", `{"type":"custom.thing","data":{"n":1}`+more+`}`).want(202).text("id")
}

func endpointPath(e answer, more string) string { return "/api/endpoints/" + e.text("id") + more }

func TestAnEndpointThatSaysLittleHasTheDefaults(t *testing.T) {
	r := lease(t)
	made := r.subscribed("https://example.com/hook", "")
	equals(t, "Location", made.Header.Get("Location"), endpointPath(made, ""))
	if secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(made.text("secret"), "whsec_")); err != nil || len(secret) != 32 {
		t.Errorf("the secret is %q", made.text("secret"))
	}
	read := r.get(endpointPath(made, "")).says("whsec_", "whsk_")
	for _, a := range []answer{made, read} {
		for path, want := range map[string]any{
			"url": "https://example.com/hook", "eventTypes": []string{"*"}, "description": nil, "format": "full", "headers": nil, "enabled": true, "disabledReason": nil,
			"timeout": "PT30S", "retrySchedule": []string{"PT5S", "PT30S", "PT2M", "PT10M", "PT1H"}, "maxConcurrency": 64, "rateLimit": nil, "ordering": "none", "filter": nil, "tls": nil,
			"signatures": []string{"v1"}, "origin": "api", "created": "2026-11-21T09:00:00Z", "updated": "2026-11-21T09:00:00Z", "secrets[1]": nil, "secrets[0].until": nil,
			"counts.pending": 0, "counts.failed": 0, "counts.succeeded": 0, "health.consecutiveFailures": 0, "health.circuit": "closed", "health.lastSuccess": nil,
		} {
			a.is(path, want)
		}
	}
	read.is("secret", nil)
}

func TestAnEndpointSaysWhatItWasGiven(t *testing.T) {
	r := lease(t)
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	made := r.call("POST", "/api/endpoints", `{"URL":"https://kari:s3cret@example.com/hook?a=1","EventTypes":["order_*","a.b-C_1","*"],"description":"Lager «Oslo»","format":"thin","secret":"`+secret+`",
		"headers":{"x-api-key":"s3cret","Authorization":"Bearer s3cret"},"enabled":false,"timeout":"PT0.1S","retrySchedule":["PT0.1S","PT0S","P7D"],"maxConcurrency":1,"rateLimit":0.5,
		"ordering":"subject","filter":"data.total > 1000 && \"vip\" in data.tags","signatures":["v1a","v1"]}`).want(201)
	made.is("secret", secret)
	for _, a := range []answer{made, r.get(endpointPath(made, ""))} {
		for path, want := range map[string]any{
			"url": "https://kari:***@example.com/hook?a=1", "eventTypes": []string{"order_*", "a.b-C_1", "*"}, "description": "Lager «Oslo»", "format": "thin",
			"headers": map[string]any{"Authorization": "***", "X-Api-Key": "***"}, "enabled": false, "disabledReason": nil, "timeout": "PT0.1S", "retrySchedule": []string{"PT0.1S", "PT0S", "P1W"},
			"maxConcurrency": 1, "rateLimit": 0.5, "ordering": "subject", "filter": `data.total > 1000 && "vip" in data.tags`, "signatures": []string{"v1a", "v1"},
		} {
			a.is(path, want)
		}
		a.says("s3cret", "whsk_")
	}
	listed := r.call("POST", "/api/endpoints", `{"url":"https://example.com","eventTypes":["a"],"headers":[{"key":"X-A","value":"s3cret"},{"Key":"X-B","Value":""}]}`).want(201)
	r.get(endpointPath(listed, "")).is("headers", map[string]any{"X-A": "***", "X-B": "***"}).says("s3cret")
}

func TestARepeatMakesNoSecondEndpoint(t *testing.T) {
	r := lease(t)
	const body = `{"url":"https://example.com/hook","eventTypes":["a"],"description":"x"}`
	first := r.call("POST", "/api/endpoints", body, "Idempotency-Key", "one").want(201)
	again := r.call("POST", "/api/endpoints", body, "Idempotency-Key", "one").want(201).says("whsec_").is("secret", nil)
	for _, field := range []string{"id", "url", "eventTypes", "description", "created", "secrets", "health"} {
		again.is(field, first.at(field))
	}
	r.call("POST", "/api/endpoints", `{"url":"https://example.com","eventTypes":["a"]}`, "Idempotency-Key", "one").problem(409)
	same(t, "endpoints", r.get("/api/endpoints").ids("id"), []string{first.text("id")})
}

// badEndpoints is what no endpoint can be, and the places that the answer names.
var badEndpoints = map[string][]string{
	`{}`:                                                   {"body.url", "body.eventTypes"},
	`{"url":null,"eventTypes":null}`:                       {"body.url", "body.eventTypes"},
	`{"url":"URL","eventTypes":[]}`:                        {"body.eventTypes"},
	`{"url":"URL","eventTypes":"a"}`:                       {"body.eventTypes"},
	`{"url":"URL","eventTypes":["a",7,""]}`:                {"body.eventTypes[1]"},
	`{"url":"URL","eventTypes":["a","","b c","*a","a**"]}`: {"body.eventTypes[1]", "body.eventTypes[2]", "body.eventTypes[3]", "body.eventTypes[4]"},
	`{"url":"URL","eventTypes":["` + strings.Repeat(`a","`, 100) + `b"]}`:                    {"body.eventTypes"},
	`{"url":7,"eventTypes":["a"]}`:                                                           {"body.url"},
	`{"url":"","eventTypes":["a"]}`:                                                          {"body.url"},
	`{"url":"example.com","eventTypes":["a"]}`:                                               {"body.url"},
	`{"url":"ftp://example.com","eventTypes":["a"]}`:                                         {"body.url"},
	`{"url":"https://","eventTypes":["a"]}`:                                                  {"body.url"},
	`{"url":"https://h:99999/","eventTypes":["a"]}`:                                          {"body.url"},
	`{"url":"https://me:s3cret@h h/","eventTypes":["a"]}`:                                    {"body.url"},
	`{"url":"https://example.com/#s3cret","eventTypes":["a"]}`:                               {"body.url"},
	`{"url":"https://example.com/` + strings.Repeat("s3cret", 400) + `","eventTypes":["a"]}`: {"body.url"},
	`{"url":"https://me:***@example.com/","eventTypes":["a"]}`:                               {"body.url"},
	`{"url":"http://169.254.169.254/latest","eventTypes":["a"]}`:                             {"body.url"},
	`{"url":"http://[fe80::1]/","eventTypes":["a"]}`:                                         {"body.url"},
	`{"url":"URL","eventTypes":["a"],"format":"fat","ordering":"all"}`:                       {"body.format", "body.ordering"},
	`{"url":"URL","eventTypes":["a"],"format":1,"ordering":[],"description":{},"enabled":"yes","timeout":30,"retrySchedule":"PT5S","maxConcurrency":"1","rateLimit":"1","filter":[],"tls":"x","signatures":"v1","secret":{"s3cret":1},"headers":7}`: {
		"body.format", "body.ordering", "body.description", "body.enabled", "body.timeout", "body.retrySchedule", "body.maxConcurrency", "body.rateLimit", "body.filter", "body.tls", "body.signatures", "body.secret", "body.headers"},
	`{"url":"URL","eventTypes":["a"],"description":"` + strings.Repeat("ø", 1001) + `"}`:             {"body.description"},
	`{"url":"URL","eventTypes":["a"],"timeout":"PT0.09S"}`:                                           {"body.timeout"},
	`{"url":"URL","eventTypes":["a"],"timeout":"PT5M1S"}`:                                            {"body.timeout"},
	`{"url":"URL","eventTypes":["a"],"timeout":"00:30"}`:                                             {"body.timeout"},
	`{"url":"URL","eventTypes":["a"],"timeout":"PT"}`:                                                {"body.timeout"},
	`{"url":"URL","eventTypes":["a"],"retrySchedule":[]}`:                                            {"body.retrySchedule"},
	`{"url":"URL","eventTypes":["a"],"retrySchedule":[` + strings.Repeat(`"PT1S",`, 20) + `"PT1S"]}`: {"body.retrySchedule"},
	`{"url":"URL","eventTypes":["a"],"retrySchedule":["PT1S","-PT1S","P8D","5",5,"P1M","PT99999999999999H"]}`: {
		"body.retrySchedule[1]", "body.retrySchedule[2]", "body.retrySchedule[3]", "body.retrySchedule[4]", "body.retrySchedule[5]", "body.retrySchedule[6]"},
	`{"url":"URL","eventTypes":["a"],"maxConcurrency":0}`:                                   {"body.maxConcurrency"},
	`{"url":"URL","eventTypes":["a"],"maxConcurrency":257}`:                                 {"body.maxConcurrency"},
	`{"url":"URL","eventTypes":["a"],"maxConcurrency":1.5}`:                                 {"body.maxConcurrency"},
	`{"url":"URL","eventTypes":["a"],"rateLimit":0}`:                                        {"body.rateLimit"},
	`{"url":"URL","eventTypes":["a"],"rateLimit":-1}`:                                       {"body.rateLimit"},
	`{"url":"URL","eventTypes":["a"],"rateLimit":10001}`:                                    {"body.rateLimit"},
	`{"url":"URL","eventTypes":["a"],"rateLimit":1e400}`:                                    {"body.rateLimit"},
	`{"url":"URL","eventTypes":["a"],"filter":"data.total >"}`:                              {"body.filter"},
	`{"url":"URL","eventTypes":["a"],"filter":"nothing == 1"}`:                              {"body.filter"},
	`{"url":"URL","eventTypes":["a"],"filter":"` + strings.Repeat("1==1||", 700) + `true"}`: {"body.filter"},
	`{"url":"URL","eventTypes":["a"],"signatures":[]}`:                                      {"body.signatures"},
	`{"url":"URL","eventTypes":["a"],"signatures":["v1","v2",3]}`:                           {"body.signatures[2]"},
	`{"url":"URL","eventTypes":["a"],"signatures":["v1","v2"]}`:                             {"body.signatures[1]"},
	`{"url":"URL","eventTypes":["a"],"secret":"s3cret of any kind"}`:                        {"body.secret"},
	`{"url":"URL","eventTypes":["a"],"secret":""}`:                                          {"body.secret"},
	`{"url":"URL","eventTypes":["a"],"secret":"whsec_s3cret!"}`:                             {"body.secret"},
	`{"url":"URL","eventTypes":["a"],"secret":"whsec_c2hvcnQ="}`:                            {"body.secret"},
	`{"url":"URL","eventTypes":["a"],"secret":"whsec_` + strings.Repeat("AAAA", 22) + `"}`:  {"body.secret"},
	`{"url":"URL","eventTypes":["a"],"headers":{"Host":"x","webhook-id":"x","X-Signature":"x","X-Attempt":"1","Content-Type":"x"}}`: {
		"body.headers.Host", "body.headers.Webhook-Id", "body.headers.X-Signature", "body.headers.X-Attempt", "body.headers.Content-Type"},
	`{"url":"URL","eventTypes":["a"],"headers":{"X-A":"s3cret\n","X-B":7,"X-C":null,"X-D":"***"}}`: {"body.headers.X-A", "body.headers.X-B", "body.headers.X-C", "body.headers.X-D"},
	`{"url":"URL","eventTypes":["a"],"headers":[{"key":"a b","value":"s3cret"},{"value":"s3cret"},{"key":1},7,{"key":"X","value":"1"},{"key":"x","value":"2"}]}`: {
		"body.headers[0].key", "body.headers[1].key", "body.headers[2].key", "body.headers[3]", "body.headers[5].key"},
	`{"url":"URL","eventTypes":["a"],"headers":{` + manyHeaders(31) + `}}`:                         {"body.headers"},
	`{"url":"URL","eventTypes":["a"],"headers":{"X":"` + strings.Repeat("x", 4097) + `"}}`:         {"body.headers.X"},
	`{"url":"URL","eventTypes":["a"],"tls":{"ca":"no PEM"}}`:                                       {"body.tls.ca"},
	`{"url":"URL","eventTypes":["a"],"tls":{"ca":7,"certs":""}}`:                                   {"body.tls.ca", "body.tls.certs"},
	`{"url":"URL","eventTypes":["a"],"tls":{"key":"***"}}`:                                         {"body.tls.key"},
	`{"url":"URL","eventTypes":["a"],"evenTypes":["b"],"colour":"s3cret","id":"ep_1","health":{}}`: {"body.evenTypes", "body.colour", "body.id", "body.health"},
	`{"url":"URL","eventTypes":["a"],"URL":"https://other.example.com"}`:                           {"body.url"},
}

func manyHeaders(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"X-%d":"v"`, i))
	}
	return strings.Join(all, ",")
}

func TestWhatAnEndpointCannotBe(t *testing.T) {
	r := lease(t)
	stored := r.subscribed("https://example.com/hook", "")
	for body, places := range badEndpoints {
		body = strings.ReplaceAll(body, "URL\"", "https://example.com/hook\"")
		body = strings.Replace(body, `"https://example.com/hook":"https://other`, `"URL":"https://other`, 1)
		t.Run(body[:min(len(body), 150)], func(t *testing.T) {
			r := r.in(t)
			r.call("POST", "/api/endpoints", body).problem(422, places...)
			if !slices.Contains(places, "body.id") && !strings.Contains(body, `"secret"`) && body != "{}" {
				r.call("PATCH", endpointPath(stored, ""), body).problem(422, places...)
			}
		})
	}
	equals(t, "endpoints", len(r.get("/api/endpoints").ids("id")), 1)
	r.get(endpointPath(stored, "")).is("updated", "2026-11-21T09:00:00Z")
	r.call("POST", "/api/endpoints", `{"url"`).problem(400)
	r.call("POST", "/api/endpoints", ``).problem(400)
	a := r.call("POST", "/api/endpoints", `{"url":"https://example.com","evenTypes":[]}`).problem(422)
	if !strings.Contains(string(a.Raw), "is eventTypes meant?") {
		t.Errorf("no hint in %s", a.Raw)
	}
	a = r.call("POST", "/api/endpoints", `{"url":"https://example.com","eventTypes":["a"],"filter":"data.total > 1 &&\n  total < 2"}`).problem(422, "body.filter")
	if !strings.Contains(string(a.Raw), "line 2, column 3") {
		t.Errorf("no position in %s", a.Raw)
	}
}

func TestAPatchOfAnEndpointChangesWhatItNames(t *testing.T) {
	r := lease(t)
	made := r.subscribed("https://me:s3cret@example.com/hook", `,"description":"x","headers":{"X-A":"s3cret"},"retrySchedule":["PT1S"],"rateLimit":5,"filter":"data.n == 1","signatures":["v1a"],"timeout":"PT1S"`)
	path, before := endpointPath(made, ""), r.get(endpointPath(made, ""))
	r.clock.Advance(time.Minute)
	for _, body := range []string{`{}`, `{"description":"x"}`, string(before.Raw)} { // an answer can be sent back
		a := r.call("PATCH", path, body).want(200)
		for _, field := range []string{"url", "headers", "retrySchedule", "rateLimit", "filter", "signatures", "timeout", "description", "created", "id"} {
			a.is(field, before.at(field))
		}
	}
	r.call("PATCH", path, `{"Description":"y","URL":"https://me:***@example.com:443/other","headers":{"x-a":"***","X-B":"new"},"enabled":false}`).want(200).
		is("description", "y").is("url", "https://me:***@example.com:443/other").is("headers", map[string]any{"X-A": "***", "X-B": "***"}).is("enabled", false).is("updated", "2026-11-21T09:01:00Z")
	r.call("PATCH", path, `{"description":null,"headers":null,"retrySchedule":null,"rateLimit":null,"filter":null,"signatures":null,"timeout":null,"enabled":null,"maxConcurrency":null,"ordering":null,"format":null,"tls":null}`).want(200)
	r.get(path).is("description", nil).is("headers", nil).is("retrySchedule", []string{"PT5S", "PT30S", "PT2M", "PT10M", "PT1H"}).is("rateLimit", nil).is("filter", nil).is("signatures", []string{"v1"}).
		is("timeout", "PT30S").is("enabled", true)
	r.call("PATCH", path, `{"id":"ep_other"}`).problem(422, "body.id")
	r.call("PATCH", path, `{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`).problem(422, "body.secret")
	r.call("PATCH", path, `{"url":null}`).problem(422, "body.url")
	r.call("PATCH", path, `{"eventTypes":null}`).problem(422, "body.eventTypes")
	r.call("PATCH", path, `{"eventTypes":[]}`).problem(422, "body.eventTypes")
}

// Whoever may change a URL may not thereby read a secret.
func TestSecretsStayAtTheirOrigin(t *testing.T) {
	r := lease(t)
	old, other := answering(t, ""), answering(t, "")
	with := func(url string) string { return strings.Replace(url, "http://", "http://me:s3cret@", 1) }
	made := r.subscribed(with(old.URL), `,"headers":{"X-A":"s3cret","X-B":"s3cret"}`)
	path := endpointPath(made, "")
	masked := strings.Replace(other.URL, "http://", "http://me:***@", 1)
	for body, places := range map[string][]string{
		fmt.Sprintf(`{"url":%q}`, other.URL):                                                                                {"body.headers"},
		fmt.Sprintf(`{"url":%q,"headers":{"X-A":"***"}}`, other.URL):                                                        {"body.headers.X-A"},
		fmt.Sprintf(`{"url":%q,"headers":null}`, masked):                                                                    {"body.url"},
		fmt.Sprintf(`{"url":%q,"headers":[{"key":"X-A","value":"***"}]}`, strings.Replace(other.URL, "http:", "https:", 1)): {"body.headers[0].value"},
		`{"headers":{"X-C":"***"}}`:                                                                                         {"body.headers.X-C"},
		`{"tls":{"key":"***"}}`:                                                                                             {"body.tls.key"},
	} {
		r.call("PATCH", path, body).problem(422, places...)
	}
	r.call("PATCH", path, fmt.Sprintf(`{"url":%q}`, strings.Replace(old.URL, "http://", "http://me:***@", 1)+"/moved")).want(200)
	r.call("PATCH", path, `{"headers":{"X-A":"***"}}`).want(200)
	r.call("POST", path+"/test", "").want(200)
	got := old.only(t)
	equals(t, "what the endpoint got", got.Path+got.Header.Get("X-A")+got.Header.Get("X-B")+got.Header.Get("Authorization"), "/moveds3cret"+"Basic bWU6czNjcmV0")
	r.call("PATCH", path, fmt.Sprintf(`{"url":%q,"headers":{"X-A":"other"}}`, other.URL)).want(200)
	r.call("POST", path+"/test", "").want(200)
	equals(t, "what the other one got", other.only(t).Header.Get("X-A")+other.only(t).Header.Get("Authorization"), "other")
	equals(t, "secrets told", strings.Contains(r.log.String(), "s3cret"), false)
}

func TestAnEndpointIsRemoved(t *testing.T) {
	r, s := lease(t), answering(t, "")
	made := r.subscribed(s.URL, "")
	id := r.publish("")
	delivery := r.get("/api/events/" + id).text("deliveries[0].id")
	r.until("it is delivered", func() bool { return r.get("/api/deliveries/"+delivery).text("status") == "succeeded" })
	r.call("DELETE", endpointPath(made, ""), "").want(204)
	for _, call := range []string{"GET ", "PATCH ", "DELETE "} {
		r.callOf(call+endpointPath(made, ""), `{}`).problem(404)
	}
	for call, body := range map[string]string{"/test": "", "/rotate-secret": "", "/recover": `{"from":"2026-01-01T00:00:00Z","what":"failed"}`} {
		r.call("POST", endpointPath(made, call), body).problem(404)
	}
	r.get("/api/endpoints").is("items", []string{})
	r.get("/api/deliveries/"+delivery).is("status", "succeeded").is("endpointId", made.text("id"))
	r.get("/api/attempts?kind=event").is("items[0].endpointId", made.text("id"))
	r.call("POST", "/api/deliveries/"+delivery+"/redeliver", "").problem(409)
	r.call("POST", "/api/events/"+id+"/redeliver", "").problem(409)
	r.publish("")
	equals(t, "requests", len(s.got()), 1)
}

func TestEndpointsAreListedTheNewestFirst(t *testing.T) {
	r := lease(t)
	want := []string{}
	for i := range 7 {
		want = append(want, r.subscribed(fmt.Sprintf("https://example.com/%d", i), "").text("id"))
	}
	slices.Reverse(want)
	same(t, "endpoints", r.all("/api/endpoints?limit=3", "id", func() {}), want)
	r.get("/api/endpoints").says("whsec_").is("items[0].health.circuit", "closed").is("items[0].counts.pending", 0)
}

func TestCountsAndHealth(t *testing.T) {
	r := lease(t)
	code := 500
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader(code) })
	made := r.subscribed(s.URL, `,"retrySchedule":["PT0S"]`)
	r.publish("")
	path := endpointPath(made, "")
	r.until("it failed", func() bool { return fmt.Sprint(r.get(path).at("counts.failed")) == "1" })
	failed := r.get(path).is("counts.pending", 0).is("counts.succeeded", 0).is("health.consecutiveFailures", 2).is("health.lastError", "answered 500 Internal Server Error").is("health.lastSuccess", nil)
	equals(t, "failing since", failed.text("health.failingSince") != "" && failed.text("health.lastFailure") != "", true)
	code = 200
	r.publish("")
	r.until("it succeeded", func() bool { return fmt.Sprint(r.get(path).at("counts.succeeded")) == "1" })
	r.get(path).is("counts.failed", 1).is("health.consecutiveFailures", 0).is("health.failingSince", nil)
	equals(t, "last success", r.get(path).text("health.lastSuccess") != "", true)
}

func TestAnEndpointThatIsTurnedOnBeginsAnew(t *testing.T) {
	r := lease(t)
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader(410) })
	made := r.subscribed(s.URL, "")
	r.publish("")
	path := endpointPath(made, "")
	r.until("it is off", func() bool { return fmt.Sprint(r.get(path).at("enabled")) == "false" })
	r.get(path).is("disabledReason", "the endpoint answered 410 Gone").is("health.consecutiveFailures", 1)
	since := r.get(path).text("disabledAt")
	equals(t, "since when it is off", since != "", true)
	r.call("PATCH", path, `{"description":"still off"}`).want(200).is("disabledAt", since).is("enabled", false).is("disabledReason", "the endpoint answered 410 Gone")
	r.call("PATCH", path, `{"enabled":true}`).want(200).is("enabled", true).is("disabledReason", nil).is("disabledAt", nil)
	r.get(path).is("health.consecutiveFailures", 0).is("health.failingSince", nil)
	equals(t, "last failure", r.get(path).text("health.lastFailure") != "", true)
}

func TestPrivateAddressesAreRefusedWhereTheGuardDoes(t *testing.T) {
	r := start(t, func(o *outbound.Options) { o.Guard.AllowPrivate = false })
	public := r.subscribed("http://93.184.215.14/", "")
	for _, url := range []string{"http://127.0.0.1:8080/", "http://10.0.0.1", "https://[::1]/", "http://192.168.1.1/x", "http://[::ffff:10.0.0.1]/",
		"http://localhost/", "http://LocalHost.:8080/", "https://shop.localhost", "http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://0177.0.0.1", "http://127.0.0.1./"} {
		r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*"]}`, url)).problem(422, "body.url")
		r.call("PATCH", endpointPath(public, ""), fmt.Sprintf(`{"url":%q}`, url)).problem(422, "body.url")
	}
	r.subscribed("http://orders.example.com/", "") // where a name leads is checked when it is dialed
}

// TestEndpointsAreFound: by a text, by a type, and by whether they are on.
func TestEndpointsAreFound(t *testing.T) {
	r := lease(t)
	first := r.call("POST", "/api/endpoints", `{"url":"https://erp.example.com/hook?token=sesame","eventTypes":["order_*"],"description":"The ERP"}`).want(201).text("id")
	second := r.call("POST", "/api/endpoints", `{"url":"https://warehouse.example.com/","eventTypes":["OrderCreated"],"enabled":false}`).want(201).text("id")
	for query, want := range map[string][]string{
		"": {second, first}, "q=ERP": {first}, "q=the%20erp": {first}, "q=EXAMPLE.com": {second, first}, "q=sesame": nil, "q=" + second: {second},
		"eventType=order_completed": {first}, "eventType=ordercreated": {second}, "enabled=true": {first}, "enabled=false": {second}, "enabled=false&q=erp": nil, "q=example&limit=1": {second},
	} {
		if got := r.get("/api/endpoints?" + query).ids("id"); !slices.Equal(got, want) {
			t.Errorf("%q: %v, not %v", query, got, want)
		}
	}
	page := r.get("/api/endpoints?q=example&limit=1")
	if got := r.get("/api/endpoints?q=example&limit=1&cursor=" + page.text("nextCursor")); !slices.Equal(got.ids("id"), []string{first}) {
		t.Errorf("the second page: %v", got.ids("id"))
	}
	r.call("GET", "/api/endpoints?enabled=perhaps", "").problem(422, "query.enabled")
}
