package dash

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/run"
)

// asksOf has the fake API of a site answer as these say, by method and path, before it
// answers as ever; it returns what was asked, with the bodies behind a space.
func asksOf(s *site, say map[string]string) *[]string {
	var asked []string
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		ask := strings.TrimSpace(r.Method + " " + r.URL.RequestURI() + " " + string(body))
		if key := r.Header.Get("Idempotency-Key"); key != "" {
			ask += " once"
		}
		asked = append(asked, ask)
		if answer, ok := say[r.Method+" "+r.URL.Path]; ok {
			if status, rest, ok := strings.Cut(answer, "|"); ok {
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(map[string]int{"409": 409, "422": 422, "404": 404}[status])
				answer = rest
			}
			_, _ = io.WriteString(w, answer)
			return
		}
		fakeAPI(w, r)
	})
	return &asked
}

func TestOrdersOfAnyShape(t *testing.T) {
	at := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	for given, want := range map[string]orderSummary{
		`{"id":"1","status":"New","created":"2026-11-28T10:00:00Z","orderForm":{"total":1234.50,"lineItems":[{},{}]},"billingCurrency":"NOK"}`: {ID: "1", Status: "New", Created: at, Total: "1234.50", Lines: 2, Currency: "NOK"},
		`{"id":7,"total":"110.0","tags":"a, b","orderForm":[],"errors":"none","created":"yesterday"}`:                                          {ID: "7", Total: "110.0"},
		`{"id":"1","orderForm":{"total":{"a":1},"lineItems":{"a":1}},"total":-0}`:                                                              {ID: "1", Total: "-0"},
		`{"id":"1","status":null,"errors":[{"status":"New"},{},{"status":"solved"},{"status":"Deleted"},7]}`:                                   {ID: "1", Errors: 2},
		`[]`: {},
		``:   {},
	} {
		if got := summarized(json.RawMessage(given)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is shown as %+v, not %+v", given, got, want)
		}
	}
}

// TestWhenAnErrorOccurred, as orderhook and as others spell it.
func TestWhenAnErrorOccurred(t *testing.T) {
	at := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	for _, name := range []string{"occurred", "occured"} {
		found := orderErrors(objectOf(json.RawMessage(`{"errors":[{"message":"m","` + name + `":"2026-11-28T10:00:00Z"}]}`)))
		if len(found) != 1 || !found[0].Occurred.Equal(at) || found[0].Message != "m" || !found[0].Unsolved {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// TestStatusesToChoose are those of the settings, each once: of orders, or of returns.
func TestStatusesToChoose(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Publisher)
	asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1}`, "GET /api/settings": `{"orderTypes":[{"orderStatuses":[{"name":"New"},{"name":"Packed"}]},{"orderStatuses":[{"name":"new"}]}],"returnStatuses":[{"name":"Returned"}]}`})
	for query, want := range map[string]string{"": "New Packed", "?returnId=R1": "Returned"} {
		page := b.get("/orders/1/status" + query).Body.String()
		var got []string
		for _, part := range strings.Split(page, `<option value="`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v", query, got)
		}
	}
}

func TestOpenAnOrder(t *testing.T) {
	b := newSite(t).as(access.Reader)
	for given, want := range map[string]string{"ORD-1": "/orders/ORD-1", "+a%2Fb%3F+": "/orders/a%2Fb%3F"} {
		if got := b.get("/orders?open=" + given + "&status=New"); got.Code != http.StatusSeeOther || got.Header().Get("Location") != want {
			t.Errorf("%s: %d %s", given, got.Code, got.Header().Get("Location"))
		}
	}
}

// TestIdsWithSlashes: an id may have any character; in a path it stays one part.
func TestIdsWithSlashes(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Publisher)
	asked := asksOf(s, map[string]string{"GET /api/orders/a/b?": `{"id":"a/b?","version":2}`, "GET /api/orders/a/b?/history": `{"items":[]}`, "GET /api/orders/a/b?/versions/1": `{"id":"a/b?","version":1}`, "GET /api/orders/a/b?/blame": `{"items":[]}`})
	page := b.get("/orders/a%2Fb%3F").Body.String()
	for _, link := range []string{`"/orders/a%2Fb%3F/status"`, `"/orders/a%2Fb%3F/versions"`, `"/orders/a%2Fb%3F/blame"`, `"/attempts?orderId=a%2Fb%3F"`} {
		if !strings.Contains(page, link) {
			t.Errorf("no link %s: %s", link, page)
		}
	}
	// A form above a list is sent to the page that it is on.
	if page := b.get("/orders/a%2Fb%3F/blame").Body.String(); !strings.Contains(page, `action="/orders/a%2Fb%3F/blame"`) {
		t.Errorf("the filter is sent elsewhere: %s", page)
	}
	b.get("/orders/a%2Fb%3F/versions")
	for _, want := range []string{"GET /api/orders/a%2Fb%3F", "GET /api/orders/a%2Fb%3F/history?limit=50", "GET /api/orders/a%2Fb%3F/history?limit=100", "GET /api/orders/a%2Fb%3F/versions/1"} {
		if !slices.Contains(*asked, want) {
			t.Errorf("%s is not asked: %v", want, *asked)
		}
	}
}

