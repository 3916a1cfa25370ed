package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// introduce writes what stands at the top of the OpenAPI document. Without a
// public URL its paths are those of the server that it was read from. It names the key
// that calls need, once for all; operations without a key say so themselves.
func introduce(o *huma.OpenAPI, publicURL string) {
	o.Info.Description = "Orders that run through workflows, and the endpoints that take part. " +
		"Names of fields come in in any letter case and go out in camelCase; answers may have more fields than this document knows."
	o.Info.License = &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}
	o.Servers = []*huma.Server{{URL: "/"}}
	if publicURL != "" {
		o.Servers[0].URL = strings.TrimSuffix(publicURL, "/")
	}
	o.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "An API key"}}
	o.Components.Headers = commonHeaders()
	o.Security = []map[string][]string{{"key": {}}}
	for _, tag := range [][2]string{
		{"Orders", "Documents that enter statuses, whose workflows call endpoints."},
		{"Runs", "Workflows, while they run and after."},
		{"Carts", "What may become an order, and what validators say of it."},
		{"Stock", "Available quantities."},
		{"Endpoints", "URLs that events are sent to."},
		{"Events", "What happened, and its deliveries to endpoints."},
		{"Jobs", "Work over many things, in the background."},
		{"Interceptions", "Calls of steps that a listener answers in place of their endpoint."},
		{"Attempts", "Every outgoing request, and what came back."},
		{"Settings", "Connectors, markets, and the steps of each status."},
		{keysTag, "Who may do what."},
		{"Audit", "Who changed what."},
		{"Operating", "For load balancers and monitoring."},
	} {
		o.Tags = append(o.Tags, &huma.Tag{Name: tag[0], Description: tag[1]})
	}
}

// describeDocuments describes what the API and the webhooks send and take that
// no Go type does. Orders, carts and settings are described by shapes, since they have
// more fields than any Go type of the program.
func describeDocuments(o *huma.OpenAPI) {
	s := shapeSchemas(o.Components.Schemas.Map())
	modelSchemas(s)
	webhookSchemas(s)
	o.Webhooks = webhooks()
}

// finish completes the document once all operations are registered. All changes that need
// the whole document are here: links from operations to the requests that orderhook
// makes, objects that may grow, and defaults in words.
func finish(o *huma.OpenAPI) {
	callbacks(o)
	for _, path := range o.Paths {
		for _, op := range operationsOf(path) {
			for _, r := range op.Responses {
				for _, m := range r.Content {
					open(m.Schema, o.Components.Schemas, map[*huma.Schema]bool{})
				}
			}
			tidyParameters(op)
		}
	}
	for _, s := range o.Components.Schemas.Map() {
		wordDefaults(s)
	}
}

// serveOpenAPI serves the document, which is written once it is asked for. To write it
// takes a while, and most servers are never asked. Those who ask at the same moment wait
// for one writer.
func serveOpenAPI(mux *http.ServeMux, o *huma.OpenAPI) {
	for path, write := range map[string]func() ([]byte, error){
		"/api/openapi.json": func() ([]byte, error) { return json.Marshal(o) },
		"/api/openapi.yaml": o.YAML,
	} {
		text, kind := sync.OnceValues(write), "application/openapi+"+strings.TrimPrefix(path, "/api/openapi.")
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			body, err := text()
			if err != nil {
				writeProblem(w, http.StatusInternalServerError, "the document could not be written", nil)
				return
			}
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write(body)
		})
	}
}

// operationsOf returns the operations of a path. The API has no other methods than these
// five.
func operationsOf(p *huma.PathItem) []*huma.Operation {
	all := []*huma.Operation{p.Get, p.Put, p.Post, p.Patch, p.Delete}
	return slices.DeleteFunc(all, func(op *huma.Operation) bool { return op == nil })
}

// open lets the objects of an answer have more fields than are described, so
// that a client made today reads the answers of tomorrow. Huma forbids unknown fields of
// every type; what comes in stays that strict, since a field that nobody reads is an
// error. seen keeps a schema that contains itself from being walked for ever.
func open(s *huma.Schema, registry huma.Registry, seen map[*huma.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	if s.Ref != "" {
		open(registry.SchemaFromRef(s.Ref), registry, seen)
	}
	if s.AdditionalProperties == false {
		s.AdditionalProperties = nil
	}
	within := slices.Concat(s.AnyOf, s.OneOf, []*huma.Schema{s.Items})
	for _, p := range s.Properties {
		within = append(within, p)
	}
	for _, w := range within {
		open(w, registry, seen)
	}
}

// wordDefaults says the defaults of optional fields in words: those who generate code
// take a field with a default for one that is always there, and make it required in their
// types.
func wordDefaults(s *huma.Schema) {
	for name, p := range s.Properties {
		if p.Default != nil && !slices.Contains(s.Required, name) {
			p.Description = strings.TrimSpace(fmt.Sprintf("%s %v if it is left out.", ended(p.Description), p.Default))
			p.Default = nil
		}
	}
}

// ended is a text that ends a sentence. ended lets another sentence follow.
func ended(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// tidyParameters takes from the schemas of parameters what the parameters say
// themselves. Else each description would stand twice in the document.
func tidyParameters(op *huma.Operation) {
	for _, p := range op.Parameters {
		if p.Schema != nil && p.Schema.Description == p.Description {
			p.Schema.Description = ""
		}
	}
}
