package contract

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#headers.

func TestHeadersSentAlways(t *testing.T) {
	s := answering(t, "")
	placed(t, step{Host: s.URL + "/api/validate"})
	got := s.only(t)
	equals(t, "path", got.Path, "/api/validate")
	for name, want := range map[string]string{
		"User-Agent": "OmniumOms/test", "Accept": "application/json", "Content-Type": "application/json",
		"X-Delivery-Count": "1", "X-Max-Delivery-Count": "4", "Authorization": "", "Webhook-Signature": "",
	} {
		equals(t, name, got.Header.Get(name), want)
	}
	if !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`).MatchString(got.Header.Get("Traceparent")) {
		t.Errorf("traceparent %q", got.Header.Get("Traceparent"))
	}
	if got.Header.Get("Idempotency-Key") == "" {
		t.Error("no Idempotency-Key")
	}
}

func TestRequestHeadersAreSent(t *testing.T) {
	s := answering(t, "")
	placed(t, step{Host: s.URL, Headers: header("Authorization", "Bearer your-token") + header("X-Warehouse", "oslo") +
		header("user-agent", "Shop/2") + header("ACCEPT", "application/vnd.shop+json")})
	for name, want := range map[string]string{
		"Authorization": "Bearer your-token", "X-Warehouse": "oslo", "User-Agent": "Shop/2", "Accept": "application/vnd.shop+json",
	} {
		equals(t, name, s.only(t).Header.Get(name), want)
	}
}

func TestHeadersThatNobodyMayReplace(t *testing.T) {
	r := lease(t)
	for _, name := range []string{"Host", "Content-Type", "content-length", "Content-Encoding", "X-Delivery-Count", "x-max-delivery-count"} {
		t.Run(name, func(t *testing.T) {
			steps := config(status("New", step{Host: "https://example.com", Headers: header(name, "1")}))
			r.call("PUT", "/api/settings", steps).want(422).
				is("errors[0].location", "body.orderTypes[0].orderStatuses[0].workflowSteps[0].properties[1].key")
			custom := with(config(), connectors(connector("https://example.com", fmt.Sprintf(`,"CustomHeaders":[{"key":%q,"value":"1"}]`, name))))
			r.call("PUT", "/api/settings", custom).want(422).is("errors[0].location", "body.connectors[0].customHeaders[0].key")
		})
	}
}

func TestCredentialsStrongestFirst(t *testing.T) {
	const (
		basic  = `,"Username":"shop","Password":"pa55"`
		token  = `,"Token":"tok"` + basic
		bearer = `,"BearerToken":"bear"` + token
		custom = `,"CustomHeaders":[{"key":"Authorization","value":"Custom c"},{"key":"X-Both","value":"connector"},{"key":"User-Agent","value":"C/1"}]` + bearer
	)
	for _, row := range []struct{ name, connector, headers, want string }{
		{"no credentials", "", "", ""},
		{"Username and Password", basic, "", "Basic c2hvcDpwYTU1"},
		{"Token over Basic", token, "", "Token tok"},
		{"BearerToken over Token", bearer, "", "Bearer bear"},
		{"CustomHeaders over BearerToken", custom, "", "Custom c"},
		{"RequestHeaders over CustomHeaders", custom, header("authorization", "Step s") + header("x-both", "step"), "Step s"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(with(config(status("New", step{Headers: row.headers})), connectors(connector(s.URL, row.connector))))
			r.post(order)
			got := s.only(t).Header
			equals(t, "Authorization", fmt.Sprint(got.Values("Authorization")), fmt.Sprint(strings.Fields(row.want)))
			if row.connector == custom {
				equals(t, "User-Agent", got.Get("User-Agent"), "C/1")
				equals(t, "X-Both", got.Get("X-Both"), map[bool]string{true: "connector", false: "step"}[row.headers == ""])
			}
		})
	}
}

func TestUserAgentIsConfigurable(t *testing.T) {
	s, r := answering(t, ""), start(t, func(o *outbound.Options) { o.UserAgent = "Nordshop/3" })
	r.settings(config(status("New", step{Host: s.URL})))
	r.post(order)
	equals(t, "User-Agent", s.only(t).Header.Get("User-Agent"), "Nordshop/3")
}

func TestOneIdempotencyKeyForAllAttemptsOfACall(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		if n == 0 || n == 2 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	r, _ := placed(t, step{Host: s.URL}, step{Host: s.URL})
	keys := s.each("Idempotency-Key")
	if len(keys) != 4 || keys[0] != keys[1] || keys[2] != keys[3] || keys[0] == keys[2] || keys[0] == "" {
		t.Errorf("keys %v", keys)
	}
	r.enter("New")
	if again := s.each("Idempotency-Key")[4]; again == keys[0] || again == keys[2] {
		t.Errorf("a further run's call has the key of an earlier one, %s", again)
	}
}
