package contract

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

// The OpenAPI document knows every field of every answer.
func TestAnswersAreAsTheOpenAPIDocumentSays(t *testing.T) {
	r, names := furnished(t)
	doc := r.get("/api/openapi.json").doc()
	for _, name := range r.operations() {
		method, at, _ := strings.Cut(name, " ")
		if method == "DELETE" {
			continue
		}
		s := samples[name]
		a := r.call(method, names.Replace(s.path), s.body)
		if a.Status/100 != 2 { // a sample may not be in a state for it
			continue
		}
		content := doc.Object("paths").Object(at).Object(method).Object("responses").Object(fmt.Sprint(a.Status)).Object("content").Object("application/json")
		if content == nil {
			t.Errorf("%s is answered %d, which the document does not have", name, a.Status)
			continue
		}
		described(t, name, doc, content.Object("schema"), a.doc())
	}
}

// described fails the test if a value has fields that its schema lacks.
func described(t *testing.T, at string, doc, schema *oms.Object, value any) {
	t.Helper()
	if ref := schema.Text("$ref"); ref != "" {
		schema = doc.Object("components").Object("schemas").Object(path.Base(ref))
	}
	switch v := value.(type) {
	case *oms.Object:
		if schema.Len() == 0 || schema.True("additionalProperties") || schema.Object("additionalProperties") != nil {
			return
		}
		for _, m := range v.Members() {
			if sub := schema.Object("properties").Object(m.Name); sub != nil {
				described(t, at+"."+m.Name, doc, sub, m.Value)
			} else {
				t.Errorf("%s: there is no %s in the schema", at, m.Name)
			}
		}
	case []any:
		for i, e := range v[:min(len(v), 3)] {
			described(t, fmt.Sprintf("%s[%d]", at, i), doc, schema.Object("items"), e)
		}
	case string:
		if all := schema.Texts("enum"); len(all) > 0 && !slices.Contains(all, v) {
			t.Errorf("%s is %q, which is none of %q", at, v, all)
		}
	}
}
