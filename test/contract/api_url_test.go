package contract

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// A URL that comes in anywhere is escaped as browsers do, and its host is mapped
// (cases of spaces in a query, and of hosts with capitals beyond ASCII).

// oddURL leads to a sink by a host and a target in spellings that no request can have.
func oddURL(s *sink) string {
	return strings.Replace(s.URL, "127.0.0.1", "ＬＯＣＡＬＨＯＳＴ", 1) + `/a b/ø?q=c d&x=<'"ø{}>`
}

// The target of oddURL as it goes out, and as attempts show it, without the values
// of its query.
const (
	itsTarget = "/a%20b/%C3%B8?q=c%20d&x=%3C%27%22%C3%B8%7B%7D%3E"
	itsRecord = "/a%20b/%C3%B8?q=***&x=***"
)

// targets is an endpoint that keeps what stands in its requests' first line.
type targets struct {
	*sink
	mu    sync.Mutex
	lines []string
}

func keepingTargets(t *testing.T, answer string) *targets {
	k := &targets{}
	k.sink = endpointOf(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.lines = append(k.lines, r.Host+" "+r.RequestURI)
		_, _ = w.Write([]byte(answer))
	})
	return k
}

// called fails the test unless so many requests came, all with the target in its
// normal spelling.
func (k *targets) called(r *rig, n int) {
	r.t.Helper()
	r.until("it is called", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return len(k.lines) >= n })
	k.mu.Lock()
	defer k.mu.Unlock()
	want := strings.Replace(strings.TrimPrefix(k.URL, "http://"), "127.0.0.1", "localhost", 1) + " " + itsTarget
	for _, line := range k.lines {
		equals(r.t, "request", line, want)
	}
	equals(r.t, "requests", len(k.lines), n)
}

func TestURLsOfEndpointsAreEscaped(t *testing.T) {
	r, k := start(t), keepingTargets(t, "")
	e := r.subscribed(oddURL(k.sink), `,"headers":{"X-Key":"s3cret"}`)
	normal := strings.Replace(k.URL, "127.0.0.1", "localhost", 1) + itsTarget
	e.is("url", normal)
	r.publish("")
	k.called(r, 1)
	r.until("it is recorded", func() bool { return len(r.get("/api/attempts").ids("id")) == 1 })
	at := r.get("/api/attempts").is("items[0].host", strings.TrimPrefix(strings.Replace(k.URL, "127.0.0.1", "localhost", 1), "http://")).text("items[0].id")
	for _, url := range []string{"", fmt.Sprintf(`{"url":%q}`, oddURL(k.sink)), fmt.Sprintf(`{"url":%q}`, normal)} {
		r.call("POST", "/api/attempts/"+at+"/replay", url).want(200).is("replay.status", 200).is("replay.url", strings.Replace(normal, itsTarget, itsRecord, 1)).is("replay.request.headers.X-Key", "***")
	}
	k.called(r, 4)
	// The same origin in another spelling keeps the secrets, another does not.
	r.call("PATCH", endpointPath(e, ""), fmt.Sprintf(`{"url":%q}`, strings.Replace(k.URL, "127.0.0.1", "localhost", 1)+"/x y")).want(200).is("headers", map[string]any{"X-Key": "***"})
	r.call("PATCH", endpointPath(e, ""), fmt.Sprintf(`{"url":%q}`, k.URL)).problem(422, "body.headers")
	r.call("PATCH", endpointPath(e, ""), `{"url":"http://１２７.1/"}`).problem(422, "body.url")
	for _, url := range []string{"http://a b/", "http://a<b>/", "http://h/ ", "http://xn--a.example/", `http://h/\u0007`} {
		r.call("PATCH", endpointPath(e, ""), `{"url":"`+url+`"}`).problem(422, "body.url")
		r.call("POST", "/api/attempts/"+at+"/replay", `{"url":"`+url+`"}`).problem(422, "body.url")
		r.call("PUT", "/api/settings", `{"connectors":[{"name":"W","host":"`+url+`"}]}`).problem(422, "body.connectors[0].host")
		r.call("PUT", "/api/settings", strings.Replace(config(status("New", step{Host: "URL"})), "URL", url, 1)).
			problem(422, "body.orderTypes[0].orderStatuses[0].workflowSteps[0].properties[0].value")
	}
}

func TestURLsOfStepsAndConnectorsAreEscaped(t *testing.T) {
	r := start(t)
	own, connected, exported, validator := keepingTargets(t, ""), keepingTargets(t, ""), keepingTargets(t, ""), keepingTargets(t, approved)
	r.settings(with(config(status("New", step{Host: oddURL(own.sink)}, step{Connector: "C"}, step{Name: exportStep, Connector: "E"})),
		connectors(fmt.Sprintf(`{"Name":"C","Host":%q}`, oddURL(connected.sink)), fmt.Sprintf(`{"Name":"E","Host":%q}`, oddURL(exported.sink)), validatorAt(oddURL(validator.sink), ""))))
	r.get("/api/settings").is("connectors[0].host", oddURL(connected.sink)) // as it was written
	r.post(order)
	own.called(r, 1)
	connected.called(r, 1)
	exported.called(r, 1)
	r.call("POST", "/api/carts/validate", cart).want(200)
	validator.called(r, 1)
	for _, kind := range []string{"step", "export", "validator"} {
		for _, url := range r.get("/api/attempts?kind=" + kind).ids("url") {
			if !strings.HasSuffix(url, itsRecord) || !strings.HasPrefix(url, "http://localhost:") {
				t.Errorf("an attempt of the kind %s is recorded as one to %s", kind, url)
			}
		}
	}
}

func TestTheURLOfTheWebHookSectionIsEscaped(t *testing.T) {
	k := keepingTargets(t, "")
	r := hooked(t, fmt.Sprintf(`{"webHook":{"enabled":true,"endpoint":%q}}`, oddURL(k.sink)))
	r.post(order)
	k.called(r, 1)
}
