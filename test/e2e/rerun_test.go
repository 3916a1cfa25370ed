package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// customer is somebody who must not be found in what is given away.
type customer struct{ first, last, email, phone, line1, zip, city, country string }

var customers = []customer{
	{"Kari", "Nordmann", "kari.nordmann@firma.example", "+47 900 12 345", "Storgata 117", "0155", "Trondheim", "NO"},
	{"Åse", "Ødegård-Vik", "aase@odegard.example", "+4791234567", "Bjørnstjernes vei 2B", "5003", "Bergen", "NO"},
	{"Seán", "O'Brien", "SEAN@obrien.example", "0046 70 123 45 67", "Kungsgatan 44", "11156", "Stockholm", "SE"},
	{"小龙", "李李", "xiaolong@lee.example", "+86 138 0013 8000", "南京东路", "200001", "Shanghai", "CN"},
}

// Secrets of the installation, none of which may be found either.
var installationSecrets = []string{"bearer-of-the-fraud-check", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "header-of-the-step-1", "custom-header-of-validators", "token-in-the-query", crashKey}

// Secrets of orders: of a URL in them, and the number of an account.
var (
	urlSecrets  = []string{"hunter2hunter", "tokenOfAReturn1", "sigOfAReturn9"}
	bankAccount = "15064012345"
)

func exampleSettings(url string) string {
	return `{"connectors":[
		{"name":"Webhook","connectorId":"fraud","host":"` + url + `?code=token-in-the-query","bearerToken":"bearer-of-the-fraud-check","signingSecret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		{"name":"webhookValidator","connectorId":"carts","host":"` + url + `","customHeaders":[{"key":"X-Secret","value":"custom-header-of-validators"}],
			"properties":[{"key":"IsRequestWrapperEnabled","value":"true"}]}],
		"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[
			{"name":"WebhookWorkflowStep","displayName":"Fraud check","connector":"Webhook","connectorId":"fraud","stopOnError":true,
				"properties":[{"key":"ErrorStatus","value":"OnHold"},{"key":"X-Step","value":"header-of-the-step-1","keyGroup":"RequestHeaders"}]}]}]}],
		"returnStatuses":[{"name":"Returned","workflowSteps":[{"name":"WebhookReturnWorkflowStep","connector":"Webhook","connectorId":"fraud"}]},
			{"name":"PartiallyReturned","workflowSteps":[{"name":"WebhookReturnWorkflowStep","connector":"Webhook","connectorId":"fraud"}]}]}`
}

// recordedInstallation is a server that has called an example endpoint in each way.
func recordedInstallation(t *testing.T, w where, first *example) *server {
	t.Helper()
	s := w.serve(t)
	s.expect(t, 200, "PUT", "/api/settings", crashKey, exampleSettings(first.URL))
	e := s.subscribe(t, crashKey, first.URL, `"eventTypes":["OrderCreated"]`)
	for i, c := range customers {
		for j, price := range []string{"99.50", "1200.00"} {
			id := fmt.Sprintf("ORD-%d-%d", i, j)
			body := map[string]any{"id": id, "status": "New", "orderType": "Online", "marketId": "NOR",
				"customerName": c.first + " " + c.last, "customerEmail": c.email, "customerPhone": c.phone,
				"billingAddress":   map[string]any{"name": c.first + " " + c.last, "firstName": c.first, "lastName": c.last, "line1": c.line1, "postalCode": c.zip, "city": c.city, "countryCode": c.country},
				"properties":       []any{map[string]any{"key": "Channel", "value": "web"}, map[string]any{"key": "ContactEmail", "value": strings.ToUpper(c.email)}},
				"tags":             []any{"vip", c.last},
				"orderNotes":       []any{map[string]any{"id": "n1", "detail": "Call " + c.first + " on " + strings.ReplaceAll(c.phone, " ", "") + ", " + c.line1}},
				"internalRemark":   "asked for by " + strings.ToUpper(c.last),
				"loyaltyReference": "L-" + id,
				"customerId":       "cust-" + strings.ToLower(c.first+"-"+c.last) + "-1963",
				"bankAccount":      bankAccount,
				"returnUrl":        "https://shop:" + urlSecrets[0] + "@pay.example/back?order=" + id + "&token=" + urlSecrets[1] + "&sig=" + urlSecrets[2],
				"orderForm": map[string]any{"lineItems": []any{map[string]any{"lineItemId": "a", "code": "SHOE-42", "displayName": "Shoe", "quantity": 2, "placedPrice": json.RawMessage(price)}},
					"shipments": []any{map[string]any{"shipmentId": "S1", "address": map[string]any{"name": c.first, "line1": c.line1, "city": c.city, "countryCode": c.country}}}}}
			s.expect(t, 201, "POST", "/api/orders", crashKey, mustJSON(body))
		}
	}
	s.expect(t, 201, "POST", "/api/orders/ORD-0-0/returns", crashKey, `{"lineItems":[{"lineItemId":"a","returnQuantity":1}]}`)
	for quantity := range 2 {
		s.expect(t, 200, "POST", "/api/carts/validate", crashKey, fmt.Sprintf(`{"id":"C%d","marketId":"NOR","customerEmail":"kari.nordmann@firma.example","customerName":"Kari Nordmann",
			"orderForm":{"lineItems":[{"lineItemId":"a1","code":"SHOE-42","quantity":%d,"placedPrice":999.00}]}}`, quantity, 2+quantity*10))
	}
	s.awaitDeliveries(t, crashKey, e)
	return s
}

