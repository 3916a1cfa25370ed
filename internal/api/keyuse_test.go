package api

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// uses notes whose keys came with requests.
type uses struct{ all []string }

func (u *uses) Note(tenant, id string, _ time.Time) { u.all = append(u.all, tenant+" "+id) }

// TestWhatCountsAsAUse of a key: each request that is let in, one of the dashboard, too, and none
// that is refused for its rate or because it has expired.
func TestWhatCountsAsAUse(t *testing.T) {
	noted := &uses{}
	at := clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	a := &api{Options: Options{KeyUses: noted, KeyRates: &admission.KeyRates{}, Clock: at}}
	limited := access.Key{ID: "key_1", Tenant: "acme", RateLimit: 1}
	if err := a.use(limited); err != nil {
		t.Fatal(err)
	}
	if err := a.use(limited); err == nil {
		t.Error("the rate is not used up")
	}
	if err := a.use(access.Key{ID: "key_2", Tenant: "acme", ExpiresAt: at.Now()}); err == nil {
		t.Error("a key that has expired is let in")
	}
	r := httptest.NewRequest("GET", "/api/orders", nil)
	if _, err := a.keyOf(r.WithContext(WithKey(r.Context(), access.Key{ID: "key_3", Tenant: "shop"}))); err != nil {
		t.Error(err)
	}
	if want := []string{"acme key_1", "shop key_3"}; !slices.Equal(noted.all, want) {
		t.Errorf("noted were %q, want %q", noted.all, want)
	}
}