// TestTimelineHasAllOfItsTime: of the other kinds a page shows what was in the time of its
// page of the history, so that nothing is shown twice or never.
func TestTimelineHasAllOfItsTime(t *testing.T) {
	history := func(next string, times ...string) string {
		var items []string
		for i, at := range times {
			items = append(items, fmt.Sprintf(`{"id":"h%d","operation":"Patched","timestamp":"2026-11-28T%sZ"}`, i, at))
		}
		return `{"items":[` + strings.Join(items, ",") + `],"nextCursor":"` + next + `"}`
	}
	const from, to = "2026-11-28T10:00:00.5Z", "2026-11-28T11:00:00Z"
	for name, c := range map[string]struct{ at, history, span, older string }{
		"all there is":      {"", history("", "10:30:00", "10:00:00.5"), "limit=100&orderId=1", ""},
		"the newest":        {"", history("c2", "10:30:00", "10:00:00.5"), "from=" + url.QueryEscape(from) + "&limit=100&orderId=1", "/orders/1?cursor=c2&to=" + url.QueryEscape(from)},
		"one in between":    {"?cursor=c1&to=" + to, history("c2", "10:30:00", "10:00:00.5"), "from=" + url.QueryEscape(from) + "&limit=100&orderId=1&to=" + url.QueryEscape(to), "/orders/1?cursor=c2&to=" + url.QueryEscape(from)},
		"the oldest":        {"?cursor=c1&to=" + to, history("", "10:30:00"), "limit=100&orderId=1&to=" + url.QueryEscape(to), ""},
		"within a second":   {"?cursor=c1&to=2026-11-28T10:00:00.5Z", history("c2", "10:00:00.2", "10:00:00"), "from=" + url.QueryEscape("2026-11-28T10:00:00Z") + "&limit=100&orderId=1&to=" + url.QueryEscape(from), "/orders/1?cursor=c2&to=" + url.QueryEscape("2026-11-28T10:00:00Z")},
		"all of one moment": {"?cursor=c1&to=" + to, history("c2", "11:00:00", "11:00:00"), "", "/orders/1?cursor=c2&to=" + url.QueryEscape(to)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.as(access.Reader)
			asked := asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1}`, "GET /api/orders/1/history": c.history})
			page := b.get("/orders/1" + c.at).Body.String()
			for _, list := range []string{"runs", "attempts", "events"} {
				if c.span != "" && !slices.Contains(*asked, "GET /api/"+list+"?"+c.span) || c.span == "" && strings.Contains(strings.Join(*asked, " "), "/api/"+list+"?limit=100") {
					t.Errorf("the %s are asked for as %s", list, strings.Join(*asked, "\n"))
				}
			}
			if link := strings.ReplaceAll(c.older, "&", "&amp;"); strings.Contains(page, "Older →") != (link != "") || !strings.Contains(page, `href="`+link) {
				t.Errorf("what is older is not at %s: %s", c.older, page)
			}
		})
	}
}

// TestTimelineIsOne: entries of all kinds stand in the order of their times, and what its
// time has more of is a link.
func TestTimelineIsOne(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1}`,
		"GET /api/orders/1/history": `{"items":[{"id":"h2","operation":"Patched","timestamp":"2026-11-28T10:04:00Z"},{"id":"h1","operation":"Created","version":1,"timestamp":"2026-11-28T10:00:00Z"}]}`,
		"GET /api/runs":             `{"items":[{"id":"run_1","status":"succeeded","created":"2026-11-28T10:01:00Z"}]}`,
		"GET /api/attempts":         `{"items":[{"id":"att_1","startedAt":"2026-11-28T10:02:00Z","outcome":"succeeded","status":200}],"nextCursor":"more"}`,
		"GET /api/events":           `{"items":[{"id":"evt_1","type":"OrderCreated","timestamp":"2026-11-28T10:03:00Z"}]}`})
	page := b.get("/orders/1").Body.String()
	_, timeline, _ := strings.Cut(page, `<ol class="timeline">`)
	at := 0
	for _, minute := range []string{"10:04", "10:03", "10:02", "10:01", "10:00"} {
		next := strings.Index(timeline, `datetime="2026-11-28T`+minute)
		if next < at {
			t.Errorf("%s is not where it belongs: %s", minute, timeline)
		}
		at = next
	}
	if strings.Count(page, `<a href="/orders/1/versions?version=1">The document it began with</a>`) != 1 {
		t.Errorf("nothing leads to what it began with: %s", timeline)
	}
	if !strings.Contains(page, `<a href="/attempts?orderId=1">More webhooks of this time</a>`) || strings.Contains(page, "More runs of this time") {
		t.Errorf("what there is more of: %s", page)
	}
}