// regressions are editions of the endpoint that come to something else.
var regressions = []edition{
	{name: "a score that is one too high", change: ofStep(func(r *reply) { r.property("FraudScore", func(v string) string { return v + "1" }) })},
	{name: "a score that is no text", change: ofStep(func(r *reply) { r.patch["Properties"].([]any)[0].(map[string]any)["Value"] = 10 })},
	{name: "a property that is gone", change: ofStep(func(r *reply) { r.patch["Properties"] = r.patch["Properties"].([]any)[:1] })},
	{name: "a property of another key", change: ofStep(func(r *reply) { r.patch["Properties"].([]any)[0].(map[string]any)["Key"] = "Fraud-Score" })},
	{name: "a tag that is gone", change: ofStep(func(r *reply) { delete(r.patch, "Tags") })},
	{name: "a tag in another case", change: ofStep(func(r *reply) { r.patch["Tags"] = []any{"Fraud-Checked"} })},
	{name: "the other properties replaced", change: ofStep(func(r *reply) { r.patch["KeepExistingCustomProperties"] = false })},
	{name: "an amount that is rounded", change: ofStep(func(r *reply) { r.patch["OrderForm"] = map[string]any{"HandlingTotal": 11} })},
	{name: "a patch under another name", change: ofStep(func(r *reply) {
		r.raw = mustJSON(map[string]any{"OrderActionExecutionResults": []any{r.result}, "Patch": r.patch})
	})},
	{name: "no cancel", change: ofStep(func(r *reply) { delete(r.result, "CancelWorkflow") })},
	{name: "cancel as a text", change: ofStep(func(r *reply) { r.result["CancelWorkflow"] = "false" })},
	{name: "another reason", change: ofStep(func(r *reply) {
		if r.result["ErrorReason"] != nil {
			r.result["ErrorReason"] = "too risky"
		}
	})},
	{name: "a warning that is a success", change: ofStep(func(r *reply) { r.result["ActionStatus"] = "Success" })},
	{name: "a status that is not set", change: ofStep(func(r *reply) { delete(r.patch, "Status") })},
	{name: "a workflow that is not triggered", change: ofStep(func(r *reply) { delete(r.result, "TriggerNewStatus") })},
	{name: "500 for what was cancelled", change: ofStep(func(r *reply) {
		if r.result["CancelWorkflow"] != nil {
			r.status = http.StatusInternalServerError
		}
	})},
	{name: "a page instead of JSON", change: ofStep(func(r *reply) { r.raw = "<html>" })},
	{name: "a return without its tag", change: func(kind string, r *reply) {
		if kind == "return" {
			r.patch = nil
		}
	}},
	{name: "a cart that always passes", change: func(kind string, r *reply) {
		if kind == "validator" && r.cart["isValidatedSuccessful"] == false {
			r.cart = map[string]any{"isValidatedSuccessful": true}
		}
	}},
	{name: "an event that is not taken", change: func(kind string, r *reply) {
		if kind == "event" {
			r.status = http.StatusBadRequest
		}
	}},
}

