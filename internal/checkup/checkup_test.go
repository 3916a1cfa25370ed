package checkup_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/checkup"
	"github.com/orderhook/orderhook/internal/checkup/checkuptest"
	"github.com/orderhook/orderhook/internal/outbound"
)

// checked runs the check of an endpoint, whose calls are signed.
func checked(t *testing.T, e http.Handler, o checkup.Options) *checkup.Report {
	t.Helper()
	s := httptest.NewServer(e)
	defer s.Close()
	o.URL, o.Secret, o.Now, o.Client = s.URL, checkuptest.Secret, time.Now, outbound.Options{Version: "test"}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	told := 0
	report, err := checkup.Run(t.Context(), o, func(checkup.Case) { told++ })
	if err != nil {
		t.Fatal(err)
	}
	if told != len(report.Cases) {
		t.Errorf("%d of %d cases were told of", told, len(report.Cases))
	}
	return report
}

// kinds are the findings of a report, each with its case.
func kinds(r *checkup.Report) (all []string) {
	for _, c := range r.Cases {
		for _, f := range c.Findings {
			all = append(all, c.Name+": "+f.Kind)
		}
	}
	return all
}

func TestAGoodEndpointHasNoFindings(t *testing.T) {
	for _, kind := range checkup.Kinds {
		t.Run(string(kind), func(t *testing.T) {
			r := checked(t, checkuptest.New(string(kind)), checkup.Options{Kind: kind})
			if len(kinds(r)) > 0 {
				t.Errorf("%+v", r)
			}
			for _, c := range r.Cases {
				if c.Result != "ok" || len(c.Calls) == 0 {
					t.Errorf("the case %s is %s, with %d calls", c.Name, c.Result, len(c.Calls))
				}
			}
		})
	}
}

// TestEachHabitIsFound by the case that is about it, with all that a finding has to say, and
// with nothing else that would be wrong.
func TestEachHabitIsFound(t *testing.T) {
	for _, h := range checkuptest.Habits {
		t.Run(h.Name, func(t *testing.T) {
			e := checkuptest.New(h.Kind)
			h.Give(e)
			name, kind, _ := strings.Cut(h.Want, ": ")
			r := checked(t, e, checkup.Options{Kind: checkup.Kind(h.Kind), Timeout: h.Timeout, Only: []string{name}})
			if !slices.Contains(kinds(r), h.Want) {
				t.Fatalf("found %q in %+v", kinds(r), r)
			}
			for _, c := range r.Cases {
				for _, f := range c.Findings {
					if f.Kind != kind {
						t.Errorf("found %s: %s, too: %s", c.Name, f.Kind, f.Text)
					}
					if f.Text == "" || f.Sent == "" || f.Came == "" || f.Effect == "" || f.Advice == "" || !strings.HasPrefix(f.Section, "docs/building-an-endpoint.md"+"#") {
						t.Errorf("a finding lacks something: %+v", f)
					}
				}
			}
			if r.Errors+r.Warnings+r.Notes != len(kinds(r)) {
				t.Errorf("%d, %d and %d were counted of %q", r.Errors, r.Warnings, r.Notes, kinds(r))
			}
		})
	}
}

// TestEveryCaseHasAHabit: a case that nothing fails would prove nothing.
func TestEveryCaseHasAHabit(t *testing.T) {
	for _, name := range checkup.Names() {
		if !slices.ContainsFunc(checkuptest.Habits, func(h checkuptest.Habit) bool { return strings.HasPrefix(h.Want, name+": ") }) {
			t.Errorf("no habit is found by the case %s", name)
		}
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then net/http does not see the caller hang up
		cancel()
		<-r.Context().Done()
	}))
	defer s.Close()
	_, err := checkup.Run(ctx, checkup.Options{URL: s.URL, Kind: checkup.Step, Timeout: time.Minute, Now: time.Now}, func(checkup.Case) {})
	if err != context.Canceled {
		t.Errorf("got %v", err)
	}
}

