package simulate

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
	"github.com/orderhook/orderhook/internal/workflow"
)

const tenant = "acme"

// shop is an engine with a database, whose endpoints answer as they are told: by their path,
// one after the other, and the last one for ever.
type shop struct {
	t      *testing.T
	store  store.Store
	engine *workflow.Engine
	clock  *clocktest.Fake
	url    string
}

// newShop begins with settings, in which HOST is where the endpoints are.
func newShop(t *testing.T, config string, answers map[string][]string) *shop {
	t.Helper()
	c := clocktest.NewFake(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		list := answers[r.URL.Path]
		answer := list[0]
		if len(list) > 1 {
			answers[r.URL.Path] = list[1:]
		}
		if answer == "slow" {
			slowly(w, r)
			return
		}
		if status, failed := strings.CutPrefix(answer, "status "); failed {
			var code int
			_, _ = fmt.Sscan(status, &code)
			w.WriteHeader(code)
			return
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orderhook.db"), sqlite.Options{Exclusive: true, Clock: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	client := outbound.New(outbound.Options{Guard: outbound.Guard{AllowPrivate: true}, Now: c.Now})
	t.Cleanup(client.Close)
	e := workflow.New(workflow.Options{Store: db, Client: client, Clock: c, Work: admission.NewWork(1), Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { e.Stop(context.Background()) })
	s := &shop{t, db, e, c, server.URL}
	if err := db.Write(t.Context(), func(tx store.Tx) error {
		return tx.PutSettings(t.Context(), tenant, s.settings(config), 0, "test", c.Now())
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) settings(config string) *settings.Settings {
	s.t.Helper()
	doc, err := schema.Parse([]byte(strings.ReplaceAll(config, "HOST", s.url)))
	if err != nil {
		s.t.Fatalf("%v in %s", err, config)
	}
	return settings.ParseStored(doc)
}

// place stores an order, and waits until its workflow has ended.
func (s *shop) place(text string) {
	s.t.Helper()
	doc, _, err := schema.ParseOrder([]byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	started, err := s.engine.CreateOrder(s.t.Context(), workflow.Caller{Tenant: tenant, Author: order.Author{By: "test"}}, workflow.Document{Object: doc}, true)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.engine.Await(s.t.Context(), tenant, started, time.Minute); err != nil {
		s.t.Fatal(err)
	}
}

// simulated is what comes of the order by other settings; "" tries none.
func (s *shop) simulated(config string) (got Outcome) {
	s.t.Helper()
	sim := &Simulation{From: s.store, Tenant: tenant}
	if config != "" {
		sim.Settings = s.settings(config)
	}
	n := 0
	if err := sim.Run(s.t.Context(), Filter{}, func(o Outcome) error { got = o; n++; return nil }); err != nil || n != 1 {
		s.t.Fatalf("%d orders, %v", n, err)
	}
	return got
}

// lines are the differences and what is unknown, as people read them.
func (o Outcome) lines() (out []string) {
	text := func(v any) string { return string(jsondoc.AppendValue(nil, v, false)) }
	for _, d := range o.Differences {
		out = append(out, d.Path+" "+text(d.Then)+" → "+text(d.Now))
	}
	for _, u := range o.Unknown {
		out = append(out, "unknown: "+u)
	}
	return out
}

// comesTo compares what a simulation by other settings says with what it should.
func (s *shop) comesTo(config string, verdict Verdict, lines []string) {
	s.t.Helper()
	o := s.simulated(config)
	if o.Verdict != verdict {
		s.t.Errorf("it is %s: %q", o.Verdict, o.lines())
	}
	for _, want := range lines {
		if !slices.Contains(o.lines(), want) {
			s.t.Errorf("%q is not in %q", want, o.lines())
		}
	}
}

// stepOf is a step of the settings at an endpoint of its name, with further fields.
func stepOf(name, more string) string {
	return fmt.Sprintf(`{"name":"WebhookWorkflowStep","displayName":%q,"connector":"W","properties":[{"key":"Host","value":"HOST/%s"}]%s}`, name, name, more)
}

// by is a step whose connector says how it is called.
func by(name, more string) string {
	return fmt.Sprintf(`{"name":"WebhookWorkflowStep","displayName":%q,"connector":"W","connectorId":"w"%s}`, name, more)
}

// configOf is settings whose status New has the steps; connector is what W has beside its host.
func configOf(connector string, steps ...string) string {
	return fmt.Sprintf(`{"connectors":[{"name":"W","connectorId":"w","host":"HOST/W"%s}],"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[%s]}]}]}`,
		connector, strings.Join(steps, ","))
}

const (
	good = `{}`
	bad  = `{"orderActionExecutionResults":[{"actionStatus":"Error","errorReason":"no","cancelWorkflow":true}]}`
)

// TestWhatOtherSettingsWouldHaveDone changes one thing of the settings at a time.
func TestWhatOtherSettingsWouldHaveDone(t *testing.T) {
	a, b, stop := stepOf("A", ""), stepOf("B", ""), stepOf("A", `,"stopOnError":true`)
	for name, c := range map[string]struct {
		was, now string
		answers  map[string][]string
		want     []string
		verdict  Verdict
	}{
		"the same": {configOf("", a, b), configOf("", a, b), nil, nil, Same},
		"a condition": {configOf("", a, b), configOf("", a, stepOf("B", `,"conditions":["Success"]`)), map[string][]string{"/A": {bad}},
			[]string{`runs[New].steps[B].result "Success" → "Skipped"`}, Differs},
		"a condition less": {configOf("", a, stepOf("B", `,"conditions":["Success"]`)), configOf("", a, b), map[string][]string{"/A": {bad}},
			[]string{`unknown: the run of New: B (step 2 of 2, WebhookWorkflowStep) was not called then, so its answer is not on record`}, Unknown},
		"a limit": {configOf("", a, b), configOf("", stepOf("A", `,"disabledForMarkets":["NOR"]`), b), nil,
			[]string{`runs[New].steps[A].result "Success" → "Skipped"`}, Differs},
		"a limit less": {configOf("", stepOf("A", `,"disabledForMarkets":["NOR"]`), b), configOf("", a, b), nil,
			[]string{`unknown: the run of New: A (step 1 of 2, WebhookWorkflowStep) was not called then, so its answer is not on record`}, Unknown},
		"a limit to others": {configOf("", a, b), configOf("", stepOf("A", `,"disabledForMarkets":["SWE"]`), b), nil, nil, Same},
		"ErrorStatus": {configOf("", stop), configOf("", strings.Replace(stop, `}]`, `},{"key":"ErrorStatus","value":"Held"}]`, 1)), map[string][]string{"/A": {bad}},
			[]string{`status "New" → "Held"`}, Differs},
		"a stop": {configOf("", a, b), configOf("", stop, b), map[string][]string{"/A": {bad}},
			[]string{`runs[New].status "succeeded" → "aborted"`, `runs[New].steps[B].result "Success" → "Skipped"`, `runs[New].steps[A].result "Warning" → "Error"`}, Differs},
		"the order of steps": {configOf("", a, b), configOf("", b, a), map[string][]string{"/A": {`{"orderPatch":{"customerName":"A"}}`}, "/B": {`{"orderPatch":{"customerName":"B"}}`}},
			[]string{`runs[New].steps ["A","B"] → ["B","A"]`, `order.customerName "B" → "A"`}, Differs},
		"no retry": {configOf("", by("W", "")), configOf(`,"disableStandardErrorPolicy":true`, by("W", "")), map[string][]string{"/W": {"status 503", good}},
			[]string{`runs[New].steps[W].attempts 2 → 1`, `runs[New].steps[W].result "Success" → "Error"`}, Differs},
		"a retry that was not made": {configOf(`,"disableStandardErrorPolicy":true`, by("W", "")), configOf("", by("W", "")), map[string][]string{"/W": {"status 503", good}},
			[]string{`unknown: the run of New: attempt 2 at the call of W (step 1 of 1, WebhookWorkflowStep) was not made then, so its answer is not on record`}, Unknown},
		"a new step": {configOf("", a), configOf("", a, b), nil,
			[]string{`unknown: the run of New: B (step 2 of 2, WebhookWorkflowStep) was not called then, so its answer is not on record`}, Unknown},
		"a step less": {configOf("", a, b), configOf("", b), map[string][]string{"/A": {`{"orderPatch":{"customerName":"A"}}`}},
			[]string{`runs[New].steps ["A","B"] → ["B"]`, `order.customerName "A" → null`}, Differs},
	} {
		t.Run(name, func(t *testing.T) {
			answers := map[string][]string{"/A": {good}, "/B": {good}, "/W": {good}}
			for path, list := range c.answers {
				answers[path] = slices.Clone(list)
			}
			s := newShop(t, c.was, answers)
			s.place(`{"id":"O1","status":"New","orderType":"Online","marketId":"NOR"}`)
			if o := s.simulated(""); o.Verdict != Same || o.Runs != 1 {
				t.Fatalf("what happened does not come out once more: %+v", o)
			}
			s.comesTo(c.now, c.verdict, c.want)
		})
	}
}

// What is missing is told apart from what comes out in another way.
func TestWhyWhatHappenedDoesNotComeOut(t *testing.T) {
	s := newShop(t, configOf("", stepOf("A", "")), map[string][]string{"/A": {`{"orderPatch":{"customerName":"A"}}`}})
	s.place(`{"id":"O1","status":"New","orderType":"Online"}`)
	now := s.settings(configOf("", stepOf("A", "")))
	for name, c := range map[string]struct {
		from    store.Reader
		verdict Verdict
		reason  string
	}{
		"no body":         {bodiless{s.store}, NotRecorded, "the body of the attempt"},
		"no version":      {versionless{s.store}, NotRecorded, "version 1 of the order was removed"},
		"another version": {other{s.store}, NotReproduced, "version 2 of the order comes out as another one: customerName is"},
	} {
		sim := &Simulation{From: c.from, Tenant: tenant, Settings: now}
		err := sim.Run(t.Context(), Filter{}, func(o Outcome) error {
			if o.Verdict != c.verdict || !strings.Contains(o.Reason, c.reason) || len(o.Differences) > 0 {
				t.Errorf("%s: %+v", name, o)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// bodiless is a store whose attempts have lost their bodies.
type bodiless struct{ store.Reader }

func (r bodiless) Attempt(ctx context.Context, tenant, id string) (*attempt.Attempt, error) {
	a, err := r.Reader.Attempt(ctx, tenant, id)
	if err == nil {
		a = a.Bare()
	}
	return a, err
}

// versionless is a store without the earlier versions of orders.
type versionless struct{ store.Reader }

func (r versionless) OrderVersion(ctx context.Context, tenant, id string, version int64) (*order.Order, error) {
	if version == 1 {
		return nil, apierr.Errorf(apierr.NotFound, "none")
	}
	return r.Reader.OrderVersion(ctx, tenant, id, version)
}

// other is a store in which an order has become another one than its calls made of it.
type other struct{ store.Reader }

func (r other) OrderVersion(ctx context.Context, tenant, id string, version int64) (*order.Order, error) {
	o, err := r.Reader.OrderVersion(ctx, tenant, id, version)
	if err == nil && version == 2 {
		changed := *o
		changed.Doc = o.Doc.Clone()
		changed.Doc.Set("customerName", "Z")
		o = &changed
	}
	return o, err
}

// late is a store that shows the history without its newest entry, so many times, as if that had
// been made while the record was read.
type late struct {
	store.Reader
	times *int
}

func (r late) History(ctx context.Context, tenant, id string, p store.Page) (store.List[order.HistoryEntry], error) {
	list, err := r.Reader.History(ctx, tenant, id, p)
	if err == nil && p.Limit > 1 && *r.times > 0 {
		*r.times--
		list.Items = list.Items[1:]
	}
	return list, err
}

// A server may be at work on an order while its record is read: that is no error of the
// simulation's.
func TestAnOrderThatChangesMeanwhileIsReadAgain(t *testing.T) {
	s := newShop(t, configOf("", stepOf("A", "")), map[string][]string{"/A": {`{"orderPatch":{"customerName":"A"}}`}})
	s.place(`{"id":"O1","status":"New","orderType":"Online"}`)
	for times, want := range map[int]Checked{
		0: {Runs: 1}, 2: {Runs: 1},
		3: {Runs: 1, Reason: "the order was changing while its record was read", Missing: true},
	} {
		left := times
		c, err := (&Simulation{From: late{s.store, &left}, Tenant: tenant}).Check(t.Context(), "O1")
		if c.Runs == 0 { // too little was there to count them
			c.Runs = want.Runs
		}
		if err != nil || c != want || left != 0 {
			t.Errorf("%d times: %+v, %v", times, c, err)
		}
	}
}

// entryless is a store that lacks the entries of a version in the histories of orders.
type entryless struct {
	store.Reader
	version int64
}

func (r entryless) History(ctx context.Context, tenant, id string, p store.Page) (store.List[order.HistoryEntry], error) {
	list, err := r.Reader.History(ctx, tenant, id, store.Page{Limit: store.MaxLimit}) // there are but a few
	list.Items = slices.DeleteFunc(slices.Clone(list.Items), func(e order.HistoryEntry) bool { return e.Version == r.version })
	list.Items = list.Items[:min(p.Limit, len(list.Items))]
	return list, err
}

// A version of which the history does not tell is missing on record, and named.
func TestAVersionWithoutAnEntryIsNamed(t *testing.T) {
	s := newShop(t, configOf("", stepOf("A", ""), stepOf("B", "")), map[string][]string{"/A": {`{"orderPatch":{"customerName":"A"}}`}, "/B": {`{"orderPatch":{"customerName":"B"}}`}})
	s.place(`{"id":"O1","status":"New","orderType":"Online"}`)
	for version, want := range map[int64]string{1: "does not begin with the creation", 2: "how version 2 of the order came to be", 3: "how version 3 of the order came to be"} {
		c, err := (&Simulation{From: entryless{s.store, version}, Tenant: tenant}).Check(t.Context(), "O1")
		if err != nil || !c.Missing || !strings.Contains(c.Reason, want) {
			t.Errorf("without version %d: %+v, %v", version, c, err)
		}
	}
}
