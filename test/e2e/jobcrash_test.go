package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestAKilledJobGoesOn kills the server while it sends an endpoint what that
// never got: the job goes on where it was, and leaves nothing out.
func TestAKilledJobGoesOn(t *testing.T) {
	t.Parallel()
	const lists, kills = 8, 3
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	to := newReceiver(t, nil)
	s := w.serve(t)
	var ids []string
	for i := range lists {
		var list []published
		for n := range 1000 {
			list = append(list, published{ID: fmt.Sprintf("evt-%d-%d", i, n), Type: "thing_happened", Data: map[string]int{"n": n}})
		}
		ids = append(ids, s.expect(t, 202, "POST", "/api/events", crashKey, mustJSON(list)).ids()...)
	}
	e := s.subscribe(t, crashKey, to.URL, `"eventTypes":["thing_*"]`)
	job := "/api/jobs/" + fmt.Sprint(s.expect(t, 202, "POST", "/api/endpoints/"+e.id+"/recover", crashKey, `{"from":"2020-01-01T00:00:00Z","what":"missing"}`).body["id"])
	running := 0
	for range kills {
		had, _ := to.all()
		to.await(t, "one more event", func(got []receipt) bool { return len(got) > len(had) })
		if s.expect(t, 200, "GET", job, crashKey, "").body["status"] == "running" {
			running++
		}
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		_ = s.cmd.Process.Kill()
		<-s.ended
		s = w.serve(t)
	}
	if running == 0 {
		t.Error("no kill fell into the job: the test proves nothing")
	}
	done := s.awaitJob(t, job)
	s.awaitDeliveries(t, crashKey, e)
	if n := to.distinct(); n != len(ids) {
		t.Errorf("%d events arrived, want %d", n, len(ids))
	}
	if done["status"] != "succeeded" || done["examined"] != float64(len(ids)) || done["sent"] != float64(len(ids)) {
		t.Errorf("the job ended as %v, having examined %v and sent %v of %d", done["status"], done["examined"], done["sent"], len(ids))
	}
	s.stop(t)
}

// awaitJob waits until a job has ended and returns it.
func (s *server) awaitJob(t *testing.T, path string) map[string]any {
	t.Helper()
	for deadline := time.Now().Add(4 * patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if job := s.expect(t, 200, "GET", path, crashKey, "").body; job["status"] != "running" {
			return job
		}
	}
	t.Fatal("the job does not end")
	return nil
}
