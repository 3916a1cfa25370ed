package dash

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/orderhook/orderhook/internal/oms"
)

// TestWhatHelpsAnEndpoint: the overview has the buttons that help an endpoint in trouble, and
// none that would be refused.
func TestWhatHelpsAnEndpoint(t *testing.T) {
	const test, on, recovers = "/endpoints/1/test", "/endpoints/1/enable", "/endpoints/1/recover"
	for name, c := range map[string]struct {
		endpoint string
		has      []string
	}{
		"fails":              {`"enabled":true,"origin":"api"`, []string{test, recovers}},
		"off":                {`"enabled":false,"origin":"api"`, []string{test, on}},
		"of the config file": {`"enabled":true,"origin":"webHook"`, []string{test, recovers}},
		"off, of the file":   {`"enabled":false,"origin":"webHook"`, []string{test}},
		"of an ExportOrder":  {`"enabled":true,"origin":"connector"`, []string{recovers}},
		"shown to a reader":  {`"enabled":true,"origin":"api"`, nil},
	} {
		s := newSite(t)
		s.answering("/api/overview", `{"stuck":{"endpoints":{"count":1,"items":[{"id":"1","url":"https://a/",`+c.endpoint+`,"health":{"failingSince":"2026-11-28T10:00:00Z","circuit":"open"}}]}}}`)
		role := oms.Operator
		if c.has == nil {
			role = oms.Reader
		}
		got := s.as(role).get("/")
		page := html.UnescapeString(got.Body.String())
		for _, link := range []string{test, on, recovers} {
			if shown, want := strings.Contains(page, `href="`+link+`"`), strings.Contains(strings.Join(c.has, " "), link); shown != want || got.Code != http.StatusOK {
				t.Errorf("%s: %d, %s is shown: %v", name, got.Code, link, shown)
			}
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
		if page := s.as(oms.Reader).get("/").Body.String(); strings.Contains(page, "Nothing has been sent yet") != empty || empty && !strings.Contains(page, "curl http://example.com/api/endpoints") {
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
		role   oms.Role
		has    string
	}{
		"aborted":             {"aborted", oms.Operator, resume},
		"failed":              {"failed", oms.Operator, again},
		"failed, publisher":   {"failed", oms.Publisher, again},
		"aborted, publisher":  {"aborted", oms.Publisher, ""},
		"aborted, for reader": {"aborted", oms.Reader, ""},
		"failed, for reader":  {"failed", oms.Reader, ""},
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
