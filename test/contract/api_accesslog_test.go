package contract

import (
	"fmt"
	"strings"
	"testing"
)

// accessed returns the lines of the access log about the request of an answer.
func (r *rig) accessed(a answer) (lines []string) {
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "msg=request ") && strings.Contains(line, " request="+requestIDOf(a)+" ") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestTheAccessLogHasALineForEachRequest(t *testing.T) {
	r := lease(t)
	r.post(order)
	me := r.get("/api/me")
	whose := fmt.Sprint(" tenant=", me.text("tenant"), " key=", me.text("id"))
	for _, c := range []struct {
		call, body string
		says       []string
	}{
		{"GET /api/orders/ORD-12345?", "", []string{"method=GET", "route=/api/orders/{id}", "path=/api/orders/ORD-12345", "status=200", whose}},
		{"POST /api/orders/ORD-12345/status", `{"status":"Held"}`, []string{"method=POST", "route=/api/orders/{id}/status", "status=200", whose}},
		{"GET /api/orders/none", "", []string{"route=/api/orders/{id}", "status=404", whose}},
		{"GET /api/orders?limit=x", "", []string{"route=/api/orders", "status=422", whose}},
		{"POST /api/orders", `{`, []string{"route=/api/orders", "status=400", whose}},
		{"GET /api/nothing/a%2Fb", "", []string{`route=""`, "path=/api/nothing/a%2Fb", "status=404", whose}},
		{"GET /healthz", "", []string{"route=/healthz", "status=200", "bytes=3", `tenant="" key=""`}},
	} {
		a := r.callOf(c.call, c.body)
		var lines []string
		r.until("the line is written", func() bool { lines = r.accessed(a); return len(lines) > 0 })
		if len(lines) != 1 {
			t.Fatalf("%s has the lines %q", c.call, lines)
		}
		for _, word := range append(c.says, "level=DEBUG", fmt.Sprintf("bytes=%d ", len(a.Raw)), "duration=") {
			if !strings.Contains(lines[0], word) {
				t.Errorf("%s: %q is not in %s", c.call, word, lines[0])
			}
		}
	}
}

func TestTheAccessLogHoldsNoSecrets(t *testing.T) {
	r := lease(t)
	first := r.get("/api/orders?q=s3cret-of-a-query")
	second := r.call("POST", "/api/endpoints", `{"url":"https://example.com/?token=s3cret","eventTypes":["*"],"headers":{"X-Key":"s3cret"}}`, "Idempotency-Key", "s3cret")
	third := r.as("s3cret-key").call("GET", "/"+strings.Repeat("x", 5000), "", "X-Request-Id", "long")
	for _, a := range []answer{first, second, third} {
		r.until("the line is written", func() bool { return len(r.accessed(a)) == 1 })
	}
	if said := r.log.String(); strings.Contains(said, "s3cret") || strings.Contains(said, r.key) || strings.Contains(said, strings.Repeat("x", 400)) {
		t.Errorf("the log says %s", said)
	}
}
