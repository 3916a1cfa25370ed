package contract

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// docs/contract.md#secrets: a secret goes only to the origin that it was
// given for, for its whole life.

// cannot is what an attempt that lacks a secret says.
func cannot(what, why string) string { return "the secret of " + what + " cannot be opened: " + why }

const (
	forAnother   = "it was given for another scheme, host or port"
	wasReplaced  = "it was removed from the settings, or replaced there"
	notSealedFor = "it was not sealed for this tenant and place, or not with this key"
)

// redelivered sends the one export again and returns its last attempt.
func (r *rig) redelivered() answer {
	r.t.Helper()
	d, _, _ := r.export()
	r.call("POST", "/api/deliveries/"+escape(d.ID())+"/redeliver", "").want(202)
	d, _, _ = r.export()
	list := r.get("/api/attempts?deliveryId=" + escape(d.ID()))
	i := slices.Index(list.ids("number"), fmt.Sprint(d.Attempts)) // what was never on the wire has the time of another clock
	return r.get("/api/attempts/" + list.ids("id")[i])
}

// TestAnOldExportTakesNoSecretElsewhere is about an old export
// (docs/contract.md#secrets): the step is gone, and the connector has another host.
func TestAnOldExportTakesNoSecretElsewhere(t *testing.T) {
	was, is, r := answering(t, ""), answering(t, ""), lease(t)
	exportTo := func(url, token string, steps ...step) string {
		return with(config(status("New", steps...)), connectors(erp(url, `,"BearerToken":"`+token+`"`)))
	}
	headed := step{Name: exportStep, Connector: "ERP", Headers: header("X-Api-Key", topSecret)}
	r.settings(exportTo(was.URL, "old-token", headed))
	r.post(order)
	r.export()
	equals(t, "X-Api-Key", was.only(t).Header.Get("X-Api-Key"), topSecret)
	first := "/api/attempts/" + r.get("/api/attempts").text("items[0].id")

	r.settings(exportTo(is.URL, "new-token"))
	r.redelivered().is("error", "the step is gone from the settings, and its headers with it").says(topSecret)
	equals(t, "requests to the new host", len(is.got()), 0)
	r.call("POST", first+"/replay", `{"url":"`+is.URL+`"}`).want(200).says(topSecret)
	r.call("POST", first+"/replay", "").want(200).says(topSecret)
	for _, got := range append(is.got(), was.got()[1:]...) {
		equals(t, "headers of a replay", got.Header.Get("X-Api-Key")+got.Header.Get("Authorization"), "")
	}

	// With the step back, and its header given anew, the export goes on.
	headed.Headers = header("X-Api-Key", "another-"+topSecret)
	r.settings(exportTo(is.URL, "***", headed))
	r.redelivered().is("outcome", "succeeded")
	last := is.got()[len(is.got())-1]
	equals(t, "headers", last.Header.Get("X-Api-Key")+" "+last.Header.Get("Authorization"), "another-"+topSecret+" Bearer new-token")
}

// An export whose step had a Host of its own, and took a connector's credentials
// there: today's credentials are not that host's.
func TestAnOldExportTakesNoNewSecretToItsHost(t *testing.T) {
	was, is, r := answering(t, ""), answering(t, ""), lease(t)
	r.settings(with(config(status("New", step{Name: exportStep, Connector: "ERP", ID: "erp-1", Host: was.URL + "/own"})), connectors(erp(was.URL, `,"Token":"old-token"`))))
	r.post(order)
	r.export()
	r.settings(with(config(status("New")), connectors(erp(is.URL, `,"Token":"`+topSecret+`"`))))
	r.redelivered().is("error", cannot("token", forAnother)).is("url", was.URL+"/own").is("host", strings.TrimPrefix(was.URL, "http://")).is("request.headers", map[string]any{}).says(topSecret)
	equals(t, "requests", len(was.got())+len(is.got()), 1)
}

// An export finds its step by the name that people call it, as it was when it was
// sent last; and a renamed step is found at its next export.
func TestARenamedStepIsFoundByItsNextExport(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	named := func(name string) string {
		return with(config(status("New", step{Name: exportStep, Connector: "ERP", Headers: header("X-Api-Key", "***"), More: `,"displayName":"` + name + `"`})), connectors(erp(s.URL, "")))
	}
	r.settings(strings.Replace(named("To the ERP"), `"***"`, `"`+topSecret+`"`, 1))
	r.post(order)
	r.exports()
	r.settings(named("To SAP"))
	r.enter("New")
	deliveries, _ := r.exports()
	r.call("POST", "/api/deliveries/"+escape(deliveries[0].ID())+"/redeliver", "").want(202)
	r.exports()
	equals(t, "X-Api-Key", s.each("X-Api-Key"), []string{topSecret, topSecret, topSecret})
}

