package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAKilledErasureGoesOn kills the server while it erases an order that has many versions.
// The order is gone at the next start, and once that has ended the job nothing of the order
// is in any file (docs/contract.md#calls-of-the-api).
func TestAKilledErasureGoesOn(t *testing.T) {
	t.Parallel()
	const versions, rounds = 500, 5
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	s := w.serve(t)
	killed := 0
	for round := range rounds {
		if killed > 0 {
			break
		}
		order := fmt.Sprintf("/api/orders/ORD-%d", round)
		s.expect(t, 201, "POST", "/api/orders", crashKey, fmt.Sprintf(`{"id":"ORD-%d","customerEmail":"erase.me@example.com"}`, round))
		for n := range versions {
			s.expect(t, 200, "PATCH", order, crashKey, fmt.Sprintf(`{"customerEmail":"erase.me@example.com","note":"%d of erase.me@example.com"}`, n))
		}
		erased := make(chan answer, 1)
		go func() { erased <- s.call("DELETE", order+"?permanently=true", crashKey, "") }()
		for end := time.Now().Add(patience); s.call("GET", order, crashKey, "").status != http.StatusNotFound && time.Now().Before(end); {
		}
		_ = s.cmd.Process.Kill()
		<-s.ended
		if a := <-erased; a.err != nil { // it had not been answered yet
			killed++
		}
		s = w.serve(t)
		s.expect(t, 404, "GET", order, crashKey, "")
	}
	if killed == 0 {
		t.Fatal("no kill fell into an erasure: the test proves nothing")
	}
	jobs := items(s.expect(t, 200, "GET", "/api/jobs", crashKey, ""))
	if len(jobs) == 0 {
		t.Error("the job of the erasure is gone")
	}
	for _, j := range jobs {
		if done := s.awaitJob(t, fmt.Sprint("/api/jobs/", j["id"])); done["kind"] != "erase" || done["status"] != "succeeded" {
			t.Errorf("a job has ended as %v", done)
		}
	}
	s.stop(t)
	files, err := filepath.Glob(filepath.Join(w.dir, "orderhook.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(data), "erase.me@example.com"); n > 0 {
			t.Errorf("%s has the erased text %d times", filepath.Base(file), n)
		}
	}
}
