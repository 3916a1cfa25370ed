package dash

import (
	"cmp"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/orderhook/orderhook/internal/access"
)

// TestWhatHelpsAnEndpoint: the overview has the buttons that help an endpoint in trouble, and
// none that would be refused.
func TestWhatHelpsAnEndpoint(t *testing.T) {
	const test, on, recovers, how = "/endpoints/1/test", "/endpoints/1/enable", "/endpoints/1/recover", `/endpoints/1">How to turn it on<`
	for name, c := range map[string]struct {
		endpoint string
		has      []string
	}{
		"fails":              {`"enabled":true,"origin":"api"`, []string{test, recovers}},
		"off":                {`"enabled":false,"origin":"api"`, []string{test, on}},
		"of the config file": {`"enabled":true,"origin":"webHook"`, []string{test, recovers}},
		"off, of the file":   {`"enabled":false,"origin":"webHook"`, []string{test, how}},
		"of an ExportOrder":  {`"enabled":true,"origin":"connector"`, []string{recovers}},
		"shown to a reader":  {`"enabled":true,"origin":"api"`, nil},
	} {
		s := newSite(t)
		s.answering("/api/overview", `{"stuck":{"endpoints":{"count":1,"items":[{"id":"1","url":"https://a/",`+c.endpoint+`,"health":{"failingSince":"2026-11-28T10:00:00Z","circuit":"open"}}]}}}`)
		role := access.Operator
		if c.has == nil {
			role = access.Reader
		}
		got := s.as(role).get("/")
		page := html.UnescapeString(got.Body.String())
		for _, link := range []string{test, on, recovers, how} {
			if shown, want := strings.Contains(page, `href="`+strings.TrimSuffix(link, "<")), strings.Contains(strings.Join(c.has, " "), link); shown != want || got.Code != http.StatusOK {
				t.Errorf("%s: %d, %s is shown: %v", name, got.Code, link, shown)
			}
		}
	}
}

// TestHowAnEndpointIsTurnedOn that the dashboard cannot turn on: its page says it, and so does
// the page that would turn it on.
func TestHowAnEndpointIsTurnedOn(t *testing.T) {
	s := newSite(t)
	s.answering("/api/endpoints/1", `{"id":"1","url":"https://a/","origin":"webHook","enabled":false}`)
	b := s.as(access.Operator)
	for _, path := range []string{"/endpoints/1", "/endpoints/1/enable"} {
		if page := b.get(path).Body.String(); !strings.Contains(page, "turned on when the server starts with that section enabled") || strings.Contains(page, "Turn it on<") || strings.Contains(page, "Turn on…") {
			t.Errorf("%s: %s", path, page)
		}
	}
	s.answering("/api/endpoints/1", `{"id":"1","url":"https://a/","origin":"webHook","enabled":true}`)
	if page := b.get("/endpoints/1").Body.String(); !strings.Contains(page, "the config file, and is changed there") {
		t.Error(page)
	}
}

// TestABulkResumeIsOffered where the filter of the list picks a run that can be resumed, or
// nobody has looked far enough; to those who may.
func TestABulkResumeIsOffered(t *testing.T) {
	const some, none = `{"items":[{"id":"R0","status":"aborted"}]}`, `{"items":[]}`
	for name, c := range map[string]struct {
		query, resumable string
		role             access.Role
		asked            string // what decides it; "": nothing is asked
		link             string
	}{
		"some":               {"", some, access.Operator, "limit=1&resumable=true", "/runs/resume?status=aborted"},
		"none":               {"", none, access.Operator, "limit=1&resumable=true", ""},
		"perhaps some":       {"", `{"items":[],"nextCursor":"c"}`, access.Operator, "limit=1&resumable=true", "/runs/resume?status=aborted"},
		"with a filter":      {"?step=ERP&resumable=true&canceled=false&cursor=c", some, access.Operator, "limit=1&resumable=true&step=ERP", "/runs/resume?status=aborted&step=ERP"},
		"of aborted ones":    {"?status=aborted", some, access.Operator, "limit=1&resumable=true&status=aborted", "/runs/resume?status=aborted"},
		"of others":          {"?status=failed", some, access.Operator, "", ""},
		"of canceled ones":   {"?canceled=true", some, access.Operator, "", ""},
		"who may not resume": {"", some, access.Publisher, "", ""},
	} {
		s := newSite(t)
		asked, before := "", s.API
		s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch query := r.URL.Query(); {
			case r.URL.Path != "/api/runs":
				before.ServeHTTP(w, r)
			case query.Get("limit") == "1":
				asked = query.Encode()
				_, _ = io.WriteString(w, c.resumable)
			default:
				_, _ = io.WriteString(w, `{"items":[{"id":"R1","status":"succeeded"}]}`)
			}
		})
		page := html.UnescapeString(s.as(c.role).get("/runs" + c.query).Body.String())
		if asked != c.asked || strings.Contains(page, "Resume all aborted runs") != (c.link != "") || c.link != "" && !strings.Contains(page, `href="`+c.link+`"`) {
			t.Errorf("%s: asked %q: %s", name, asked, page)
		}
	}
}

