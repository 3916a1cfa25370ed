package contract

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// eachOperation calls do with every operation of the document's section, paths
// or webhooks.
func eachOperation(doc *jsondoc.Object, section string, do func(at string, op *jsondoc.Object)) {
	for _, path := range doc.Object(section).Members() {
		for _, method := range path.Value.(*jsondoc.Object).Members() {
			do(strings.ToUpper(method.Name)+" "+path.Name, method.Value.(*jsondoc.Object))
		}
	}
}

func has(o *jsondoc.Object, list, name string) bool {
	return slices.ContainsFunc(o.Objects(list), func(p *jsondoc.Object) bool { return p.Text("name") == name })
}

// Which statuses an operation declares follows from what it takes.
func TestEveryOperationDeclaresTheStatusesThatCanCome(t *testing.T) {
	doc := start(t).get("/api/openapi.json").doc()
	eachOperation(doc, "paths", func(at string, op *jsondoc.Object) {
		if !strings.Contains(at, " /api/") {
			return
		}
		responses := op.Object("responses")
		// A call of an interception is waited for and answered. It is nothing that runs on, and
		// nothing that is stored.
		handed := strings.Contains(at, " /api/interceptions/{id}/calls")
		for _, rule := range []struct {
			when   bool
			status []string
		}{
			{true, []string{"401", "403", "422", "429", "500", "503"}},
			{strings.Contains(at, "{"), []string{"404"}},
			{!strings.HasPrefix(at, "GET"), []string{"400", "413"}},
			{has(op, "parameters", "Idempotency-Key"), []string{"409"}},
			{has(op, "parameters", "If-Match"), []string{"412"}},
			{!strings.HasPrefix(at, "GET") && has(op, "parameters", "wait") && !handed, []string{"202", "404"}},
			{strings.HasPrefix(at, "PUT /api/") && strings.Contains(at, "{") && !handed, []string{"200", "201"}},
		} {
			for _, status := range rule.status {
				if rule.when && responses.Object(status) == nil {
					t.Errorf("%s does not declare %s", at, status)
				}
			}
		}
		for _, r := range responses.Members() {
			response := r.Value.(*jsondoc.Object)
			checkDeclared(t, at+" "+r.Name, r.Name, response)
		}
	})
}

// Metrics take a key, and no such call is under /api.
func TestMetricsDeclareHowTheyAreRefused(t *testing.T) {
	responses := start(t).get("/api/openapi.json").doc().Object("paths").Object("/metrics").Object("get").Object("responses")
	for _, status := range []string{"401", "403", "429", "503"} {
		checkDeclared(t, "/metrics "+status, status, responses.Object(status))
	}
}

// checkDeclared looks at one declared answer.
func checkDeclared(t *testing.T, at, status string, response *jsondoc.Object) {
	headers, content := response.Object("headers"), response.Object("content")
	if headers.Object("X-Request-Id") == nil {
		t.Errorf("%s does not declare X-Request-Id", at)
	}
	if slices.Contains([]string{"429", "503"}, status) && headers.Object("Retry-After") == nil {
		t.Errorf("%s does not declare Retry-After", at)
	}
	if status >= "4" && content.Object("application/problem+json").Object("schema").Text("$ref") != "#/components/schemas/Problem" {
		t.Errorf("%s is not declared as a problem", at)
	}
	if schema := content.Object("application/json").Object("schema"); status < "4" && status != "204" && schema.Text("$ref") == "" {
		t.Errorf("%s has no schema with a name: %s", at, schema.JSON())
	}
}

func TestEveryBodyHasASchemaWithFields(t *testing.T) {
	doc := start(t).get("/api/openapi.json").doc()
	schemas := doc.Object("components").Object("schemas")
	for _, section := range []string{"paths", "webhooks"} {
		eachOperation(doc, section, func(at string, op *jsondoc.Object) {
			if body := op.Object("requestBody"); body != nil {
				schema := body.Object("content").Object("application/json").Object("schema")
				if schema.Text("$ref") == "" && schema.List("anyOf") == nil && schema.List("oneOf") == nil {
					t.Errorf("the body of %s has no schema with a name", at)
				}
			}
		})
	}
	for _, s := range schemas.Members() {
		schema := s.Value.(*jsondoc.Object)
		if schema.Object("properties").Len() == 0 && schema.Object("items") == nil && schema.List("anyOf") == nil && schema.List("oneOf") == nil && schema.List("allOf") == nil {
			t.Errorf("%s says nothing: %s", s.Name, schema.JSON())
		}
		for _, p := range schema.Object("properties").Members() {
			if property := p.Value.(*jsondoc.Object); property.Has("default") {
				t.Errorf("%s.%s has a default, which makes it one that is always there for those who generate code", s.Name, p.Name)
			}
		}
	}
}

