package contract

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/promised.txt anew")

// What callers rely on stays: each line of testdata/promised.txt is an operation,
// or a field of an answer or of a small body, with its type. A new one is added
// with -update; one that goes, or changes, breaks somebody's client.
func TestWhatWasPromisedStays(t *testing.T) {
	d, err := describedBy(start(t).url)
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/promised.txt"
	now := d.promises()
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !slices.Contains(now, line) {
			t.Errorf("the document has no longer: %s", line)
		}
	}
}

// promises are the operations and the fields of the document. Those of
// documents follow from the models and the settings, which have tests of their own.
func (d *description) promises() (lines []string) {
	for path, item := range d.doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			lines = append(lines, fmt.Sprintf("%s %s is %v", strings.ToUpper(method), path, under(op, "operationId")))
		}
	}
	for name, schema := range under(d.doc, "components", "schemas").(map[string]any) {
		fields, _ := under(schema, "properties").(map[string]any)
		if under(schema, "additionalProperties") == true {
			continue
		}
		required, _ := under(schema, "required").([]any)
		for field, s := range fields {
			line := fmt.Sprintf("%s.%s is %s", name, field, typeOf(s))
			if slices.Contains(required, any(field)) {
				line += ", always there"
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// typeOf names the type of a schema.
func typeOf(schema any) string {
	s, _ := schema.(map[string]any)
	switch kind := s["type"].(type) {
	case string:
		if items := s["items"]; items != nil {
			return "a list of " + typeOf(items)
		}
		return kind
	case []any:
		return fmt.Sprintf("%v", kind)
	}
	if ref, ok := s["$ref"].(string); ok {
		return ref[strings.LastIndex(ref, "/")+1:]
	}
	for _, keyword := range slices.Sorted(maps.Keys(s)) {
		if all, ok := s[keyword].([]any); ok && strings.HasSuffix(keyword, "Of") {
			names := make([]string, len(all))
			for i, one := range all {
				names[i] = typeOf(one)
			}
			return strings.Join(names, " or ")
		}
	}
	return "anything"
}
