package contract

import (
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

func TestTheOpenAPIDocumentIsWhole(t *testing.T) {
	r := start(t).as("")
	doc := r.get("/api/openapi.json").is("info.title", "orderhook").is("info.version", "test")
	if v := doc.text("openapi"); !strings.HasPrefix(v, "3.1.") {
		t.Errorf("OpenAPI %q", v)
	}
	doc.is("components.securitySchemes.key.scheme", "bearer")
	ids := map[string]bool{}
	for _, place := range doc.doc().Object("paths").Members() {
		for _, method := range place.Value.(*jsondoc.Object).Members() {
			op := method.Value.(*jsondoc.Object)
			at := method.Name + " " + place.Name
			if id := op.Text("operationId"); id == "" || ids[id] || op.Text("summary") == "" {
				t.Errorf("%s has the operationId %q and the summary %q", at, id, op.Text("summary"))
			} else {
				ids[id] = true
			}
			for _, code := range []string{"401", "403", "429", "500", "503"} {
				if !strings.HasPrefix(place.Name, "/api/") {
					continue
				}
				if op.Object("responses").Object(code).Object("content").Object("application/problem+json") == nil {
					t.Errorf("%s does not describe the problem %s", at, code)
				}
			}
			for _, name := range strings.FieldsFunc(place.Name, func(c rune) bool { return c == '/' }) {
				if strings.HasPrefix(name, "{") && !hasParameter(op, strings.Trim(name, "{}")) {
					t.Errorf("%s does not describe %s", at, name)
				}
			}
		}
	}
}

func hasParameter(op *jsondoc.Object, name string) bool {
	for _, p := range op.Objects("parameters") {
		if p.Text("in") == "path" && p.Text("name") == name {
			return true
		}
	}
	return false
}

// linked finds what a page loads.
var linked = regexp.MustCompile(`(?:src|href)="([^"]+)"`)

func TestTheDocumentationNeedsNoOtherHost(t *testing.T) {
	r := start(t).as("")
	page := r.get("/api/docs")
	equals(t, "Content-Type", page.Header.Get("Content-Type"), "text/html; charset=utf-8")
	policy := page.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("the policy %q", policy)
	}
	page.says("<style", "<script>", " style=", " onclick", "http:", "https:", "//")
	found := map[string]bool{}
	for _, link := range linked.FindAllStringSubmatch(string(page.Raw), -1) {
		if strings.HasPrefix(link[1], "data:") {
			continue
		}
		file := r.get("/api/" + link[1])
		kind := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/openapi+json"}[path.Ext(link[1])]
		equals(t, "the type of "+link[1], file.Header.Get("Content-Type"), kind)
		if found[link[1]] = true; len(file.Raw) == 0 {
			t.Errorf("%s is empty", link[1])
		}
	}
	for _, needed := range []string{"docs/swagger-ui-bundle.js", "docs/swagger-ui.css", "docs/init.js", "openapi.json"} {
		if !found[needed] {
			t.Errorf("the page does not load %s", needed)
		}
	}
	if init := string(r.get("/api/docs/init.js").Raw); !strings.Contains(init, `url: "openapi.json"`) {
		t.Errorf("the page shows another document: %s", init)
	}
}

func TestTheDocumentationIsTheSameCompressedAndNot(t *testing.T) {
	r := start(t).as("")
	const script = "/api/docs/swagger-ui-bundle.js"
	plain := r.call("GET", script, "", "Accept-Encoding", "identity").want(200)
	packed := r.call("GET", script, "", "Accept-Encoding", "gzip").want(200)
	equals(t, "Content-Encoding", plain.Header.Get("Content-Encoding")+", "+packed.Header.Get("Content-Encoding"), ", gzip")
	unpacked, err := gzip.NewReader(bytes.NewReader(packed.Raw))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(text, plain.Raw) || len(text) < 100_000 {
		t.Errorf("%d bytes compressed, %d not: %v", len(text), len(plain.Raw), err)
	}
}

func TestPathsThatTheAPIDoesNotHave(t *testing.T) {
	r := start(t)
	r.as("").call("GET", "/nothing", "").problem(404)
	r.as("").call("POST", "/", "").problem(404)
	r.call("GET", "/api/docsets", "").problem(404)
	r.as("").call("GET", "/api/docsets", "").problem(401)
}

func TestHealthNeedsNoKey(t *testing.T) {
	r := start(t).as("")
	equals(t, "healthz", string(r.get("/healthz").Raw), "ok\n")
	equals(t, "readyz", string(r.get("/readyz").Raw), "ready\n")
}