func TestTimelineOfOneKind(t *testing.T) {
	for tab, want := range map[string]string{
		"runs": "GET /api/runs?cursor=c1&limit=50&orderId=HOSTILE", "attempts": "GET /api/attempts?cursor=c1&limit=50&orderId=HOSTILE", "events": "GET /api/events?cursor=c1&limit=50&orderId=HOSTILE", "history": "GET /api/orders/HOSTILE/history?cursor=c1&limit=50",
	} {
		s := newSite(t)
		b := s.as(access.Reader)
		asked := asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1}`})
		b.get("/orders/1?tab=" + tab + "&cursor=c1")
		if want = strings.ReplaceAll(want, "HOSTILE", "1"); !slices.Contains(*asked, want) {
			t.Errorf("%s asks %v", tab, *asked)
		}
	}
	if got := newSite(t).as(access.Reader).get("/orders/1?tab=nonsense"); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "query.tab") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// TestButtonsByRole: nobody is offered what the key may not do.
func TestButtonsByRole(t *testing.T) {
	for path, buttons := range map[string]map[string]access.Role{
		"/orders/1": {`/status"`: access.Publisher, `/erase"`: access.Publisher, `/resume"`: access.Operator, `/cancel"`: access.Publisher},
		"/runs/1":   {`/resume"`: access.Operator},
		"/runs":     {`/runs/resume?`: access.Operator},
		"/carts/1":  {`/validate"`: access.Publisher},
	} {
		for _, role := range access.Roles {
			page := newSite(t).as(role).get(path).Body.String()
			for button, needed := range buttons {
				if got := strings.Contains(page, button); got != role.Reaches(needed) {
					t.Errorf("%s as %s: the button %s is there: %v", path, role, button, got)
				}
			}
		}
	}
}

// TestStatusIsRehearsedFirst: what a page shows before somebody presses the button is a
// dry run; the button does it, once.
func TestStatusIsRehearsedFirst(t *testing.T) {
	const order, result = `{"id":"1","status":"New","version":1}`, `{"runId":"run_1","order":{"id":"1","status":"Taxed","version":2},"orderActionExecutionResults":[{"step":"s","displayName":"Ask for the tax","actionStatus":"WouldRun"}]}`
	s := newSite(t)
	b := s.as(access.Publisher)
	asked := asksOf(s, map[string]string{"GET /api/orders/1": order, "POST /api/orders/1/status": result})
	posts := func() (out []string) {
		for _, a := range *asked {
			if strings.HasPrefix(a, "POST") {
				out = append(out, a)
			}
		}
		*asked = nil
		return out
	}
	if b.get("/orders/1/status"); len(posts()) > 0 {
		t.Errorf("the empty form posts")
	}
	page := b.get("/orders/1/status?status=+Taxed+&shipmentId=S1&skipRunWorkflow=true").Body.String()
	if got := posts(); len(got) != 1 || got[0] != `POST /api/orders/1/status {"status":"Taxed","shipmentId":"S1","skipRunWorkflow":true,"dryRun":true}` {
		t.Errorf("before: %v", got)
	}
	if !strings.Contains(page, "<del>&#34;New&#34;</del>") || !strings.Contains(page, "<ins>&#34;Taxed&#34;</ins>") {
		t.Errorf("the differences are not shown: %s", page)
	}
	got := b.post("/orders/1/status", url.Values{"status": {"Taxed"}, "try": {"true"}, "once": {"k"}})
	if asks := posts(); got.Code != http.StatusOK || len(asks) != 1 || asks[0] != `POST /api/orders/1/status {"status":"Taxed","dryRun":true,"callWebhooks":true}` || !strings.Contains(got.Body.String(), "were called, once each") {
		t.Errorf("trying: %d %v", got.Code, asks)
	}
	got = b.post("/orders/1/status", url.Values{"status": {"Taxed"}, "returnId": {"R1"}, "once": {"k"}})
	if asks := posts(); got.Code != http.StatusSeeOther || got.Header().Get("Location") != "/runs/run_1?done=entered" || len(asks) != 1 || asks[0] != `POST /api/orders/1/status?wait=PT2S {"status":"Taxed","returnId":"R1"} once` {
		t.Errorf("entering: %d %s %v", got.Code, got.Header().Get("Location"), asks)
	}
}

func TestStatusThatIsRefused(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Publisher)
	asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","status":"New","version":1}`, "POST /api/orders/1/status": `422|{"title":"Unprocessable","detail":"no such shipment","status":422}`})
	for _, got := range []string{b.get("/orders/1/status?status=Taxed&shipmentId=S9").Body.String(), b.post("/orders/1/status", url.Values{"status": {"Taxed"}, "shipmentId": {"S9"}}).Body.String()} {
		if !strings.Contains(got, "no such shipment") || !strings.Contains(got, `value="Taxed"`) || strings.Contains(got, `method="post" action="/orders`) {
			t.Errorf("%s", got)
		}
	}
}

