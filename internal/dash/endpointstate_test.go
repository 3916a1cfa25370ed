package dash

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
)

// answering has the API answer a path with a text.
func (s *site) answering(path, text string) {
	before := s.API
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			_, _ = io.WriteString(w, text)
			return
		}
		before.ServeHTTP(w, r)
	})
}

// asking notes what the API is asked of a path.
func (s *site) asking(path string) *url.Values {
	var query url.Values
	before := s.API
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			query = r.URL.Query()
		}
		before.ServeHTTP(w, r)
	})
	return &query
}

func TestStatesOfAnEndpoint(t *testing.T) {
	for name, c := range map[string]struct{ endpoint, states string }{
		"new":               {`{"enabled":true}`, "idle nothing sent yet"},
		"well":              {`{"enabled":true,"health":{"lastSuccess":"2026-11-28T10:00:00Z"}}`, "good ok"},
		"failing":           {`{"enabled":true,"health":{"lastSuccess":"2026-11-28T10:00:00Z","consecutiveFailures":1,"lastError":"answered 500"}}`, "bad failing"},
		"its circuit":       {`{"enabled":true,"health":{"consecutiveFailures":9,"circuit":"open"}}`, "bad circuit open"},
		"tried":             {`{"enabled":true,"health":{"consecutiveFailures":9,"circuit":"halfOpen"}}`, "warn being tried"},
		"off":               {`{"enabled":false,"disabledReason":"410","health":{"consecutiveFailures":9,"circuit":"open"}}`, "warn off"},
		"with a bad filter": {`{"enabled":true,"health":{"lastSuccess":"2026-11-28T10:00:00Z","filterErrors":1}}`, "good ok, warn filter fails"},
	} {
		var e api.Endpoint
		if err := json.Unmarshal([]byte(c.endpoint), &e); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, b := range endpointStates(&e) {
			got = append(got, b.Tone+" "+b.Text)
		}
		if text := strings.Join(got, ", "); text != c.states {
			t.Errorf("%s: %s, not %s", name, text, c.states)
		}
	}
}

// TestWhatIsChangedElsewhere: endpoints of the config file and of settings have no button
// that the API would refuse.
func TestWhatIsChangedElsewhere(t *testing.T) {
	for origin, buttons := range map[string][]string{
		"api":       {"recover", "test", "disable", "edit", "rotate-secret", "delete"},
		"webHook":   {"recover", "test"},
		"connector": {"recover"},
	} {
		s := newSite(t)
		s.answering("/api/endpoints/1", `{"id":"1","url":"https://a/","enabled":true,"origin":"`+origin+`"}`)
		page := s.as(access.Operator).get("/endpoints/1").Body.String()
		for _, button := range []string{"recover", "test", "disable", "edit", "rotate-secret", "delete"} {
			if shown := strings.Contains(page, `href="/endpoints/1/`+button+`"`); shown != slices.Contains(buttons, button) {
				t.Errorf("an endpoint of %s: the button %s is shown: %v", origin, button, shown)
			}
		}
	}
}

