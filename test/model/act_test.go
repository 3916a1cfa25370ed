package model

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

func (r *rig) settings(t *rapid.T, doc string) {
	if code, raw := r.ask(t, "PUT", "/api/settings", doc); code != 200 {
		t.Fatalf("the settings: %d %s", code, raw)
	}
}

// patch is another writer's change, from within an endpoint.
func (r *rig) patch(id string, e edit) error {
	code, raw, err := r.call("PATCH", "/api/orders/"+id, e.json())
	if err == nil && code != 200 {
		err = fmt.Errorf("another writer's patch: %d %s", code, raw)
	}
	return err
}

func (r *rig) create(t *rapid.T, o order) answer {
	code, raw := r.ask(t, "POST", "/api/orders", toJSON(o))
	return r.workflowAnswer(t, o.ID, code, raw)
}

// act does an action and returns its answer once no run of the order is to come.
func (r *rig) act(t *rapid.T, id string, a action) answer {
	path := "/api/orders/" + id
	if a.patch != nil {
		code, raw := r.ask(t, "PATCH", path, a.patch.json())
		return answer{code: code, order: read[order](t, raw).view().String()}
	}
	path, body := path+"/status", toJSON(fields{"status": a.status})
	if a.back != nil {
		path, body = "/api/orders/"+id+"/returns", toJSON(fields{"lineItems": a.back})
	}
	code, raw := r.ask(t, "POST", path, body)
	return r.workflowAnswer(t, id, code, raw)
}

// workflowResult is an answer to a call that runs a workflow.
type workflowResult struct {
	IsAborted bool
	Order     order
	Results   []stepAnswer `json:"orderActionExecutionResults"`
}

type stepAnswer struct {
	Step, ActionType, ActionStatus, ErrorReason, CallID string
	CancelWorkflow                                      bool
	Attempts                                            int
	Changes                                             []struct{ Path string }
}

func (r *rig) workflowAnswer(t *rapid.T, id string, code int, raw []byte) answer {
	r.ended(t, id)
	if code >= 300 {
		return answer{code: code}
	}
	in := read[workflowResult](t, raw)
	return answer{code, in.IsAborted, r.sink.texts(in.Results), in.Order.view().String()}
}

// texts writes step results as the model does.
func (s *sink) texts(results []stepAnswer) []string {
	out := []string{}
	for _, x := range results {
		out = append(out, resultText(x.Step, x.ActionStatus, x.CancelWorkflow, x.ErrorReason != "", x.Attempts, s.callOf(x.CallID), x.changed()))
	}
	return out
}

// callOf is the number of a call, which its id names as its Idempotency-Key does.
func (s *sink) callOf(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.keys[id]; n > 0 || id == "" {
		return n
	}
	return -1
}

// changed is the fields that a step's patch changed, in the order that views have.
func (x stepAnswer) changed() []string {
	var out []string
	for _, f := range (order{}).view() {
		if slices.ContainsFunc(x.Changes, func(c struct{ Path string }) bool { return top(c.Path) == f.field }) {
			out = append(out, f.field)
		}
	}
	return out
}

func top(path string) string {
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i]
	}
	return path
}

// patience is how long a scenario waits for its runs to end.
const patience = 20 * time.Second

// ended returns the order's runs, the newest first, once all of them have ended.
func (r *rig) ended(t *rapid.T, id string) []runAnswer {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		_, raw := r.ask(t, "GET", "/api/runs?limit=200&orderId="+id, "")
		runs := read[struct{ Items []runAnswer }](t, raw).Items
		if !slices.ContainsFunc(runs, func(x runAnswer) bool { return x.Ended == nil }) {
			return runs
		}
	}
	t.Fatal("the order's runs do not end")
	return nil
}

func read[T any](t *rapid.T, raw []byte) (v T) {
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return v
}