// TestResumeOverAFilter: the filter of the list is what is counted, what is confirmed and
// what the job gets; its page is not.
func TestResumeOverAFilter(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Operator)
	asked := asksOf(s, map[string]string{"POST /api/runs/resume": `{"dryRun":true,"matched":100000,"more":true,"notResumable":{"count":7},"runs":[{"id":"R7","orderId":"O7","reason":"no answer"}],"id":"job_7"}`})
	list := b.get("/runs?step=ERP&canceled=false&cursor=c&limit=10&done=saved").Body.String()
	const link = `/runs/resume?status=aborted&amp;step=ERP`
	if !strings.Contains(list, `href="`+link+`"`) {
		t.Fatalf("the list does not lead to %s: %s", link, list)
	}
	*asked = nil
	page := b.get("/runs/resume?status=aborted&step=ERP").Body.String()
	if !slices.Contains(*asked, `POST /api/runs/resume {"dryRun":true,"status":"aborted","step":"ERP"}`) || slices.ContainsFunc(*asked, func(ask string) bool { return strings.HasPrefix(ask, "GET /api/runs?") }) {
		t.Errorf("asked %v", *asked)
	}
	for _, want := range []string{"<dt>To be resumed</dt>", "100,000&#43;", "<dt>At the step</dt><dd>ERP<", "<dt>Not resumed: the status was set again since</dt><dd>7<", `O7: no answer</dt><dd><a href="/runs/R7"`, `name="status" value="aborted"`, `name="step" value="ERP"`, `href="/runs?status=aborted&amp;step=ERP"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s: %s", want, page)
		}
	}
	*asked = nil
	got := b.post("/runs/resume", url.Values{"status": {"aborted"}, "step": {"ERP"}, "once": {"k"}})
	if got.Header().Get("Location") != "/jobs/job_7" || !slices.Equal(*asked, []string{`POST /api/runs/resume {"status":"aborted","step":"ERP"} once`}) {
		t.Errorf("%d %s after %v", got.Code, got.Header().Get("Location"), *asked)
	}
}

func TestResumeOfNothing(t *testing.T) {
	for answer, says := range map[string]string{`{"matched":0}`: "nothing to resume", `422|{"status":422,"detail":"must name a status"}`: "must name a status"} {
		s := newSite(t)
		b := s.as(access.Operator)
		asksOf(s, map[string]string{"POST /api/runs/resume": answer})
		if page := b.get("/runs/resume?status=aborted").Body.String(); !strings.Contains(page, says) || strings.Contains(page, "Resume them all") {
			t.Errorf("%s: %s", answer, page)
		}
	}
}

// TestControlsThatAreRefused: why a run cannot be resumed stands on the page that asked.
func TestControlsThatAreRefused(t *testing.T) {
	for path, method := range map[string]string{"/runs/1/resume": "POST /api/runs/1/resume", "/runs/1/cancel": "POST /api/runs/1/cancel", "/orders/1/returns/1/cancel": "POST /api/orders/1/returns/1/cancel", "/carts/1/validate": "POST /api/carts/1/validate"} {
		s := newSite(t)
		b := s.as(access.Operator)
		asksOf(s, map[string]string{method: `409|{"status":409,"title":"Conflict","detail":"it has ended"}`})
		if got := b.post(path, url.Values{}); got.Code != http.StatusConflict || !strings.Contains(got.Body.String(), "it has ended") || !strings.Contains(got.Body.String(), `action="`+path) && !strings.Contains(got.Body.String(), `action="/`) {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

func TestVersionsOfAnOrder(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	asksOf(s, map[string]string{
		"GET /api/orders/1":            `{"id":"1","version":3,"modified":"x","orderForm":{"total":2.0,"lineItems":[{"lineItemId":"X","quantity":1},{"lineItemId":"A","quantity":2},{"lineItemId":"B","quantity":1}]}}`,
		"GET /api/orders/1/versions/2": `{"id":"1","version":2,"modified":"y","orderForm":{"total":2.00,"lineItems":[{"lineItemId":"A","quantity":1},{"lineItemId":"B","quantity":1}]}}`,
		"GET /api/orders/1/versions/1": `404|{"status":404,"detail":"no version 1"}`,
	})
	page := b.get("/orders/1/versions").Body.String()
	if strings.Contains(page, "Later →") || !strings.Contains(page, `href="/orders/1/versions?version=2&amp;with=1" rel="prev"`) {
		t.Errorf("beside the newest version is %s", page)
	}
	if !strings.Contains(page, "orderForm.lineItems[A].quantity") || strings.Contains(page, "orderForm.total</code>") || strings.Contains(page, "lineItems[B]") || !strings.Contains(page, "between version 2 and 3") {
		t.Errorf("elements are not compared by their keys: %s", page)
	}
	if page = b.get("/orders/1/versions?version=3&with=1").Body.String(); !strings.Contains(page, "no version 1") || !strings.Contains(page, "Version 3") {
		t.Errorf("a version that is gone: %s", page)
	}
	asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":3}`, "GET /api/orders/1/versions/2": `{"id":"1","version":2}`,
		"GET /api/orders/1/history": `{"items":[{"version":3,"operation":"WorkflowEnded"},{"version":3,"operation":"Patched","changes":[{"path":"a"}]},{"version":3,"operation":"Conflict","changes":[{"path":"b"}]},{"operation":"WorkflowStepWaits"},{"version":2,"operation":"WorkflowEnded"},{"version":2,"operation":"StatusChanged"}]}`})
	page = b.get("/orders/1/versions").Body.String()
	if _, made, _ := strings.Cut(page, "What made the versions</h2>"); strings.Count(made, "<tr>") != 3 || !strings.Contains(made, "Conflict") || !strings.Contains(made, ">Status ") || strings.Contains(made, "Run ended") {
		t.Errorf("what made the versions is %s", made)
	}
	for _, wrong := range []string{"version=0", "version=4", "with=x", "with=-1"} {
		if got := b.get("/orders/1/versions?" + wrong); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "from 1 to 3") {
			t.Errorf("%s: %d", wrong, got.Code)
		}
	}
}

