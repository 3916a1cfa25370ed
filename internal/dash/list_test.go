package dash

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// asks notes what pages ask of the API.
func (s *site) asks() *[]*http.Request {
	var all []*http.Request
	s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all = append(all, r)
		fakeAPI(w, r)
	})
	return &all
}

func TestTotals(t *testing.T) {
	n := 10_000
	for want, l := range map[string]List[int]{"10,000+": {Count: &n, CountCapped: true}, "10,000": {Count: &n}, "": {}} {
		if got := l.Total(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// TestWhatIsCounted: the first page of a list, but not what a search in bodies finds.
func TestWhatIsCounted(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	asks := s.asks()
	for path, want := range map[string]bool{"/attempts": true, "/attempts?orderId=1": true, "/attempts?body=abc": false, "/attempts?cursor=x": false, "/attempts?body=abc&count=true": true} {
		*asks = nil
		b.get(path)
		if got := (*asks)[0].URL.Query().Get("count") == "true"; got != want {
			t.Errorf("%s asks for a count: %v", path, got)
		}
	}
}

// TestTheAPIIsAskedAsByTheCaller: its log, its limits by address and its audit log then
// tell of them.
func TestTheAPIIsAskedAsByTheCaller(t *testing.T) {
	s := newSite(t)
	asks := s.asks()
	b := s.as(access.Admin)
	got := b.get("/attempts")
	for i, r := range *asks {
		if r.RemoteAddr != "192.0.2.1:1234" { // that of httptest
			t.Errorf("call %d comes from %q", i, r.RemoteAddr)
		}
	}
	if id := (*asks)[1].Header.Get("X-Request-Id"); id == "" || id != got.Header().Get("X-Request-Id") {
		t.Errorf("the API's request has the id %q, the page's %q", id, got.Header().Get("X-Request-Id"))
	}
	if len((*asks)[1].Cookies()) > 0 || (*asks)[1].Header.Get("Authorization") != "" {
		t.Error("the API gets the cookie, or a key")
	}
}

// TestWhichPagesAreLive: the beginning of a list, and no page of what is older.
func TestWhichPagesAreLive(t *testing.T) {
	b := newSite(t).as(access.Reader)
	for path, want := range map[string]bool{"/attempts": true, "/attempts?cursor=x": false} {
		if got := strings.Contains(b.get(path).Body.String(), `data-topic="attempts"`); got != want {
			t.Errorf("%s is live: %v", path, got)
		}
	}
}

func TestFiltersAndPages(t *testing.T) {
	at, _ := url.Parse("/attempts?orderId=A%26B&cursor=c1&done=saved&kind=event")
	f := newFilters(at, attemptFilters, attemptMore)
	if len(f.Active) != 2 || f.Active[0].Without != "/attempts?kind=event" || f.Active[1].Without != "/attempts?orderId=A%26B" || f.Open {
		t.Errorf("%+v, open: %v", f.Active, f.Open)
	}
	l := List[int]{Items: []int{1}, NextCursor: "c2"}
	if p := newPaging(at, &l); p.First != "/attempts?kind=event&orderId=A%26B" || p.Next != "/attempts?cursor=c2&kind=event&orderId=A%26B" {
		t.Errorf("%+v", p)
	}
	at.RawQuery = "runId=r"
	if f := newFilters(at, attemptFilters, attemptMore); !f.Open {
		t.Error("a filter that is used is hidden")
	}
}

func TestPictures(t *testing.T) {
	s := callSeries{To: time.Date(2026, 11, 28, 10, 2, 0, 0, time.UTC)}
	s.Points = append(s.Points, s.Points...)
	for i, n := range [][2]int{{999, 1}, {0, 0}} {
		s.Points = append(s.Points, struct {
			From time.Time
			callCounts
		}{s.To.Add(time.Duration(i-2) * time.Minute), callCounts{Succeeded: n[0], Failed: n[1]}})
	}
	p := newPicture("day", "x", s)
	if b := p.Bars[0]; p.Most != 1000 || b.Failed != 2 || b.FailedY != 98 || b.GoodY < 0 || b.GoodY+b.Good > 100 {
		t.Errorf("one failure of 1,000: %+v", b)
	}
	if b := p.Bars[1]; b.Good != 0 || b.Failed != 0 || b.URL != "/attempts?from=2026-11-28T10%3A01%3A00Z&to=2026-11-28T10%3A02%3A00Z" {
		t.Errorf("a minute without calls: %+v", b)
	}
	s.Points[0].From, s.Points[1].From = s.To.Add(-2*time.Minute), s.To.Add(-time.Minute)
	if b := newPicture("day", "x", s).Bars[0]; b.URL != "/attempts?from=2026-11-28T10%3A00%3A00Z&to=2026-11-28T10%3A01%3A00Z" {
		t.Errorf("the first minute leads to %s", b.URL)
	}
}

// TestAnyTime is what a list shows while its URL bounds no time.
func TestAnyTime(t *testing.T) {
	for query, here := range map[string]bool{"": true, "?status=500": true, "?from=2026-11-28T10:00:00Z": false, "?to=2026-11-28T10:00:00Z": false} {
		page := newSite(t).as(access.Reader).get("/attempts" + query).Body.String()
		if shown := strings.Contains(page, `aria-current="true">any time`); shown != here {
			t.Errorf("%s: any time is marked: %v", query, shown)
		}
	}
}

// TestWhatComesNext for a call, by what it belongs to.
func TestWhatComesNext(t *testing.T) {
	for name, c := range map[string]struct {
		attempt, of, answer string
		role                access.Role
		want, not           string
	}{
		"a delivery that is repeated": {`"deliveryId":"1"`, "deliveries", `{"status":"pending","attempts":2,"nextAttemptAt":"2026-11-28T12:00:05Z"}`, access.Operator, `try 3, by itself, <time datetime="2026-11-28T12:00:05Z"`, "nothing by itself"},
		"one that a button helps":     {`"deliveryId":"1"`, "deliveries", `{"status":"failed"}`, access.Operator, `href="/deliveries/1/redeliver"`, "by itself, <time"},
		"one that a reader looks at":  {`"deliveryId":"1"`, "deliveries", `{"status":"failed"}`, access.Reader, "nothing by itself", "/redeliver"},
		"one whose endpoint is gone":  {`"deliveryId":"1"`, "deliveries", `{"status":"failed","endpointRemoved":true}`, access.Operator, "The endpoint was removed.", "/redeliver"},
		"one that arrived":            {`"deliveryId":"1"`, "deliveries", `{"status":"succeeded"}`, access.Operator, "delivery succeeded", "/redeliver"},
		"one that waits for its turn": {`"deliveryId":"1"`, "deliveries", `{"status":"pending","waitsFor":"order/O-1"}`, access.Operator, "an earlier event of order/O-1", "by itself, <time"},
		"a run that was stopped":      {`"runId":"1"`, "runs", `{"status":"aborted","reason":"no tax"}`, access.Operator, `href="/runs/1/resume"`, "/redeliver"},
		"a run that is repeated":      {`"runId":"1"`, "runs", `{"status":"waiting","nextAttempt":2,"nextAttemptAt":"2026-11-28T12:00:05Z"}`, access.Operator, "try 2, by itself", "/resume"},
		"a run that is gone":          {`"runId":"1"`, "none", `{}`, access.Operator, "All attempts of this call", "Next:"},
		"what belongs to neither":     {`"cartId":"1"`, "none", `{}`, access.Operator, "All attempts of this call", "Next:"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.as(c.role)
			s.API = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/api/attempts/1":
					_, _ = w.Write([]byte(`{"id":"1","callId":"c",` + c.attempt + `}`))
				case "/api/" + c.of + "/1":
					_, _ = w.Write([]byte(c.answer))
				case "/api/attempts":
					_, _ = w.Write([]byte(`{"items":[]}`))
				default:
					refuse(w, http.StatusNotFound, "gone")
				}
			})
			page := b.get("/attempts/1").Body.String()
			if !strings.Contains(page, c.want) || strings.Contains(page, c.not) {
				t.Errorf("the page has no %q, or has %q: %s", c.want, c.not, page)
			}
		})
	}
}

