package contract

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
)

// journey is an orderhook at work with one document.
type journey struct {
	*rig
	foreign
	t     *testing.T
	path  string // of the order
	first string // the order as it was created
	sink  *sink
	now   atomic.Pointer[echo] // how the endpoint answers the next call
}

// setOut creates an order of a document, whose status has a step that everyEcho.
func setOut(t *testing.T, d foreign) *journey {
	t.Helper()
	j := &journey{rig: lease(t), foreign: d, t: t}
	j.now.Store(&everyEcho[0])
	j.sink = j.echoing()
	j.rig.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*"]}`, j.sink.URL+"/events")).want(201)
	j.rig.settings(config(status(d.status(t), step{Host: j.sink.URL + "/step"})))
	made := j.rig.call("POST", "/api/orders", string(d.raw)).want(201)
	j.path = "/api/orders/" + made.text("order.id")
	if d.id != "" {
		made.is("order.id", d.id)
	}
	j.first = string(j.rig.get(j.path + "/versions/1").Raw)
	return j
}

// echoing starts the endpoint of the step, and of events at another path.
func (j *journey) echoing() *sink {
	var s *sink
	s = endpointOf(j.t, func(w http.ResponseWriter, r *http.Request, n int) {
		if r.URL.Path == "/step" {
			_, _ = io.WriteString(w, answerWith(j.now.Load().of(j.t, valueOf(j.t, s.got()[n].Body))))
		}
	})
	return s
}

// valueOf is the Value of a step's request, as it is written there.
func valueOf(t *testing.T, body []byte) []byte {
	t.Helper()
	var request struct{ Value json.RawMessage }
	decode(t, body, &request)
	return request.Value
}

// unchanged fails the test unless nothing has come of the order but what was
// created: no version, no change, no conflict, no event.
func (j *journey) unchanged(after string) {
	j.t.Helper()
	j.same(after, string(j.rig.get(j.path).Raw))
	j.rig.call("GET", j.path+"/versions/2", "").want(404)
	for _, e := range j.rig.get(j.path + "/history?limit=200").doc().Objects("items") {
		if op := e.Text("operation"); e.Has("changes") || !slices.Contains([]string{"Created", "ExecuteExportOrder"}, op) {
			j.t.Errorf("%s: the history has %s", after, e.JSON())
		}
	}
	same(j.t, after+": events", j.rig.get("/api/events?limit=200").ids("type"), []string{"OrderCreated"})
}

// same fails the test unless the order is what was created.
func (j *journey) same(after, now string) {
	j.t.Helper()
	alike(j.t, after, []byte(now), []byte(j.first))
}
