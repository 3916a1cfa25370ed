package simulate

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// within is settings whose status New may take so long.
func within(most, config string) string {
	return strings.Replace(config, `"name":"New",`, `"name":"New","maxDuration":"`+most+`",`, 1)
}

// TestWhatTimesWouldHaveDone changes how long runs, attempts and waits may take.
func TestWhatTimesWouldHaveDone(t *testing.T) {
	w, deferred := by("W", ""), stepOf("A", `,"runAfterOrderIsSaved":true`)
	retried := []string{"status 503", "status 503", good}
	for name, c := range map[string]struct {
		was, now string
		answers  []string // of W
		want     []string
		verdict  Verdict
	}{
		"a maxDuration that ends a wait": {configOf("", w), within("PT3S", configOf("", w)), retried,
			[]string{`runs[New].status "succeeded" → "aborted"`, `runs[New].steps[W].result "Success" → "Error"`, `runs[New].steps[W].attempts 3 → 2`}, Differs},
		"a longer one than it took": {configOf("", w), within("PT1H", configOf("", w)), retried, nil, Same},
		"a longer one than there was": {within("PT3S", configOf("", w)), configOf("", w), retried,
			[]string{`unknown: the run of New: attempt 3 at the call of W (step 1 of 1, WebhookWorkflowStep) was not made then, so its answer is not on record`}, Unknown},
		"one that ends before a deferred step": {configOf("", deferred), within("PT0.5S", configOf("", deferred)), nil,
			[]string{`runs[New].status "succeeded" → "aborted"`, `runs[New].steps[A].result "Success" → "Error"`}, Differs},
		"one that ends in a call": {configOf("", w), within("PT0.1S", configOf("", w)), []string{"slow"},
			[]string{`runs[New].status "succeeded" → "aborted"`, `runs[New].steps[W].result "Success" → "Error"`}, Differs},
		"a shorter time-out": {configOf("", w), configOf(`,"timeout":"PT0.1S","disableStandardErrorPolicy":true`, w), []string{"slow"},
			[]string{`runs[New].steps[W].result "Success" → "Error"`}, Differs},
		"a shorter time-out, and retries": {configOf("", w), configOf(`,"timeout":"PT0.1S"`, w), []string{"slow"},
			[]string{`unknown: the run of New: attempt 2 at the call of W (step 1 of 1, WebhookWorkflowStep) was not made then, so its answer is not on record`}, Unknown},
		"a longer time-out": {configOf(`,"timeout":"PT0.1S","disableStandardErrorPolicy":true`, w), configOf("", w), []string{"slow"},
			[]string{`unknown: the run of New: W (step 1 of 1, WebhookWorkflowStep) did not answer in time then, and has longer now: what it would have answered is not on record`}, Unknown},
		"a run whose time ended in a call": {within("PT0.1S", configOf("", w)), within("PT0.1S", configOf("", w)), []string{"slow"}, nil, Same},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, c.was, map[string][]string{"/A": {good}, "/W": slices.Clone(c.answers)})
			s.place(`{"id":"O1","status":"New","orderType":"Online"}`)
			s.ended()
			if o := s.simulated(""); o.Verdict != Same {
				t.Fatalf("what happened does not come out once more: %+v", o)
			}
			s.comesTo(c.now, c.verdict, c.want)
		})
	}
}

// slowly answers after a third of a second, which is longer than the times above, unless its caller
// has gone by then.
func slowly(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(300 * time.Millisecond):
		_, _ = io.WriteString(w, good)
	case <-r.Context().Done():
	}
}

// ended waits until the run of the order has ended, its deferred steps included.
func (s *shop) ended() {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		list, err := s.store.Runs(s.t.Context(), tenant, store.RunFilter{}, store.Page{Limit: store.MaxLimit})
		if err != nil {
			s.t.Fatal(err)
		}
		left := 0
		for _, r := range list.Items {
			if !r.Status.Ended() {
				left++
			}
		}
		if left == 0 {
			return
		}
	}
	s.t.Fatal("a run does not end")
}

