package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsHTML string

var docsPage = template.Must(template.New("docs").Parse(docsHTML))

// docOperation is one operation as the page shows it.
type docOperation struct {
	*huma.Operation
	Fields    []docField // of the body
	HasBody   bool
	Responses []docResponse
}

type docField struct{ Name, Type, Doc string }

type docResponse struct{ Status, Description string }

// docs shows the OpenAPI document as a page that needs nothing from elsewhere.
func docs(o *huma.OpenAPI) http.Handler {
	page := sync.OnceValues(func() ([]byte, error) {
		var b bytes.Buffer
		err := docsPage.Execute(&b, map[string]any{"Info": o.Info, "Tags": byTag(o)})
		return b.Bytes(), err
	})
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		html, err := page()
		if err != nil {
			writeProblem(w, http.StatusInternalServerError, "the page could not be made", nil)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		_, _ = w.Write(html)
	})
}

type docTag struct {
	Name       string
	Operations []docOperation
}

func byTag(o *huma.OpenAPI) []docTag {
	tags := map[string][]docOperation{}
	for _, path := range o.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Put, path.Post, path.Patch, path.Delete} {
			if op != nil {
				tags[op.Tags[0]] = append(tags[op.Tags[0]], describeOperation(op, o.Components.Schemas))
			}
		}
	}
	var out []docTag
	for name, ops := range tags {
		slices.SortFunc(ops, func(a, b docOperation) int { return strings.Compare(a.Path+a.Method, b.Path+b.Method) })
		out = append(out, docTag{name, ops})
	}
	slices.SortFunc(out, func(a, b docTag) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func describeOperation(op *huma.Operation, schemas huma.Registry) docOperation {
	d := docOperation{Operation: op, HasBody: op.RequestBody != nil}
	if d.HasBody {
		d.Fields = fieldsOf(op.RequestBody.Content["application/json"].Schema, schemas)
	}
	for status, r := range op.Responses {
		d.Responses = append(d.Responses, docResponse{status, r.Description})
	}
	slices.SortFunc(d.Responses, func(a, b docResponse) int { return strings.Compare(a.Status, b.Status) })
	return d
}

func fieldsOf(s *huma.Schema, schemas huma.Registry) []docField {
	if len(s.OneOf) > 0 { // one thing, or a list of it
		s = s.OneOf[0]
	}
	if s.Ref != "" {
		s = schemas.SchemaFromRef(s.Ref)
	}
	var out []docField
	for name, p := range s.Properties {
		out = append(out, docField{name, p.Type, p.Description})
	}
	slices.SortFunc(out, func(a, b docField) int { return strings.Compare(a.Name, b.Name) })
	return out
}
