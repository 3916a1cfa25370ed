package dash

import (
	"encoding/json"
	"html"
	"html/template"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
)

const fakeEndpoint = `{"id":"HOSTILE","url":"HOSTILE","eventTypes":["HOSTILE"],"description":"HOSTILE","format":"HOSTILE","headers":{"HOSTILE":"HOSTILE"},"enabled":false,
	"disabledReason":"HOSTILE","timeout":"HOSTILE","retrySchedule":["HOSTILE"],"maxConcurrency":3,"rateLimit":0.5,"ordering":"HOSTILE","reorderingJob":"HOSTILE","filter":"HOSTILE",
	"tls":{"ca":"HOSTILE","certificate":"HOSTILE","key":"HOSTILE"},"signatures":["HOSTILE","v1a"],"secrets":[{"until":"2026-11-28T10:00:00Z"}],"origin":"api","created":"2026-11-28T10:00:00Z","updated":"2026-11-28T10:00:00Z",
	"counts":{"pending":3,"failed":10000,"failedCapped":true,"succeeded":7},
	"health":{"lastSuccess":"2026-11-28T10:00:00Z","lastFailure":"2026-11-28T10:00:00Z","lastError":"HOSTILE","consecutiveFailures":3,"failingSince":"2026-11-28T10:00:00Z","circuit":"open","filterErrors":2,
		"lastFilterError":{"timestamp":"2026-11-28T10:00:00Z","eventId":"HOSTILE","message":"HOSTILE"}},
	"recent":[{"id":"HOSTILE","startedAt":"2026-11-28T10:00:00Z","durationMs":12.5,"status":500,"outcome":"failed"},{"id":"HOSTILE","startedAt":"2026-11-28T10:00:00Z","durationMs":50,"status":200,"outcome":"succeeded"}],
	"warnings":[{"path":"HOSTILE","message":"HOSTILE"}]`

const fakeDelivery = `{"id":"HOSTILE","eventId":"HOSTILE","eventType":"HOSTILE","endpointId":"HOSTILE","endpointUrl":"HOSTILE","orderId":"HOSTILE","status":"pending","attempts":1,"maxAttempts":6,"lastStatus":500,"lastError":"HOSTILE",
	"nextAttemptAt":"2026-11-28T10:00:00Z","waitsFor":"HOSTILE","created":"2026-11-28T10:00:00Z","updated":"2026-11-28T10:00:00Z"}`

const fakeEventHead = `{"id":"HOSTILE","type":"HOSTILE","subject":{"kind":"HOSTILE","id":"HOSTILE"},"timestamp":"2026-11-28T10:00:00Z","webhookId":"HOSTILE",
	"orderId":"HOSTILE","shipmentId":"HOSTILE","returnId":"HOSTILE","cartId":"HOSTILE","subscriptionId":"HOSTILE","stockItemId":"HOSTILE"`

const fakeJob = `{"id":"HOSTILE","kind":"HOSTILE","what":"HOSTILE","endpointId":"HOSTILE","orderId":"HOSTILE","status":"running","reason":"HOSTILE","filter":{"HOSTILE":"HOSTILE"},"examined":3,"created":"2026-11-28T10:00:00Z","updated":"2026-11-28T10:00:00Z"}`

