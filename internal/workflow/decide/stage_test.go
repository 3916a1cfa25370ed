package decide_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// stage is an order on which decisions follow one another, as if each were
// committed. Every decision is held against what a decision must never do:
// change the facts that it was made from.
type stage struct {
	t        *testing.T
	f        decide.Facts
	versions map[int64]*order.Order
	ids      int
	last     *decide.Decision
}

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

const (
	newOrder = `{"id":"O1","status":"Idle","orderType":"Online","marketId":"NOR","storeId":"oslo","tags":["first"],"customerEmail":"kari@example.com",
		"properties":[{"key":"Channel","value":"web"}],
		"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":2,"placedPrice":10}],
		"shipments":[{"shipmentId":"S1","warehouseCode":"W1","shippingMethodId":"express"},{"shipmentId":"S2"}]}}`
	// one is a step that calls; stop one that stops the workflow.
	one  = `{"name":"WebhookWorkflowStep","connector":"W","properties":[{"key":"Host","value":"http://one"}]}`
	stop = `{"name":"WebhookWorkflowStep","connector":"W","StopOnError":true,"properties":[{"key":"Host","value":"http://one"},{"key":"ErrorStatus","value":"Stopped"}]}`
)

// step is a step that calls, with more fields, each with a comma in front.
func step(more string) string { return strings.TrimSuffix(one, "}") + more + "}" }

// workflow is settings whose status W has these steps.
func workflow(steps ...string) string { return shop(status("W", "", steps...)) }

func status(name, more string, steps ...string) string {
	return fmt.Sprintf(`{"name":%q%s,"workflowSteps":[%s]}`, name, more, strings.Join(steps, ","))
}

func shop(statuses ...string) string {
	return fmt.Sprintf(`{"orderTypes":[{"name":"Online","orderStatuses":[%s]}]}`, strings.Join(statuses, ","))
}

// with adds fields to a document.
func with(doc, fields string) string { return strings.TrimSuffix(doc, "}") + "," + fields + "}" }

// on is a stage with an order in a status without steps, of version 1.
func on(t *testing.T, config string) *stage {
	t.Helper()
	s := &stage{t: t, versions: map[int64]*order.Order{}}
	s.f = decide.Facts{Now: noon, Author: order.Author{By: "key k"}, Today: settingsOf(t, config, 1), NewID: func(prefix string) string {
		s.ids++
		return fmt.Sprintf("%s%d", prefix, s.ids)
	}}
	s.take(decide.Create(s.f, decide.Document{Object: parse(t, newOrder)}, true))
	s.f.Run = nil
	return s
}

func settingsOf(t *testing.T, config string, version int64) *settings.Settings {
	t.Helper()
	s, _, err := settings.Parse(parse(t, config))
	if err != nil {
		t.Fatal(err)
	}
	s.Version = version
	return s
}

func parse(t *testing.T, text string) *jsondoc.Object {
	t.Helper()
	doc, err := schema.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return doc
}

