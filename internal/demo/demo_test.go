package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/orderhook/orderhook/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// folder has the demo put its database in a folder of the test's own.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return dir
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("the demo left %v behind (%v)", left, err)
	}
}

func TestOnceShowsEveryOrdersWay(t *testing.T) {
	dir := folder(t)
	var out bytes.Buffer
	if err := demo.Run(t.Context(), demo.Options{Once: true, Listen: "127.0.0.1:0", Version: "test", Out: &out}); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, dir)
	text := out.String()
	for _, part := range parts {
		from, after, found := strings.Cut(text, part.order)
		if !found {
			t.Fatalf("no %s in\n%s", part.order, from)
		}
		order, _, _ := strings.Cut(after, "────")
		for _, want := range part.want {
			if !strings.Contains(order, want) {
				t.Errorf("%s: no %q in\n%s", part.order, want, order)
			}
		}
	}
	wantNarrow(t, text)
}

// parts is what is to be read of each order: its outcome, what changed, and why
// it was stopped.
var parts = []struct {
	order string
	want  []string
}{
	{"N-104882", []string{
		"answer   Success, orderPatch of orderForm, properties, tags",
		"[webshop] → [webshop, club, dangerous-goods]", "orderForm.lineItems[2].extendedPrice  1798.00 → 1618.20",
		"orderForm.total                       6445.70 → 5836.00", "id: SO-300417", "done  status New → ReadyToShip",
		"→  POST /pick     attempt 1 of 6   200 OK", "event    order_ready evt_", "answer   the signature is good, 3 lines to pick"}},
	{"S-058213", []string{
		"Error: fraud score 80: 8 gift cards, new customer", "3  not called: the run ended before it",
		"stopped  status New → FraudReview", "because  Fraud check (step 2 of 3, WebhookWorkflowStep): fraud score 80"}},
	{"B-007731", []string{
		"attempt 1 of 4   503 Service Unavailable", "price lists are being imported", "attempt 2 of 4   200 OK",
		"64.00 → 60.80", "id: SO-300418", "done  status New → ReadyToShip"}},
	{"G-033019", []string{"billed to GB, shipped to LT", "stopped  status New → FraudReview"}},
	{"N-104883", []string{"result   Warning: no weight is known for MUG-EN-350", "done  status New → ReadyToShip"}},
}

func wantNarrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Error("colours without a terminal")
	}
}

func TestStaysUpUntilItIsStopped(t *testing.T) {
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Run(ctx, demo.Options{Listen: "127.0.0.1:0", Version: "test", Out: w})
		w.Close()
	}()
	url, key := shownAccess(t, r)
	if got := status(t, url+"/api/orders", key); got != http.StatusOK {
		t.Errorf("with the key that is shown: %d", got)
	}
	cancel()
	_, _ = io.Copy(io.Discard, r)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	wantEmpty(t, dir)
}

// shownAccess reads up to the last line that the demo prints.
func shownAccess(t *testing.T, r io.Reader) (url, key string) {
	t.Helper()
	var text strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(text.String(), "/api/docs\n"); {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatalf("%v after\n%s", err, text.String())
		}
		text.Write(buf[:n])
	}
	_, export, _ := strings.Cut(text.String(), "export ")
	if _, err := fmt.Sscanf(export, "URL=%s KEY=%s", &url, &key); err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	return url, key
}

func status(t *testing.T, url, key string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	dir := folder(t)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := demo.Run(t.Context(), demo.Options{Once: true, Listen: l.Addr().String(), Out: io.Discard}); err == nil {
		t.Error("no error")
	}
	wantEmpty(t, dir)
}
