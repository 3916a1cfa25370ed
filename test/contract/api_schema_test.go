package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Every answer that the tests of this package get is held against the OpenAPI
// document: its status, its content type, its headers, and its body with the
// types of JSON. Where the document says nothing of a body's further fields,
// there must be none: what is sent is described.

// description is the OpenAPI document, ready to check answers.
type description struct {
	mu       sync.Mutex
	doc      map[string]any
	routes   *http.ServeMux
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

const documentURL = "mem:///openapi.json"

// described is read once: all rigs serve the same document.
var described struct {
	once sync.Once
	*description
	err error
}

func describedBy(server string) (*description, error) {
	described.once.Do(func() {
		described.description, described.err = readDescription(server)
	})
	return described.description, described.err
}

func readDescription(server string) (*description, error) {
	resp, err := http.Get(server + "/api/openapi.json")
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := jsonschema.UnmarshalJSON(resp.Body)
	if err != nil {
		return nil, err
	}
	return newDescription(raw.(map[string]any))
}

func newDescription(doc map[string]any) (*description, error) {
	closeObjects(doc)
	d := &description{doc: doc, routes: http.NewServeMux(), compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	for path, item := range doc["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			d.routes.HandleFunc(strings.ToUpper(method)+" "+path, func(http.ResponseWriter, *http.Request) {})
		}
	}
	return d, d.compiler.AddResource(documentURL, doc)
}

// closeObjects makes every object whose fields are described one that has no
// others, but for those that are parts of one.
func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		fields, _ := node["properties"].(map[string]any)
		if fields != nil && node["additionalProperties"] == nil {
			node["additionalProperties"] = false
		}
		for _, field := range fields { // their names are no keywords
			closeObjects(field)
		}
		for name, sub := range node {
			if name != "properties" && name != "allOf" && name != "example" && name != "examples" {
				closeObjects(sub)
			}
		}
	case []any:
		for _, sub := range node {
			closeObjects(sub)
		}
	}
}

// validate holds a body against the schema at a place of the document.
func (d *description) validate(at []string, body []byte) string {
	schema, err := d.schema(at)
	if err != nil {
		return err.Error()
	}
	value, err := readJSON(body)
	if err != nil {
		return err.Error()
	}
	if err := schema.Validate(value); err != nil {
		wrong, _ := errors.AsType[*jsonschema.ValidationError](err)
		return fmt.Sprintf("%s: %v\n%.2000s", strings.Join(at[1:], " "), wrong, body)
	}
	return ""
}

// readJSON reads a body as [jsonschema] wants it. A number that would take long
// to be counted with stands in as one of its kind.
func readJSON(body []byte) (any, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	return shortNumbers(value), err
}

func shortNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if len(v) > 40 || strings.ContainsAny(string(v), "eE") {
			return json.Number("0.5")
		}
	case map[string]any:
		for name, sub := range v {
			v[name] = shortNumbers(sub)
		}
	case []any:
		for i, sub := range v {
			v[i] = shortNumbers(sub)
		}
	}
	return v
}

// schema compiles the schema at a place of the document, once.
func (d *description) schema(at []string) (*jsonschema.Schema, error) {
	pointer := ""
	for _, step := range at {
		pointer += "/" + strings.ReplaceAll(strings.ReplaceAll(step, "~", "~0"), "/", "~1")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.compiled[pointer]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(documentURL + "#" + (&url.URL{Path: pointer}).EscapedPath())
	if err == nil {
		d.compiled[pointer] = s
	}
	return s, err
}

// under follows names through a document.
func under(node any, names ...string) any {
	for _, name := range names {
		m, _ := node.(map[string]any)
		node = m[name]
	}
	return node
}

// conforms fails the test unless an answer is as the OpenAPI document says.
func (r *rig) conforms(req *http.Request, resp *http.Response, body []byte) {
	r.t.Helper()
	if r.misshapen {
		return
	}
	d, err := describedBy(r.url)
	if err != nil {
		r.t.Errorf("the OpenAPI document: %v", err)
		return
	}
	if wrong := d.check(req, resp.StatusCode, resp.Header, body); wrong != "" {
		r.t.Errorf("%s %s is answered %d: %s", req.Method, req.URL, resp.StatusCode, wrong)
	}
}