func TestSettingsOfAnEndpoint(t *testing.T) {
	var e api.Endpoint
	text := `{"url":"https://a/","eventTypes":["a","b"],"format":"thin","ordering":"subject","timeout":"PT1S","retrySchedule":["PT1S","PT2S"],"maxConcurrency":1200,"signatures":["v1"]`
	if err := json.Unmarshal([]byte(text+"}"), &e); err != nil {
		t.Fatal(err)
	}
	few := endpointSettings(&e)
	if err := json.Unmarshal([]byte(text+`,"description":"d","filter":"f","headers":{"B":"***","A":"***"},"rateLimit":0.5,"tls":{"ca":"x","certificate":"y"},"reorderingJob":"job_1"}`), &e); err != nil {
		t.Fatal(err)
	}
	want := append(few, Fact{Name: "Description", Value: "d"}, Fact{Name: "Filter", Value: "f"}, Fact{Name: "Headers", Value: "A, B"}, Fact{Name: "Attempts a second, at most", Value: "0.5"},
		Fact{Name: "TLS", Value: "certificates of its own are trusted, a client certificate is shown"}, Fact{Name: "What is pending is being put in order by", Value: "job_1", URL: "/jobs/job_1"})
	if got := endpointSettings(&e); len(few) != 8 || !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

// TestWhatIsAskedAbout: a page of an endpoint asks about that endpoint, whatever its URL
// says besides.
func TestWhatIsAskedAbout(t *testing.T) {
	for _, c := range []struct{ page, path, want string }{
		{"/endpoints/1/attempts?outcome=failed&endpointId=other", "/api/attempts", "count=true&endpointId=HERE&outcome=failed"},
		{"/endpoints?q=a&cursor=b", "/api/endpoints", "cursor=b&q=a&recent=40"},
		{"/attempts?orderId=a", "/api/attempts", "count=true&orderId=a"},
		{"/attempts?body=abc", "/api/attempts", "body=abc"},
		{"/deliveries/1", "/api/attempts", "deliveryId=" + url.QueryEscape(hostile) + "&limit=25"},
	} {
		s := newSite(t)
		s.answering("/api/endpoints/1", `{"id":"HERE","url":"https://a/","enabled":true,"origin":"api"}`)
		asked := s.asking(c.path)
		if got := s.as(access.Operator).get(c.page); got.Code != http.StatusOK || asked.Encode() != c.want {
			t.Errorf("%s: %d, asked %s, not %s", c.page, got.Code, asked.Encode(), c.want)
		}
	}
}

// TestTheFormAfterARefusal has what was filled in, opens the part that something is wrong
// with, and names only the field that it is about.
func TestTheFormAfterARefusal(t *testing.T) {
	f := endpointFormView{Problem: &Problem{Errors: []apierr.FieldError{{Location: "body.headers[0].key", Message: "no name"}, {Location: "body.url", Message: "no URL"}, {Location: "body.urls", Message: "no field"}, {Location: "query.url", Message: "else"}}}}
	f.fill(endpointInputs, func(in *endpointInput) string { return in.Name })
	for _, in := range append(f.Inputs, f.More...) {
		if want := map[string]string{"headers": "no name", "url": "no URL"}[in.Name]; in.Error != want || in.Focus != (in.Name == "url") || in.Value != withoutSecret(in.Name, in.Name) {
			t.Errorf("%s: %q, %q", in.Name, in.Error, in.Value)
		}
	}
	if !f.Open {
		t.Error("what is wrong is hidden")
	}
	var told []string
	for _, m := range f.Problem.Told() {
		told = append(told, m.Label+"/"+m.ID+"/"+m.Which)
	}
	if want := []string{"Headers/field-headers/1", "URL/field-url/", "//", "//"}; !slices.Equal(told, want) {
		t.Errorf("%q is told, not %q", told, want)
	}
	f = endpointFormView{Problem: &Problem{Errors: []apierr.FieldError{{Location: "body.url", Message: "no URL"}}}}
	if f.fill(endpointInputs, func(*endpointInput) string { return "" }); f.Open {
		t.Error("what is well is opened")
	}

	s := newSite(t)
	s.recording(map[string]int{"POST /api/endpoints/1/rotate-secret": http.StatusUnprocessableEntity})
	if got := s.as(access.Operator).post("/endpoints/1/rotate-secret", url.Values{"overlap": {"an hour"}}).Body.String(); !strings.Contains(got, `value="an hour"`) {
		t.Errorf("what was filled in is gone: %s", got)
	}
}

// TestWhatAnEndpointIsSaidToBe after it was made: on or off, and the secret once.
func TestWhatAnEndpointIsSaidToBe(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		form   url.Values
		says   []string
		not    string
	}{
		"on":        {`{"id":"1","enabled":true,"secret":"whsec_made"}`, url.Values{}, []string{"whsec_made", "gets what happens from now on"}, "sent before"},
		"off":       {`{"id":"1","enabled":false,"secret":"whsec_made"}`, url.Values{}, []string{"and is off"}, "from now on"},
		"again":     {`{"id":"1","enabled":true}`, url.Values{}, []string{"This form was sent before"}, "Copy it now"},
		"its own":   {`{"id":"1","enabled":true}`, url.Values{"secret": {"whsec_mine"}}, []string{"gets what happens"}, "sent before"},
		"a warning": {`{"id":"1","enabled":true,"warnings":[{"path":"eventTypes[0]","message":"is known to nobody"}]}`, url.Values{}, []string{"is known to nobody"}, "nothing to see"},
	} {
		s := newSite(t)
		s.answering("/api/endpoints", c.answer)
		got := html.UnescapeString(s.as(access.Operator).post("/endpoints", c.form).Body.String())
		for _, want := range c.says {
			if !strings.Contains(got, want) {
				t.Errorf("%s: the page does not say %q: %s", name, want, got)
			}
		}
		if strings.Contains(got, c.not) {
			t.Errorf("%s: the page says %q", name, c.not)
		}
	}
}

