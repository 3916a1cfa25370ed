package contract

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// docs/contract.md#audit: who changed what, in the change's own transaction.

// unaudited are the calls of operators that leave no entry, and why.
var unaudited = map[string]string{
	"POST /api/settings/check":      "stores nothing",
	"PUT /api/installation":         "each thing that it changes leaves the entry of its own call",
	"POST /api/endpoints/{id}/test": "changes nothing; the attempt says that it was made",

	"POST /api/interceptions/{id}/calls":         "hands out a call; the attempt says to whom",
	"PUT /api/interceptions/{id}/calls/{callId}": "the attempt has the answer, and who gave it",
}

// audits reports whether a call is one of which the audit log tells. What publishers
// do has its record elsewhere: in histories, versions and attempts.
func audits(name string) bool {
	method, _, _ := strings.Cut(name, " ")
	return method != "GET" && unaudited[name] == "" && (samples[name].needs.Reaches(access.Operator) || name == "DELETE /api/orders/{id}")
}

// auditCalls are the calls that a furnished rig answers only once more has happened,
// and those of which the sample changes nothing.
var auditCalls = map[string]func(r *rig, names *strings.Replacer) (path, body string){
	"DELETE /api/orders/{id}": func(*rig, *strings.Replacer) (string, string) { return theOrder + "?permanently=true", "" },
	"POST /api/deliveries/redeliver": func(*rig, *strings.Replacer) (string, string) {
		return "/api/deliveries/redeliver", `{"status":"failed"}`
	},
	"POST /api/deliveries/cancel": func(*rig, *strings.Replacer) (string, string) {
		return "/api/deliveries/cancel", `{"status":"pending"}`
	},
	"POST /api/runs/{id}/resume": func(r *rig, _ *strings.Replacer) (string, string) {
		r.settings(config(status("New", step{Host: answering(r.t, canceled).URL, Stop: true})))
		return runOf(r.call("POST", "/api/orders", `{}`).want(201).is("isAborted", true)) + "/resume", ""
	},
	"POST /api/connectors/try": func(r *rig, _ *strings.Replacer) (string, string) {
		r.settings(with(config(status("Checked", step{})), connectors(connector(failing(r.t, 99, 500).URL, `,"disableStandardErrorPolicy":true,"breaker":`+opening("fail")))))
		r.enter("Checked")
		r.enter("Checked")
		return "/api/connectors/try", tries
	},
	"POST /api/runs/{id}/cancel": func(r *rig, _ *strings.Replacer) (string, string) {
		g := holding(r.t)
		r.settings(config(status("New", step{Host: g.URL})))
		run := runOf(r.call("POST", "/api/orders?wait=false", `{}`).want(202))
		g.wait()
		return run + "/cancel", ""
	},
	"POST /api/deliveries/{id}/cancel": func(r *rig, _ *strings.Replacer) (string, string) {
		g := holding(r.t)
		r.call("POST", "/api/endpoints", `{"url":"`+g.URL+`","eventTypes":["held"]}`).want(201)
		event := r.call("POST", "/api/events", `{"type":"held","data":{}}`).want(202).text("id")
		g.wait()
		return "/api/deliveries/" + r.get("/api/events/"+event).text("deliveries[0].id") + "/cancel", ""
	},
	"POST /api/workflow-shadows/{id}/promote": func(r *rig, _ *strings.Replacer) (string, string) {
		r.settings(config(status("Checked", shadowOf("http://127.0.0.1:1", ""), fraud("http://127.0.0.1:1"))))
		return "/api/workflow-shadows/" + r.get("/api/workflow-shadows").text("items[0].id") + "/promote?force=true", ""
	},
	"POST /api/jobs/{id}/cancel": func(r *rig, _ *strings.Replacer) (string, string) {
		j := job.NewJob(job.JobResume, r.clock.Now())
		j.Filter = []byte(`{"status":"aborted"}`)
		if err := r.store.Write(r.t.Context(), func(tx store.Tx) error { return tx.PutJob(r.t.Context(), access.DefaultTenant, j) }); err != nil {
			r.t.Fatal(err)
		}
		return "/api/jobs/" + j.ID + "/cancel", ""
	},
}

// auditCall is a call of an operation that is carried out.
func (r *rig) auditCall(name string, names *strings.Replacer) (method, path, body string) {
	method, _, _ = strings.Cut(name, " ")
	if prepared := auditCalls[name]; prepared != nil {
		path, body = prepared(r, names)
		return method, path, body
	}
	return method, names.Replace(samples[name].path), samples[name].body
}

// audited is how many entries the audit log has.
func (r *rig) audited() int { return len(r.all("/api/audit?limit=200", "id", func() {})) }

