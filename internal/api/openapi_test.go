package api

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/clock"
)

func TestTheDocumentNamesThePublicURL(t *testing.T) {
	for given, want := range map[string]string{"": "/", "https://orders.example.com": "https://orders.example.com", "https://example.com/orderhook/": "https://example.com/orderhook"} {
		if servers := config(Options{PublicURL: given}).Servers; len(servers) != 1 || servers[0].URL != want {
			t.Errorf("with the public URL %q the document names %v", given, servers)
		}
	}
}

// TestNoListOfOursIsNull: Huma lets a list be null where the field's tag does not say
// nullable:"false". Documents of callers, which no Go type describes, may have such.
func TestNoListOfOursIsNull(t *testing.T) {
	a := newAPI(Options{Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)}, http.NewServeMux())
	registerAll(a)
	schemas := a.huma.OpenAPI().Components.Schemas
	const ref = "#/components/schemas/"
	var seen int
	for name, s := range schemas.Map() {
		if schemas.TypeFromRef(ref+name) == nil {
			continue
		}
		for field, p := range s.Properties {
			if p.Type != huma.TypeArray {
				continue
			}
			if seen++; p.Nullable {
				t.Errorf("%s.%s may be null", name, field)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d lists were found", seen)
	}
}

// TestHumasErrorsAreProblems, which do not echo what came in.
func TestHumasErrorsAreProblems(t *testing.T) {
	e := huma.NewError(http.StatusUnprocessableEntity, "validation failed", &huma.ErrorDetail{Message: "expected number", Location: "query.limit", Value: "hunter2"}, nil)
	body, err := asProblem(nil, "422", e)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(body)
	if want := `{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"validation failed","errors":[{"location":"query.limit","message":"expected number"}]}`; string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	other := &problem{}
	if body, _ := asProblem(nil, "404", other); body != any(other) {
		t.Errorf("an answer that is no error of Huma's became %v", body)
	}
}