func TestWhyItIsOff(t *testing.T) {
	s := newSite(t)
	s.answering("/api/endpoints/1", `{"id":"1","url":"https://a/","disabledReason":"it answered 410","origin":"api"}`)
	if got := s.as(access.Operator).get("/endpoints/1/enable").Body.String(); !strings.Contains(got, "it answered 410") {
		t.Error(got)
	}
}

func TestNumbersOfAForm(t *testing.T) {
	for text, want := range map[string]string{"12": "12", " 0.50 ": "0.50", "1e3": "1e3", "many": `"many"`, "0x1": `"0x1"`, "true": `"true"`, `{"a":1}`: `"{\"a\":1}"`, "1 2": `"1 2"`, "-": `"-"`} {
		if got := asJSON(asNumber(text)); got != want {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
	}
}

// TestTwoFormsAreTwo: who opens the form again means it again.
func TestTwoFormsAreTwo(t *testing.T) {
	s := newSite(t)
	calls := s.recording(nil)
	b := s.as(access.Operator)
	for range 2 {
		form := hiddenFields(b.get("/deliveries/1/redeliver").Body.String())
		b.post("/deliveries/1/redeliver", form)
		b.post("/deliveries/1/redeliver", form)
	}
	if made := *calls; len(made) != 4 || made[0].once != made[1].once || made[1].once == made[2].once || made[2].once != made[3].once {
		t.Errorf("%+v", made)
	}
}

// TestWhatAPageSaysBesides: what depends on what is shown.
func TestWhatAPageSaysBesides(t *testing.T) {
	manyTexts := `{"id":"1","type":"a","data":[` + strings.Repeat(`"x",`, some.lines) + `"y"],"deliveries":[{"id":"d","status":"failed"}],"nextCursor":"abc"}`
	for _, c := range []struct {
		page, path, answer string
		says, not          string
	}{
		{"/endpoints/1/recover", "/api/endpoints/1", `{"id":"1","origin":"api","enabled":true,"health":{"failingSince":"2026-11-28T10:00:00.9Z"}}`, "an hour before it began to fail", "again</button>"},
		{"/endpoints/1/recover", "/api/endpoints/1", `{"id":"1","origin":"api","enabled":true}`, "1 hour", "again</button>"},
		{"/deliveries/redeliver?status=failed", "/api/deliveries/redeliver", `{"matched":0}`, "nothing to send with this filter", "Send 0 again"},
		{"/deliveries/cancel?status=pending", "/api/deliveries/cancel", `{"matched":0}`, "Nothing is pending with this filter", "Cancel 0"},
		{"/deliveries/cancel?orderId=O1", "/api/deliveries/cancel", `{"matched":7,"deliveries":[{"id":"d7","eventType":"E7"}]}`, "<dt>Status</dt><dd>pending</dd>", "Nothing is pending"},
		{"/deliveries/redeliver?status=failed", "/api/deliveries/redeliver", `{"matched":16,"endpointOff":{"count":5},"notSendable":{"count":3}}`, "<dt>Not sent: the endpoint is off</dt><dd>5</dd>", "Send 24 again"},
		{"/deliveries/redeliver?status=failed", "/api/deliveries/redeliver", `{"matched":16,"deliveries":[{"id":"d7","eventType":"E7"}]}`, "Send 16 again", "Not sent"},
		{"/attempts/1", "/api/deliveries/" + hostile, `{"status":"failed","endpointId":"ep_1","endpointOff":true}`, "The endpoint is off", "Send it now…"},
		{"/deliveries/1/redeliver", "/api/deliveries/1", `{"id":"1","status":"succeeded"}`, "It arrived before", ""},
		{"/deliveries/1/redeliver", "/api/deliveries/1", `{"id":"1","status":"failed"}`, "as often as the endpoint's schedule says", "It arrived before"},
		{"/deliveries/1/redeliver", "/api/deliveries/1", `{"id":"1","status":"failed","endpointOff":true}`, "The endpoint is off", "<button class=\"main\">Send it again"},
		{"/deliveries/1/redeliver", "/api/deliveries/1", `{"id":"1","status":"failed"}`, "<button class=\"main\">Send it again", "is off"},
		{"/deliveries/1", "/api/deliveries/1", `{"id":"1","status":"failed","endpointRemoved":true}`, "The endpoint was removed", "Send again"},
		{"/deliveries/1", "/api/deliveries/1", `{"id":"1","status":"failed","endpointId":"ep_9","endpointOff":true}`, `before it is turned on. <a href="/endpoints/ep_9">`, "Send again"},
		{"/deliveries/1", "/api/deliveries/1", `{"id":"1","status":"pending","endpointOff":true}`, "Cancel…", "Try now"},
		{"/deliveries/1", "/api/deliveries/1", `{"id":"1","status":"pending"}`, "Try now", "turned on"},
		{"/deliveries", "/api/deliveries", `{"items":[{"id":"1","status":"pending","endpointId":"ep_9","endpointOff":true}]}`, "<small>off</small>", ""},
		{"/deliveries", "/api/deliveries", `{"items":[{"id":"1","status":"pending","endpointId":"ep_9"}]}`, "ep_9", "<small>off</small>"},
		{"/endpoints/1", "/api/endpoints/1", `{"id":"1","origin":"api","timeout":"PT30S","retrySchedule":["PT0.05S","PT5S","PT1M30S","PT1H","P1DT2H"]}`, "<dd>50 ms, 5 s, 1 min 30 s, 1 h, 1 d 2 h</dd>", ">PT"},
		{"/endpoints/1/recover", "/api/endpoints/1", `{"id":"1","origin":"api","enabled":true}`, `<option value="">choose</option>`, "Search</button>"},
		{"/runs/1", "/api/runs/1", `{"id":"1","orderId":"O1","status":"succeeded","settingsVersion":7}`, `<a href="/workflows/history/7">version 7</a>`, ""},
		{"/jobs", "/api/jobs", `{"items":[{"id":"1","kind":"resume","filter":{"status":"aborted","enteredStatus":"Packed"}}]}`, "<small>Status</small> aborted", "{"},
		{"/deliveries/1/redeliver", "/api/deliveries/1", `{"id":"1","status":"failed","endpointRemoved":true}`, "The endpoint was removed", "<button class=\"main\">Send it again"},
		{"/deliveries", "/api/deliveries", `{"items":[{"id":"1","status":"failed","endpointId":"ep_9","endpointRemoved":true}]}`, "<small>removed</small>", `href="/endpoints/ep_9"`},
		{"/events/1", "/api/events/1", manyTexts, `href="/deliveries?eventId=1"`, ""},
		{"/events/1", "/api/events/1", manyTexts, `href="/events/1?show=all"`, ""},
		{"/events/1?show=all", "/api/events/1", manyTexts, `"y"`, "show=all"},
		{"/events/1", "/api/events/1", `{"id":"1","type":"a","dataErased":true,"deliveries":[]}`, "The data was removed", "All of them"},
		{"/endpoints/explain?endpointId=1", "/api/endpoints/1", `{"id":"1","origin":"api","filter":"a == 1"}`, `href="/endpoints/explain?endpointId=1&filter=a+%3D%3D+1"`, "Use what was tried"},
		{"/endpoints/explain?endpointId=1&filter=b", "/api/endpoints/1", `{"id":"1","origin":"api","filter":"a == 1"}`, "Use what was tried", "own filter: "},
		{"/endpoints/explain?endpointId=1&filter=b", "/api/endpoints/1", `{"id":"1","origin":"webHook"}`, "not matched", "Use what was tried"},
		{"/endpoints/explain?filter=b", "/api/none", ``, `href="/endpoints/new?filter=b"`, ""},
		{"/jobs/1", "/api/jobs/1", `{"id":"1","kind":"recover","status":"succeeded"}`, "Sent again", "What the filter picks now"},
	} {
		s := newSite(t)
		s.answering(c.path, c.answer)
		got := s.as(access.Operator).get(c.page)
		text := html.UnescapeString(got.Body.String())
		if got.Code != http.StatusOK || !strings.Contains(text, c.says) || c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("%s: %d, should say %q, and not %q: %.3000s", c.page, got.Code, c.says, c.not, text)
		}
	}
}

