package dash

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// TestAKeyIsMadeOnce, however often its page is loaded again, and another form makes another.
func TestAKeyIsMadeOnce(t *testing.T) {
	s := newSite(t)
	calls := s.recording(nil)
	b := s.as(access.Admin)
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
	if len(made) != 3 || made[0].once == "" || made[1].once != made[0].once || made[2].once == made[0].once || made[0].body != `{"expiresAt":null,"name":"shop","rateLimit":null,"role":"publisher"}` {
		t.Errorf("the API was asked %+v", made)
	}
}

// TestTheKeyThatOneHasSignedInWith is not deleted unawares.
func TestTheKeyThatOneHasSignedInWith(t *testing.T) {
	s := newSite(t)
	s.answering("/api/keys/key_admin", `{"id":"key_admin","role":"admin"}`)
	s.answering("/api/keys/key_other", `{"id":"key_other","role":"admin"}`)
	b := s.as(access.Admin)
	for id, own := range map[string]bool{"key_admin": true, "key_other": false} {
		if page := b.get("/keys/" + id + "/delete").Body.String(); strings.Contains(page, "you will be signed out") != own {
			t.Errorf("%s: %s", id, page)
		}
	}
}

// TestAKeyIsChanged: the form has what the key has now, and an empty field takes a limit away.
func TestAKeyIsChanged(t *testing.T) {
	s := newSite(t)
	s.answering("/api/keys/key_1", `{"id":"key_1","role":"reader","name":"till","rateLimit":2.5,"expiresAt":"2027-11-29T00:00:00Z"}`)
	calls := s.recording(nil)
	b := s.as(access.Admin)
	page := b.get("/keys/key_1/change").Body.String()
	for _, want := range []string{`value="till"`, `value="2.5"`, `value="2027-11-29T00:00:00Z"`} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in %s", want, page)
		}
	}
	f := hiddenFields(page)
	f.Set("name", "kiosk")
	f.Set("rateLimit", " 3 ")
	f.Set("expiresAt", "")
	if got := b.post("/keys/key_1/change", f); got.Code != http.StatusSeeOther {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if made := *calls; len(made) != 1 || made[0].call != "PATCH /api/keys/key_1" || made[0].body != `{"expiresAt":null,"name":"kiosk","rateLimit":3}` {
		t.Errorf("the API was asked %+v", made)
	}
}

// TestAnExpiredKeyIsRenamed: the form sends what somebody has changed, and not the time that
// the API would refuse.
func TestAnExpiredKeyIsRenamed(t *testing.T) {
	s := newSite(t)
	s.answering("/api/keys/key_1", `{"id":"key_1","role":"reader","name":"till","expiresAt":"2020-11-29T00:00:00.5Z"}`)
	calls := s.recording(nil)
	b := s.as(access.Admin)
	f := hiddenFields(b.get("/keys/key_1/change").Body.String())
	f.Set("name", "kiosk")
	f.Set("rateLimit", "")
	f.Set("expiresAt", "2020-11-29T00:00:00.5Z")
	if got := b.post("/keys/key_1/change", f); got.Code != http.StatusSeeOther {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if made := *calls; len(made) != 1 || made[0].body != `{"name":"kiosk"}` {
		t.Errorf("the API was asked %+v", made)
	}
}

// TestAPageIsHeldToTheRateOfItsKey, as a request of the API is; another key's pages are not.
func TestAPageIsHeldToTheRateOfItsKey(t *testing.T) {
	s := newSite(t)
	b, other := s.as(access.Reader), s.as(access.Operator)
	s.sessions.mu.Lock()
	for hash, k := range s.sessions.keys {
		if k.ID == "key_reader" {
			k.RateLimit = 0.5
			s.sessions.keys[hash] = k
		}
	}
	s.sessions.mu.Unlock()
	if got := b.get("/orders"); got.Code != http.StatusOK {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	if err := s.KeyRates.Take("key_reader", 0.5, s.clock.Now()); err == nil {
		t.Error("the page took nothing of the rate that the API goes by")
	}
	if got := b.get("/orders"); got.Code != http.StatusTooManyRequests || got.Header().Get("Retry-After") != "2" || !strings.Contains(got.Body.String(), "rateLimit of 0.5") {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	if got := other.get("/orders"); got.Code != http.StatusOK {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	s.clock.Advance(2 * time.Second)
	if got := b.get("/orders"); got.Code != http.StatusOK {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// TestTwoFormsAreTwoActions, though they say the same.
func TestTwoFormsAreTwoActions(t *testing.T) {
	s := newSite(t)
	calls := s.recording(nil)
	b := s.as(access.Operator)
	for range 2 {
		b.post("/endpoints/1/test", hiddenFields(b.get("/endpoints/1/test").Body.String()))
	}
	if made := *calls; len(made) != 2 || made[0].once == "" || made[0].once == made[1].once {
		t.Errorf("the API was asked %+v", made)
	}
}

// TestYourKey: each role sees what its own key may do, and when it ends; and each page says
// that it ends soon.
func TestYourKey(t *testing.T) {
	s := newSite(t)
	s.answering("/api/me", `{"id":"key_reader","tenant":"t1","role":"reader","name":"till","created":"2026-11-28T10:00:00Z","expiresAt":"2026-11-28T13:00:00Z","rateLimit":2.5,"may":["see all"]}`)
	b := &browserOf{site: s, cookies: newSession(s)}
	page := b.get("/me").Body.String()
	for _, want := range []string{"till", "see all", "2.5, on each node", "2026-11-28T13:00:00Z", "The key expires soon", "http://example.com/api/me"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in %s", want, page)
		}
	}
	if strings.Contains(page, `href="/keys"`) {
		t.Error("an operator is led to the keys")
	}
	s.answering("/api/me", `{"id":"key_reader","tenant":"t1","role":"reader","created":"2026-11-28T10:00:00Z","may":["see all"]}`)
	if page := b.get("/me").Body.String(); !strings.Contains(page, "<dd>never</dd>") || !strings.Contains(page, "<dd>no limit</dd>") || strings.Contains(page, "soon") {
		t.Errorf("a key without limits: %s", page)
	}
	for ends, says := range map[time.Duration]bool{time.Hour: true, 10 * 365 * 24 * time.Hour: false} {
		s.sessions.ends = s.Clock.Now().Add(ends)
		if page := b.get("/orders").Body.String(); strings.Contains(page, `<a class="badge warn" href="/me">key expires soon</a>`) != says || !strings.Contains(page, `<a href="/me" title="Your key: `) {
			t.Errorf("a key that ends in %s: %s", ends, page)
		}
	}
}

// TestWhatTheRolesMayDo stands once beneath the keys, and in the form of a new one.
func TestWhatTheRolesMayDo(t *testing.T) {
	s := newSite(t)
	s.answering("/api/keys", `{"items":[{"id":"key_1","role":"operator","created":"2026-11-28T10:00:00Z","may":["read","more"]},{"id":"key_2","role":"operator","may":["read","more"]}]}`)
	b := s.as(access.Admin)
	list, form := b.get("/keys").Body.String(), b.get("/keys/new").Body.String()
	for _, r := range access.Roles {
		may := r.May()
		last := may[len(may)-1]
		if strings.Count(list, last+"</dd>") != 1 || !strings.Contains(form, string(r)+": ") || !strings.Contains(form, last+".") {
			t.Errorf("%s: %s %s", r, list, form)
		}
	}
	if strings.Count(list, `<span class="quiet">never</span>`) != 4 { // neither was used, and neither expires
		t.Errorf("%s", list)
	}
}