func init() {
	maps.Copy(answers, map[string]string{
		"GET /api/endpoints":                  `{"items":[` + fakeEndpoint + `}],"nextCursor":"HOSTILE"}`,
		"POST /api/endpoints":                 fakeEndpoint + `,"secret":"HOSTILE"}`,
		"GET /api/endpoints/1":                fakeEndpoint + `}`,
		"PATCH /api/endpoints/1":              fakeEndpoint + `}`,
		"DELETE /api/endpoints/1":             ``,
		"POST /api/endpoints/1/rotate-secret": fakeEndpoint + `,"secret":"HOSTILE"}`,
		"GET /api/endpoints/1/feed":           `{"items":[{"position":"HOSTILE","previous":"HOSTILE","eventId":"HOSTILE","type":"HOSTILE"},{"position":"2","previous":"1","gone":"HOSTILE"}],"next":"HOSTILE","more":true,"lost":{"after":"HOSTILE","upTo":"HOSTILE"}}`,
		"GET /api/endpoints/1/public-key":     `{"publicKey":"HOSTILE"}`,
		"POST /api/endpoints/explain": `{"items":[{"eventId":"HOSTILE","eventType":"HOSTILE","timestamp":"2026-11-28T10:00:00Z","orderId":"HOSTILE","reasons":["HOSTILE","eventType"],"unjudged":"HOSTILE","madeLater":true,"dataErased":true,
			"conditions":[{"text":"HOSTILE","error":"HOSTILE","found":[{"name":"HOSTILE","value":"HOSTILE"},{"name":"HOSTILE","error":"HOSTILE"}]}]},
			{"eventId":"HOSTILE","eventType":"HOSTILE","timestamp":"2026-11-28T10:00:00Z","wanted":true,"conditions":[{"text":"HOSTILE","holds":true}],"deliveryId":"HOSTILE","deliveryStatus":"HOSTILE"}]}`,
		"POST /api/endpoints/1/test":       fakeAttempt,
		"POST /api/endpoints/1/recover":    strings.TrimSuffix(fakeJob, "}") + `,"matched":12,"newest":[{"id":"HOSTILE","type":"HOSTILE"}]}`,
		"POST /api/deliveries/redeliver":   strings.TrimSuffix(fakeJob, "}") + `,"matched":10000,"more":true,"endpointOff":{"count":1},"notSendable":{"count":1},"deliveries":[` + fakeDelivery + `]}`,
		"POST /api/deliveries/cancel":      strings.TrimSuffix(fakeJob, "}") + `,"matched":10000,"more":true,"deliveries":[` + fakeDelivery + `]}`,
		"GET /api/deliveries":              `{"items":[` + fakeDelivery + `],"nextCursor":"HOSTILE","count":10000,"countCapped":true}`,
		"GET /api/deliveries/1":            fakeDelivery,
		"POST /api/deliveries/1/redeliver": fakeDelivery,
		"POST /api/deliveries/1/cancel":    fakeDelivery,
		"GET /api/workflow-shadows": `{"items":[{"id":"1","orderType":"HOSTILE","status":"HOSTILE","name":"HOSTILE","displayName":"HOSTILE","compareWith":"HOSTILE","active":true,"promoteAfter":5,
			"agreement":{"compared":3,"agreed":1,"different":2,"skipped":1,"last":[{"attemptId":"HOSTILE","result":"HOSTILE","paths":["HOSTILE"],"at":"2026-11-28T10:00:00Z"}]}}]}`,
		"POST /api/connectors/try":     `{"items":[]}`,
		"GET /api/events":              `{"items":[` + fakeEventHead + `}],"nextCursor":"HOSTILE","count":12,"countCapped":false}`,
		"GET /api/events/1":            fakeEventHead + `,"data":{"HOSTILE":"HOSTILE","total":1.50},"deliveries":[` + fakeDelivery + `],"nextCursor":"HOSTILE"}`,
		"POST /api/events/1/redeliver": `{"items":[` + fakeDelivery + `]}`,
		"POST /api/events":             `{"id":"HOSTILE"}`,
		"GET /api/event-types":         `{"items":[{"name":"HOSTILE","subject":"HOSTILE","description":"HOSTILE","example":{"HOSTILE":1.50},"onlyByName":true}]}`,
		"GET /api/jobs":                `{"items":[` + fakeJob + `],"nextCursor":"HOSTILE"}`,
	})
}

// sent is what the API was asked to do.
type sent struct{ call, body, once string }

// recording notes what the dashboard has the API do, without dry runs, and answers as the
// fake API does but where refusals say otherwise: status and detail, by call.
func (s *site) recording(refusals map[string]int) *[]sent {
	var calls []sent
	answers := s.API
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		call := r.Method + " " + r.URL.RequestURI()
		dry := strings.Contains(string(body), `"dryRun":true`)
		if r.Method != http.MethodGet && !dry {
			calls = append(calls, sent{call, string(body), r.Header.Get("Idempotency-Key")})
		}
		if status := refusals[call]; status != 0 && !dry {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": "No", "detail": "the API will not", "errors": []any{map[string]string{"location": "body.url", "message": "leads nowhere"}}})
			return
		}
		answers.ServeHTTP(w, r)
	})
	return &calls
}