// TestWhatAnAnswerWouldDo: the report says it in the words of what would become of the order.
func TestWhatAnAnswerWouldDo(t *testing.T) {
	for _, tc := range []struct{ kind, body, want string }{
		{"step", `{}`, "the step is a Success"},
		{"step", `{"OrderActionExecutionResults":[{"ActionStatus":"Warning","ErrorReason":"late","TriggerNewStatus":"Late"}]}`, "the step is a Warning (late); then the order enters Late, with its workflow"},
		{"step", `{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"fraud"}]}`,
			"the step is an Error (fraud); the status New becomes CheckFailed; the workflow stops, since the step has StopOnError"},
		{"step", `[]`, "the step is an Error; the status New becomes CheckFailed; the workflow stops, since the step has StopOnError"},
		{"validator", `{"validationErrors":[{"message":"no stock"}],"value":{"tags":["a"]}}`, "the cart is rejected: no stock; it changes tags"},
		{"validator", `x`, "the cart is rejected at once, with an error of the type External: a validator is asked once"},
		{"event", `x`, "the event is delivered"},
	} {
		e := checkuptest.New(tc.kind)
		checkuptest.Answering(tc.body)(e)
		r := checked(t, e, checkup.Options{Kind: checkup.Kind(tc.kind), Only: []string{"success"}})
		if got := r.Cases[0].Calls[0].Effect; got != tc.want {
			t.Errorf("%s %s: got %q, want %q", tc.kind, tc.body, got, tc.want)
		}
	}
	for _, tc := range []struct {
		kind   string
		status int
		want   string
	}{
		{"step", 503, "the call is tried again 3 times within 21s; if all fail alike, the step is an Error;"},
		{"step", 404, "the step is an Error;"},
		{"event", 500, "the event is sent again 5 times within 1h12m35s; if all fail alike, the delivery has failed"},
		{"event", 410, "the endpoint is turned off at once"},
	} {
		e := checkuptest.New(tc.kind)
		checkuptest.Status(tc.status, checkuptest.AnyCall)(e)
		r := checked(t, e, checkup.Options{Kind: checkup.Kind(tc.kind)})
		if got := r.Cases[0].Calls[0].Effect; !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s %d: got %q, want %q", tc.kind, tc.status, got, tc.want)
		}
		for _, c := range r.Cases[1:] {
			if c.Result != "skipped" || len(c.Calls) > 0 {
				t.Errorf("the case %s is %s", c.Name, c.Result)
			}
		}
	}
}

// TestAnOptionThatIsWrongIsNamed before anything is called.
func TestAnOptionThatIsWrongIsNamed(t *testing.T) {
	for _, tc := range []struct {
		change func(*checkup.Options)
		want   string
	}{
		{func(o *checkup.Options) { o.URL = "ftp://h" }, "connectors[0].host"},
		{func(o *checkup.Options) { o.Kind = "hook" }, "kind"},
		{func(o *checkup.Options) { o.Timeout = 0 }, "timeout"},
		{func(o *checkup.Options) { o.Only = []string{"huge"} }, "only"},
		{func(o *checkup.Options) { o.Only = []string{"late"} }, "only"},
		{func(o *checkup.Options) { o.Secret = "whsec_%" }, "connectors[0].signingSecret"},
		{func(o *checkup.Options) { o.Headers = []checkup.Pair{{Name: "Content-Type", Value: "x"}} }, "connectors[0].customHeaders[0].key"},
	} {
		o := checkup.Options{URL: "http://127.0.0.1:1", Kind: checkup.Step, Timeout: time.Second, Now: time.Now}
		tc.change(&o)
		_, err := checkup.Run(t.Context(), o, func(checkup.Case) { t.Error("a case was made") })
		if apierr.KindOf(err) != apierr.Invalid || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
}

// TestARepeatIsTheSameCall: first as a server that was killed makes it, then as its retry.
func TestARepeatIsTheSameCall(t *testing.T) {
	for kind, header := range map[checkup.Kind]string{checkup.Step: "X-Delivery-Count", checkup.Event: "X-Attempt"} {
		var got []string
		e := checkuptest.New(string(kind))
		e.Before = func(_ http.ResponseWriter, c checkuptest.Call) bool {
			got = append(got, c.Header.Get(header)+" "+c.Header.Get("Webhook-Id")+" "+string(c.Body))
			return false
		}
		checked(t, e, checkup.Options{Kind: kind, Only: []string{"repeat"}})
		if len(got) != 4 || got[1] != got[2] || got[3] != "2"+strings.TrimPrefix(got[2], "1") || !strings.HasPrefix(got[1], "1 ") || got[0] == got[1] {
			t.Errorf("%s: got %q", kind, got)
		}
	}
}