// TestAnEmptyOverview says what to do first, and only as long as nothing was ever sent.
func TestAnEmptyOverview(t *testing.T) {
	for answer, empty := range map[string]bool{
		`{}`:                                 true,
		`{"lastDay":{"total":{"failed":1}}}`: false,
		`{"waiting":{"waitingRuns":{"count":1}}}`:             false,
		`{"stuck":{"runs":{"count":1,"items":[{"id":"1"}]}}}`: false,
	} {
		s := newSite(t)
		s.answering("/api/overview", answer)
		if page := s.as(access.Reader).get("/").Body.String(); strings.Contains(page, "Nothing has been sent yet") != empty || empty && !strings.Contains(page, "curl http://example.com/api/endpoints") {
			t.Errorf("%s: %s", answer, page)
		}
	}
}

// TestWhatHelpsARun: one that was aborted is resumed; where one has failed its status is
// entered again, for what it was for. A reader gets neither button.
func TestWhatHelpsARun(t *testing.T) {
	const resume, again = "/runs/R1/resume", "/orders/O%2F1/status?returnId=RET+1&shipmentId=S%261&status=To+Pack"
	for name, c := range map[string]struct {
		status string
		role   access.Role
		has    string
	}{
		"aborted":             {"aborted", access.Operator, resume},
		"failed":              {"failed", access.Operator, again},
		"failed, publisher":   {"failed", access.Publisher, again},
		"aborted, publisher":  {"aborted", access.Publisher, ""},
		"aborted, for reader": {"aborted", access.Reader, ""},
		"failed, for reader":  {"failed", access.Reader, ""},
	} {
		s := newSite(t)
		run := `{"id":"R1","orderId":"O/1","status":"` + c.status + `","enteredStatus":"To Pack","shipmentId":"S&1","returnId":"RET 1","created":"2026-11-28T10:00:00Z"}`
		s.answering("/api/overview", `{"stuck":{"runs":{"count":1,"items":[`+run+`]}}}`)
		s.answering("/api/runs/R1", run)
		for _, path := range []string{"/", "/runs/R1"} {
			got := s.as(c.role).get(path)
			page := html.UnescapeString(got.Body.String())
			if all := strings.Contains(page, "Resume all…"); all != (c.has == resume && path == "/") {
				t.Errorf("%s: %s: all can be resumed: %v", name, path, all)
			}
			for _, link := range []string{resume, again} {
				if shown := strings.Contains(page, `href="`+link+`"`); shown != (link == c.has) || got.Code != http.StatusOK {
					t.Errorf("%s: %s: %d, %s is shown: %v", name, path, got.Code, link, shown)
				}
			}
		}
	}
}

// TestResumeAllBehindTheFailed: where all runs that are shown have failed, the aborted ones
// behind them can be resumed all the same.
func TestResumeAllBehindTheFailed(t *testing.T) {
	for _, c := range []struct {
		count, aborted string
		shown          bool
	}{
		{"2", `{"items":[{"id":"R0","status":"aborted"}]}`, true},
		{"2", `{"items":[]}`, false},
		{"1", `{"items":[{"id":"R0","status":"aborted"}]}`, false}, // an old one, which is not stuck
	} {
		s := newSite(t)
		s.answering("/api/overview", `{"stuck":{"runs":{"count":`+c.count+`,"items":[{"id":"R1","orderId":"1","status":"failed"}]}}}`)
		s.answering("/api/runs", c.aborted)
		if page := s.as(access.Operator).get("/").Body.String(); strings.Contains(page, "Resume all…") != c.shown {
			t.Errorf("%+v: %s", c, page)
		}
	}
}