// hiddenFields are those of a page that its form sends along, without the token.
func hiddenFields(page string) url.Values {
	out := url.Values{}
	for _, part := range strings.Split(page, `<input type="hidden" name="`)[1:] {
		name, rest, _ := strings.Cut(part, `" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		if name != formToken {
			out.Set(name, html.UnescapeString(value))
		}
	}
	return out
}

func TestNewEndpoint(t *testing.T) {
	s := newSite(t)
	calls := s.recording(nil)
	b := s.as(access.Operator)
	form := hiddenFields(b.get("/endpoints/new?eventTypes=order_completed").Body.String())
	for name, value := range map[string]string{"url": "https://example.com/hook?a=b", "eventTypes": "order_*\r\nOrderCreated, stock_item_back_in_stock", "filter": "data.total > 1\r\n&& true",
		"headers": "X-Api-Key: a:b \r\n\r\nX-Two:", "maxConcurrency": "12", "rateLimit": "0.50", "retrySchedule": "PT5S PT1M", "signatures": "v1 v1a", "enabled": "false", "tls.ca": "PEM", "timeout": "", "format": "full"} {
		form.Set(name, value)
	}
	first := b.post("/endpoints", form)
	if first.Code != http.StatusOK || strings.Count(first.Body.String(), template.HTMLEscapeString(hostile)) < 4 || !strings.Contains(first.Body.String(), "not shown again") {
		t.Fatalf("%d %s", first.Code, first.Body)
	}
	harmless(t, first.Body.String())
	b.post("/endpoints", form) // the page is loaded again
	form.Set("description", "another")
	b.post("/endpoints", form)
	want := `{"enabled":false,"eventTypes":["order_*","OrderCreated","stock_item_back_in_stock"],"filter":"data.total \u003e 1\n\u0026\u0026 true","format":"full","headers":[{"key":"X-Api-Key","value":"a:b"},{"key":"X-Two","value":""}],` +
		`"maxConcurrency":12,"rateLimit":0.50,"retrySchedule":["PT5S","PT1M"],"signatures":["v1","v1a"],"tls":{"ca":"PEM"},"url":"https://example.com/hook?a=b"}`
	made := *calls
	if len(made) != 3 || made[0].call != "POST /api/endpoints" || made[0].body != want {
		t.Fatalf("the API was asked %+v,\nnot %s", made, want)
	}
	if made[0].once == "" || made[0].once != made[1].once || made[0].once == made[2].once {
		t.Errorf("the keys are %s, %s and %s", made[0].once, made[1].once, made[2].once)
	}
	other := hiddenFields(b.get("/endpoints/new").Body.String())
	if other.Get(onceField) == form.Get(onceField) {
		t.Error("two forms are one")
	}
}

// TestAnEndpointThatIsRefused: the form has what was filled in, and what is wrong stands
// beside the field.
func TestAnEndpointThatIsRefused(t *testing.T) {
	s := newSite(t)
	s.recording(map[string]int{"POST /api/endpoints": 422, "PATCH /api/endpoints/1": 422})
	b := s.as(access.Operator)
	for _, path := range []string{"/endpoints", "/endpoints/1/edit"} {
		got := b.post(path, url.Values{"url": {"http://10.0.0.1/" + hostile}, "headers": {"X-Mine: sesame\r\nX-Kept: ***"}, "secret": {"whsec_sesame"}, "tls.key": {"sesame"}, "tls.ca": {"PEM"}})
		body := got.Body.String()
		if got.Code != 422 || !strings.Contains(body, template.HTMLEscapeString("http://10.0.0.1/"+hostile)) || !strings.Contains(body, "X-Mine: (type it again)\nX-Kept: ***") || strings.Contains(body, "sesame") || !strings.Contains(body, ">PEM</textarea>") ||
			!strings.Contains(body, `<input id="field-url" name="url" aria-invalid="true" aria-describedby="field-url-error" autofocus value=`) || strings.Count(body, "autofocus") != 1 ||
			!strings.Contains(body, `<small class="err" id="field-url-error">leads nowhere</small>`) || !strings.Contains(body, `<li><a href="#field-url">URL</a>: leads nowhere</li>`) || !strings.Contains(body, "the API will not") {
			t.Errorf("%s: %d %s", path, got.Code, body)
		}
		harmless(t, body)
	}
}

// TestSecretsAreTypedAgain: where the form that came back has none, none is sent.
func TestSecretsAreTypedAgain(t *testing.T) {
	for field, value := range map[string]string{"headers": "X-Mine: " + typeAgain, "secret": typeAgain, "tls.key": typeAgain} {
		s := newSite(t)
		calls := s.recording(nil)
		b := s.as(access.Operator)
		for _, path := range []string{"/endpoints", "/endpoints/1/edit"} {
			got := b.post(path, url.Values{"url": {"https://example.com"}, "eventTypes": {"*"}, field: {value}})
			if got.Code != 422 || len(*calls) > 0 || !strings.Contains(got.Body.String(), "must be typed again") {
				t.Errorf("%s of %s: %d, %v: %s", path, field, got.Code, *calls, got.Body)
			}
		}
	}
}

// TestAnEditSendsWhatWasChanged: whatever else somebody changes meanwhile stays.
func TestAnEditSendsWhatWasChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change map[string]string
		body   string
	}{
		"nothing":        {nil, ""},
		"a text":         {map[string]string{"description": "new"}, `{"description":"new"}`},
		"emptied":        {map[string]string{"description": " ", "headers": ""}, `{"description":null,"headers":null}`},
		"part of tls":    {map[string]string{"tls.ca": "PEM", "tls.key": "***"}, `{"tls":{"ca":"PEM","certificate":` + asJSON(hostile) + `,"key":"***"}}`},
		"tls is gone":    {map[string]string{"tls.ca": "", "tls.certificate": "", "tls.key": ""}, `{"tls":null}`},
		"a wrong number": {map[string]string{"maxConcurrency": "many"}, `{"maxConcurrency":"many"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			calls := s.recording(nil)
			b := s.as(access.Operator)
			form := hiddenFields(b.get("/endpoints/1/edit").Body.String())
			for _, in := range endpointInputs { // as the browser sends it
				form.Set(in.Name, strings.ReplaceAll(form.Get(was(in.Name)), "\n", "\r\n"))
			}
			for field, value := range c.change {
				form.Set(field, value)
			}
			got := b.post("/endpoints/1/edit", form)
			if c.body == "" {
				if len(*calls) > 0 || got.Header().Get("Location") != "/endpoints/1?done=unchanged" {
					t.Errorf("%v, %d %s", *calls, got.Code, got.Header().Get("Location"))
				}
				return
			}
			if made := *calls; len(made) != 1 || made[0].call != "PATCH /api/endpoints/1" || made[0].body != c.body {
				t.Errorf("the API was asked %+v,\nnot %s", made, c.body)
			}
			if body := got.Body.String(); got.Code != http.StatusOK || !strings.Contains(body, "may be an error") { // the fake API warns
				t.Errorf("%d %s", got.Code, body)
			}
		})
	}
}