// TestBlameOfAField: who set a value is a link from where the value stands.
func TestBlameOfAField(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	asked := asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":3,"a/b":[1.50]}`, "GET /api/orders/1/blame": `{"items":[
		{"path":"a/b[#0]","pointer":"/a~1b/0","value":1.50,"version":3,"before":1.5,"source":{"operation":"ExecuteExportOrder","step":"S","displayName":"Price","attemptId":"att_1","callId":"call_1"}},
		{"path":"id","pointer":"/id","value":"1","version":1,"added":true,"source":{"operation":"Created","by":"key key_1","keyName":"shop"}},
		{"path":"old","pointer":"/old","value":null,"unknown":"olderThanKept"},{"path":"called","pointer":"/called","value":2,"version":2,"before":null,"source":{"operation":"X","step":"S","callId":"call_2"}}]}`})
	page := b.get("/orders/1").Body.String()
	for _, link := range []string{`"/orders/1/blame?all=true&amp;path=%2Fa~1b%2F0"`, `"/orders/1/blame?all=true&amp;path=%2Fa~1b"`} {
		if !strings.Contains(page, link) {
			t.Errorf("the document does not lead to %s: %s", link, page)
		}
	}
	if strings.Contains(page, `path="`) || strings.Contains(page, `all=true&amp;path=&`) {
		t.Error("the whole order has a blame of its own")
	}
	page = b.get("/orders/1/blame?path=%2Fa~1b%2F0&all=true").Body.String()
	if !slices.Contains(*asked, "GET /api/orders/1/blame?all=true&path=%2Fa~1b%2F0") {
		t.Errorf("asked %v", *asked)
	}
	for _, want := range []string{`All values of <code>/a~1b/0</code>`, `<a href="/attempts/att_1">Price</a>`, `<ins>1.50</ins>`, `<del>1.5</del>`, `"/orders/1/versions?version=3&amp;with=2"`, "Created", "shop", "older than the versions that are kept", `"/attempts?callId=call_2"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s: %s", want, page)
		}
	}
	if strings.Contains(page, "version=1&amp;with=0") {
		t.Error("the first version is compared with none")
	}
}

func TestOrdersOfASubscription(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	asked := asksOf(s, nil)
	b.get("/subscriptions/S%2F1?subscriptionId=other")
	if !slices.Contains(*asked, "GET /api/orders?count=true&subscriptionId=S%2F1") || !slices.Contains(*asked, "GET /api/attempts?limit=20&subscriptionId=S%2F1") {
		t.Errorf("asked %v", *asked)
	}
}

func TestCancelAReturn(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Publisher)
	asked := asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1,"returnOrderForms":[{"returnId":"R1","status":"Returned","lineItems":[{"lineItemId":"L1","code":"SHOE","returnQuantity":2}]},{"returnId":"R2","status":"cancelled"}]}`, "POST /api/orders/1/returns/R1/cancel": `{}`})
	if page := b.get("/orders/1").Body.String(); !strings.Contains(page, "/orders/1/returns/R1/cancel") || strings.Contains(page, "/orders/1/returns/R2/cancel") {
		t.Errorf("what can be canceled: %s", page)
	}
	if page := b.get("/orders/1/returns/R1/cancel").Body.String(); !strings.Contains(page, "2 × SHOE") {
		t.Errorf("it does not say what is returned: %s", page)
	}
	if got := b.get("/orders/1/returns/R3/cancel"); got.Code != http.StatusNotFound {
		t.Errorf("a return that is not there: %d", got.Code)
	}
	if got := b.post("/orders/1/returns/R1/cancel", url.Values{"once": {"k"}}); got.Header().Get("Location") != "/orders/1?done=canceled" || !slices.Contains(*asked, "POST /api/orders/1/returns/R1/cancel once") {
		t.Errorf("%d after %v", got.Code, *asked)
	}
}

