package dash

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

// TestAKeyIsMadeOnce, however often its page is loaded again, and another form makes another.
func TestAKeyIsMadeOnce(t *testing.T) {
	s := newSite(t)
	calls := s.recording(nil)
	b := s.as(oms.Admin)
	form := hiddenFields(b.get("/keys/new").Body.String())
	other := hiddenFields(b.get("/keys/new").Body.String())
	for _, f := range []url.Values{form, form, other} {
		f.Set("name", "shop")
		f.Set("role", "publisher")
		if got := b.post("/keys", f); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "ohk_") {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	}
	made := *calls
	if len(made) != 3 || made[0].once == "" || made[1].once != made[0].once || made[2].once == made[0].once || made[0].body != `{"name":"shop","role":"publisher"}` {
		t.Errorf("the API was asked %+v", made)
	}
}

// TestTheKeyThatOneHasSignedInWith is not deleted unawares.
func TestTheKeyThatOneHasSignedInWith(t *testing.T) {
	b := newSite(t).as(oms.Admin)
	for id, own := range map[string]bool{"key_admin": true, "key_other": false} {
		if page := b.get("/keys/" + id + "/delete").Body.String(); strings.Contains(page, "you will be signed out") != own {
			t.Errorf("%s: %s", id, page)
		}
	}
}

// TestTwoFormsAreTwoDeeds, though they say the same.
func TestTwoFormsAreTwoDeeds(t *testing.T) {
	s := newSite(t)
	calls := s.recording(nil)
	b := s.as(oms.Operator)
	for range 2 {
		b.post("/endpoints/1/test", hiddenFields(b.get("/endpoints/1/test").Body.String()))
	}
	if made := *calls; len(made) != 2 || made[0].once == "" || made[0].once == made[1].once {
		t.Errorf("the API was asked %+v", made)
	}
}