// What has several words is spelt in one way.
func TestTheDocumentSpellsThingsInOneWay(t *testing.T) {
	doc := start(t).get("/api/openapi.json").doc()
	id := regexp.MustCompile(`^(add|adjust|answer|cancel|check|create|delete|enter|explain|get|list|order|patch|promote|publish|put|recover|redeliver|replay|restore|resume|rotate|take|test|try|validate)-[a-z]+(-[a-z]+)*$`)
	eachOperation(doc, "paths", func(at string, op *jsondoc.Object) {
		if !id.MatchString(op.Text("operationId")) {
			t.Errorf("%s has the operationId %q", at, op.Text("operationId"))
		}
	})
	field := regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	for _, s := range doc.Object("components").Object("schemas").Members() {
		if wire := strings.HasSuffix(s.Name, "OnTheWire") || strings.HasSuffix(s.Name, "StepRequest"); wire {
			continue
		}
		for _, p := range s.Value.(*jsondoc.Object).Object("properties").Members() {
			if !field.MatchString(p.Name) {
				t.Errorf("%s.%s is not in camelCase", s.Name, p.Name)
			}
			for _, value := range p.Value.(*jsondoc.Object).Texts("enum") {
				if strings.Contains(value, "-") {
					t.Errorf("%s.%s may be %q", s.Name, p.Name, value)
				}
			}
		}
	}
}

func TestTheDocumentSaysWhereTheServerIs(t *testing.T) {
	r := start(t)
	r.get("/api/openapi.json").is("servers[0].url", "/")
	if yaml := string(r.get("/api/openapi.yaml").Raw); !strings.Contains(yaml, "openapi: 3.1.0") {
		t.Errorf("as YAML the document begins %.100s", yaml)
	}
}

func TestTheDocumentHasEveryWebhook(t *testing.T) {
	r := start(t)
	doc := r.get("/api/openapi.json").doc()
	for _, name := range append(r.get("/api/event-types").ids("name"), "customEvent", "orderState", "orderStep", "returnStep", "cartValidator", "exportOrder") {
		post := doc.Object("webhooks").Object(name).Object("post")
		if post == nil {
			t.Errorf("there is no webhook %s", name)
			continue
		}
		for _, header := range []string{"webhook-id", "webhook-timestamp", "webhook-signature", "traceparent"} {
			if !has(post, "parameters", header) {
				t.Errorf("%s does not say that %s is sent", name, header)
			}
		}
		responses := post.Object("responses")
		answer := responses.Object("200").Object("content").Object("application/json").Object("schema").Text("$ref")
		if twoWay := responses.Object("204") == nil; twoWay != (answer != "") {
			t.Errorf("%s has the answer %q", name, answer)
		}
	}
}

// What the documents for endpoints show as answers is as the webhooks describe it.
func TestAnswersToWebhooksAreDescribed(t *testing.T) {
	d, err := describedBy(start(t).url)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		webhook, answer string
		fine            bool
	}{
		{"orderStep", `{}`, true},
		{"orderStep", `{"OrderActionExecutionResults":[{"ActionStatus":"Error","CancelWorkflow":true,"ErrorReason":"no such street"}]}`, true},
		{"returnStep", `{"OrderPatch":{"Status":"Checked","Tags":["a"],"Properties":[{"Key":"Score","Value":"95"}],"Mine":{"x":1}}}`, true},
		{"orderStep", `{"OrderActionExecutionResults":[{"ActionStatus":"Perhaps"}]}`, false},
		{"orderStep", `{"OrderActionExecutionResults":[{"CancelWorkflow":"true"}]}`, false},
		{"orderStep", `{"OrderPatch":{"Tags":5}}`, false},
		{"cartValidator", `{"isValidatedSuccessful":false,"validationErrors":[{"message":"sold out","referenceId":"SHOE-42"}],"value":{"orderForm":{"lineItems":[]}}}`, true},
		{"cartValidator", `{"isValidatedSuccessful":"no"}`, false},
		{"cartValidator", `{"value":{"orderForm":{"lineItems":{}}}}`, false},
	} {
		at := []string{"webhooks", c.webhook, "post", "responses", "200", "content", "application/json", "schema"}
		if wrong := d.validate(at, []byte(c.answer)); (wrong == "") != c.fine {
			t.Errorf("%s answered with %s: %q", c.webhook, c.answer, wrong)
		}
	}
}

// A client of today must read the answers of tomorrow; a request with a field
// that nobody reads is refused, and the document says so.
func TestAnswersMayGrowAndSmallBodiesMayNotHaveOtherFields(t *testing.T) {
	doc := start(t).get("/api/openapi.json").doc()
	schemas := doc.Object("components").Object("schemas")
	more := func(ref string) any {
		v, _ := schemas.Object(ref[strings.LastIndex(ref, "/")+1:]).Get("additionalProperties")
		return v
	}
	eachOperation(doc, "paths", func(at string, op *jsondoc.Object) {
		for _, r := range op.Object("responses").Members() {
			for _, c := range r.Value.(*jsondoc.Object).Object("content").Members() {
				if ref := c.Value.(*jsondoc.Object).Object("schema").Text("$ref"); more(ref) == false {
					t.Errorf("%s: an answer as %s can never have another field", at, ref)
				}
			}
		}
	})
	for _, name := range []string{"StatusRequest", "KeyRequest", "EndpointBody", "EndpointPatch", "Recovery", "Rotation", "Redelivery", "ReplayTo", "PublishedEvent",
		"StockBody", "StockAdjustment"} {
		if schemas.Object(name) == nil || more(name) != false {
			t.Errorf("%s may have any field", name)
		}
	}
	for _, name := range []string{"NewOrder", "OrderPatch", "NewCart", "Shipment", "Settings", "Connector", "WorkflowStep", "OrderLine"} {
		if more(name) != true {
			t.Errorf("%s may have no other fields", name)
		}
	}
}
