package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/pgtest"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/trace"
)

func openTemp(t *testing.T, name string) store.Store {
	t.Helper()
	st, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), name), StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// openOnServer opens a new database on a PostgreSQL server.
func openOnServer(t *testing.T) store.Store {
	t.Helper()
	st, err := OpenStore(t.Context(), pgtest.Database(t, postgres.Migrate), StoreOptions{EncryptionKey: encryptionKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// TestEventsAreImported: they are what they were, in the order in which they were, nobody is
// sent them, and who imports them again, or after a part of them, adds the rest.
func TestEventsAreImported(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { testEventsAreImported(t, openTemp(t, "from.db"), openTemp(t, "to.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { testEventsAreImported(t, openOnServer(t), openOnServer(t)) })
}

func testEventsAreImported(t *testing.T, from, to store.Store) {
	t.Helper()
	ctx := t.Context()
	at := time.Now().UTC().Truncate(time.Microsecond)
	for i := range 2*linesAtOnce + 7 {
		e := &event.Event{ID: fmt.Sprint("evt-", i), WebhookID: fmt.Sprint("msg_", i), Type: "t", Timestamp: at, Data: jsontext.Value(fmt.Sprintf(`{"n":%d}`, i)), Related: event.Related{OrderID: "o"}}
		within := ctx
		if i%2 == 0 {
			within = trace.WithText(ctx, fmt.Sprintf("00-0af7651916cd43dd8448eb211c80319c-%016x-01 a=b", i+1))
		}
		if err := from.Publish(within, "default", e); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Write(ctx, func(tx store.Tx) error {
		return tx.PutEndpoint(ctx, "default", &event.Endpoint{ID: "ep_1", Origin: event.OriginAPI, URL: "http://127.0.0.1:1/", EventTypes: []string{"*"}, Enabled: true})
	}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "events.jsonl")
	export := func(st store.Store, file string) string {
		t.Helper()
		x := &Export{Kind: "events", Format: "jsonl", Tenant: "default", File: file}
		if _, err := x.Run(ctx, st); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	whole := export(from, file)
	if !strings.Contains(whole, `"trace":"00-0af7651916cd43dd8448eb211c80319c-0000000000000001-01 a=b"`) {
		t.Error("the trace of an event is not exported")
	}
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	part := filepath.Join(t.TempDir(), "part.jsonl")
	if err := os.WriteFile(part, []byte(strings.Join(lines[len(lines)-50:], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	imported := func(file string, added, there int64) {
		t.Helper()
		m := &Import{Kind: "events", Tenant: "default", File: file, MaxBytes: 1 << 20}
		gotAdded, gotThere, err := m.Run(ctx, to)
		if err != nil || gotAdded != added || gotThere != there {
			t.Errorf("%v; added %d, there %d; want %d, %d", err, gotAdded, gotThere, added, there)
		}
	}
	n := int64(len(lines))
	imported(part, 50, 0)
	imported(file, n-50, 50)
	imported(file, 0, n)
	if again := export(to, filepath.Join(t.TempDir(), "again.jsonl")); again != whole {
		t.Error("they are exported as others, or in another order")
	}
	if sent, err := to.Deliveries(ctx, "default", store.DeliveryFilter{}, store.Page{}); err != nil || len(sent.Items) > 0 {
		t.Errorf("%v; deliveries: %v", err, sent.Items)
	}
	for text, want := range map[string]string{
		lines[0] + lines[0]: "line 1: the event",
		lines[0] + strings.Replace(lines[1], `"type":"t"`, `"type":"u"`, 1):                              "line 2: there is another event",
		lines[0] + strings.Replace(lines[1], `"webhookId"`, `"webhook"`, 1):                              "line 2: is no event",
		lines[0] + `{"id":"x","webhookId":"x","type":"t","timestamp":"` + at.Format(time.RFC3339) + `"}`: "line 2: data is needed",
		lines[0] + "no JSON\n" + lines[1]:                                                                "line 2: is no event",
	} {
		bad := filepath.Join(t.TempDir(), "bad.jsonl")
		if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m := &Import{Kind: "events", Tenant: "default", File: bad, MaxBytes: 1 << 20}
		if _, _, err := m.Run(ctx, to); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.300s: %v, want %s", text, err, want)
		}
	}
}

// TestATraceThatIsNone is refused, and not dropped in silence.
func TestATraceThatIsNone(t *testing.T) {
	_, err := importedEvent(t.Context(), []byte(`{"id":"evt-1","webhookId":"evt-1","type":"t","timestamp":"2026-01-01T00:00:00Z","data":{},"trace":"nothing"}`))
	if err == nil || !strings.Contains(err.Error(), "is no traceparent") {
		t.Errorf("%v", err)
	}
}

// TestAnExportOfTheSameDatabaseIsThere, though a payload was published with white space and
// escapes that an export writes otherwise; another value is another event.
func TestAnExportOfTheSameDatabaseIsThere(t *testing.T) {
	st, ctx := openTemp(t, "a.db"), t.Context()
	data := jsontext.Value("{ \"name\" : \"\\u00e5 <b>\\/\", \"n\" : 1.50 }")
	e := &event.Event{ID: "evt-1", WebhookID: "msg_1", Type: "t", Timestamp: time.Now().UTC().Truncate(time.Microsecond), Data: data}
	if err := st.Publish(ctx, "default", e); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "events.jsonl")
	if _, err := (&Export{Kind: "events", Format: "jsonl", Tenant: "default", File: file}).Run(ctx, st); err != nil {
		t.Fatal(err)
	}
	if added, there, err := (&Import{Kind: "events", Tenant: "default", File: file, MaxBytes: 1 << 20}).Run(ctx, st); err != nil || added != 0 || there != 1 {
		t.Errorf("%v; added %d, there %d", err, added, there)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(text))
	for name, changed := range map[string]string{
		"data":      strings.Replace(line, "1.5", "1.6", 1),
		"webhookId": strings.Replace(line, "msg_1", "msg_2", 1),
		"subject":   strings.Replace(line, `"timestamp"`, `"subject":{"kind":"k","id":"i"},"timestamp"`, 1),
		"orderId":   strings.Replace(line, `"timestamp"`, `"orderId":"o","timestamp"`, 1),
	} {
		if changed == line {
			t.Fatalf("%s: nothing was changed in %s", name, line)
		}
		if err := importLine(t, st, changed); err == nil || !strings.Contains(err.Error(), "line 1: there is another event") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func importLine(t *testing.T, st store.Store, line string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "line.jsonl")
	if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := (&Import{Kind: "events", Tenant: "default", File: file, MaxBytes: 1 << 20}).Run(t.Context(), st)
	return err
}

// TestWhatIsNoEventIsNotImported: what the API would not have taken is refused with its line
// and its field. What orderhook itself makes is more than the API takes.
func TestWhatIsNoEventIsNotImported(t *testing.T) {
	st := openTemp(t, "a.db")
	const good = `{"id":"e","type":"OrderCreated","webhookId":"e","subject":{"kind":"order","id":"o"},"orderId":"o","subscriptionId":"a\tb","timestamp":"2026-11-21T09:30:00Z","data":{"a":1}}`
	for _, row := range [][3]string{
		{`"id":"e"`, `"id":"a.b"`, "id: must hold no dot"},
		{`"id":"e"`, `"id":"` + strings.Repeat("x", 256) + `"`, "id: must have from 1 to 255 characters"},
		{`"webhookId":"e"`, `"webhookId":"a b"`, "webhookId: must be of visible ASCII characters"},
		{`"type":"OrderCreated"`, `"type":"a b"`, "type: must be of letters"},
		{`"kind":"order"`, `"kind":""`, "subject.kind: must be from 1 to 50 letters"},
		{`"id":"o"}`, `"id":""}`, "subject.id: must not be empty"},
		{`"orderId":"o"`, `"orderId":"p"`, "orderId: is another order than the subject"},
		{`"orderId":"o"`, `"orderId":"o","cartId":"\u0001"`, "cartId: must not hold control characters"},
		{`"orderId":"o"`, `"orderId":"o","stockItemId":"` + strings.Repeat("x", 201) + `"`, "stockItemId: must be at most 200 bytes long"},
		{`2026-11-21`, `1969-11-21`, "timestamp: must lie in the UTC years 1970 to 9998"},
		{`2026-11-21`, `9999-11-21`, "timestamp: must lie in the UTC years 1970 to 9998"},
		{`{"a":1}`, `[1]`, "data: must be an object, not a list"},
		{`{"a":1}`, strings.Repeat(`{"a":`, 117) + "1" + strings.Repeat("}", 117), "data: nests deeper than 116 levels"},
	} {
		line := strings.Replace(good, row[0], row[1], 1)
		if err := importLine(t, st, line); err == nil || !IsUserError(err) || !strings.Contains(err.Error(), "line 1."+row[2]) && !strings.Contains(err.Error(), "line 1: "+row[2]) {
			t.Errorf("%.200s: %v, want %s", line, err, row[2])
		}
	}
	if err := importLine(t, st, good); err != nil {
		t.Error(err)
	}
}