func patchOf(t *testing.T, text string) decide.Document {
	t.Helper()
	doc, warnings, err := schema.ParseOrderPatch([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return decide.Document{Object: doc, Warnings: warnings}
}

// take makes a decision the newest facts.
func (s *stage) take(d *decide.Decision, err error) *decide.Decision {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	if d.Changed != (s.f.Order != nil && d.Created == nil && d.Order.Version == s.f.Order.Version+1) && d.Created == nil {
		s.t.Errorf("changed: %v, version %d after %d", d.Changed, d.Order.Version, s.f.Order.Version)
	}
	s.last, s.f.Order, s.versions[d.Order.Version] = d, d.Order, d.Order
	if d.Run != nil {
		if d.Move == decide.Begins {
			s.f.Settings = s.f.Today
		}
		s.f.Run = d.Run
	}
	s.refresh()
	return d
}

// refresh sets the facts that follow from the order and its run.
func (s *stage) refresh() {
	s.f.Sent, s.f.KnownStatus = s.f.Order.Doc, ""
	if r := s.f.Run; r != nil {
		if sent := s.versions[r.Position.BaseVersion]; sent != nil && sent.Version != s.f.Order.Version {
			s.f.Sent = sent.Doc
		}
		if known := s.versions[r.StatusVersion]; known != nil {
			s.f.KnownStatus = known.Status()
		}
	}
}

// pure makes a decision about the run, and checks that it left the facts alone.
func (s *stage) pure(do func(decide.Facts) *decide.Decision) *decide.Decision {
	s.t.Helper()
	before, sent, run := string(s.f.Order.Doc.JSON()), string(s.f.Sent.JSON()), fmt.Sprintf("%+v", s.f.Run)
	d := do(s.f)
	if string(s.f.Order.Doc.JSON()) != before || string(s.f.Sent.JSON()) != sent || fmt.Sprintf("%+v", s.f.Run) != run {
		s.t.Errorf("a decision changed what it was made from")
	}
	return s.take(d, nil)
}

// enter enters a status.
func (s *stage) enter(c decide.StatusChange) *stage {
	s.t.Helper()
	s.take(decide.Enter(s.f, c))
	return s
}

// inW is a stage whose run of W is at its first step.
func inW(t *testing.T, config string) *stage {
	t.Helper()
	return on(t, config).enter(decide.StatusChange{Status: "W"})
}

func (s *stage) attempt() attempt.Attempt {
	return attempt.Attempt{ID: "att_1", CallID: s.f.Run.Position.CallID, Number: s.f.Run.Position.Attempt, MaxNumber: 1 + len(decide.RetryDelays),
		StartedAt: s.f.Now, DurationMs: 30, Outcome: attempt.OutcomeSucceeded}
}

// answer is the body of an answer to the run's call.
func (s *stage) answer(body string) *stage {
	s.t.Helper()
	answer, err := run.ParseStepAnswer([]byte(body))
	if err != nil {
		s.t.Fatal(err)
	}
	s.pure(func(f decide.Facts) *decide.Decision {
		return decide.Answer(f, s.attempt(), decide.Outcome{Answer: answer})
	})
	return s
}

// fails is an attempt that failed for good.
func (s *stage) fails() *stage {
	s.t.Helper()
	return s.comesTo(decide.Outcome{Failure: "status 400"})
}

func (s *stage) comesTo(o decide.Outcome) *stage {
	s.t.Helper()
	s.pure(func(f decide.Facts) *decide.Decision {
		a := s.attempt()
		a.Outcome, a.Error = attempt.OutcomeFailed, o.Failure
		return decide.Answer(f, a, o)
	})
	return s
}

// meanwhile is what another caller does during the run's call.
func (s *stage) meanwhile(do func(decide.Facts) (*decide.Decision, error)) *stage {
	s.t.Helper()
	f := s.f
	f.Run = nil
	d, err := do(f)
	if err != nil {
		s.t.Fatal(err)
	}
	s.f.Order, s.versions[d.Order.Version] = d.Order, d.Order
	s.refresh()
	return s
}

func (s *stage) patched(body string) *stage {
	s.t.Helper()
	return s.meanwhile(func(f decide.Facts) (*decide.Decision, error) { return decide.Patch(f, patchOf(s.t, body)) })
}

// told is what a decision comes to, in words.
type told struct {
	Run     string // its status; of one that waits for a time, with how long
	Steps   string // what each of its steps came to
	Reason  string // why it ended
	Order   string // its status
	Errors  string // of the order: whose, and what
	History string // operations
	Events  string // types
	Next    string // the status of the run that is triggered
}

// is compares what the last decision comes to; a field that the row leaves empty
// must be empty.
func (s *stage) is(want told) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.told()); diff != "" {
		s.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (s *stage) told() (got told) {
	d := s.last
	if r := d.Run; r != nil {
		got.Run, got.Reason = string(r.Status), r.Reason
		if wait := r.Position.DueAt.Sub(s.f.Now); wait > 0 && !r.Status.Ended() {
			got.Run += " " + wait.String()
		}
		got.Steps = joined(r.Results, func(r run.StepResult) string { return string(r.ActionStatus) })
	}
	got.Order = d.Order.Status()
	got.Errors = joined(d.Order.Doc.Objects("errors"), func(e *jsondoc.Object) string { return e.Text("message") })
	got.History = joined(d.History, func(h order.HistoryEntry) string { return h.Operation })
	got.Events = joined(d.Events, func(e *event.Event) string { return e.Type })
	if d.Next != nil {
		got.Next = d.Next.EnteredStatus
	}
	return got
}

func joined[T any](list []T, show func(T) string) string {
	var out []string
	for _, v := range list {
		out = append(out, show(v))
	}
	return strings.Join(out, " ")
}

// entry is the last history entry of an operation.
func (s *stage) entry(operation string) order.HistoryEntry {
	s.t.Helper()
	for _, h := range slices.Backward(s.last.History) {
		if h.Operation == operation {
			return h
		}
	}
	s.t.Fatalf("no entry %s", operation)
	return order.HistoryEntry{}
}

// equal compares one value of a row.
func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