// TestEraseAnOrder: it is erased by who writes its id, and by nobody else.
func TestEraseAnOrder(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Publisher)
	asked := asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1}`, "DELETE /api/orders/1": ``})
	const erases = "DELETE /api/orders/1?permanently=true"
	for _, wrong := range []string{"", "2", " 1"} {
		if got := b.post("/orders/1/erase", url.Values{"id": {wrong}}); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "nothing was erased") || slices.Contains(*asked, erases) {
			t.Errorf("with the id %q: %d, %v", wrong, got.Code, *asked)
		}
	}
	if got := b.post("/orders/1/erase", url.Values{"id": {"1"}}); got.Header().Get("Location") != "/orders?done=erased" || !slices.Contains(*asked, erases) {
		t.Errorf("%d, %v", got.Code, *asked)
	}
}

func TestStepsOfARun(t *testing.T) {
	steps := []stepItem{{ActionStatus: run.ActionSuccess}, {ActionStatus: run.ActionPending}, {ActionStatus: run.ActionPending}}
	says := func(r runItem) (out []string) {
		for _, s := range r.Steps() {
			out = append(out, fmt.Sprint(s.Number, " ", s.Says()))
		}
		return out
	}
	if got := says(runItem{Status: run.RunRunning, Results: steps}); !slices.Equal(got, []string{"1 success", "2 under way", "3 to come"}) {
		t.Errorf("of a run that goes on: %v", got)
	}
	if got := says(runItem{Status: run.RunCanceled, Results: steps}); !slices.Equal(got, []string{"1 success", "2 to come", "3 to come"}) {
		t.Errorf("of one that has ended: %v", got)
	}
	if steps[1].Here {
		t.Error("the picture changed the run")
	}
	for _, s := range []run.ActionStatus{run.ActionSuccess, run.ActionWarning, run.ActionError, run.ActionPending, run.ActionSkipped, run.ActionWouldRun} {
		if (stepItem{ActionStatus: s}).Says() == "" || (stepItem{ActionStatus: s}).Tone() == "" {
			t.Errorf("%s is not shown", s)
		}
	}
}

func TestValidateACart(t *testing.T) {
	for answer, notice := range map[string]string{`{"isValidatedSuccessful":true}`: "valid", `{"isValidatedSuccessful":false}`: "not-valid"} {
		s := newSite(t)
		b := s.as(access.Publisher)
		asksOf(s, map[string]string{"POST /api/carts/1/validate": answer})
		if got := b.post("/carts/1/validate", url.Values{}); got.Header().Get("Location") != "/carts/1?done="+notice {
			t.Errorf("%s: %d %s", answer, got.Code, got.Header().Get("Location"))
		}
	}
}

// TestEmptyPages: who has nothing yet is told the command that makes something, with the
// address of this server.
func TestEmptyPages(t *testing.T) {
	for page, list := range map[string]string{"/orders": "/api/orders", "/carts": "/api/carts", "/runs": "/api/runs"} {
		s := newSite(t)
		b := s.as(access.Reader)
		asksOf(s, map[string]string{"GET " + list: `{"items":[],"count":0}`})
		if got := b.get(page).Body.String(); !strings.Contains(got, "curl") || !strings.Contains(got, "http://example.com/api/") || strings.Contains(got, "in all") {
			t.Errorf("%s: %s", page, got)
		}
	}
}

// TestPartsOfAnOrder: another order may have a shipment, or a return, of the same name, so
// the links about one name the order, too.
func TestPartsOfAnOrder(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	asksOf(s, map[string]string{
		"GET /api/orders/1":   `{"id":"1","version":1,"orderForm":{"shipments":[{"shipmentId":"S"}]},"returnOrderForms":[{"returnId":"R"}]}`,
		"GET /api/attempts/1": `{"id":"1","orderId":"1","shipmentId":"S","returnId":"R"}`,
		"GET /api/events/1":   `{"id":"1","type":"a","orderId":"1","shipmentId":"S","returnId":"R","deliveries":[]}`,
	})
	for page, list := range map[string]string{"/orders/1": "attempts", "/attempts/1": "attempts", "/events/1": "events"} {
		got := html.UnescapeString(b.get(page).Body.String())
		for _, link := range []string{"/" + list + "?orderId=1&shipmentId=S", "/" + list + "?orderId=1&returnId=R"} {
			if !strings.Contains(got, `href="`+link+`"`) {
				t.Errorf("%s has no link to %s: %s", page, link, got)
			}
		}
	}
}

// TestStatusOfAShipmentThatIsNotListed: it stays chosen, since the form would mean the order
// without it.
func TestStatusOfAShipmentThatIsNotListed(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Publisher)
	asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1,"orderForm":{"shipments":[` + strings.Repeat(`{"shipmentId":"S"},`, mostLines) + `{"shipmentId":"S9"}]}}`})
	for id, want := range map[string]int{"S9": 1, "S": mostLines} {
		page := b.get("/orders/1/status?status=Taxed&shipmentId=" + id).Body.String()
		if n := strings.Count(page, `<option value="`+id+`" selected>`); n != want {
			t.Errorf("%s is %d times chosen: %s", id, n, page)
		}
	}
}