func asJSON(v any) string { b, _ := json.Marshal(v); return string(b) }

// TestEndpointActions: each asks first, does one thing, says what was done, and shows why not.
func TestEndpointActions(t *testing.T) {
	for _, c := range []struct {
		path, says string
		form       url.Values
		call, body string
		leads      string // "" is a page of its own
	}{
		{"/endpoints/1/test", "An example event is sent", nil, "POST /api/endpoints/1/test", "", href("attempts", hostile)},
		{"/endpoints/1/enable", "What waits for it is sent now", nil, "PATCH /api/endpoints/1", `{"enabled":true}`, "/endpoints/1?done=enabled"},
		{"/endpoints/1/disable", "gets nothing any more", nil, "PATCH /api/endpoints/1", `{"enabled":false}`, "/endpoints/1?done=disabled"},
		{"/endpoints/1/rotate-secret", "nothing shows it again", url.Values{"overlap": {"PT1H"}}, "POST /api/endpoints/1/rotate-secret", `{"overlap":"PT1H"}`, ""},
		{"/endpoints/1/delete", "cannot be brought back", nil, "DELETE /api/endpoints/1", "", "/endpoints?done=deleted"},
		{"/deliveries/1/redeliver", "is sent to this endpoint again", nil, "POST /api/deliveries/1/redeliver", "", "/deliveries/1?done=sent"},
		{"/workflows/connectors/try?connectorId=erp", "lets one call through", url.Values{"connectorId": {"erp"}}, "POST /api/connectors/try", `{"connectorId":"erp"}`, "/workflows/connectors?done=tried"},
		{"/deliveries/1/cancel", "not sent to this endpoint any more", nil, "POST /api/deliveries/1/cancel", "", "/deliveries/1?done=canceled"},
		{"/deliveries/redeliver?status=failed&endpointId=ep_1", "Send 10,000&#43; again", nil, "POST /api/deliveries/redeliver", `{"endpointId":"ep_1","status":"failed"}`, href("jobs", hostile)},
		{"/deliveries/cancel?eventType=a&endpointId=ep_1", "Cancel 10,000&#43;</button>", nil, "POST /api/deliveries/cancel", `{"endpointId":"ep_1","eventType":"a","status":"pending"}`, href("jobs", hostile)},
		{"/events/1/redeliver?endpointId=ep_1", "with the same webhook-id", url.Values{"endpointId": {"ep_1"}}, "POST /api/events/1/redeliver", `{"endpointId":"ep_1"}`, "/events/1?done=sent"},
		{"/events/1/redeliver", "", nil, "POST /api/events/1/redeliver", `{}`, "/events/1?done=sent"},
		{"/events/publish", "wants its type gets it", url.Values{"type": {"a.b"}, "data": {`{"n": 1.50, "a<b":1}`}, "id": {"mine"}, "subject.kind": {"cart"}, "subject.id": {"c1"}, "orderId": {"O1"}},
			"POST /api/events", `{"type":"a.b","orderId":"O1","subject":{"kind":"cart","id":"c1"},"data":{"n": 1.50, "a<b":1},"id":"mine"}`, href("events", hostile) + "?done=published"},
	} {
		t.Run(c.path, func(t *testing.T) {
			s := newSite(t)
			calls := s.recording(nil)
			b := s.as(access.Publisher)
			if !strings.HasPrefix(c.path, "/events/publish") {
				b = s.as(access.Operator)
			}
			page := b.get(c.path)
			if page.Code != http.StatusOK || !strings.Contains(page.Body.String(), c.says) {
				t.Fatalf("the page before: %d %s", page.Code, page.Body)
			}
			harmless(t, page.Body.String())
			if len(*calls) > 0 {
				t.Fatalf("the page does something: %+v", *calls)
			}
			form := hiddenFields(page.Body.String())
			maps.Copy(form, c.form)
			path, _, _ := strings.Cut(c.path, "?")
			if path == "/events/publish" {
				path = "/events"
			}
			got := b.post(path, form)
			if made := *calls; len(made) != 1 || made[0].call != c.call || made[0].body != c.body {
				t.Errorf("the API was asked %+v,\nnot %s %s", made, c.call, c.body)
			}
			if c.leads == "" && got.Code != http.StatusOK || c.leads != "" && (got.Code != http.StatusSeeOther || got.Header().Get("Location") != c.leads) {
				t.Errorf("%d, and on to %s", got.Code, got.Header().Get("Location"))
			}
			harmless(t, got.Body.String())

			form.Del(formToken) // which is of the other session
			again := newSite(t)
			again.recording(map[string]int{c.call: http.StatusConflict})
			got = again.as(access.Operator).post(path, form)
			if got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "the API will not") || c.says != "" && !strings.Contains(got.Body.String(), c.says) {
				t.Errorf("refused: %d %s", got.Code, got.Body)
			}
			harmless(t, got.Body.String())
		})
	}
}