// harmless are editions that come to the same in another way.
var harmless = []edition{
	{name: "the same"},
	{name: "members and properties in another order, with white space", change: ofStep(func(r *reply) { slices.Reverse(r.patch["Properties"].([]any)) }),
		write: func(doc map[string]any) string {
			b, _ := json.MarshalIndent(reversed{doc}, "\t", "  ")
			return string(b)
		}},
	{name: "numbers written otherwise, names in another case", change: ofStep(func(r *reply) { r.patch["OrderForm"] = map[string]any{"handlingTotal": json.Number("1.05e1")} }),
		write: func(doc map[string]any) string {
			b, _ := json.Marshal(doc)
			return strings.NewReplacer(`"OrderPatch"`, `"orderPatch"`, `"ActionStatus"`, `"actionStatus"`, `"Properties"`, `"properties"`, `"9.90"`, `9.9`).Replace(string(b))
		}},
	{name: "members without an effect, and nulls", change: ofStep(func(r *reply) {
		r.result["Message"], r.result["Duration"], r.patch["StoreId"], r.patch["FollowUpDate"] = "all went well", 12, nil, nil
	})},
	{name: "other statuses of success", change: func(_ string, r *reply) {
		r.status = http.StatusAccepted
	}},
	{name: "a tag that the order has", change: ofStep(func(r *reply) { r.patch["Tags"] = []any{"fraud-checked", "vip"} })},
}

// ofStep is an edition that answers orders' steps otherwise.
func ofStep(change func(*reply)) func(string, *reply) {
	return func(kind string, r *reply) {
		if kind == "step" {
			change(r)
		}
	}
}

func (r *reply) property(key string, change func(string) string) {
	for _, p := range r.patch["Properties"].([]any) {
		if p := p.(map[string]any); p["Key"] == key {
			p["Value"] = change(p["Value"].(string))
		}
	}
}

// reversed writes the members of an object from the last to the first.
type reversed struct{ doc map[string]any }

// MarshalJSON implements json.Marshaler.
func (o reversed) MarshalJSON() ([]byte, error) {
	names := slices.Sorted(maps.Keys(o.doc))
	slices.Reverse(names)
	var members []string
	for _, name := range names {
		members = append(members, mustJSON(name)+":"+mustJSON(o.doc[name]))
	}
	return []byte("{" + strings.Join(members, ",") + "}"), nil
}

// neverSlower has no call be told of as slower: on a busy machine any may be.
const neverSlower = "--slower=0"

