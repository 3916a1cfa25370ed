package e2e

import (
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// keepVersion has TestKeepAVersion make what TestEachVersionsDatabaseIsUpgraded reads
// (CONTRIBUTING.md#a-version).
var keepVersion = flag.String("keep-version", "", "the version that is published, whose database is kept in testdata/versions")

// versionsKey is the encryption key of the databases that are kept. They hold nobody's secrets.
const versionsKey = "the key of the databases of versions, which hold no secret"

const versionsFolder = "testdata/versions"

// TestKeepAVersion makes a database with something of everything, in which nothing goes on by
// itself, and keeps it with what the API answers about it.
func TestKeepAVersion(t *testing.T) {
	if *keepVersion == "" {
		t.Skip("it is for who publishes a version: -keep-version 1.2.3")
	}
	i := newInstallation(t, newWhere(t, "ORDERHOOK_ENCRYPTION_KEY="+versionsKey))
	i.open.Store(true)
	s := i.serve(t)
	awaitEnd(t, s, "ORD-held")
	for _, d := range s.listed(t, "/api/deliveries?status=pending") { // an endpoint that is off is sent nothing
		s.expect(t, 200, "PATCH", "/api/endpoints/"+fmt.Sprint(d["endpointId"]), crashKey, `{"enabled":false}`)
	}
	s.stop(t)
	s = i.serve(t)
	answers := s.everything(t)
	i.succeeds(t, "backup", "copy.db")
	s.stop(t)
	if err := os.MkdirAll(versionsFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	database, err := os.ReadFile(filepath.Join(i.dir, "copy.db"))
	if err != nil {
		t.Fatal(err)
	}
	zipped(t, *keepVersion+".db.gz", database)
	text, err := json.MarshalIndent(answers, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	zipped(t, *keepVersion+".json.gz", text)
}

func zipped(t *testing.T, name string, data []byte) {
	t.Helper()
	f, err := os.Create(filepath.Join(versionsFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	w, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(data)
	}
	for _, close := range []func() error{w.Close, f.Close} {
		if failed := close(); err == nil {
			err = failed
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func unzipped(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestEachVersionsDatabaseIsUpgraded: the database of each version that was published opens, is
// whole, and has all answers that it had. Later versions may say more, and nothing else.
func TestEachVersionsDatabaseIsUpgraded(t *testing.T) {
	t.Parallel()
	databases, err := filepath.Glob(filepath.Join(versionsFolder, "*.db.gz"))
	if err != nil || len(databases) == 0 {
		t.Fatalf("no database was kept: %v", err)
	}
	for _, path := range databases {
		version := strings.TrimSuffix(filepath.Base(path), ".db.gz")
		t.Run(version, func(t *testing.T) {
			w := newWhere(t, "ORDERHOOK_ENCRYPTION_KEY="+versionsKey)
			w.file(t, "orderhook.db", string(unzipped(t, path)))
			var before map[string]string
			if err := json.Unmarshal(unzipped(t, filepath.Join(versionsFolder, version+".json.gz")), &before); err != nil {
				t.Fatal(err)
			}
			s := w.serve(t)
			after := s.everything(t)
			s.stop(t)
			for _, path := range slices.Sorted(maps.Keys(before)) {
				if !hasAll(decoded(before[path]), decoded(after[path])) {
					t.Errorf("%s was %.2000s and is %.2000s", path, before[path], after[path])
				}
			}
			if len(before) < 50 {
				t.Errorf("only %d answers were kept", len(before))
			}
			if out := w.succeeds(t, "check"); !strings.Contains(out, "nothing is wrong") {
				t.Errorf("check says %s", out)
			}
		})
	}
}

// decoded is an answer as a value, with its numbers as they are written.
func decoded(text string) (v any) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return text
	}
	return v
}

// hasAll reports whether a value has all that another has, each the same.
func hasAll(before, after any) bool {
	switch was := before.(type) {
	case map[string]any:
		is, ok := after.(map[string]any)
		for name, v := range was {
			if name == "may" { // what a role may do is of this version
				continue
			}
			there, has := is[name]
			ok = ok && has && hasAll(v, there)
		}
		return ok
	case []any:
		is, ok := after.([]any)
		if !ok || len(is) != len(was) {
			return false
		}
		for i := range was {
			ok = ok && hasAll(was[i], is[i])
		}
		return ok
	}
	return reflect.DeepEqual(before, after)
}