// TestLargeOrders: what a page makes of an order is bounded, however many lines, errors
// or shipments it has, and says that there is more.
func TestLargeOrders(t *testing.T) {
	many := func(element string) string { return "[" + strings.Repeat(element+",", 5000) + element + "]" }
	s := newSite(t)
	b := s.as(access.Operator)
	asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1,"errors":` + many(`{"message":"an error"}`) + `,"orderForm":{"lineItems":` + many(`{"code":"SHOE"}`) + `,"shipments":` + many(`{"shipmentId":"S"}`) + `},"returnOrderForms":` + many(`{"returnId":"R"}`) + `}`})
	page := b.get("/orders/1").Body.String()
	if len(page) > 2<<20 || !strings.Contains(page, "4,951 more, in the document") || !strings.Contains(page, "are shown. <a") || !strings.Contains(page, "There are more errors, in the document") {
		t.Errorf("a page of %d bytes", len(page))
	}
	for what, text := range map[string]string{"errors": `<p class="problem">`, "shipments": "Webhooks of this shipment", "returns": "Webhooks of this return"} {
		if n := strings.Count(page, text); n != mostLines {
			t.Errorf("%d %s are shown", n, what)
		}
	}
}

// TestRunsThatNeedAHand: the page of an order offers what can be done about its runs that
// go on, and about its newest one; an older one that was stopped is history.
func TestRunsThatNeedAHand(t *testing.T) {
	run := func(id, status string) string {
		return fmt.Sprintf(`{"id":%q,"orderId":"1","status":%q,"reason":"because"}`, id, status)
	}
	for name, c := range map[string]struct {
		runs         []string
		shown, alone []string
	}{
		"the newest was stopped":  {[]string{run("r3", "aborted"), run("r2", "aborted")}, []string{"/runs/r3/resume"}, []string{"/runs/r2/resume"}},
		"it went well since then": {[]string{run("r3", "succeeded"), run("r2", "aborted")}, nil, []string{"/runs/r3/resume", "/runs/r2/resume"}},
		"one goes on, one waits":  {[]string{run("r3", "waiting"), run("r2", "running")}, []string{"/runs/r3/cancel", "/runs/r2/cancel"}, []string{"/runs/r3/resume"}},
	} {
		s := newSite(t)
		b := s.as(access.Operator)
		asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","version":1,"errors":[{"message":"told by the run","runId":"r3"},{"message":"told by nobody","runId":"r1"}]}`, "GET /api/runs": `{"items":[` + strings.Join(c.runs, ",") + `]}`, "GET /api/runs/r3": c.runs[0]})
		page := b.get("/orders/1").Body.String()
		for _, want := range c.shown {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %s is not offered", name, want)
			}
		}
		for _, no := range c.alone {
			if strings.Contains(page, no) {
				t.Errorf("%s: %s is offered", name, no)
			}
		}
		if !strings.Contains(page, `<p class="problem">told by nobody`) || strings.Contains(page, `<p class="problem">told by the run`) == (len(c.shown) > 0) {
			t.Errorf("%s: the errors that are shown: %s", name, page)
		}
	}
}

// TestResultsOfValidators: what each one answered is read from what was recorded.
func TestResultsOfValidators(t *testing.T) {
	for body, says := range map[string][]string{
		`{"isValidatedSuccessful":true,"value":{"marketId":"NOR"}}`:                                              {">passed<", "returned a cart to apply"},
		`{"isValidatedSuccessful":false,"validationMessage":"Sorry","validationErrors":[{"message":"No more"}]}`: {">not passed<", "Sorry", "No more"},
		``:    {">passed<"},
		`[`:   {"no answer that can be read"},
		`{"x`: {"no answer that can be read"},
	} {
		s := newSite(t)
		b := s.as(access.Reader)
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		asksOf(s, map[string]string{"GET /api/attempts": `{"items":[{"id":"a1","outcome":"succeeded","status":200}]}`, "GET /api/attempts/a1": `{"id":"a1","outcome":"succeeded","response":{"body":` + string(text) + `}}`})
		page := b.get("/carts/1").Body.String()
		for _, want := range says {
			if !strings.Contains(page, want) {
				t.Errorf("%q: the page does not say %s: %s", body, want, page)
			}
		}
	}
}

