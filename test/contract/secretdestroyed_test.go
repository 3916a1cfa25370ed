package contract

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// docs/contract.md#secrets: a secret whose connector, step or header is removed, or goes
// elsewhere, is destroyed; at once, unless a run under way may need it.

// places returns where the tenant's secrets stand that are in the database, each time
// that one does, without what is in common.
func (r *rig) places() (all []string) {
	r.t.Helper()
	rows, err := sqlOf(r.t, r.path).Query(`SELECT place FROM secrets WHERE tenant = $1`, r.tenant())
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var place string
		if err := rows.Scan(&place); err != nil {
			r.t.Fatal(err)
		}
		place = strings.TrimPrefix(strings.TrimPrefix(place, "settings/"), "connectors/id/")
		if strings.HasPrefix(place, "endpoints/") { // its id is another each time
			place = "endpoint" + place[strings.LastIndexByte(place, '/'):]
		}
		all = append(all, place)
	}
	slices.Sort(all)
	return all
}

// destroys does what the maintenance does every second.
func (r *rig) destroys() {
	r.t.Helper()
	if err := r.store.DestroySecrets(r.t.Context(), func(context.Context) error { return nil }); err != nil {
		r.t.Fatal(err)
	}
}

const headerOf = "orderTypes/online/new/webhookworkflowstep/headers/x-api-key/0"

func TestARemovedSecretIsDestroyedAtOnce(t *testing.T) {
	a := func(more string) string {
		return `{"name":"Webhook","connectorId":"a","host":"https://a.example/x"` + more + `}`
	}
	b := func(more string) string {
		return `{"name":"Other","connectorId":"b","host":"https://b.example"` + more + `}`
	}
	const token, signed = `,"bearerToken":"***"`, `,"signingSecret":"***"`
	headed := step{ID: "a", Headers: header("X-Api-Key", "***")}
	before := strings.ReplaceAll(with(config(status("New", headed)), connectors(a(token+signed), b(token))), "***", topSecret)
	for name, c := range map[string]struct {
		after string
		left  []string
	}{
		"nothing":        {with(config(status("New", headed)), connectors(a(token+signed), b(token))), []string{"a/bearerToken", "a/signingSecret", "b/bearerToken", headerOf}},
		"a connector":    {with(config(status("New", headed)), connectors(a(token+signed))), []string{"a/bearerToken", "a/signingSecret", headerOf}},
		"a field":        {with(config(status("New", headed)), connectors(a(token), b(token))), []string{"a/bearerToken", "b/bearerToken", headerOf}},
		"an empty field": {with(config(status("New", headed)), connectors(a(token+`,"signingSecret":""`), b(token))), []string{"a/bearerToken", "b/bearerToken", headerOf}},
		"a header":       {with(config(status("New", step{ID: "a"})), connectors(a(token+signed), b(token))), []string{"a/bearerToken", "a/signingSecret", "b/bearerToken"}},
		"a step":         {with(config(status("New")), connectors(a(token+signed), b(token))), []string{"a/bearerToken", "a/signingSecret", "b/bearerToken"}},
		"a status":       {with(config(status("Packed", step{ID: "a", Headers: header("X-Api-Key", "new")})), connectors(a(token+signed), b(token))), []string{"a/bearerToken", "a/signingSecret", "b/bearerToken", strings.Replace(headerOf, "new", "packed", 1)}},
		"all":            {`{}`, nil},
		"a host, its secrets given anew": {with(config(status("New", step{ID: "a", Headers: header("X-Api-Key", "new")})), connectors(`{"name":"Webhook","connectorId":"a","host":"https://c.example","bearerToken":"new"}`, b(token))),
			[]string{"a/bearerToken", "b/bearerToken", headerOf}},
		"replaced": {with(config(status("New", headed)), connectors(a(token+signed), b(`,"bearerToken":"new"`))), []string{"a/bearerToken", "a/signingSecret", "b/bearerToken", "b/bearerToken", headerOf}},
	} {
		t.Run(name, func(t *testing.T) {
			r := lease(t)
			r.settings(before)
			r.settings(c.after)
			equals(t, "secrets", r.places(), c.left)
			r.destroys()
			equals(t, "secrets, after the maintenance", r.places(), c.left)
		})
	}
}

func TestADeletedEndpointHasNoSecrets(t *testing.T) {
	s, r := endpoint(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusInternalServerError) }), lease(t)
	e := r.subscribed(s.URL, `,"headers":{"X-Api-Key":"`+topSecret+`"}`).text("id")
	equals(t, "secrets", r.places(), []string{"endpoint/secret", "endpoint/x-api-key"})
	r.call("PATCH", "/api/endpoints/"+e, `{"headers":{}}`).want(200)
	equals(t, "secrets", r.places(), []string{"endpoint/secret"})
	r.call("DELETE", "/api/endpoints/"+e, "").want(204)
	equals(t, "secrets", r.places(), []string(nil))
}