// operationID is the name of a call in the OpenAPI document.
func (r *rig) operationID(name string) string {
	method, path, _ := strings.Cut(name, " ")
	return r.get("/api/openapi.json").doc().Object("paths").Object(path).Object(strings.ToLower(method)).Text("operationId")
}

// TestEveryChangeIsInTheAuditLog walks all operations: each that operators alone may
// call leaves one entry. A new one that leaves none fails here, and gets either what
// it lacks, or a reason in unaudited.
func TestEveryChangeIsInTheAuditLog(t *testing.T) {
	var actions []string
	for _, name := range start(t).operations() {
		if !audits(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			r, names := furnished(t)
			actions = append(actions, r.operationID(name))
			r.change(name, names, r.operationID(name))
		})
	}
	// The filter takes the names of all these actions, and no other.
	slices.Sort(actions)
	same(t, "the actions of the filter", auditActions(t), actions)
}

// change makes a call that is carried out, and looks at the entry that it leaves.
func (r *rig) change(name string, names *strings.Replacer, action string) {
	r.t.Helper()
	me := r.get("/api/me")
	method, path, body := r.auditCall(name, names)
	before := r.audited()
	const id = "who-asked-for-it"
	if a := r.call(method, path, body, "X-Request-Id", id); a.Status/100 != 2 {
		r.t.Fatalf("%s %s is answered %d %s", method, path, a.Status, a.Raw)
	}
	if n := r.audited() - before; n != 1 {
		r.t.Fatalf("%s leaves %d entries in the audit log", name, n)
	}
	e := r.get("/api/audit?requestId="+id).is("items[1]", nil).is("items[0].action", action).is("items[0].requestId", id).
		is("items[0].actor.keyId", me.text("id")).is("items[0].actor.role", "admin").is("items[0].actor.address", "127.0.0.1").
		is("items[0].actor.via", "api").is("items[0].actor.command", nil).says(adminKey, "whsec_", "ohk_")
	kind, target := e.text("items[0].target.kind"), e.text("items[0].target.id")
	if kind == "" || target == "" || e.text("items[0].id") == "" || e.text("items[0].timestamp") == "" {
		r.t.Errorf("an incomplete entry: %s", e.Raw)
	}
	for _, query := range []string{"action=" + action, "kind=" + kind, "target=" + escape(target), "keyId=" + me.text("id")} {
		if !slices.Contains(r.get("/api/audit?"+query).ids("requestId"), id) {
			r.t.Errorf("%s does not find it", query)
		}
	}
}

// auditActions are the values that the filter takes.
func auditActions(t *testing.T) (out []string) {
	t.Helper()
	for _, p := range start(t).get("/api/openapi.json").doc().Object("paths").Object("/api/audit").Object("get").Objects("parameters") {
		if p.Text("name") == "action" {
			out = p.Object("schema").Texts("enum")
		}
	}
	slices.Sort(out)
	return out
}

// TestWhatChangesNothingIsNotInTheAuditLog: what is refused, or only asked, or was done
// before, and what has its record elsewhere.
func TestWhatChangesNothingIsNotInTheAuditLog(t *testing.T) {
	r, names := furnished(t)
	r.addKey("reader-key-of-mine", access.DefaultTenant, access.Reader)
	r.call("POST", "/api/keys", `{"role":"reader"}`, "Idempotency-Key", "once").want(201)
	r.settings(config(status("New", step{Host: answering(t, "").URL})))
	before := r.audited()
	r.call("POST", "/api/keys", `{"role":"reader"}`, "Idempotency-Key", "once").want(201).is("key", nil)
	r.call("POST", "/api/runs/resume", `{"status":"aborted","dryRun":true}`).want(200)
	r.call("POST", "/api/deliveries/redeliver", `{"status":"failed","dryRun":true}`).want(200)
	r.call("PUT", "/api/settings", `{}`, "If-Match", `"1"`).problem(412)
	r.call("PUT", "/api/settings", `{"connectors":[{"host":"nonsense"}]}`).problem(422)
	r.call("POST", "/api/endpoints", `{"url":"nonsense","eventTypes":["*"]}`).problem(422)
	r.call("DELETE", "/api/keys/"+r.get("/api/me").text("id"), "").problem(409)
	r.call("POST", names.Replace("/api/runs/RUN/cancel"), "").problem(409)
	unnamed := strings.NewReplacer("{id}", "none", "{version}", "999")
	for _, name := range r.operations() {
		method, path, _ := strings.Cut(name, " ")
		s := samples[name]
		if !audits(name) {
			if a := r.call(method, names.Replace(s.path), s.body); a.Status >= 500 {
				t.Errorf("%s is answered %d %s", name, a.Status, a.Raw)
			}
			continue
		}
		query := ""
		if name == "DELETE /api/orders/{id}" {
			query = "?permanently=true"
		}
		r.as("reader-key-of-mine").call(method, names.Replace(s.path)+query, s.body).problem(403)
		if strings.Contains(path, "{") {
			r.call(method, unnamed.Replace(path)+query, s.body).problem(404)
		}
	}
	equals(t, "entries", r.audited(), before)
}