// TestWhatFailedWithinADay is what is recovered at an endpoint that is well again.
func TestWhatFailedWithinADay(t *testing.T) {
	s := newSite(t)
	s.answering("/api/endpoints/1", `{"id":"1","enabled":true,"counts":{"failed":1}}`)
	if got := s.as(access.Operator).get("/endpoints/1/recover"); got.Header().Get("Location") != "/endpoints/1/recover?from=2026-11-27T12%3A00%3A00Z&what=failed" {
		t.Errorf("%d %s", got.Code, got.Header())
	}
}

// TestExamplesOfDeliveries say what each is about, as they are shown before many are sent.
func TestExamplesOfDeliveries(t *testing.T) {
	at := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	got := deliverySample([]Delivery{{ID: "1", EventType: "OrderCreated", OrderID: "ORD-1", Status: "failed", LastError: "answered 500", Created: at}, {ID: "2", EventType: "stock_item_out_of_stock", Status: "pending", Created: at}})
	want := []Fact{{"failed: answered 500", "OrderCreated of ORD-1", "/deliveries/1", at}, {"pending", "stock_item_out_of_stock", "/deliveries/2", at}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

// TestWhyACondition could not be evaluated is said once.
func TestWhyACondition(t *testing.T) {
	s := newSite(t)
	s.answering("/api/endpoints/explain", `{"items":[{"eventId":"e","eventType":"a","timestamp":"2026-11-28T10:00:00Z","conditions":[
		{"text":"data.a.b > data.n","error":"nil has no member b","found":[{"name":"data.a.b","error":"nil has no member b"},{"name":"data.m","error":"there is no m"},{"name":"data.n","value":"1.50"}]}]}]}`)
	got := s.as(access.Reader).get("/endpoints/explain?filter=x").Body.String()
	if strings.Count(got, "nil has no member b") != 1 || !strings.Contains(got, "there is no m") || !strings.Contains(got, "<code>data.n</code> is <code>1.50</code>") {
		t.Error(got)
	}
}

// TestADeletedKeyIsNamed before it is deleted, however many keys there are; and there is no
// button that deletes one that is not there.
func TestADeletedKeyIsNamed(t *testing.T) {
	s := newSite(t)
	s.answering("/api/keys", `{"items":[]}`)
	s.answering("/api/keys/key_1", `{"id":"key_1","role":"reader","name":"Power BI"}`)
	b := s.as(access.Admin)
	if got := b.get("/keys/key_1/delete").Body.String(); !strings.Contains(got, "<dt>Name</dt><dd>Power BI</dd>") || !strings.Contains(got, "<dd>reader</dd>") {
		t.Error(got)
	}
	if got := b.get("/keys/key_3/delete"); got.Code != http.StatusNotFound || strings.Contains(got.Body.String(), "Delete the key") {
		t.Error(got.Code, got.Body)
	}
}

// TestWhereADeliveryFailed: the overview says it by the URL, which people know, and by the
// id where there is none.
func TestWhereADeliveryFailed(t *testing.T) {
	s := newSite(t)
	s.answering("/api/overview", `{"stuck":{"deliveries":{"count":2,"items":[{"id":"d1","endpointId":"ep_1","endpointUrl":"https://erp.example.com/hook"},{"id":"d2","endpointId":"ep_2"}]}}}`)
	got := s.as(access.Reader).get("/").Body.String()
	if !strings.Contains(got, `title="ep_1">https://erp.example.com/hook</a>`) || !strings.Contains(got, `>ep_2</a>`) {
		t.Error(got)
	}
}

// TestTheFeedOfAnEndpoint: a page begins where its URL says, names what is lost and what is
// gone, and goes on behind its last event.
func TestTheFeedOfAnEndpoint(t *testing.T) {
	s := newSite(t)
	s.answering("/api/endpoints/1", `{"id":"1","url":"feed:","enabled":true,"origin":"api"}`)
	s.answering("/api/endpoints/1/feed", `{"items":[{"position":"20","previous":"10","eventId":"evt_1","type":"OrderCreated"},{"position":"30","previous":"20","gone":"removed"}],"next":"30","more":false,"lost":{"after":"3","upTo":"10"}}`)
	asked := s.asking("/api/endpoints/1/feed")
	page := s.as(access.Operator).get("/endpoints/1/feed?after=3").Body.String()
	if asked.Encode() != "after=3&limit=50" {
		t.Errorf("asked %s", asked.Encode())
	}
	for _, want := range []string{"given to the endpoint after 3 and up to 10", `href="/events/evt_1"`, "retention has removed it", `href="/endpoints/1/feed?after=30"`, `href="/endpoints/1/feed"`} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in %s", want, page)
		}
	}
	page = s.as(access.Operator).get("/endpoints/1").Body.String()
	if !strings.Contains(page, "Nothing is sent to it") || strings.Contains(page, "/endpoints/1/recover") || strings.Contains(page, "/endpoints/1/test") {
		t.Errorf("the page of an endpoint that nothing is sent to offers to send: %s", page)
	}
	s.answering("/api/endpoints/1/feed", `{"items":[],"next":"0","more":false}`)
	if page := s.as(access.Reader).get("/endpoints/1/feed").Body.String(); !strings.Contains(page, "has been given nothing yet") || strings.Contains(page, "What follows") {
		t.Errorf("the empty feed: %s", page)
	}
}