// TestContractTestsFromProduction: recorded calls are given away without anybody's name or
// secret, are the same bytes each time, and find each of 20 regressions of the endpoint,
// without an alarm about what is harmless.
func TestContractTestsFromProduction(t *testing.T) {
	t.Parallel()
	w := newWhere(t).with("ORDERHOOK_API_KEY=" + crashKey)
	first := newExample(t, edition{})
	s := recordedInstallation(t, w, first)
	w.file(t, "admin.key", crashKey)
	w.file(t, "calls.key", "by it the replacements are the same in each run of this test\n")
	record := func(dir string, more ...string) string {
		t.Helper()
		return w.succeeds(t, append([]string{"ci", "record", "--out", dir, "--filter", "outcome=succeeded", "--url", s.url, "--key-file", "admin.key"}, more...)...)
	}
	// 8 orders, their events, a return, and two carts.
	if said := record("calls"); !strings.HasPrefix(said, "calls has 19 recorded calls: 19 new, 0 changed, 0 as they were") {
		t.Fatal(said)
	}
	if said := record("calls/"); !strings.Contains(said, "0 new, 0 changed, 19 as they were") {
		t.Error(said)
	}
	record("again", "--redaction-key-file", "calls.key")
	misspelt := w.run(t, "ci", "record", "--out", "again", "--redaction-key-file", "calls.key", "--redact", "nosuchfield,loyaltyReference", "--filter", "kind=step", "--url", s.url, "--key-file", "admin.key")
	if !strings.Contains(misspelt.errOut, "--redact nosuchfield: no call has") || strings.Contains(misspelt.errOut, "loyaltyReference") ||
		!strings.Contains(misspelt.errOut, "ci record uses the key of the replacements, calls.key: keep it for next time, and never commit it") {
		t.Errorf("code %d, %s", misspelt.code, misspelt.errOut)
	}
	record("again", "--redaction-key-file", "calls.key")
	calls, again := filesIn(t, w.dir, "calls"), filesIn(t, w.dir, "again")
	if !maps.Equal(calls, again) {
		t.Error("recorded again, the files are others")
	}
	record("other")
	if other := filesIn(t, w.dir, "other"); maps.Equal(calls, other) {
		t.Error("another key makes the same")
	}
	secretsAndPersons(t, calls)

	run := func(t *testing.T, against string, more ...string) result {
		t.Helper()
		return w.run(t, append([]string{"ci", "run", "calls", "--against", against, neverSlower}, more...)...)
	}
	_, before := first.calls()
	r := run(t, first.URL, "--junit", "same.xml")
	if r.code != 0 || !strings.Contains(r.out, "19 same, 0 slower, 0 different, 0 failed, 0 skipped") {
		t.Errorf("against the first edition: code %d, %s%s", r.code, r.out, r.errOut)
	}
	if _, bodies := first.calls(); len(bodies) != len(before)+19 {
		t.Errorf("%d calls were made", len(bodies)-len(before))
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, 2)
	try := func(e edition, want int) {
		x := newExample(t, e)
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if r := run(t, x.URL, "--details"); r.code != want {
				t.Errorf("%s: code %d, want %d: %s%s", e.name, r.code, want, r.out, r.errOut)
			}
		})
	}
	for _, e := range regressions {
		try(e, 1)
	}
	for _, e := range harmless {
		try(e, 0)
	}
	group.Wait()
	reports(t, w, run)
}

