package model

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// observed is what became of a scenario, as the API shows it, written as the
// model writes it.
type observed struct {
	calls, history, runs []string
	events               []string
	versions             []string
	order                string
	wrong                []error
}

type runAnswer struct {
	EnteredStatus, Status, ReturnID string
	Ended                           *time.Time
	Results                         []stepAnswer `json:"orderActionExecutionResults"`
}

type entry struct {
	Operation, Step, CallID, Status, PreviousStatus string
	IsError                                         bool
}

func (r *rig) observe(t *rapid.T, id string) observed {
	out := observed{runs: r.runTexts(t, id), history: r.history(t, id)}
	_, raw := r.ask(t, "GET", "/api/orders/"+id, "")
	last := read[order](t, raw)
	var documents [][]byte
	out.order = last.view().String()
	out.versions, documents = r.versions(t, id, last.Version)
	out.events = r.events(t, documents)
	r.sink.mu.Lock()
	defer r.sink.mu.Unlock()
	out.calls, out.wrong = slices.Clone(r.sink.calls), r.sink.wrong
	return out
}

func (r *rig) runTexts(t *rapid.T, id string) []string {
	var out []string
	for _, x := range r.ended(t, id) {
		out = append(out, runText(x.EnteredStatus, x.Status, x.ReturnID != "", r.sink.texts(x.Results)))
	}
	slices.Reverse(out)
	return out
}

func runText(entered, status string, returns bool, results []string) string {
	return fmt.Sprintf("%s %s return=%t %q", entered, status, returns, results)
}

// history reads all entries, the oldest first.
func (r *rig) history(t *rapid.T, id string) []string {
	var out []string
	for cursor := ""; ; {
		_, raw := r.ask(t, "GET", "/api/orders/"+id+"/history?limit=200"+cursor, "")
		page := read[struct {
			Items      []entry
			NextCursor string
		}](t, raw)
		for _, e := range page.Items {
			out = append(out, historyText(e.Operation, e.Step, r.sink.callOf(e.CallID), e.IsError, e.PreviousStatus, e.Status))
		}
		if page.NextCursor == "" {
			slices.Reverse(out)
			return out
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// versions reads every version of the order, and its document, and checks that there is none beyond.
func (r *rig) versions(t *rapid.T, id string, last int64) (out []string, documents [][]byte) {
	for v := int64(1); v <= last; v++ {
		code, raw := r.ask(t, "GET", fmt.Sprintf("/api/orders/%s/versions/%d", id, v), "")
		o := read[order](t, raw)
		if code != 200 || o.Version != v {
			t.Errorf("version %d: %d, and says it is version %d", v, code, o.Version)
		}
		out, documents = append(out, o.view().String()), append(documents, raw)
	}
	if code, _ := r.ask(t, "GET", fmt.Sprintf("/api/orders/%s/versions/%d", id, last+1), ""); code != 404 {
		t.Errorf("the version after the last is answered with %d", code)
	}
	return out, documents
}