// put stores further settings, a moment later.
func (s *shop) put(config string, version int64) {
	s.t.Helper()
	s.clock.Advance(time.Second)
	if err := s.store.Write(s.t.Context(), func(tx store.Tx) error {
		return tx.PutSettings(s.t.Context(), tenant, s.settings(config), version, "test", s.clock.Now())
	}); err != nil {
		s.t.Fatal(err)
	}
	s.clock.Advance(time.Second)
}

// resume has the one run of the order go on that was aborted, and waits for its end.
func (s *shop) resume() {
	s.t.Helper()
	list, err := s.store.Runs(s.t.Context(), tenant, store.RunFilter{}, store.Page{Limit: 1})
	if err == nil {
		_, err = s.engine.ResumeRun(s.t.Context(), workflow.Caller{Tenant: tenant, Author: order.Author{By: "test"}}, list.Items[0].ID)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.ended()
}

// TestARunThatWasResumedComesOutTheSame, with the settings that it began with, those that it got, and
// the time that it had.
func TestARunThatWasResumedComesOutTheSame(t *testing.T) {
	stop, other := stepOf("A", `,"stopOnError":true`), stepOf("A", `,"stopOnError":true,"enabledForMarkets":["NOR"]`)
	for name, c := range map[string]struct{ was, now string }{
		"as it began":               {configOf("", stop), configOf("", stop)},
		"in other settings":         {configOf("", stop), configOf("", other)},
		"with other steps by then":  {configOf("", stop), configOf("", stop, stepOf("B", ""))},
		"within a time":             {within("PT10S", configOf("", stop)), within("PT20S", configOf("", stop))},
		"switched off by then":      {configOf("", stop), strings.Replace(configOf("", stop), `"default":true`, `"default":true,"disableWorkflow":true`, 1)},
		"within the same long time": {within("PT10S", configOf("", stop)), within("PT10S", configOf("", stop))},
	} {
		for _, more := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				answers := []string{bad, good}
				if more {
					answers = []string{bad, bad, good}
				}
				s := newShop(t, c.was, map[string][]string{"/A": answers, "/B": {good}})
				s.clock.Advance(time.Hour)
				s.place(`{"id":"O1","status":"New","orderType":"Online","marketId":"NOR"}`)
				s.put(c.now, 1)
				s.resume()
				if list, err := s.store.Runs(t.Context(), tenant, store.RunFilter{}, store.Page{Limit: 1}); more && err == nil && list.Items[0].Status == "aborted" {
					s.clock.Advance(time.Hour)
					s.resume()
				}
				if o := s.simulated(""); o.Verdict != Same {
					t.Errorf("what happened does not come out once more: %+v", o)
				}
				if o := s.simulated(c.now); o.Verdict == NotReproduced || o.Verdict == NotRecorded {
					t.Errorf("it is %+v", o)
				}
			})
		}
	}
}