// TestAPublicationThatIsSentTwice is one event; another one is another.
func TestAPublicationThatIsSentTwice(t *testing.T) {
	s := newSite(t)
	calls := s.recording(nil)
	b := s.as(access.Publisher)
	form := hiddenFields(b.get("/events/publish").Body.String())
	form.Set("type", "a.b")
	for _, data := range []string{`{"n":1}`, `{"n":1}`, `{"n":2}`} {
		form.Set("data", data)
		b.post("/events", form)
	}
	made := *calls
	if len(made) != 3 || made[0].body != made[1].body || !strings.Contains(made[0].body, `"id":"hand_`) || made[0].body[len(made[0].body)-20:] == made[2].body[len(made[2].body)-20:] {
		t.Errorf("%+v", made)
	}
	form.Set("data", "{nonsense"+hostile)
	got := b.post("/events", form)
	if got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "is no JSON") || len(*calls) != 3 {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	harmless(t, got.Body.String())
}

// TestABulkRedeliveryIsNarrow: everything that was ever sent is not sent again.
func TestABulkRedeliveryIsNarrow(t *testing.T) {
	b := newSite(t).as(access.Operator)
	for query, offered := range map[string]bool{"": false, "?eventType=a": false, "?from=2026-11-28T10:00:00Z": false, "?status=failed": true, "?lastStatus=5xx": true, "?endpointId=a": true, "?eventId=a": true, "?orderId=a": true} {
		if got := b.get("/deliveries/redeliver" + query).Body.String(); strings.Contains(got, "Send 10,000&#43; again") != offered {
			t.Errorf("%q: %s", query, got)
		}
		if got := b.get("/deliveries" + query).Body.String(); strings.Contains(got, "Send all of these again") != offered {
			t.Errorf("the list of %q: %s", query, got)
		}
	}
	if got := newSite(t).as(access.Reader).get("/deliveries?status=failed").Body.String(); strings.Contains(got, "Send all") {
		t.Error("a reader is offered to send")
	}
	got := b.get("/deliveries?status=failed&cursor=abc&limit=20&done=sent").Body.String()
	if !strings.Contains(got, `href="/deliveries/redeliver?status=failed"`) {
		t.Errorf("the filter does not go along: %s", got)
	}
}

