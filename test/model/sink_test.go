package model

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// sink is the endpoint of all steps: it answers as the script says, and keeps
// what it was sent.
type sink struct {
	*httptest.Server
	mu        sync.Mutex
	script    script
	meanwhile func(edit) error
	keys      map[string]int // the calls by their Idempotency-Key, numbered from 1
	attempts  []int          // of each call
	calls     []string
	wrong     []error
	shadows   int // calls of shadows, of all scenarios
}

func newSink(t *testing.T) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// load begins a scenario.
func (s *sink) load(sc script, meanwhile func(edit) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script, s.meanwhile = sc, meanwhile
	s.keys, s.attempts, s.calls, s.wrong = map[string]int{}, nil, nil, nil
}

// stepRequest is the body that a step is sent.
type stepRequest struct {
	Value             order
	WorkflowStep      struct{ Properties []property }
	ReturnOrderFormID string `json:"ReturnOrderFormId"`
}

// shadow answers one of several things to the call of a shadow: some would change the order,
// some are no answers at all.
func (s *sink) shadow(w http.ResponseWriter) {
	s.mu.Lock()
	s.shadows++
	n := s.shadows
	s.mu.Unlock()
	switch n % 5 {
	case 0:
		panic(http.ErrAbortHandler)
	case 1:
		w.WriteHeader(http.StatusInternalServerError)
	case 2:
		_, _ = io.WriteString(w, `{"orderPatch":{"status":"Shadowed","properties":[{"key":"Shadow","value":"1"}]}}`)
	case 3:
		_, _ = io.WriteString(w, `{"orderActionExecutionResults":[{"actionStatus":"Error","cancelWorkflow":true,"triggerNewStatus":"Shadowed"}]}`)
	default:
		_, _ = io.WriteString(w, "<html>")
	}
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if is := r.URL.Path == shadowPath; is || r.Header.Get("X-Shadow") != "" {
		if !is || r.Header.Get("X-Shadow") != "true" {
			s.fault(fmt.Errorf("%s was called with the X-Shadow %q", r.URL.Path, r.Header.Get("X-Shadow")))
		}
		s.shadow(w)
		return
	}
	var in stepRequest
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	reply, attempt := s.note(r, in, err)
	switch {
	case attempt > len(reply.failures):
		if reply.meanwhile != nil {
			s.fault(s.meanwhile(*reply.meanwhile))
		}
		w.WriteHeader(reply.code)
		_, _ = io.WriteString(w, reply.body())
	case reply.failures[attempt-1] == 0:
		panic(http.ErrAbortHandler)
	default:
		w.Header().Set("Location", s.URL+"/moved")
		w.WriteHeader(reply.failures[attempt-1])
	}
}

// note records a request and finds what answers it.
func (s *sink) note(r *http.Request, in stepRequest, err error) (reply, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultLocked(err)
	key := r.Header.Get("Idempotency-Key")
	if s.keys[key] == 0 {
		s.attempts = append(s.attempts, 0)
		s.keys[key] = len(s.attempts)
	}
	call := s.keys[key]
	s.attempts[call-1]++
	no := s.step(r, in)
	attempt := r.Header.Get("X-Delivery-Count") + "/" + r.Header.Get("X-Max-Delivery-Count")
	s.calls = append(s.calls, callText(r.URL.Path, no, call, attempt, r.Header.Get("Authorization"), in.returned(), in.Value.view().String()))
	return s.script.of(call), s.attempts[call-1]
}

// step finds which step calls, by a property that is sent in the body; one
// that is a header must say the same, and travel as a header only.
func (s *sink) step(r *http.Request, in stepRequest) int {
	for _, p := range in.WorkflowStep.Properties {
		switch p.Key {
		case "No":
			if p.Value != r.Header.Get("X-Step") {
				s.faultLocked(fmt.Errorf("step %s was sent with the header of step %q", p.Value, r.Header.Get("X-Step")))
			}
			no, _ := strconv.Atoi(p.Value)
			return no
		case "X-Step":
			s.faultLocked(fmt.Errorf("the body has a RequestHeaders property"))
		}
	}
	return 0
}

// returned is the number of the return that the request names.
func (in stepRequest) returned() int {
	for i, f := range in.Value.ReturnOrderForms {
		if f.ReturnID == in.ReturnOrderFormID {
			return i + 1
		}
	}
	return 0
}

func (s *sink) fault(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultLocked(err)
}

func (s *sink) faultLocked(err error) {
	if err != nil {
		s.wrong = append(s.wrong, err)
	}
}
