package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// docs/contract.md#settings: `POST /api/settings/{version}/restore`.

// versions stores settings whose connector goes to the sink with the token of
// each version.
func versions(t *testing.T, s *sink, tokens ...string) *rig {
	t.Helper()
	r := start(t)
	for i, token := range tokens {
		r.settings(with(config(status("New", step{ID: "erp"})), connectors(connector(s.URL, `,"ConnectorId":"erp","BearerToken":"`+token+`"`))+fmt.Sprintf(`,"note":"v%d"`, i+1)))
	}
	return r
}

const restoreOne = "/api/settings/1/restore"

func TestAVersionIsRestoredWithItsSecrets(t *testing.T) {
	s := answering(t, "")
	r := versions(t, s, "t0p-s3cret-one", "t0p-s3cret-two")
	a := r.call("POST", restoreOne, "").want(200).is("version", 3).is("warnings", []string{}).says(topSecret)
	equals(t, "ETag", a.Header.Get("ETag"), `"3"`)
	r.get("/api/settings").is("note", "v1").is("connectors[0].bearerToken", "***")
	r.get("/api/settings/history").is("items[0].version", 3).is("items[2].version", 1).is("items[0].by", "key "+r.get("/api/me").text("id"))
	r.post(order)
	equals(t, "token", s.each("Authorization"), []string{"Bearer t0p-s3cret-one"})
	r.call("POST", "/api/settings/2/restore", "").want(200).is("version", 4)
	r.get("/api/settings").is("note", "v2")
	equals(t, "what the database holds", remains(t, r.path, topSecret), []string{})
}

func TestARestoreIsMadeOnceForItsIdempotencyKey(t *testing.T) {
	r := versions(t, answering(t, ""), "a", "b")
	first := r.call("POST", restoreOne, "", "Idempotency-Key", "one").want(200).is("version", 3)
	r.settings(`{"markets":[]}`)
	stored := r.settingsStored()
	r.call("POST", restoreOne, "", "Idempotency-Key", "one").again(first)
	r.call("POST", "/api/settings/2/restore", "", "Idempotency-Key", "one").problem(409)
	equals(t, "what is stored", r.settingsStored(), stored)
}

func TestARestoreOfAnOlderVersion(t *testing.T) {
	r := versions(t, answering(t, ""), "a", "b")
	stored := r.settingsStored()
	r.call("POST", restoreOne, "", "If-Match", `"1"`).problem(412)
	r.call("POST", restoreOne, "", "If-Match", `"1"`, "Idempotency-Key", "k").problem(412)
	equals(t, "what is stored", r.settingsStored(), stored)
	r.call("POST", restoreOne, "", "If-Match", `"2"`, "Idempotency-Key", "k").want(200).is("version", 3)
}

func TestRestoresThatCannotBe(t *testing.T) {
	r := versions(t, answering(t, ""), "a", "b")
	for path, status := range map[string]int{"/api/settings/9/restore": 404, "/api/settings/0/restore": 422, "/api/settings/-1/restore": 422, "/api/settings/x/restore": 422} {
		r.call("POST", path, "").problem(status)
	}
	for _, role := range []access.Role{access.Reader, access.Publisher, access.Operator} {
		status := map[access.Role]int{access.Reader: 403, access.Publisher: 403, access.Operator: 200}[role]
		key := fmt.Sprintf("key-of-a-%s-0123", role)
		r.addKey(key, access.DefaultTenant, role)
		stored := r.settingsStored()
		if r.as(key).call("POST", restoreOne, "").want(status); status != 200 {
			equals(t, "what is stored", r.settingsStored(), stored)
		}
	}
	r.addKey("key-of-another-tenant", "acme", access.Admin)
	r.as("key-of-another-tenant").call("POST", restoreOne, "").problem(404)
}

// A version that today's checks refuse is refused, and a warning is one again.
func TestARestoredVersionIsChecked(t *testing.T) {
	r := start(t)
	r.settings(`{"connectors":[]}`)
	r.settings(config(status("New", step{Connector: "Nobody's"})))
	r.stop(patience)
	alter(t, r.path, `UPDATE settings SET doc = '{"orderTypes":[{"name":"a","orderStatuses":[{"name":"x","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"W","enabledForRegions":["EU"]}]}]}]}' WHERE version = 1`)
	r.run()
	stored := r.settingsStored()
	r.call("POST", restoreOne, "").problem(422, "orderTypes[0].orderStatuses[0].workflowSteps[0].enabledForRegions")
	equals(t, "what is stored", r.settingsStored(), stored)
	r.call("POST", "/api/settings/2/restore", "", "Idempotency-Key", "k").want(200).is("warnings[0].path", strings.TrimSuffix(aStep, ".")+".connector")
	r.call("POST", "/api/settings/2/restore", "", "Idempotency-Key", "k").want(200).is("warnings[0].path", strings.TrimSuffix(aStep, ".")+".connector").is("version", 3)
}

func TestAVersionThatOnceNamedAVariableKeepsItsValue(t *testing.T) {
	r := start(t)
	r.settings(`{"note":"${SHOP_MARKET} $${SHOP_MARKET}"}`)
	r.settings(`{}`)
	r.call("POST", restoreOne, "").want(200)
	r.get("/api/settings").is("note", "NOR $${SHOP_MARKET}")
}

// alter runs a statement on a database that nobody has open.
func alter(t *testing.T, path, statement string) {
	t.Helper()
	if _, err := sqlOf(t, path).Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// A version that takes all order types away says so, and once more to who asks again.
func TestARestoreThatLeavesNoOrderTypesWarns(t *testing.T) {
	r := start(t)
	r.settings(`{"connectors":[]}`)
	r.settings(config(status("New")))
	first := r.call("POST", restoreOne, "", "Idempotency-Key", "one").want(200).is("version", 3).is("warnings[0].path", "orderTypes")
	r.call("POST", restoreOne, "", "Idempotency-Key", "one").want(200).again(first)
}