// TestABulkCancelIsNarrow: it is offered where something is pending, and takes the filter
// along.
func TestABulkCancelIsNarrow(t *testing.T) {
	b := newSite(t).as(access.Operator)
	for query, offered := range map[string]bool{"": false, "?eventType=a": false, "?from=2026-11-28T10:00:00Z": false, "?status=pending": true, "?lastStatus=5xx": true, "?endpointId=a": true, "?eventId=a": true, "?orderId=a": true} {
		if got := b.get("/deliveries/cancel" + query).Body.String(); strings.Contains(got, "Cancel 10,000&#43;</button>") != offered || strings.Contains(got, "everything that is pending") == offered {
			t.Errorf("%q: %s", query, got)
		}
		if got := b.get("/deliveries" + query).Body.String(); strings.Contains(got, "Cancel all that are pending") != offered {
			t.Errorf("the list of %q: %s", query, got)
		}
	}
	if got := newSite(t).as(access.Reader).get("/deliveries?status=pending").Body.String(); strings.Contains(got, "Cancel all") {
		t.Error("a reader is offered to cancel")
	}
	if got := b.get("/deliveries?status=pending&cursor=abc&limit=20").Body.String(); !strings.Contains(got, `href="/deliveries/cancel?status=pending"`) {
		t.Errorf("the filter does not go along: %s", got)
	}
	ended := newSite(t)
	ended.answering("/api/deliveries", `{"items":[{"id":"1","status":"failed"}]}`)
	if got := ended.as(access.Operator).get("/deliveries?endpointId=a").Body.String(); strings.Contains(got, "Cancel all") {
		t.Error("it is offered to cancel what has ended")
	}
}

// TestRecovery: the URL says which events; of an endpoint that fails, what failed.
func TestRecovery(t *testing.T) {
	enabled := func(s *site, on string) {
		answers := s.API
		s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/endpoints/1" {
				_, _ = io.WriteString(w, `{"id":"1","url":"https://a/","enabled":`+on+`,"counts":{"failed":3},"health":{"failingSince":"2026-11-28T10:00:00.5Z","circuit":"closed"}}`)
				return
			}
			answers.ServeHTTP(w, r)
		})
	}
	s := newSite(t)
	enabled(s, "true")
	calls := s.recording(nil)
	b := s.as(access.Operator)
	if got := b.get("/endpoints/1/recover"); got.Header().Get("Location") != "/endpoints/1/recover?from=2026-11-28T09%3A00%3A00Z&what=failed" { // an hour before it began to fail
		t.Errorf("%d %s", got.Code, got.Body)
	}
	for path, says := range map[string]string{
		"/endpoints/1/recover?what=failed&from=2026-11-28T10:00:00Z":  "10,000&#43; deliveries failed for good",
		"/endpoints/1/recover?what=missing&from=2026-11-28T10:00:00Z": "the endpoint wants 12 that it never got",
	} {
		got := b.get(path)
		if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), says) {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		harmless(t, got.Body.String())
		form := hiddenFields(got.Body.String())
		*calls = nil
		if got := b.post("/endpoints/1/recover", form); got.Code != http.StatusSeeOther || got.Header().Get("Location") != href("jobs", hostile) {
			t.Errorf("%d %s", got.Code, got.Body)
		}
		what, _, _ := strings.Cut(strings.TrimPrefix(path, "/endpoints/1/recover?what="), "&")
		if made := *calls; len(made) != 1 || made[0].body != `{"from":"2026-11-28T10:00:00Z","what":"`+what+`"}` || made[0].once == "" {
			t.Errorf("%+v", *calls)
		}
	}
	if got := b.get("/endpoints/1/recover?what=failed").Body.String(); !strings.Contains(got, "Choose what is sent again, and from when on") || strings.Contains(got, `method="post" action="/endpoints`) {
		t.Errorf("without a time: %s", got)
	}
	off := newSite(t)
	enabled(off, "false")
	if got := off.as(access.Operator).get("/endpoints/1/recover?what=failed&from=2026-11-28T10:00:00Z").Body.String(); strings.Contains(got, `method="post" action="/endpoints`) || !strings.Contains(got, "Turn it on") {
		t.Error(got)
	}
}