// TestSettingsAreTriedFromATimeOn, and nothing is another before it.
func TestSettingsAreTriedFromATimeOn(t *testing.T) {
	s := newShop(t, configOf("", stepOf("A", "")), map[string][]string{"/A": {good}})
	s.place(`{"id":"O1","status":"New","orderType":"Online","marketId":"NOR"}`)
	now := s.settings(configOf("", stepOf("A", `,"disabledForMarkets":["NOR"]`)))
	for since, want := range map[time.Time]Verdict{{}: Differs, s.clock.Now().Add(time.Second): Same} {
		sim := &Simulation{From: s.store, Tenant: tenant, Settings: now, Since: since}
		if err := sim.Run(t.Context(), Filter{}, func(o Outcome) error {
			if o.Verdict != want {
				t.Errorf("since %v it is %s: %q", since, o.Verdict, o.lines())
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}

// TestAStepThatIsSentAnotherOrder gives the answer that it gave, which is said; what it handed back as
// it was sent changes nothing.
func TestAStepThatIsSentAnotherOrder(t *testing.T) {
	a, b := stepOf("A", ""), stepOf("B", "")
	s := newShop(t, configOf("", a, b), map[string][]string{"/A": {`{"orderPatch":{"customerName":"A"}}`}, "/B": {`{"orderPatch":{"customerName":"A","customerEmail":"b@example.com"}}`}})
	s.place(`{"id":"O1","status":"New","orderType":"Online"}`)
	o := s.simulated(configOf("", b))
	if !slices.Contains(o.lines(), `order.customerName "A" → null`) || !slices.Contains(o.Notes, "B (step 1 of 1, WebhookWorkflowStep) is sent another order here; its answer is the one that it gave then") {
		t.Errorf("%q, %q", o.lines(), o.Notes)
	}
}

// TestAStepThatIsCalledOtherwise has the answer that it gave then, which is noted.
func TestAStepThatIsCalledOtherwise(t *testing.T) {
	a, b := stepOf("A", ""), stepOf("B", "")
	s := newShop(t, configOf("", a, b), map[string][]string{"/A": {good}, "/B": {good}})
	s.place(`{"id":"O1","status":"New","orderType":"Online"}`)
	const step, then = " (step %d of 2, WebhookWorkflowStep) ", "; its answer is the one that it gave then"
	for to, want := range map[string][]string{
		strings.Replace(b, `/B"`, `/B?v=2"`, 1):                                                   {"B" + fmt.Sprintf(step, 2) + "is called at another URL here" + then, "B" + fmt.Sprintf(step, 2) + "is sent another configuration here" + then},
		strings.Replace(b, `"properties":[`, `"properties":[{"key":"MaxScore","value":"10"},`, 1): {"B" + fmt.Sprintf(step, 2) + "is sent another configuration here" + then},
		b: nil,
	} {
		if o := s.simulated(configOf("", a, to)); o.Verdict != Same || !slices.Equal(o.Notes, want) {
			t.Errorf("%s: %s, %q", to, o.Verdict, o.Notes)
		}
	}
}

// TestAStepWithAnotherNameIsTheSame, by where it is called.
func TestAStepWithAnotherNameIsTheSame(t *testing.T) {
	a := stepOf("A", "")
	s := newShop(t, configOf("", a), map[string][]string{"/A": {good}})
	s.place(`{"id":"O1","status":"New","orderType":"Online"}`)
	if o := s.simulated(configOf("", strings.Replace(a, `"displayName":"A"`, `"displayName":"Z"`, 1))); !slices.Equal(o.lines(), []string{`runs[New].steps ["A"] → ["Z"]`}) {
		t.Errorf("%q", o.lines())
	}
}

// TestABreakerComesOutTheSame, whatever a step does while it is open.
func TestABreakerComesOutTheSame(t *testing.T) {
	for _, open := range []string{"fail", "skip", "wait"} {
		t.Run(open, func(t *testing.T) {
			connector := `,"disableStandardErrorPolicy":true,"breaker":{"failures":1,"window":"PT10M","openFor":"PT1M","whileOpen":"` + open + `"}`
			s := newShop(t, configOf(connector, by("W", ""), stepOf("B", "")), map[string][]string{"/W": {"status 500", good}, "/B": {good}})
			s.place(`{"id":"O1","status":"New","orderType":"Online"}`)
			s.place(`{"id":"O2","status":"New","orderType":"Online"}`)
			s.ended()
			for _, id := range []string{"O1", "O2"} {
				if c, err := (&Simulation{From: s.store, Tenant: tenant}).Check(t.Context(), id); err != nil || c != (Checked{Runs: 1}) {
					t.Errorf("%s: %+v, %v", id, c, err)
				}
			}
		})
	}
}