// TestTheAuditLogIsTheAdminsOfTheTenant: others see nothing of it.
func TestTheAuditLogIsTheAdminsOfTheTenant(t *testing.T) {
	r, _ := furnished(t)
	for _, role := range access.Roles[:len(access.Roles)-1] {
		r.addKey("key-of-"+string(role), access.DefaultTenant, role)
		r.as("key-of-"+string(role)).call("GET", "/api/audit", "").problem(403)
	}
	other := r.stranger()
	other.get("/api/audit").is("items", []string{}).is("nextCursor", nil)
	other.call("POST", "/api/keys", `{"role":"reader"}`).want(201)
	equals(t, "theirs", len(other.get("/api/audit").ids("id")), 1)
	if n := len(r.get("/api/audit?action=create-key").ids("id")); n != 1 { // the furniture
		t.Errorf("%d keys were made", n)
	}
	for query, place := range map[string]string{"kind=thing": "query.kind", "action=nonsense": "query.action", "from=yesterday": "query.from",
		"to=never": "query.to", "cursor=x": "query.cursor", "limit=0": "query.limit", "targets=a": "query.targets"} {
		r.call("GET", "/api/audit?"+query, "").problem(422, place)
	}
}

// TestTheAuditLogIsAList of pages, the newest first, between two times.
func TestTheAuditLogIsAList(t *testing.T) {
	r := start(t)
	var want []string
	for i := range 5 {
		r.clock.Advance(time.Minute)
		want = append(want, r.call("POST", "/api/keys", fmt.Sprintf(`{"role":"reader","name":"%d"}`, i)).want(201).text("id"))
	}
	slices.Reverse(want)
	var got []string
	for cursor := ""; ; {
		page := r.get("/api/audit?limit=2" + cursor)
		for i := range page.doc().Objects("items") {
			got = append(got, page.text(fmt.Sprintf("items[%d].target.id", i)))
		}
		if page.text("nextCursor") == "" {
			break
		}
		cursor = "&cursor=" + page.text("nextCursor")
	}
	same(t, "keys", got, want)
	times := r.get("/api/audit").ids("timestamp")
	same(t, "between", r.get("/api/audit?from="+times[3]+"&to="+times[1]).ids("timestamp"), times[2:4])
}

// TestTheAuditLogSaysWhatChanged by names: of a secret there is no more than that it did.
func TestTheAuditLogSaysWhatChanged(t *testing.T) {
	r := start(t)
	newest := func(action string) answer {
		t.Helper()
		return r.get("/api/audit?limit=1").is("items[0].action", action).says("s3cret", "whsec_", "ohk_")
	}
	host := answering(t, "").URL
	r.settings(config(status("New", step{Host: host})))
	newest("put-settings").is("items[0].target", special(`{"id":"1","kind":"settings"}`)).is("items[0].detail", special(`{"changed":["orderTypes"],"toVersion":1}`))
	r.settings(`{"connectors":[{"name":"ERP","connectorId":"erp","host":"` + host + `","bearerToken":"s3cret"}]}`)
	newest("put-settings").is("items[0].detail", special(`{"changed":["orderTypes","connectors"],"fromVersion":1,"toVersion":2}`))
	r.settings(`{"connectors":[{"name":"ERP","connectorId":"erp","host":"` + host + `","bearerToken":"***"}]}`)
	newest("put-settings").is("items[0].detail", special(`{"fromVersion":2,"toVersion":3}`)) // all was so already
	r.call("POST", "/api/settings/1/restore", "").want(200)
	newest("restore-settings-version").is("items[0].target.id", "1").is("items[0].detail.fromVersion", 3).is("items[0].detail.toVersion", 4)

	e := r.call("POST", "/api/endpoints", `{"url":"`+host+`","eventTypes":["*"],"headers":{"X-Key":"s3cret"}}`).want(201)
	path := "/api/endpoints/" + e.text("id")
	newest("create-endpoint").is("items[0].target", special(`{"id":"`+e.text("id")+`","kind":"endpoint"}`)).is("items[0].detail", special(`{}`))
	ca, err := json.Marshal(newIdentity(t).certificate)
	if err != nil {
		t.Fatal(err)
	}
	patches := map[string]string{"url": `"` + host + `/other"`, "eventTypes": `["a","b"]`, "description": `"s3cret of mine"`, "format": `"thin"`, "headers": `{"X-Key":"s3cret too"}`,
		"enabled": `false`, "timeout": `"PT9S"`, "retrySchedule": `["PT1S"]`, "maxConcurrency": `3`, "rateLimit": `9`, "ordering": `"subject"`,
		"filter": `"data.a == 1"`, "signatures": `["v1","v1a"]`, "tls": `{"ca":` + string(ca) + `}`}
	for _, field := range r.get("/api/openapi.json").doc().Object("components").Object("schemas").Object("EndpointPatch").Object("properties").Members() {
		if patches[field.Name] == "" {
			t.Errorf("a change of %s is not tried", field.Name)
			continue
		}
		r.call("PATCH", path, `{"`+field.Name+`":`+patches[field.Name]+`}`).want(200)
		newest("patch-endpoint").is("items[0].detail", special(`{"changed":["`+field.Name+`"]}`))
	}
	r.call("PATCH", path, `{"timeout":"PT9S"}`).want(200)
	newest("patch-endpoint").is("items[0].detail", special(`{}`))
	r.call("POST", path+"/rotate-secret", "").want(200)
	newest("rotate-endpoint-secret").is("items[0].detail", special(`{"changed":["secret"]}`))

	key := r.call("POST", "/api/keys", `{"role":"operator","name":"till"}`).want(201).text("id")
	newest("create-key").is("items[0].target.id", key).is("items[0].detail", special(`{"name":"till","role":"operator"}`))
	r.call("DELETE", "/api/keys/"+key, "").want(204)
	newest("delete-key").is("items[0].target.id", key).is("items[0].detail", special(`{"name":"till","role":"operator"}`))
}