// TestButtonsOfWebhooksByRole: a reader sees no button that would be refused.
func TestButtonsOfWebhooksByRole(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		path, button string
		needed       access.Role
	}{
		{"/endpoints", "/endpoints/new", access.Operator}, {"/endpoints/1", "/delete", access.Operator}, {"/endpoints/1", "/rotate-secret", access.Operator}, {"/endpoints/1", "/recover", access.Operator},
		{"/deliveries/1", "/cancel", access.Operator}, {"/deliveries/1", "/redeliver", access.Operator}, {"/events/1", "/redeliver", access.Operator}, {"/events", "/events/publish", access.Publisher}, {"/event-types", "/endpoints/new", access.Operator},
	} {
		for _, role := range access.Roles {
			got := s.as(role).get(c.path).Body.String()
			if shown := strings.Contains(got, c.button+`"`) || strings.Contains(got, c.button+"?"); shown != role.Reaches(c.needed) {
				t.Errorf("%s as %s: the button %s is shown: %v", c.path, role, c.button, shown)
			}
		}
	}
}

func TestEmptyLists(t *testing.T) {
	s := newSite(t)
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"items":[]}`) })
	b := s.as("")
	b.cookies = newSession(s)
	for path, says := range map[string]string{
		"/endpoints": "curl http://example.com/api/endpoints", "/deliveries": "curl http://example.com/api/endpoints", "/events": "curl http://example.com/api/orders", "/jobs": "curl http://example.com/api/deliveries/redeliver", "/workflows/history": "curl -X PUT http://example.com/api/settings", "/workflows/connectors": "curl -X PUT http://example.com/api/settings",
		"/deliveries?status=failed": "Take a filter away", "/events?type=a": "Take a filter away", "/endpoints?cursor=a": "look at <a href=\"/endpoints\">all endpoints", "/endpoints?q=a": "Take a filter away", "/jobs?cursor=a": "There are no more",
	} {
		if got := b.get(path); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), says) {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

// newSession is the cookie of an operator's session.
func newSession(s *site) []*http.Cookie {
	_ = s.sessions.CreateSession(s.t.Context(), access.Session{Hash: access.HashKey("ohs_test"), KeyID: "key_operator"})
	return []*http.Cookie{{Name: "orderhook_session", Value: "ohs_test"}}
}

func TestSparkline(t *testing.T) {
	var e api.Endpoint
	if err := json.Unmarshal([]byte(`{"recent":[{"durationMs":100,"outcome":"failed"},{"durationMs":25,"outcome":"succeeded"},{"durationMs":0,"outcome":"succeeded"}]}`), &e); err != nil {
		t.Fatal(err)
	}
	s := newSparkline(&e)
	want := []sparkBar{{156, 0, 20, "failed"}, {152, 8, 12, "ok"}, {148, 17, 3, "ok"}}
	if !slices.Equal(s.Bars, want) || s.Label != "The last 3 attempts: 1 failed, the slowest took 100 ms" {
		t.Errorf("%+v", s)
	}
}

// TestAFilterIsTried: what the URL says is asked, and can be taken over into the form.
func TestAFilterIsTried(t *testing.T) {
	s := newSite(t)
	calls := s.recording(map[string]int{"GET /api/endpoints/none": http.StatusNotFound})
	b := s.as(access.Operator)
	if got := b.get("/endpoints/explain"); got.Code != http.StatusOK || len(*calls) > 0 || !strings.Contains(got.Body.String(), "Write a filter") {
		t.Errorf("%d %v %s", got.Code, *calls, got.Body)
	}
	got := b.get("/endpoints/explain?" + url.Values{"endpointId": {"1"}, "filter": {hostile}, "eventTypes": {"a b"}, "newest": {"5"}, "nonsense": {"1"}}.Encode())
	if made := *calls; len(made) != 1 || made[0].body != `{"endpointId":"1","eventTypes":["a","b"],"filter":`+asJSON(hostile)+`,"newest":5,"nonsense":"1"}` {
		t.Errorf("%+v", made)
	}
	body := got.Body.String()
	harmless(t, body)
	for _, says := range []string{"its event types do not name this one", "cannot evaluate it", "made after it happened", template.HTMLEscapeString("/endpoints/1/edit?" + url.Values{"filter": {hostile}, "eventTypes": {"a b"}}.Encode())} {
		if !strings.Contains(html.UnescapeString(body), html.UnescapeString(says)) {
			t.Errorf("the page does not say %q: %s", says, body)
		}
	}
	if got := b.get("/endpoints/explain?endpointId=none"); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "the API will not") || !strings.Contains(got.Body.String(), `value="none"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	for query, own := range map[string]bool{"": true, "&filter=a": false, "&eventTypes=a": true} {
		if page := b.get("/endpoints/explain?endpointId=1" + query).Body.String(); strings.Contains(page, "The endpoint's own filter") != own {
			t.Errorf("%q: the endpoint's own filter is shown: %v", query, !own)
		}
	}
	file := newSite(t)
	file.answering("/api/endpoints/1", `{"id":"1","url":"https://a/","origin":"webHook"}`)
	if got := file.as(access.Operator).get("/endpoints/explain?endpointId=1&filter=a").Body.String(); strings.Contains(got, "Use what was tried") {
		t.Error("an endpoint of the config file is offered to be changed")
	}
	form := b.get("/endpoints/1/edit?filter=tried").Body.String()
	if !strings.Contains(form, ">tried</textarea>") || hiddenFields(form).Get("was.filter") != hostile {
		t.Errorf("the form does not have what was tried: %s", form)
	}
	if got := s.as(access.Reader).get("/endpoints/explain?endpointId=1&filter=a"); got.Code != http.StatusOK || strings.Contains(got.Body.String(), "Use what was tried") {
		t.Errorf("a reader: %d %s", got.Code, got.Body)
	}
}