// TestWhatHelpsAConnector: where calls wait for its breaker it is tried now, by who may.
func TestWhatHelpsAConnector(t *testing.T) {
	for name, c := range map[string]struct {
		connector string
		role      access.Role
		link      string
	}{
		"open":             {`"connectorId":"my erp","breaker":{"circuit":"open"}`, access.Operator, "/workflows/connectors/try?connectorId=my+erp"},
		"half open, no id": {`"breaker":{"circuit":"halfOpen"}`, access.Operator, "/workflows/connectors/try?name=W"},
		"closed":           {`"connectorId":"erp","breaker":{"circuit":"closed"}`, access.Operator, ""},
		"for a publisher":  {`"connectorId":"erp","breaker":{"circuit":"open"}`, access.Publisher, ""},
	} {
		s := newSite(t)
		s.answering("/api/overview", `{"stuck":{"connectors":{"count":1,"items":[{"name":"W",`+c.connector+`}]}}}`)
		s.answering("/api/connectors/health", `{"items":[{"name":"W",`+c.connector+`}]}`)
		s.answering("/api/settings/history", `{"items":[{"version":1}]}`)
		s.answering("/api/settings/1", `{"connectors":[{"name":"W",`+c.connector+`}]}`)
		for _, path := range []string{"/", "/workflows/connectors"} {
			page := html.UnescapeString(s.as(c.role).get(path).Body.String())
			if shown := strings.Contains(page, "Try now…"); shown != (c.link != "") || !strings.Contains(page, c.link) {
				t.Errorf("%s: %s: it can be tried: %v: %s", name, path, shown, page)
			}
		}
		if c.role != access.Operator {
			continue
		}
		if page := s.as(c.role).get(cmp.Or(c.link, "/workflows/connectors/try?connectorId=erp")).Body.String(); strings.Contains(page, ">Try now</button>") != (c.link != "") {
			t.Errorf("%s: %s", name, page)
		}
	}
}

// TestWhyAnEndpointIsInTrouble: one that was turned off says why, and since when that is;
// one that fails with what, how often, and since when.
func TestWhyAnEndpointIsInTrouble(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint string
		says     []string
		not      string
	}{
		"answered 410":  {`"enabled":false,"disabledReason":"the endpoint answered 410 Gone","disabledAt":"2026-11-28T09:00:00Z","health":{"circuit":"closed"}`, []string{"the endpoint answered 410 Gone", "2026-11-28T09:00:00Z"}, "failed in a row"},
		"failed always": {`"enabled":false,"disabledReason":"nothing but failures since Monday","disabledAt":"2026-11-28T09:00:00Z","health":{"circuit":"closed","consecutiveFailures":1200,"failingSince":"2026-11-20T09:00:00Z"}`, []string{"nothing but failures since Monday", "2026-11-28T09:00:00Z", "1,200 failed in a row"}, "2026-11-20T09"},
		"fails":         {`"enabled":true,"health":{"circuit":"open","lastError":"no answer","consecutiveFailures":3,"failingSince":"2026-11-20T09:00:00Z"}`, []string{"no answer", "3 failed in a row", "2026-11-20T09:00:00Z"}, "orderhook turned it off"},
	} {
		s := newSite(t)
		s.answering("/api/overview", `{"stuck":{"endpoints":{"count":1,"items":[{"id":"1","url":"https://a/",`+c.endpoint+`}]}}}`)
		page := html.UnescapeString(s.as(access.Reader).get("/").Body.String())
		_, row, _ := strings.Cut(page, `<td data-label="Webhook"`)
		row, _, _ = strings.Cut(row, "</tr>")
		for _, text := range c.says {
			if !strings.Contains(row, text) {
				t.Errorf("%s: no %q: %s", name, text, row)
			}
		}
		if strings.Contains(row, c.not) {
			t.Errorf("%s: says %q: %s", name, c.not, row)
		}
	}
	s := newSite(t)
	s.answering("/api/endpoints/1", `{"id":"1","origin":"api","disabledReason":"the endpoint answered 410 Gone","disabledAt":"2026-11-28T09:00:00Z"}`)
	for _, path := range []string{"/endpoints/1", "/endpoints/1/enable"} {
		if page := s.as(access.Operator).get(path).Body.String(); !strings.Contains(page, "410 Gone") || !strings.Contains(page, "2026-11-28 09:00:00") {
			t.Errorf("%s: %s", path, page)
		}
	}
}

