package settings

import (
	"errors"
	"strings"
	"testing"
)

// everySecret has a secret in each place that API.md, "Settings", lists, and
// things that look like one and are none.
const everySecret = `{"note":1.50,"connectors":[{"name":"Webhook","connectorId":"a","host":"https://h.example/x","bearerToken":"s3cret-1","token":"s3cret-2",
	"username":"shop","password":"s3cret-3","signingSecret":"s3cret-4","displayName":"D","customHeaders":[{"key":"X-Key","value":"s3cret-5"},{"key":"X-None","value":""}],
	"properties":[{"key":"password","value":"shown","keyGroup":"RequestHeaders"}]}],
	"orderTypes":[{"name":"Web","token":"shown","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook",
		"properties":[{"key":"Authorization","value":"s3cret-6","keyGroup":"requestHeaders"},{"key":"Mode","value":"shown"}]}]}]}],
	"returnStatuses":[{"name":"Returned","workflowSteps":[{"name":"WebhookReturnWorkflowStep","connector":"Webhook",
		"properties":[{"key":"X-Key","value":"s3cret-7","keyGroup":"RequestHeaders"}]}]}]}`

func TestMasked(t *testing.T) {
	s := mustParse(t, everySecret)
	want := everySecret
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		want = strings.Replace(want, "s3cret-"+n, mask, 1)
	}
	if got := string(s.Masked().JSON()); got != string(document(t, want).JSON()) {
		t.Errorf("masked:\n%s", got)
	}
	if !strings.Contains(string(s.doc.JSON()), "s3cret-1") {
		t.Error("masking changed the settings themselves")
	}
}

func TestSecretPaths(t *testing.T) {
	var at []string
	for _, sec := range secretsOf(document(t, everySecret)) {
		at = append(at, sec.at)
	}
	want := `connectors[0].bearerToken connectors[0].token connectors[0].password connectors[0].signingSecret connectors[0].customHeaders[0].value ` +
		`orderTypes[0].orderStatuses[0].workflowSteps[0].properties[0].value returnStatuses[0].workflowSteps[0].properties[0].value`
	if got := strings.Join(at, " "); got != want {
		t.Errorf("secrets at\n%s\nwant\n%s", got, want)
	}
}

func TestSealedAndUnseal(t *testing.T) {
	s, sealer := mustParse(t, everySecret), testSealer(t)
	sealed := s.Sealed(sealer)
	text := string(sealed.JSON())
	if strings.Contains(text, "s3cret") || strings.Count(text, sealedPrefix) != 7 || strings.Count(text, "shown") != 3 {
		t.Errorf("sealed:\n%s", text)
	}
	if err := Unseal(sealed, sealer); err != nil {
		t.Fatal(err)
	}
	if got := string(sealed.JSON()); got != string(s.doc.JSON()) {
		t.Errorf("unsealed:\n%s", got)
	}
}

func TestUnsealErrors(t *testing.T) {
	other, err := NewSealer("another key", make([]byte, minSalt))
	if err != nil {
		t.Fatal(err)
	}
	sealed := mustParse(t, everySecret).Sealed(testSealer(t))
	if err := Unseal(sealed, other); !errors.Is(err, ErrWrongKey) || !strings.Contains(err.Error(), "connectors[0].bearerToken") {
		t.Errorf("with another key: %v", err)
	}
	err = Unseal(document(t, everySecret), other)
	if err == nil || errors.Is(err, ErrWrongKey) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("of what is not encrypted: %v", err)
	}
}
