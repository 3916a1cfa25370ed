package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/admission"
)

const siteSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// site is an installation with an endpoint of a description.
func site(description string) string {
	return fmt.Sprintf(`{"settings":{"connectors":[{"name":"ERP","connectorId":"e","host":"https://erp.example","bearerToken":"$${TOKEN} and ${TOKEN}"}]},
		"endpoints":[{"description":%q,"url":"https://example.com/hook","eventTypes":["*"],"secret":%q}],
		"keys":[{"name":"shop","role":"publisher","key":"a-key-of-the-shop","rateLimit":5}]}`, description, siteSecret)
}

// TestAnInstallation: a dry run says what would change and changes nothing; then it is so, and a
// second time changes nothing. The audit log has each change with the key, and the settings too.
func TestAnInstallation(t *testing.T) {
	r := start(t)
	made := []string{`settings.connectors: (none) → [{"name":"ERP","connectorId":"e","host":"https://erp.example","bearerToken":"***"}]`, `endpoint "warehouse": is made`, `key "shop": is made, role publisher`}
	apply := func(query string) answer {
		return r.call("PUT", "/api/installation"+query, site("warehouse")).want(200)
	}
	apply("?dryRun=true").is("differences", made).is("warnings", []string{})
	apply("?dryRun=true").is("differences", made)
	r.get("/api/endpoints").is("items[0]", nil)
	apply("").is("differences", made)
	apply("").is("differences", []string{})
	r.get("/api/endpoints").is("items[0].description", "warehouse").is("items[1]", nil)
	r.as("a-key-of-the-shop").get("/api/me").is("rateLimit", 5)
	r.get("/api/settings/history").is("items[0].by", "key "+r.get("/api/me").text("id"))
	for i, action := range []string{"create-key", "create-endpoint", "put-settings"} {
		r.get("/api/audit").is(fmt.Sprintf("items[%d].action", i), action).is(fmt.Sprintf("items[%d].actor.keyId", i), r.get("/api/me").text("id")).is(fmt.Sprintf("items[%d].actor.via", i), "api")
	}
	r.get("/api/audit").is("items[3]", nil)
}

// TestWhatAnInstallationMayNot: nothing of a document is applied if one thing in it is wrong, no
// file of the server's is read, and it takes an admin.
func TestWhatAnInstallationMayNot(t *testing.T) {
	r := start(t)
	for body, detail := range map[string]string{
		`{"endpoint":[]}`: "body.endpoint: is no field of the installation; is endpoints meant?",
		`{"keys":[{"name":"b","role":"admin","key":"a-key-of-sixteen"}],"settings":{"connectors":[{"name":"ERP","host":"nope"}]}}`:             "settings.connectors[0].host: must be an absolute http or https URL, as https://example.com/orders",
		`{"endpoints":[{"description":"a","url":"https://example.com","eventTypes":["*"]}]}`:                                                   "endpoints[0]: secret is needed: nobody would know one that was made",
		`{"endpoints":[{"description":"a","url":"https://example.com","eventTypes":["*"],"secret":"` + siteSecret + `","secretFile":"/etc"}]}`: "endpoints[0].secretFile: is no field of an endpoint",
		`{"keys":[{"name":"a","role":"admin","keyFile":"/etc/hostname"}]}`:                                                                     "keys[0].keyFile: is no field of a key; there are role, key, absent, name, rateLimit, expiresAt",
		`{"keys":[{"name":"a","role":"admin","key":"short"}]}`:                                                                                 "keys[0]: the API key is too short: it needs 16 characters or more",
	} {
		r.call("PUT", "/api/installation", body).problem(422).is("detail", detail)
	}
	r.call("PUT", "/api/installation", `{"keys":[{"name":"b","role":"admin","key":"a-key-of-sixteen"}],"endpoints":[3]}`).problem(422)
	r.call("PUT", "/api/installation", `{"keys":[{"name":"b","role":"reader","key":"a-key-of-sixteen"},{"name":"c","role":"reader","key":"a-key-of-sixteen"}]}`).problem(422)
	r.get("/api/keys").is("items[1]", nil)
	r.get("/api/audit").is("items[0]", nil)
	r.call("POST", "/api/keys", `{"role":"operator","name":"op"}`).want(201)
	operator := r.call("POST", "/api/keys", `{"role":"operator"}`).text("key")
	r.as(operator).call("PUT", "/api/installation", site("warehouse")).problem(403)
}

// TestAnInstallationLeavesAnAdmin: changes of keys that are refused together, though each alone
// would be made, are refused before the first.
func TestAnInstallationLeavesAnAdmin(t *testing.T) {
	r := start(t) // whose own key has no name
	const two = `{"name":"a","role":"admin","key":"a-key-of-sixteen"},{"name":"b","role":"admin","key":"b-key-of-sixteen"}`
	r.call("PUT", "/api/installation", `{"keys":[`+two+`]}`).want(200)
	a := r.as("a-key-of-sixteen")
	a.call("DELETE", "/api/keys/"+r.get("/api/me").text("id"), "").want(204)
	const end = `,"expiresAt":"2100-01-01T00:00:00Z"}`
	for _, keys := range []string{
		`{"name":"a","absent":true},{"name":"b","absent":true}`,
		strings.ReplaceAll(two, "}", end),
		`{"name":"a","absent":true},{"name":"b","role":"admin","key":"b-key-of-sixteen"` + end,
		`{"name":"a","absent":true},{"name":"b","role":"reader","key":"c-key-of-sixteen"}`,
	} {
		for _, query := range []string{"?dryRun=true", ""} {
			a.call("PUT", "/api/installation"+query, `{"keys":[`+keys+`]}`).problem(409)
		}
	}
	a.get("/api/keys").is("items[1].expiresAt", nil).is("items[0].expiresAt", nil).is("items[2]", nil)
	for _, keys := range []string{
		`{"name":"c","role":"admin","key":"c-key-of-sixteen"},{"name":"b","absent":true}`,
		`{"name":"c","role":"admin","key":"d-key-of-sixteen"},{"name":"a","role":"admin","key":"a-key-of-sixteen"` + end,
	} {
		a.call("PUT", "/api/installation", `{"keys":[`+keys+`]}`).want(200)
	}
}

// TestAnInstallationCountsItsEndpoints as calls that make one do.
func TestAnInstallationCountsItsEndpoints(t *testing.T) {
	r := start(t)
	r.limits.Endpoints = admission.Limit{All: 2, PerTenant: 2}
	r.restart(0)
	create := func() answer {
		return r.call("POST", "/api/endpoints", `{"url":"https://example.com/hook","eventTypes":["*"]}`)
	}
	id := create().want(201).text("id")
	r.call("PUT", "/api/installation", site("one")).want(200)
	create().problem(422)
	r.call("PUT", "/api/installation", site("two")).problem(422)
	r.call("PUT", "/api/installation?dryRun=true", site("two")).want(200) // which makes none
	r.call("DELETE", "/api/endpoints/"+id, "").want(204)
	r.call("PUT", "/api/installation", site("two")).want(200)
	create().problem(422)
	r.call("PUT", "/api/installation", `{"endpoints":[{"description":"two","absent":true}]}`).want(200)
	create().want(201)
	create().problem(422)
}