// TestWhatHelpsADelivery: where its endpoint is off, that is turned on, if the dashboard can;
// only what can be sent now is sent again.
func TestWhatHelpsADelivery(t *testing.T) {
	const again, on, how, all = `href="/deliveries/d1/redeliver"`, `href="/endpoints/ep_1/enable"`, `href="/endpoints/ep_1">How to turn it on`, "Send all again…"
	const own, file = `{"origin":"api"}`, `{"origin":"webHook"}`
	for name, c := range map[string]struct {
		delivery, off, endpoint string
		has                     []string
	}{
		"on":               {"", `0`, own, []string{again, all}},
		"off":              {`,"endpointOff":true`, `1`, own, []string{on}},
		"off, of many":     {`,"endpointOff":true`, `0`, own, []string{on, all}},
		"off, of the file": {`,"endpointOff":true`, `1`, file, []string{how}},
	} {
		s := newSite(t)
		s.answering("/api/endpoints/ep_1", c.endpoint)
		s.answering("/api/overview", `{"stuck":{"deliveriesEndpointOff":{"count":`+c.off+`},"deliveries":{"count":1,"items":[{"id":"d1","endpointId":"ep_1"`+c.delivery+`}]}}}`)
		page := html.UnescapeString(s.as(access.Operator).get("/").Body.String())
		for _, link := range []string{again, on, how, all} {
			if shown, want := strings.Contains(page, link), slices.Contains(c.has, link); shown != want {
				t.Errorf("%s: %s is shown: %v", name, link, shown)
			}
		}
	}
}

// TestConnectorsThatWereNotLookedAt: the overview does not say that all is well without
// saying what it did not look at.
func TestConnectorsThatWereNotLookedAt(t *testing.T) {
	s := newSite(t)
	s.answering("/api/overview", `{"stuck":{"connectorsNotExamined":7,"connectors":{"count":0,"countCapped":true,"items":[]}}}`)
	if page := s.as(access.Reader).get("/").Body.String(); !strings.Contains(page, "Nothing is stuck, as far as was looked.") || !strings.Contains(page, "Of 7 connectors only the breaker") {
		t.Error(page)
	}
	s.answering("/api/overview", `{"stuck":{"connectorsNotExamined":7,"connectors":{"count":2,"countCapped":true,"items":[{"name":"W"}]}}}`)
	if page := html.UnescapeString(s.as(access.Reader).get("/").Body.String()); !strings.Contains(page, "Connectors in trouble: 2+") {
		t.Error(page)
	}
}

// TestPicturesAsTables: every figure of both pictures is in a table, which needs no mouse.
func TestPicturesAsTables(t *testing.T) {
	s := newSite(t)
	const series = `{"from":"2026-11-28T10:00:00Z","to":"2026-11-28T10:02:00Z","total":{"succeeded":3,"failed":1234},"points":[{"from":"2026-11-28T10:00:00Z","succeeded":3,"failed":1234,"p50Ms":1.5,"p99Ms":20},{"from":"2026-11-28T10:01:00Z"}]}`
	s.answering("/api/overview", `{"lastHour":`+series+`,"lastDay":`+series+`}`)
	page := html.UnescapeString(s.as(access.Reader).get("/").Body.String())
	for _, id := range []string{"table-hour", "table-day"} {
		_, table, _ := strings.Cut(page, `<details class="more" id="`+id+`">`)
		table, _, _ = strings.Cut(table, "</details>")
		if !strings.Contains(table, `href="/attempts?from=2026-11-28T10%3A00%3A00Z&to=2026-11-28T10%3A01%3A00Z"`) || !strings.Contains(table, "1,234") || strings.Count(table, "<tr>") != 2 {
			t.Errorf("%s: %s", id, table)
		}
	}
}