// A run that is under way keeps the settings that it began with, and their secrets.
func TestARunUnderWayKeepsItsSecrets(t *testing.T) {
	r := lease(t)
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		if n == 0 {
			r.settings(`{"connectors":[]}`)
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	r.settings(with(config(status("New", step{ID: "c", Headers: header("X-Api-Key", topSecret)})), connectors(connector(s.URL, `,"ConnectorId":"c","Token":"a-token"`))))
	r.post(order).is("orderActionExecutionResults[0].actionStatus", "Success")
	equals(t, "X-Api-Key", s.each("X-Api-Key"), []string{topSecret, topSecret})
	equals(t, "Authorization", s.each("Authorization"), []string{"Token a-token", "Token a-token"})
}

// A run that is resumed after its connector was removed calls it no more.
func TestAResumedRunHasNoRemovedSecret(t *testing.T) {
	s, r := answering(t, canceled, success), lease(t)
	with1 := with(config(status("New", step{ID: "c", Stop: true})), connectors(connector(s.URL, `,"ConnectorId":"c","Token":"a-token"`)))
	r.settings(with1)
	res := r.post(order).is("isAborted", true)
	r.settings(`{"connectors":[]}`)
	r.resume(res)
	r.ended().is("items[0].status", "aborted").is("items[0].orderActionExecutionResults[0].errorReason", cannot("token", "it was removed"))
	r.call("POST", restoreOne, "").want(200).is("warnings[0].path", "connectors[0].token")
	r.resume(res)
	r.ended().is("items[0].status", "aborted").is("items[0].orderActionExecutionResults[0].errorReason", cannot("token", "it was removed"))
	equals(t, "requests", len(s.got()), 1)
	r.settings(strings.Replace(with1, "a-token", "new-token", 1))
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	equals(t, "Authorization", s.each("Authorization"), []string{"Token a-token", "Token new-token"})
}

// Nor has it one that was replaced, where its status has other steps by now, so that it
// keeps the settings that it began with.
func TestAResumedRunHasNoReplacedSecret(t *testing.T) {
	s, r := answering(t, canceled, success), lease(t)
	withToken := func(token string, more ...step) string {
		return with(config(status("New", append(more, step{ID: "c", Stop: true})...)), connectors(connector(s.URL, `,"ConnectorId":"c","Token":"`+token+`"`)))
	}
	r.settings(withToken("a-token"))
	res := r.post(order).is("isAborted", true)
	r.settings(withToken("b-token", step{ID: "c"}))
	r.resume(res)
	r.ended().is("items[0].status", "aborted").is("items[0].orderActionExecutionResults[0].errorReason", cannot("token", wasReplaced))
	r.call("POST", restoreOne, "").want(200).is("warnings", []string{})
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	equals(t, "Authorization", s.each("Authorization"), []string{"Token a-token", "Token a-token"})
}

// sealedThings is an orderhook with a secret of each kind, and an endpoint that all
// of them go to.
func sealedThings(t *testing.T) (*rig, *sink) {
	t.Helper()
	s, r := answering(t, ""), start(t)
	r.settings(with(config(status("New", step{ID: "c", Headers: header("X-Api-Key", topSecret)})),
		connectors(connector(s.URL+"/connector", `,"ConnectorId":"c","BearerToken":"`+topSecret+`","SigningSecret":"`+topSecret+`","CustomHeaders":[{"Key":"X-Custom","Value":"`+topSecret+`"}]`),
			`{"name":"webhookValidator","host":"`+s.URL+`/validator","username":"u","password":"`+topSecret+`"}`)))
	r.subscribed(s.URL+"/events", `,"headers":{"X-Api-Key":"`+topSecret+`"}`)
	return r, s
}

// TestASecretThatWasMovedDoesNotOpen is about the database
// (docs/contract.md#secrets): rows that were copied or changed
// by somebody who has the database, and no key.
func TestASecretThatWasMovedDoesNotOpen(t *testing.T) {
	const (
		secretOf = `(SELECT sealed FROM secrets WHERE tenant = 'default' AND place LIKE '%`
		here     = `WHERE tenant = 'default' AND place LIKE '%`
	)
	for name, c := range map[string]struct {
		change            string
		step, cart, event string // why they fail; "": they do not
	}{
		"nothing": {`SELECT 1`, "", "", ""},
		"to another tenant, and what refers to them": {`UPDATE secrets SET tenant = 'x'; UPDATE settings SET tenant = 'x'; UPDATE endpoints SET tenant = 'x';
			UPDATE secrets SET tenant = 'default', id = 'sec_' || substr(id, 5); UPDATE settings SET tenant = 'default'; UPDATE endpoints SET tenant = 'default'`, "", "", ""}, // and back
		"a row to the place of another": {`UPDATE secrets SET sealed = ` + secretOf + `/headers/x-custom/0') ` + here + `/bearerToken'`, cannot("bearerToken", notSealedFor), "", ""},
		"the whole row, and its id": {`UPDATE secrets SET id = 'sec_t' ` + here + `/bearerToken'; UPDATE settings SET doc = replace(doc, (SELECT id FROM secrets ` + here + `/password'), 'sec_t')`,
			cannot("bearerToken", "it was removed"), cannot("password", notSealedFor), ""},
		"a reference to another place": {`UPDATE settings SET doc = replace(doc, (SELECT id FROM secrets ` + here + `/password'), (SELECT id FROM secrets ` + here + `/bearerToken'))`, "", cannot("password", notSealedFor), ""},
		"another host":                 {`UPDATE settings SET doc = replace(replace(doc, '127.0.0.1', 'localhost'), 'x', 'x')`, cannot("bearerToken", forAnother), cannot("password", forAnother), ""},
		"another host, which the rows name": {`UPDATE settings SET doc = replace(doc, '127.0.0.1', 'localhost'); UPDATE secrets SET origins = replace(origins, '127.0.0.1', 'localhost')`,
			cannot("bearerToken", notSealedFor), cannot("password", notSealedFor), cannot("header X-Api-Key", notSealedFor)},
		"anywhere":           {`UPDATE secrets SET origins = '["*"]' ` + here + `settings/%'`, cannot("bearerToken", notSealedFor), cannot("password", notSealedFor), ""},
		"no list of origins": {`UPDATE secrets SET origins = 'x' ` + here + `/bearerToken'`, cannot("bearerToken", notSealedFor), "", ""},
		"the rows are gone":  {`DELETE FROM secrets`, cannot("bearerToken", "it was removed"), cannot("password", "it was removed"), cannot("header X-Api-Key", "it was removed")},
		"an endpoint's key to the other": {`UPDATE secrets SET sealed = ` + secretOf + `/headers/x-api-key' AND place LIKE 'endpoints/%') WHERE place LIKE 'endpoints/%/secret'`,
			"", "", cannot("the endpoint", notSealedFor)},
		"a settings' secret to an endpoint": {`UPDATE secrets SET sealed = ` + secretOf + `/bearerToken'), origins = (SELECT origins FROM secrets ` + here + `/bearerToken') WHERE place LIKE 'endpoints/%/headers/%'`,
			"", "", cannot("header X-Api-Key", notSealedFor)},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := sealedThings(t)
			r.stop(patience)
			alter(t, r.path, c.change)
			r.run()
			attempt := func(query, why string) {
				t.Helper()
				r.until("the attempt of "+query, func() bool { return len(r.get("/api/attempts?"+query).ids("id")) > 0 })
				a := r.get("/api/attempts/" + r.get("/api/attempts?"+query).text("items[0].id")).says(topSecret)
				if a.is("error", orNil(why)); why == "" {
					a.is("outcome", "succeeded")
				}
			}
			r.post(order)
			attempt("kind=step", c.step)
			r.call("POST", "/api/carts/validate", cart).want(200).says(topSecret)
			attempt("kind=validator", c.cart)
			r.publish("")
			attempt("kind=event&eventType=custom.thing", c.event)
			allow := map[string]bool{"/connector": c.step == "", "/validator": c.cart == "", "/events": c.event == ""}
			for _, path := range s.paths() {
				equals(t, "a request to "+path, allow[path], true)
			}
			if text := r.log.String(); strings.Contains(text, topSecret) || (c.step+c.cart+c.event != "") != strings.Contains(text, "a secret cannot be opened") {
				t.Errorf("the log: %s", text)
			}
		})
	}
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// TestAnotherTenantOpensNoCopiedSecret: it has copies of all rows, and calls with
// none of the secrets.
func TestAnotherTenantOpensNoCopiedSecret(t *testing.T) {
	r, s := sealedThings(t)
	const theirKey = "key-of-another-tenant"
	r.addKey(theirKey, "acme", access.Admin)
	r.stop(patience)
	alter(t, r.path, `INSERT INTO secrets SELECT 'acme', id, place, origins, sealed, retired, created, given FROM secrets;
		INSERT INTO settings (tenant, version, at, by, doc) SELECT 'acme', version, at, by, doc FROM settings;
		INSERT INTO endpoints (tenant, no, id, origin, doc) SELECT 'acme', no, id, origin, doc FROM endpoints`)
	r.run()
	theirs := r.as(theirKey)
	theirs.post(order).is("orderActionExecutionResults[0].errorReason", cannot("bearerToken", notSealedFor))
	theirs.call("POST", "/api/carts/validate", cart).want(200).says(topSecret).is("isValidatedSuccessful", false)
	e := theirs.get("/api/endpoints").is("items[0].enabled", false).is("items[0].url", "").is("items[0].disabledReason", "what is stored of it cannot be opened: "+notSealedFor).text("items[0].id")
	theirs.call("POST", "/api/endpoints/"+e+"/test", "").want(200).is("outcome", "failed")
	equals(t, "requests", len(s.got()), 0)
	if lines := r.warnings("a stored endpoint cannot be opened"); len(lines) != 1 || !strings.Contains(lines[0], "tenant=acme endpoint="+e) {
		t.Errorf("the log says %q", lines)
	}
	r.post(order)
	r.awaitDeliveries()
	paths := s.paths()
	slices.Sort(paths)
	same(t, "paths", paths, []string{"/connector", "/events"})
	same(t, "keys", s.each("X-Api-Key"), []string{topSecret, topSecret})
	theirs.call("DELETE", "/api/endpoints/"+e, "").want(204)
}