// TestAJobSaysHowFarItIs, and leads to the list that it is about.
func TestAJobSaysHowFarItIs(t *testing.T) {
	for job, says := range map[string][]string{
		`{"id":"1","kind":"redeliver","status":"running","examined":2000,"sent":1990,"expected":3000,"filter":{"status":"failed","endpointId":"ep_1"},"skips":[{"id":"dlv_1","reason":"off"}]}`: {
			`max="3000" value="2000"`, "2,000 of 3,000", "Sent again", "/deliveries?endpointId=ep_1&status=failed", "/deliveries/dlv_1", "/jobs/1/cancel"},
		`{"id":"1","kind":"resume","status":"running","examined":2000,"resumed":1990,"expected":10000,"expectedCapped":true,"filter":{"status":"aborted"}}`: {
			`<progress aria-label="The job is under way">`, "2,000 of 10,000+", "Resumed", "/runs?status=aborted"},
		`{"id":"1","kind":"cancel","status":"running","examined":2000,"canceled":1990,"expected":3000,"filter":{"status":"pending","orderId":"O1"}}`: {
			`max="3000" value="2000"`, "Cancel deliveries", "<dt>Canceled</dt><dd>1,990</dd>", "/deliveries?orderId=O1&status=pending", "/jobs/1/cancel"},
		`{"id":"1","kind":"recover","what":"missing","status":"succeeded","examined":2000}`: {"2,000", "Recover an endpoint, missing"},
		`{"id":"1","kind":"reorder","status":"running","examined":2000}`:                    {"Put what is pending in order", "follow its new ordering", "2,000"},
		`{"id":"1","kind":"erase","status":"running","orderId":"O1"}`:                       {"Erase an order", "removes the data of its events", "<dd>O1</dd>", "Last step"},
	} {
		s := newSite(t)
		s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, job) })
		b := &browserOf{site: s, cookies: newSession(s)}
		got := html.UnescapeString(b.get("/jobs/1").Body.String())
		for _, want := range says {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the page does not say %q: %s", job, want, got)
			}
		}
		for _, count := range []string{"Sent", "Resumed", "Skipped", "Looked at"} { // none that means nothing to the kind
			list := html.UnescapeString(listed(b, job))
			if strings.Contains(job, `"erase"`) && (strings.Contains(got, "<dt>"+count) || strings.Contains(list, `data-label="Done" class="num">0`)) {
				t.Errorf("%s: the pages have %q: %s %s", job, count, got, list)
			}
			if count != "Looked at" && strings.Contains(job, `"reorder"`) && strings.Contains(got, "<dt>"+count) {
				t.Errorf("%s: the page has %q: %s", job, count, got)
			}
		}
		if offered := strings.Contains(got, "/jobs/1/cancel"); offered != (strings.Contains(job, "running") && !strings.Contains(job, "reorder") && !strings.Contains(job, "erase")) {
			t.Errorf("%s: the button that cancels it is shown: %v", job, offered)
		}
	}
}

// listed is the list of jobs, with one in it.
func listed(b *browserOf, job string) string {
	b.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, `{"items":[`+job+`]}`) })
	return b.get("/jobs").Body.String()
}
