package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// fault is what ails the network between the server and one endpoint.
type fault struct {
	toxic string // as toxiproxy has it
	// want is the beginning of the failed attempts' error; "" where a delivery
	// gets through all the same.
	want string
}

var faults = map[string]fault{
	"latency":           {`{"type":"latency","attributes":{"latency":60000}}`, "timed out after 400ms"},
	"slow upload":       {`{"type":"bandwidth","stream":"upstream","attributes":{"rate":1}}`, "timed out after 400ms"},
	"slow answer":       {`{"type":"bandwidth","attributes":{"rate":1}}`, "timed out after 400ms"},
	"black hole":        {`{"type":"timeout","attributes":{"timeout":0}}`, "timed out after 400ms"},
	"reset":             {`{"type":"reset_peer","attributes":{"timeout":0}}`, "connection "},
	"reset upstream":    {`{"type":"reset_peer","stream":"upstream","attributes":{"timeout":0}}`, "connection "},
	"closed, no answer": {`{"type":"timeout","attributes":{"timeout":50}}`, "connection "},
	"cut in the header": {`{"type":"limit_data","attributes":{"bytes":17}}`, "connection closed before the whole answer came"},
	"cut in the body":   {`{"type":"limit_data","attributes":{"bytes":5000}}`, "connection closed before the whole answer came"},
	"cut request":       {`{"type":"limit_data","stream":"upstream","attributes":{"bytes":300}}`, "connection "},
	"slow close":        {`{"type":"slow_close","attributes":{"delay":60000}}`, ""},
	"in slices":         {`{"type":"slicer","attributes":{"average_size":50,"size_variation":20,"delay":10}}`, ""},
}

// TestFaultsOfTheNetwork has each of them befall one endpoint beside a healthy
// one: its attempts fail, are recorded and repeated, and succeed once the fault
// is gone; the healthy one notices nothing.
func TestFaultsOfTheNetwork(t *testing.T) {
	t.Parallel()
	zerolog.SetGlobalLevel(zerolog.Disabled)
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	s := newWhere(t).serve(t)
	healthy := newReceiver(t, nil)
	beside := s.subscribe(t, s.newKey, healthy.URL, `"eventTypes":["*"]`)
	t.Run("all", func(t *testing.T) {
		for name, f := range faults {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f.befall(t, s, healthy, proxies, strings.NewReplacer(" ", "_", ",", "").Replace(name))
			})
		}
	})
	s.awaitDeliveries(t, s.newKey, beside)
	if failed := s.attempts(t, s.newKey, beside, "failed"); len(failed) > 0 {
		t.Errorf("the healthy endpoint has %d failed attempts, one of them %v", len(failed), failed[0])
	}
	if n := healthy.repeats(); n > 0 {
		t.Errorf("the healthy endpoint got %d events twice", n)
	}
}

// befall runs a fault; its name is the type of its events.
func (f fault) befall(t *testing.T, s *server, healthy *receiver, proxies *toxiproxy.ApiServer, name string) {
	behind := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) {
		_, _ = fmt.Fprint(w, strings.Repeat("thanks ", 3000))
	})
	proxy := toxiproxy.NewProxy(proxies, name, "127.0.0.1:0", strings.TrimPrefix(behind.URL, "http://"))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	e := s.subscribe(t, s.newKey, "http://"+proxy.Listen, fmt.Sprintf(
		`"eventTypes":[%q],"timeout":%q,"retrySchedule":[%s"PT0.5S"]`, name, f.timeout(), strings.Repeat(`"PT0.3S",`, 19)))
	heal := f.begin(t, proxy)
	ids := []string{name + "-1", name + "-2"}
	for _, id := range ids {
		s.mustPublish(t, s.newKey, name, id, map[string]string{"text": strings.Repeat("many words ", 200)})
	}
	healthy.awaitAll(t, ids)
	if f.want != "" {
		for _, a := range s.awaitFailed(t, s.newKey, e, 2*len(ids)) {
			if text := fmt.Sprint(a["error"]); !strings.HasPrefix(text, f.want) {
				t.Errorf("an attempt failed with %q, want %s…", text, f.want)
			}
		}
		heal()
	}
	behind.awaitAll(t, ids)
	s.awaitDeliveries(t, s.newKey, e)
	if got := s.deliveries(t, s.newKey, e, "succeeded"); len(got) != len(ids) {
		t.Errorf("%d deliveries succeeded, want %d", len(got), len(ids))
	}
	if failed := s.attempts(t, s.newKey, e, "failed"); f.want == "" && len(failed) > 0 {
		t.Errorf("an attempt failed: %v", failed[0])
	}
}

// timeout is that of the endpoint: short where that is what the attempts fail of.
func (f fault) timeout() string {
	if strings.HasPrefix(f.want, "timed out") {
		return "PT0.4S"
	}
	return "PT20S"
}

// begin brings a fault about and returns what ends it.
func (f fault) begin(t *testing.T, proxy *toxiproxy.Proxy) (end func()) {
	t.Helper()
	toxic, err := proxy.Toxics.AddToxicJson(strings.NewReader(f.toxic))
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := proxy.Toxics.RemoveToxic(context.Background(), toxic.Name); err != nil {
			t.Error(err)
		}
	}
}
