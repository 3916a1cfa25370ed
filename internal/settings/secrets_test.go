package settings

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/secret"
)

// everySecret has a secret in each place that docs/contract.md#secrets lists, and
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
	if !strings.Contains(plain(s.doc), "s3cret-1") || strings.Contains(string(s.doc.JSON()), "s3cret") {
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

// sealing stands for a store: it gives out ids, and notes what they are of.
type sealing struct{ sealed []string }

func (s *sealing) seal(place string, origins []string, v secret.Value) secret.Sealed {
	s.sealed = append(s.sealed, strings.Join(append([]string{v.Unsealed(), place}, origins...), " "))
	return secret.Sealed{ID: fmt.Sprint("sec_", len(s.sealed)), Place: place}
}

// Each secret is sealed for its place and for where it may go; a step without a
// Host sends its headers to every connector of the name.
func TestSealed(t *testing.T) {
	s, store := mustParse(t, everySecret), &sealing{}
	doc, ids := s.Sealed(store.seal)
	text := string(doc.JSON())
	if strings.Contains(text, "s3cret") || strings.Count(text, "sec_") != 7 || strings.Count(text, "shown") != 3 || len(ids) != 7 {
		t.Errorf("sealed:\n%s\n%v", text, ids)
	}
	const goes = " https://h.example:443"
	want := []string{
		"s3cret-1 settings/connectors/id/a/bearerToken" + goes, "s3cret-2 settings/connectors/id/a/token" + goes,
		"s3cret-3 settings/connectors/id/a/password" + goes, "s3cret-4 settings/connectors/id/a/signingSecret" + goes,
		"s3cret-5 settings/connectors/id/a/headers/x-key/0" + goes,
		"s3cret-6 settings/orderTypes/web/new/webhookworkflowstep/headers/authorization/0" + goes,
		"s3cret-7 settings/returnStatuses//returned/webhookreturnworkflowstep/headers/x-key/0" + goes,
	}
	if diff := cmp.Diff(want, store.sealed); diff != "" {
		t.Error(diff)
	}
	stored := ParseStored(doc)
	if got := stored.Connectors[0].BearerToken; got.ID() != "sec_1" || got.Place() != "settings/connectors/id/a/bearerToken" || got.Unsealed() != "" {
		t.Errorf("read back: %#v", got)
	}
	again, _ := stored.Sealed(store.seal)
	if string(again.JSON()) != text || len(store.sealed) != 7 {
		t.Errorf("what is stored is sealed again:\n%s", again.JSON())
	}
}

// The origins follow the Hosts of steps that take a connector's credentials along.
func TestWhereSecretsMayGo(t *testing.T) {
	store := &sealing{}
	mustParse(t, strings.Replace(inStatus(webhook+`,"connectorId":"a","properties":[{"key":"Host","value":"http://Other:8080/x"},{"key":"X","value":"2","keyGroup":"RequestHeaders"}]},`+
		webhook+`,"properties":[{"key":"X","value":"3","keyGroup":"RequestHeaders"}]}`), "{", `{"connectors":[{"name":"Webhook","connectorId":"a","host":"https://a","token":"1"},{"name":"Webhook","host":"https://b"}],`, 1)).Sealed(store.seal)
	var got []string
	for _, one := range store.sealed {
		got = append(got, one[:1]+" "+one[strings.Index(one, " http")+1:])
	}
	if diff := cmp.Diff([]string{"1 http://other:8080 https://a:443", "2 http://other:8080", "3 https://a:443 https://b:443"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestBind: a document of before has the sealed secrets themselves.
func TestBind(t *testing.T) {
	old := document(t, strings.ReplaceAll(everySecret, "s3cret", "sealed"))
	store := &sealing{}
	doc, ids := Bind(old, func(text string) (string, error) {
		if text == "sealed-2" {
			return "", errors.New("broken")
		}
		return "opened " + text, nil
	}, store.seal)
	text := string(doc.JSON())
	if len(ids) != 7 || ids[1] != "sealed-2" || len(store.sealed) != 6 || !strings.HasPrefix(store.sealed[1], "opened sealed-3 ") || !strings.Contains(text, `"token":"sealed-2"`) || strings.Count(text, "sec_") != 6 {
		t.Errorf("%v, %q\n%s", ids, store.sealed, text)
	}
}

// TestASecretThatIsSentAgainStaysTheSame, where *** would keep it.
func TestASecretThatIsSentAgainStaysTheSame(t *testing.T) {
	doc, _ := mustParse(t, everySecret).Sealed((&sealing{}).seal)
	stored := ParseStored(doc)
	is := func(v secret.Value, text string) bool {
		return strings.TrimPrefix(text, "s3cret-") == strings.TrimPrefix(v.ID(), "sec_")
	}
	ids := func(sent string) (out []string) {
		s, _, err := Incoming{Doc: document(t, sent), Stored: stored, Is: is}.Check()
		if err != nil {
			t.Fatal(err)
		}
		for _, sec := range secretsOf(s.doc) {
			out = append(out, sec.value().ID())
		}
		return out
	}
	for sent, want := range map[string][]string{
		everySecret: {"sec_1", "sec_2", "sec_3", "sec_4", "sec_5", "sec_6", "sec_7"},
		strings.Replace(everySecret, "s3cret-3", "new", 1):                          {"sec_1", "sec_2", "", "sec_4", "sec_5", "sec_6", "sec_7"},
		strings.Replace(everySecret, "https://h.example", "https://new.example", 1): {"", "", "", "", "", "", ""},
	} {
		if diff := cmp.Diff(want, ids(sent)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestReplaceSecrets: nothing of what came in is shown, and *** stays what it stands for.
func TestReplaceSecrets(t *testing.T) {
	doc := document(t, strings.Replace(everySecret, "s3cret-3", mask, 1))
	ReplaceSecrets(doc, func(secret string) string { return "(new)" + strings.TrimPrefix(secret, "s3cret-") })
	want := strings.Replace(everySecret, "s3cret-3", mask, 1)
	for _, n := range []string{"1", "2", "4", "5", "6", "7"} {
		want = strings.Replace(want, "s3cret-"+n, "(new)"+n, 1)
	}
	if got := string(doc.JSON()); got != string(document(t, want).JSON()) {
		t.Error(got)
	}
}
