package contract

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestTheOpenAPIDocumentIsWhole(t *testing.T) {
	r := start(t).as("")
	doc := r.get("/api/openapi.json").is("info.title", "orderhook").is("info.version", "test")
	if v := doc.text("openapi"); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("OpenAPI %q", v)
	}
	doc.is("components.securitySchemes.key.scheme", "bearer")
	ids := map[string]bool{}
	for _, path := range doc.doc().Object("paths").Members() {
		for _, method := range path.Value.(*oms.Object).Members() {
			op := method.Value.(*oms.Object)
			at := method.Name + " " + path.Name
			if id := op.Text("operationId"); id == "" || ids[id] || op.Text("summary") == "" {
				t.Errorf("%s has the operationId %q and the summary %q", at, id, op.Text("summary"))
			} else {
				ids[id] = true
			}
			for _, code := range []string{"401", "403", "429", "500", "503"} {
				if !strings.HasPrefix(path.Name, "/api/") {
					continue
				}
				if op.Object("responses").Object(code).Object("content").Object("application/problem+json") == nil {
					t.Errorf("%s does not describe the problem %s", at, code)
				}
			}
			for _, name := range strings.FieldsFunc(path.Name, func(c rune) bool { return c == '/' }) {
				if strings.HasPrefix(name, "{") && !hasParameter(op, strings.Trim(name, "{}")) {
					t.Errorf("%s does not describe %s", at, name)
				}
			}
		}
	}
}

func hasParameter(op *oms.Object, name string) bool {
	for _, p := range op.Objects("parameters") {
		if p.Text("in") == "path" && p.Text("name") == name {
			return true
		}
	}
	return false
}

func TestTheDocumentationShowsEveryOperation(t *testing.T) {
	r := start(t)
	page := r.as("").get("/api/docs")
	equals(t, "Content-Type", page.Header.Get("Content-Type"), "text/html; charset=utf-8")
	html := string(page.says("<script").Raw)
	for _, op := range r.operations() {
		method, path, _ := strings.Cut(op, " ")
		if !strings.Contains(html, `<span class="method">`+method+`</span><code>`+path+`</code>`) {
			t.Errorf("%s is not on the page", op)
		}
	}
}

func TestHealthNeedsNoKey(t *testing.T) {
	r := start(t).as("")
	equals(t, "healthz", string(r.get("/healthz").Raw), "ok\n")
	equals(t, "readyz", string(r.get("/readyz").Raw), "ready\n")
}