// What is restored has the secrets that there still are, and names the others.
func TestARestoreNamesTheSecretsThatWereDestroyed(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	both := func(token string, steps ...step) string {
		return with(config(status("New", steps...)), connectors(connector(s.URL, `,"ConnectorId":"a","BearerToken":"`+token+`"`), `{"name":"webhookValidator","connectorId":"b","host":"`+s.URL+`","token":"`+topSecret+`"}`))
	}
	headed := step{ID: "a", Headers: header("X-Api-Key", topSecret)}
	r.settings(both("one", headed))
	r.settings(both("two", headed))
	r.settings(with(config(status("New", step{ID: "a"})), connectors(connector(s.URL, `,"ConnectorId":"a","BearerToken":"***"`))))
	equals(t, "secrets", r.places(), []string{"a/bearerToken", "a/bearerToken"})

	paths := []string{"connectors[1].token", strings.TrimSuffix(aStep, ".") + ".properties[0].value"}
	restored := r.call("POST", restoreOne, "", "Idempotency-Key", "k").want(200).is("version", 4).says(topSecret)
	same(t, "warnings", restored.warned("warnings"), paths)
	if got := restored.text("warnings[0].message"); !strings.HasPrefix(got, "the secret was destroyed when its connector, step or header was removed") || !strings.Contains(got, "give it again") {
		t.Errorf("it says %q", got)
	}
	r.call("POST", restoreOne, "", "Idempotency-Key", "k").again(restored)

	// Without it no call is made, rather than one without it.
	r.post(order).is("orderActionExecutionResults[0].errorReason", cannot("header X-Api-Key", "it was removed"))
	r.call("POST", "/api/carts/validate", cart).want(200).is("isValidatedSuccessful", false).is("validationErrors[0].message", cannot("token", "it was removed"))
	equals(t, "requests", len(s.got()), 0)

	// A caller that changes the settings is told again, and so is one that checks them.
	now := string(r.get("/api/settings").Raw)
	same(t, "warnings", r.call("POST", "/api/settings/check", now).want(200).warned("warnings"), paths)
	same(t, "warnings", r.call("PUT", "/api/settings", now).want(200).warned("warnings"), paths)
	given := strings.Replace(both("***", step{ID: "a", Headers: header("X-Api-Key", "again")}), topSecret, "***", 1)
	same(t, "warnings", r.call("PUT", "/api/settings", given).want(200).warned("warnings"), paths[:1])
	r.enter("New")
	equals(t, "headers", s.only(t).Header.Get("X-Api-Key")+" "+s.only(t).Header.Get("Authorization"), "again Bearer one")

	// The value of between was replaced, and never removed.
	r.call("POST", "/api/settings/2/restore", "").want(200)
	r.call("PUT", "/api/settings", strings.Replace(both("***", step{ID: "a"}), topSecret, "", 1)).want(200).is("warnings", []string{})
	r.enter("New")
	equals(t, "Authorization", s.each("Authorization"), []string{"Bearer one", "Bearer two"})
}

// A run that is under way keeps what it began with through a restart, and the last one
// to end lets it go.
func TestASecretLastsAsLongAsTheLastRunThatNeedsIt(t *testing.T) {
	r := start(t)
	g, s := holding(t), answering(t, "")
	const token = `,"ConnectorId":"a","Token":"` + topSecret + `"`
	two := with(config(status("New", step{Host: g.URL, Connector: "Nobody's"}, step{ID: "a"})), connectors(connector(s.URL, token)))
	r.settings(two)
	r.call("POST", "/api/orders?wait=false", order).want(202)
	g.wait()
	another := strings.Replace(order, "ORD-12345", "ORD-2", 1)
	r.call("POST", "/api/orders?wait=false", another).want(202)
	g.wait()
	r.addKey("key-of-another-tenant", "acme", access.Admin)
	r.as("key-of-another-tenant").settings(with(config(status("New")), connectors(connector(s.URL, token))))

	r.settings(config(status("New")))
	r.destroys()
	equals(t, "secrets, while runs are under way", r.places(), []string{"a/token"})
	r.post(strings.Replace(order, "ORD-12345", "ORD-3", 1)).is("orderActionExecutionResults", []any{})
	r.restart(0)
	g.wait()
	g.wait()
	r.destroys()
	equals(t, "secrets, after a restart", r.places(), []string{"a/token"})
	g.answer(success)
	r.until("one run has ended", func() bool { return len(s.got()) == 1 })
	r.until("its end is stored", func() bool { return len(r.get("/api/runs?status=succeeded").ids("id")) == 2 })
	r.destroys()
	equals(t, "secrets, while one run is under way", r.places(), []string{"a/token"})
	g.answer(success)
	r.until("all have ended", func() bool { return len(r.get("/api/runs?status=succeeded").ids("id")) == 3 })
	r.destroys()
	equals(t, "secrets", r.places(), []string(nil))
	equals(t, "Authorization", s.each("Authorization"), []string{"Token " + topSecret, "Token " + topSecret})
	equals(t, "another tenant's", r.as("key-of-another-tenant").places(), []string{"a/token"})
	if !slices.Equal(r.call("POST", restoreOne, "").want(200).warned("warnings"), []string{"connectors[0].token"}) {
		t.Error("the restore does not name it")
	}
}

// A cart that is being validated when the settings lose a validator is validated again,
// by those that there are now.
func TestAValidatorThatIsRemovedMeanwhileIsNotAsked(t *testing.T) {
	r := lease(t)
	var first, second *sink
	validator := func(s *sink, token string) string {
		return `{"name":"webhookValidator","connectorId":"` + token + `","host":"` + s.URL + `","token":"` + token + `"}`
	}
	first, second = endpoint(t, func(_ http.ResponseWriter, n int) {
		if n%2 == 0 {
			r.settings("{" + connectors(validator(first, "one")) + "}")
		}
	}), answering(t, "")
	r.put(cart)
	for _, path := range []string{"/api/carts/validate", "/api/carts/C123456/validate"} {
		r.settings("{" + connectors(validator(first, "one"), validator(second, "two")) + "}")
		r.call("POST", path, cart).want(200).is("isValidatedSuccessful", true).is("validationErrors", []any{})
	}
	equals(t, "calls", []int{len(first.got()), len(second.got())}, []int{4, 0})
}