// TestTimesOfFilters: what a form without script sends is a time of UTC, and the URL has it
// as the API takes it; a field shows what it can show whole, and else the text as it came.
func TestTimesOfFilters(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	got := b.get("/attempts?from=2026-11-28T08:00&to=2026-11-28T09:00:30.5&kind=step")
	if to := got.Header().Get("Location"); got.Code != http.StatusSeeOther || to != "/attempts?from=2026-11-28T08%3A00%3A00Z&kind=step&to=2026-11-28T09%3A00%3A30.5Z" {
		t.Errorf("%d %s", got.Code, to)
	}
	for value, want := range map[string]string{
		"2026-11-28T08:00:00Z":        `type="datetime-local" value="2026-11-28T08:00:00" step="any" data-time="2026-11-28T08:00:00Z"`,
		"2026-11-28T10:00:00+02:00":   `type="datetime-local" value="2026-11-28T08:00:00" step="any"`,
		"2026-11-28T08:00:00.12Z":     `type="datetime-local" value="2026-11-28T08:00:00.12"`,
		"2026-11-28T08:00:00.123456Z": `type="text" value="2026-11-28T08:00:00.123456Z" step="any" data-time="2026-11-28T08:00:00.123456Z"`,
		"yesterday":                   `type="text" value="yesterday"`,
		"":                            `name="from" type="datetime-local" value="" step="any" data-time=""`,
	} {
		asks := s.asks()
		path := "/attempts"
		if value != "" {
			path += "?from=" + url.QueryEscape(value)
		}
		page := strings.ReplaceAll(b.get(path).Body.String(), "&#43;", "+")
		if !strings.Contains(page, want) || !strings.Contains(page, "(UTC)") {
			t.Errorf("%q: the page has not %s: %s", value, want, page)
		}
		if asked := (*asks)[0].URL.Query().Get("from"); asked != value {
			t.Errorf("the API is asked from %q, not %q", asked, value)
		}
	}
}

// TestAFilterThatIsRefused is named by its label and marked, and what was filled in stays.
func TestAFilterThatIsRefused(t *testing.T) {
	s := newSite(t)
	b := s.as(access.Reader)
	for _, path := range []string{"/orders", "/attempts", "/deliveries", "/events", "/runs"} {
		s.API = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"title":"No","errors":[{"location":"query.from","message":"is no time"},{"location":"query.other","message":"is not known"}]}`)
		})
		page := b.get(path + "?from=yesterday").Body.String()
		for _, want := range []string{`id="filter-from" name="from" aria-invalid="true" aria-describedby="filter-from-error" autofocus type="text" value="yesterday"`,
			`<small class="err" id="filter-from-error">is no time</small>`, `<a href="#filter-from">`, `<code>query.other</code> is not known`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s has not %s: %s", path, want, page)
			}
		}
		if strings.Contains(page, "<code>query.from") {
			t.Errorf("%s names a place of the API", path)
		}
	}
}