// TestTheTimelineLeadsToVersions: what an entry changed is one click away, also of entries
// that list no fields; nothing was before the first version.
func TestTheTimelineLeadsToVersions(t *testing.T) {
	s := newSite(t)
	s.answering("/api/orders/1", `{"id":"1","version":2,"status":"New"}`)
	s.answering("/api/orders/1/history", `{"items":[{"id":"h3","operation":"StatusChanged","timestamp":"2026-11-28T10:00:00Z"},{"id":"h2","operation":"ReturnCreated","version":2,"timestamp":"2026-11-28T10:00:00Z"},{"id":"h1","operation":"Created","version":1,"timestamp":"2026-11-28T09:00:00Z"}]}`)
	got := s.as(access.Reader).get("/orders/1").Body.String()
	if !strings.Contains(got, `href="/orders/1/versions?version=2" title="Beside the version before">v2</a>`) || !strings.Contains(got, "<small>v1</small>") || strings.Contains(got, ">v0<") {
		t.Error(got)
	}
}

// TestARunThatCannotBeResumed says why, wherever it would have been resumed.
func TestARunThatCannotBeResumed(t *testing.T) {
	const why = "the status is Elsewhere by now, which the run did not set"
	for _, c := range []struct{ path, not string }{
		{"/runs/R1", "Resume…"}, {"/runs/R1/resume", "Resume the run</button>"}, {"/orders/1", "Resume…"}, {"/attempts/1", "Resume the run…"},
	} {
		for _, stuck := range []bool{true, false} {
			run, reason := `{"id":"R1","orderId":"1","status":"aborted","resumable":true`, `}`
			if stuck {
				reason = `,"notResumable":"` + why + `"}`
			}
			s := newSite(t)
			asksOf(s, map[string]string{"GET /api/runs": `{"items":[` + run + `}]}`, "GET /api/runs/R1": run + reason, "GET /api/orders/1": `{"id":"1","status":"Elsewhere","version":1}`,
				"GET /api/attempts/1": `{"id":"1","kind":"step","runId":"R1","request":{}}`})
			got := s.as(access.Operator).get(c.path)
			page := html.UnescapeString(got.Body.String())
			if got.Code != 200 || strings.Contains(page, "annot be resumed: "+why) != stuck || strings.Contains(page, c.not) == stuck {
				t.Errorf("%s, stuck %v: %d %s", c.path, stuck, got.Code, page)
			}
		}
	}
}

// TestACartIsOpened by its id.
func TestACartIsOpened(t *testing.T) {
	b := newSite(t).as(access.Reader)
	if got := b.get("/carts?id=+C%2F1+").Header().Get("Location"); got != "/carts/C%2F1" {
		t.Error(got)
	}
	if got := b.get("/carts").Body.String(); !strings.Contains(got, `id="filter-id" name="id"`) {
		t.Error(got)
	}
}

// TestWhatIsWrongWithAStatus is told by the label of its field.
func TestWhatIsWrongWithAStatus(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Publisher)
	asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","status":"New","version":1}`, "POST /api/orders/1/status": `422|{"status":422,"title":"Unprocessable","errors":[{"location":"body.status","message":"is too long"},{"location":"body.shipmentId","message":"is none"}]}`})
	got := b.get("/orders/1/status?status=Taxed").Body.String()
	if strings.Contains(got, "body.status") || strings.Contains(got, "body.shipmentId") || !strings.Contains(got, `<a href="#field-status">Enter the status</a>: is too long`) || !strings.Contains(got, `id="field-status-error">is too long<`) {
		t.Error(got)
	}
}

// TestAnErrorLeadsToAFieldThatIsThere: of a status change, whatever the form shows. Every link
// to a place of the page has its element.
func TestAnErrorLeadsToAFieldThatIsThere(t *testing.T) {
	link := regexp.MustCompile(`href="#([^"]+)"`)
	for query, marked := range map[string]bool{"&shipmentId=S9": true, "&returnId=R1": false, "&returnId=R1&shipmentId=S9": false, "": false} {
		s := newSite(t)
		asksOf(s, map[string]string{"GET /api/orders/1": `{"id":"1","status":"New","version":1}`,
			"POST /api/orders/1/status": `422|{"status":422,"errors":[{"location":"body.shipmentId","message":"the order has no such shipment"},{"location":"body.skipRunWorkflow","message":"is odd"}]}`})
		page := s.as(access.Publisher).get("/orders/1/status?status=Taxed" + query).Body.String()
		if !strings.Contains(page, "the order has no such shipment") || len(link.FindAllString(page, -1)) == 0 {
			t.Errorf("%s: %s", query, page)
		}
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if !strings.Contains(page, `id="`+m[1]+`"`) {
				t.Errorf("%s: nothing has the id %s", query, m[1])
			}
		}
		if got := strings.Contains(page, `id="field-shipmentId-error">the order has`); got != marked {
			t.Errorf("%s: the field is marked: %v", query, got)
		}
	}
}
