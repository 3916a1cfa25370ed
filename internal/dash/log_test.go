package dash

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// TestTheLogHasWhatWentWrongInside: a page that fails for a reason of the server's own says
// that the log has it, and the log has one line with its request; for what a browser asks
// for in vain there is neither.
func TestTheLogHasWhatWentWrongInside(t *testing.T) {
	for _, c := range []struct {
		name, path string
		api        http.HandlerFunc // nil: the fake one
		status     int
		logged     bool
	}{
		{"an answer that nobody can read", "/orders", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "no JSON") }, 500, true},
		{"an id that is not there", "/attempts/none", nil, 404, false},
		{"a page that is not there", "/nowhere", nil, 404, false},
		{"a filter that is refused", "/orders?from=x", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 422, "no") }, 422, false},
		{"a role too low", "/keys", nil, 403, false},
		{"too many at once", "/orders", func(w http.ResponseWriter, _ *http.Request) { refuse(w, 429, "wait") }, 429, false},
	} {
		s := newSite(t)
		b := s.as(access.Reader)
		if c.api != nil {
			s.API = c.api
		}
		var log bytes.Buffer
		s.Log = slog.New(slog.NewTextHandler(&log, nil))
		got := b.get(c.path)
		says := strings.Contains(got.Body.String(), "the server&#39;s log has it, too") || strings.Contains(got.Body.String(), "the server's log has it, too")
		if got.Code != c.status || says != c.logged {
			t.Errorf("%s: %d, and that the log has it is said: %v: %s", c.name, got.Code, says, got.Body)
		}
		if lines := strings.Count(log.String(), "\n"); c.logged != (lines == 1) || c.logged != strings.Contains(log.String(), "request="+got.Header().Get("X-Request-Id")) {
			t.Errorf("%s: the log has %q", c.name, log.String())
		}
	}
}
