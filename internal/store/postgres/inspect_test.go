package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// TestInspect finds a row of nothing, numbers that would be given out again, and chunks of
// no segment, of which the last can be repaired.
func TestInspect(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	findings := func() (all []core.Finding) {
		t.Helper()
		if err := Inspect(t.Context(), url, func(f core.Finding) { all = append(all, f) }); err != nil {
			t.Fatal(err)
		}
		return all
	}
	if sound := findings(); len(sound) > 0 {
		t.Errorf("in a new database: %v", sound)
	}
	config, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := config.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, text := range []string{
		`INSERT INTO bodies (tenant, call_id, body) VALUES ('acme', 'call_1', '\x00')`,
		`INSERT INTO events (seq, tenant, id, type, at, subject_kind, subject_id, order_id) VALUES (7000, 'acme', 'evt_1', 't', 1, '', '', '')`,
		`INSERT INTO body_segments (id, tenant, state, young, first, last, oldest, newest, header) OVERRIDING SYSTEM VALUE VALUES (1, 'acme', 'ready', 0, 1, 9, 0, 0, '\x00')`,
		`INSERT INTO body_chunks (key, chunk) VALUES (4096, '\x00')`,
	} {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	found := findings()
	var texts []string
	var segments []int64
	for _, f := range found {
		texts = append(texts, f.Text)
		if f.Segment != 0 {
			segments = append(segments, f.Segment)
		}
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{"call call_1 of the tenant acme", "the numbers of events: 7000 is used", "segment 1 has a damaged header", "1 chunks of segments that are not there"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among %s", want, all)
		}
	}
	if len(segments) != 2 {
		t.Errorf("%d can be repaired of %s", len(segments), all)
	}
	if err := Rebuild(t.Context(), url, segments); err != nil {
		t.Fatal(err)
	}
	if left := findings(); len(left) != len(found)-2 {
		t.Errorf("after the repair: %v", left)
	}
}

// TestInspectFindsThatPartitionsEnd, of either table: no server has made any for the present.
func TestInspectFindsThatPartitionsEnd(t *testing.T) {
	d := openDivided(t)
	d.pass(d.now.Add(20 * 24 * time.Hour))
	conn, err := d.engine.config.connect(ctx)
	must(t, err)
	defer conn.Close(ctx)
	look := func(at time.Time) (all []core.Finding) {
		must(t, inspectPartitions(ctx, conn, at, func(f core.Finding) { all = append(all, f) }))
		return all
	}
	if all := look(d.now); len(all) > 0 {
		t.Errorf("while all is well: %v", all)
	}
	if all := look(d.now.AddDate(1, 0, 0)); len(all) != 1 || !strings.Contains(all[0].Text, "a server makes the next ones ahead") {
		t.Errorf("a year later: %v", all)
	}
	all := d.list("attempts")
	must(t, d.engine.parts.Detach(ctx, all[len(all)-1]))
	if found := look(d.now.Add(length)); len(found) != 1 {
		t.Errorf("without the last one of attempts: %v", found)
	}
	figures, err := d.Figures(ctx)
	must(t, err)
	if end := ids.NumberTime(all[len(all)-2].To); !figures.PartitionsEnd.Equal(end) {
		t.Errorf("the figures say that they end %v, and they end %v", figures.PartitionsEnd, end)
	}
}
