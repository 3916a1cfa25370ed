package dash_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// TestAShadowOnThePages: the page of the workflows says how often a shadow agreed, leads an
// operator to the page that promotes it, and that page says what will happen, and does it.
func TestAShadowOnThePages(t *testing.T) {
	w := startWalk(t)
	reader, operator := w.as(w.keys[access.Reader]), w.as(w.keys[access.Operator])
	promote := "/workflows/shadows/" + w.ids["workflows/id"] + "/promote"
	_, page := reader.get("/workflows")
	if !strings.Contains(page, "compared with WebhookWorkflowStep: agreed 1 of 1 times, 1 in a row of the 100 that it takes") || strings.Contains(page, promote) {
		t.Errorf("a reader sees\n%s", page)
	}
	if _, page = operator.get("/workflows"); !strings.Contains(page, `href="`+promote+`"`) {
		t.Errorf("an operator sees\n%s", page)
	}
	_, page = operator.get(promote)
	for _, says := range []string{"takes the place of WebhookWorkflowStep", "stays in the settings as a shadow that is not active", "although it has not agreed"} {
		if !strings.Contains(page, says) {
			t.Errorf("the page before does not say %q:\n%s", says, page)
		}
	}
	version := regexp.MustCompile(`name="version" value="([^"]+)"`).FindStringSubmatch(page)
	if version == nil {
		t.Fatal("the form has no version")
	}
	form := url.Values{"formToken": {operator.token}, "version": {version[1]}}
	if got, page := operator.post(promote, form); got.StatusCode != http.StatusConflict && !strings.Contains(page, "has agreed once in a row") {
		t.Errorf("promoted too early: %d\n%s", got.StatusCode, page)
	}
	form.Set("force", "true")
	if got, page := operator.post(promote, form); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/workflows?done=promoted" {
		t.Fatalf("promoted: %d %s\n%s", got.StatusCode, got.Header.Get("Location"), page)
	}
	// The form that comes once more finds other settings.
	if got, _ := operator.post(promote, form); got.StatusCode == http.StatusSeeOther {
		t.Error("the same form promoted twice")
	}
	if _, page = reader.get("/workflows"); !strings.Contains(page, "compared with "+marked+": nothing compared yet") {
		t.Errorf("afterwards one sees\n%s", page)
	}
}
