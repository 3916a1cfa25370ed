package contract

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// files is a digest of each of the database's files, or, of one on a server, of its tables:
// what is written changes one.
func (r *rig) files() string {
	r.t.Helper()
	if onServer {
		return rowsOf(r.t, r.path)
	}
	paths, err := filepath.Glob(r.path + "*")
	if err != nil || len(paths) == 0 {
		r.t.Fatalf("files of %s: %v, %v", r.path, paths, err)
	}
	var out []string
	for _, path := range paths {
		if strings.HasSuffix(path, "-shm") {
			continue // the readers' marks
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %d %x", path, len(raw), sha256.Sum256(raw)))
	}
	return strings.Join(out, "\n")
}

// A dry run of any kind leaves every byte of the database as it was, so no
// order, version, history, run, attempt, key or event came of it.
func TestADryRunWritesNotAByte(t *testing.T) {
	s := answering(t, answerWith(`{"Status":"Validated","Tags":["dry"]}`), triggering("Packed"), "garbage", canceled)
	r := start(t)
	steps := []step{{Host: s.URL}, {Host: s.URL, Deferred: true}, {ID: "gone"}, {Host: s.URL}, {Host: s.URL, Stop: true, ErrorStatus: "Refused"}}
	doc := with(config(status("Packed", steps...), within("PT1M", "Accepted", steps...)), returnStatuses(steps...))
	r.settings(with(doc, connectors(connector(s.URL, ""))))
	r.post(order)
	returned := fmt.Sprintf(`,"returnId":%q`, r.call("POST", theOrder+"/returns?wait=PT1M", lines("L1", "1")).want(201).text("returnId"))
	r.ended()
	for _, scope := range []string{"", `,"shipmentId":"SHIP-2"`, returned} {
		for _, status := range []string{"Accepted", "Packed", "Returned", "Parked", "New"} {
			before, calls := r.files(), len(s.got())
			r.rehearse(status, scope, "Idempotency-Key", "one").want(200)
			equals(t, "calls", len(s.got()), calls)
			r.rehearse(status, scope+calling, "Idempotency-Key", "two").want(200)
			r.rehearse(status, scope+calling, "If-Match", `"99"`).want(412)
			equals(t, "the database after dry runs of "+status+scope, r.files(), before)
		}
	}
	if len(s.got()) < 20 {
		t.Errorf("only %d calls were made", len(s.got()))
	}
}