// TestWhatIsSentAgainIsInTheAuditLog with where it went.
func TestWhatIsSentAgainIsInTheAuditLog(t *testing.T) {
	r, names := furnished(t)
	detail := func(id string) answer { t.Helper(); return r.get("/api/audit?requestId="+id).is("items[1]", nil) }
	to := answering(t, "").URL + "/elsewhere?token=s3cret"
	again := r.call("POST", names.Replace("/api/attempts/ATTEMPT/replay"), `{"url":"`+to+`"}`, "X-Request-Id", "replay", "Idempotency-Key", "k").want(200)
	detail("replay").is("items[0].target", special(names.Replace(`{"id":"ATTEMPT","kind":"attempt"}`))).is("items[0].detail.attemptId", again.at("replay.id")).
		is("items[0].detail.url", weburl.PublicURL(to)).says("s3cret")
	r.call("POST", names.Replace("/api/events/EVENT/redeliver"), "", "X-Request-Id", "event").want(202)
	detail("event").is("items[0].target", special(names.Replace(`{"id":"EVENT","kind":"event"}`))).is("items[0].detail", special(names.Replace(`{"endpointIds":["ENDPOINT"],"sent":1}`)))
	r.call("POST", names.Replace("/api/deliveries/DELIVERY/redeliver"), "", "X-Request-Id", "delivery").want(202)
	detail("delivery").is("items[0].target", special(names.Replace(`{"id":"DELIVERY","kind":"delivery"}`))).is("items[0].detail", special(names.Replace(`{"endpointIds":["ENDPOINT"],"sent":1}`)))
	job := r.call("POST", "/api/deliveries/redeliver", `{"status":"failed"}`, "X-Request-Id", "bulk").want(202).text("id")
	detail("bulk").is("items[0].target", special(`{"id":"`+job+`","kind":"job"}`)).is("items[0].detail.job.filter.status", "failed").is("items[0].detail.job.kind", "redeliver")
	job = r.call("POST", "/api/deliveries/cancel", `{"eventId":"`+names.Replace("EVENT")+`"}`, "X-Request-Id", "cancels").want(202).text("id")
	detail("cancels").is("items[0].target", special(`{"id":"`+job+`","kind":"job"}`)).is("items[0].detail.job.filter.status", "pending").is("items[0].detail.job.kind", "cancel")
	job = r.call("POST", names.Replace("/api/endpoints/ENDPOINT/recover"), `{"from":"2026-01-01T00:00:00Z","what":"missing"}`, "X-Request-Id", "recover").want(202).text("id")
	detail("recover").is("items[0].target.kind", "endpoint").is("items[0].detail.job.id", job).is("items[0].detail.job.what", "missing")
}

// TestTheAuditLogTellsTheDashboardFromTheAPI, and has the address of the browser.
func TestTheAuditLogTellsTheDashboardFromTheAPI(t *testing.T) {
	r, names := furnished(t)
	req := httptest.NewRequestWithContext(api.WithKey(t.Context(), r.keyOf(adminKey)), "POST", names.Replace("/api/events/EVENT/redeliver"), nil)
	req.RemoteAddr = "[2001:db8::7]:4711"
	if status, body := r.serve(req, "X-Request-Id", "clicked"); status != 202 {
		t.Fatal(status, body)
	}
	r.get("/api/audit?requestId=clicked").is("items[0].actor.via", "dashboard").is("items[0].actor.address", "2001:db8::7").
		is("items[0].actor.keyId", r.get("/api/me").text("id"))
}