// reports: the forms of a report, what can be left out of it, and what is refused.
func reports(t *testing.T, w where, run func(t *testing.T, against string, more ...string) result) {
	worse := newExample(t, edition{change: func(kind string, r *reply) {
		if kind == "step" {
			r.property("FraudScore", func(v string) string { return v + ".004" })
		}
	}})
	r := run(t, worse.URL, "--junit", "report.xml", "--json")
	var report struct {
		Calls []struct {
			Result      string
			Differences []struct{ Path, Recorded, Now string }
		}
		Summary map[string]int
	}
	if err := json.Unmarshal([]byte(r.out), &report); err != nil || r.code != 1 || report.Summary["different"] != 8 || report.Summary["same"] != 11 {
		t.Errorf("%v: code %d, %s", err, r.code, r.out)
	}
	i := slices.IndexFunc(report.Calls, func(c struct {
		Result      string
		Differences []struct{ Path, Recorded, Now string }
	}) bool {
		return c.Result == "different"
	})
	if d := report.Calls[i].Differences; len(d) != 1 || d[0].Path != "order.properties[FraudScore].value" || d[0].Now != d[0].Recorded+".004" {
		t.Errorf("%v", d)
	}
	var suites struct {
		Suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Cases    []struct {
				Class   string `xml:"classname,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	text, err := os.ReadFile(filepath.Join(w.dir, "report.xml"))
	if err == nil {
		err = xml.Unmarshal(text, &suites)
	}
	if err != nil || suites.Suite.Tests != 19 || suites.Suite.Failures != 8 || len(suites.Suite.Cases) != 19 {
		t.Errorf("%v: %s", err, text)
	}
	for _, c := range suites.Suite.Cases {
		if (c.Failure != nil) != (c.Class == "step.Fraud check") {
			t.Errorf("%+v", c)
		}
	}
	for _, c := range []struct {
		code int
		more []string
	}{
		{0, []string{"--ignore", "properties[FraudScore]"}},
		{0, []string{"--ignore", "order.properties[Fraud*].value"}},
		{1, []string{"--ignore", "properties[FraudModel]", "--ignore", "tags"}},
		{0, []string{"--tolerance", "0.005"}},
		{1, []string{"--tolerance", "0.003"}},
	} {
		if r := run(t, worse.URL, c.more...); r.code != c.code {
			t.Errorf("%v: code %d, %s", c.more, r.code, r.out)
		}
	}
	gone := newExample(t, edition{})
	gone.Close()
	if r := run(t, gone.URL, "--parallel", "8"); r.code != 2 || !strings.Contains(r.out, "0 same, 0 slower, 0 different, 19 failed, 0 skipped") || !strings.Contains(r.errOut, "there was no connection to the endpoint") {
		t.Errorf("against nothing: code %d, %s%s", r.code, r.out, r.errOut)
	}
	strict := newExample(t, edition{change: func(_ string, r *reply) { r.status = http.StatusUnauthorized }})
	if r := run(t, strict.URL); r.code != 2 || !strings.Contains(r.errOut, "answers each with 401") || !strings.Contains(r.errOut, "--signing-secret-file") {
		t.Errorf("against one that refuses all: code %d, %s%s", r.code, r.out, r.errOut)
	}
	half := newExample(t, edition{change: ofStep(func(r *reply) { r.status = http.StatusUnauthorized })})
	if r := run(t, half.URL); r.code != 1 {
		t.Errorf("against one that refuses steps: code %d, %s%s", r.code, r.out, r.errOut)
	}
	w.file(t, "broken.json", `{"format":7}`)
	w.refuses(t, "no call was found", "ci", "run", "calls/../calls.d", "--against", mkdir(t, w, "calls.d", worse.URL))
	w.refuses(t, "this orderhook reads format 1", "ci", "run", ".", "--against", worse.URL)
	w.refuses(t, "no such file", "ci", "run", "nowhere", "--against", worse.URL)
	w.refuses(t, "must be an absolute http or https URL", "ci", "run", "calls", "--against", "nowhere")
	w.refuses(t, "--parallel must be 1 to 64", "ci", "run", "calls", "--against", worse.URL, "--parallel", "0")
	w.refuses(t, "--header: write NAME:VALUE", "ci", "run", "calls", "--against", worse.URL, "--header", "hush")
}

// mkdir makes a folder, and returns the text that goes with it.
func mkdir(t *testing.T, w where, name, text string) string {
	t.Helper()
	if err := os.Mkdir(filepath.Join(w.dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
	return text
}

// filesIn returns the texts of the files of a folder.
func filesIn(t *testing.T, dir, name string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(filepath.Join(dir, name))
	for _, e := range entries {
		text, readErr := os.ReadFile(filepath.Join(dir, name, e.Name()))
		if readErr != nil {
			err = readErr
		}
		all[e.Name()] = string(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// secretsAndPersons looks in files for each secret and each customer, in any case.
func secretsAndPersons(t *testing.T, files map[string]string) {
	t.Helper()
	digits := func(text string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return r
			}
			return -1
		}, text)
	}
	for name, text := range files {
		folded := strings.ToLower(text)
		for _, secret := range slices.Concat(installationSecrets, urlSecrets, []string{bankAccount}) {
			if strings.Contains(folded, strings.ToLower(secret)) {
				t.Errorf("%s holds the secret %s", name, secret)
			}
		}
		for _, c := range customers {
			for _, part := range []string{c.first + " " + c.last, c.last, c.email, c.phone, c.line1, c.city, digits(c.phone), strings.TrimSuffix(c.email, ".example")} {
				if strings.Contains(folded, strings.ToLower(part)) {
					t.Errorf("%s has %q of a customer", name, part)
				}
			}
			if words := strings.FieldsFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) }); slices.Contains(words, strings.ToLower(c.first)) {
				t.Errorf("%s has the name %q", name, c.first)
			}
		}
	}
}

// TestRerun: recorded calls of a server go to another URL, signed and with the headers that
// were asked for, and change nothing.
func TestRerun(t *testing.T) {
	t.Parallel()
	const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	w := newWhere(t).with("ORDERHOOK_API_KEY=" + crashKey)
	first := newExample(t, edition{})
	s := recordedInstallation(t, w, first)
	w.file(t, "admin.key", crashKey)
	w.file(t, "sign.secret", secret+"\n")
	w.file(t, "headers", "Authorization: Bearer of-staging\nX-Env: staging\n")
	state := func() string {
		var all []string
		for _, path := range []string{"/api/orders", "/api/attempts?count=true", "/api/runs", "/api/deliveries", "/api/audit"} {
			all = append(all, s.expect(t, 200, "GET", path, crashKey, "").text)
		}
		return strings.Join(all, "\n")
	}
	before := state()
	second := newExample(t, edition{})
	rerun := func(args ...string) result {
		return w.run(t, append([]string{"rerun", "--to", second.URL, "--url", s.url, "--key-file", "admin.key", neverSlower}, args...)...)
	}
	r := rerun("--filter", "outcome=succeeded", "--signing-secret-file", "sign.secret", "--header-file", "headers", "--json")
	if r.code != 0 || !strings.Contains(r.out, `"same": 19`) {
		t.Errorf("code %d: %s%s", r.code, r.out, r.errOut)
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	headers, bodies := second.calls()
	_, sent := first.calls()
	for i, h := range headers {
		if err := verifier.Verify([]byte(bodies[i]), h); err != nil || h.Get("Authorization") != "Bearer of-staging" || h.Get("X-Env") != "staging" {
			t.Errorf("%v: %v", err, h)
		}
		if !slices.Contains(sent, bodies[i]) && !strings.Contains(bodies[i], "code=***") { // the value in the query of the step's host is a secret
			t.Errorf("another body was sent: %s", bodies[i])
		}
	}
	for _, secret := range installationSecrets {
		if strings.Contains(fmt.Sprint(headers, bodies, r.out, r.errOut), secret) {
			t.Errorf("the secret %s went along", secret)
		}
	}
	if strings.Contains(r.out+r.errOut, "of-staging") || strings.Contains(r.out+r.errOut, secret) {
		t.Error("a secret is printed")
	}
	// One that was named; another decision; a table and its details.
	step := items(s.expect(t, 200, "GET", "/api/attempts?kind=step&orderId=ORD-2-1", crashKey, ""))[0]["id"].(string)
	second.edition = edition{change: ofStep(func(r *reply) { delete(r.result, "CancelWorkflow") })}
	r = rerun(step, "--details")
	for _, want := range []string{step, "ORD-2-1", "200 Error", "200 Success", "different: another decision: ", "stops: recorded true, now nothing", "status: recorded \"OnHold\", now nothing", "0 same, 0 slower, 1 different"} {
		if r.code != 1 || !strings.Contains(r.out, want) {
			t.Errorf("code %d, want %q: %s%s", r.code, want, r.out, r.errOut)
		}
	}
	// The keys of the record are sent only if they are asked for.
	key := headerOf(headers, bodies, "ORD-2-1", "Idempotency-Key")
	recorded := s.expect(t, 200, "GET", "/api/attempts/"+step+"/call", crashKey, "")
	if was, _ := recorded.body["callId"].(string); was == "" || key == was {
		t.Errorf("the key %q was sent, and is the one of the record, %q", key, was)
	}
	rerun(step, "--same-keys")
	headers, _ = second.calls()
	if got := headers[len(headers)-1].Get("Idempotency-Key"); got != recorded.body["callId"] {
		t.Errorf("with --same-keys %q was sent", got)
	}
	if after := state(); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
	to := []string{"rerun", "--to", second.URL}
	server := append(to[:3:3], "--url", s.url, "--key-file", "admin.key")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"--url names the server", append(to[:3:3], step)},
		{"name the attempts, or pick some with --filter", server},
		{"no call was found", append(server[:7:7], "--filter", "orderId=nobody")},
		{"--filter kind: write NAME=VALUE", append(server[:7:7], "--filter", "kind")},
		{"the server answers 4", append(server[:7:7], "--filter", "kind=nonsense")},
		{"no call could be made again and compared", append(server[:7:7], "att_nobody")},
	} {
		w := w
		r := w.run(t, c.args...)
		if r.code != 2 || !strings.Contains(r.errOut, c.want) {
			t.Errorf("%v: code %d, %s; want %q", c.args, r.code, r.errOut, c.want)
		}
	}
}

// headerOf returns a header of the call about an order's step.
func headerOf(headers []http.Header, bodies []string, order, name string) string {
	for i, body := range bodies {
		if strings.Contains(body, `"WorkflowStep"`) && strings.Contains(body, `"Id":"`+order+`"`) {
			return headers[i].Get(name)
		}
	}
	return ""
}
