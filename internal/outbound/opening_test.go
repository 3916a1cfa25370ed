package outbound

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/weburl"
)

// clientOf is a client on a store of secrets of its own.
func clientOf(t *testing.T) (*Client, *testStore) {
	store := newTestStore()
	c := New(Options{Version: "1", Guard: Guard{AllowPrivate: true}, Secrets: store.opener})
	t.Cleanup(c.Close)
	return c, store
}

// carriers are the requests that have a secret in each place for one.
func carriers(v secret.Value) map[string]Request {
	return map[string]Request{
		"bearerToken":   {BearerToken: v},
		"token":         {Token: v},
		"password":      {Username: "me", Password: v},
		"header X-Key":  {Header: []event.Header{{Name: "X-Key", Value: v}}},
		"signingSecret": {SigningSecret: v},
		"the endpoint":  {SigningKeys: []secret.Value{v}},
		"tls.key":       {TLS: &event.EndpointTLS{Key: v}},
	}
}

// TestASecretGoesToItsOriginAlone, whatever place it has in the request: elsewhere
// no request is made.
func TestASecretGoesToItsOriginAlone(t *testing.T) {
	c, store := clientOf(t)
	requests := 0
	url := serve(t, func(http.ResponseWriter, *http.Request) { requests++ })
	const text = "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
	for name, why := range map[string]error{"here": nil, "there": secret.ErrOrigin, "another tenant's": secret.ErrGone, "another place's": secret.ErrMoved, "of nobody": secret.ErrGone} {
		v, own := store.give("acme", text, url+"/any/path"), store.give("other", text, url)
		switch name {
		case "there":
			v = store.give("acme", text, strings.Replace(url, "127.0.0.1", "localhost", 1))
		case "another tenant's":
			v = own
		case "another place's":
			v = v.At("elsewhere")
		case "of nobody":
			v = secret.New(text)
		}
		for what, r := range carriers(v) {
			if what == "tls.key" && why == nil {
				continue // it is a key, and for another test
			}
			r.For.Tenant, r.URL, requests = "acme", url, 0
			x := c.Post(t.Context(), r)
			wrong, refused := errors.AsType[*SecretError](x.Err)
			switch {
			case why == nil && (x.Err != nil || requests != 1):
				t.Errorf("%s, %s: %v, %d requests", name, what, x.Err, requests)
			case why != nil && (!refused || wrong.What != what || wrong.Why != why || requests > 0 || x.Class() != Final):
				t.Errorf("%s, %s: %v, %d requests", name, what, x.Err, requests)
			case why != nil && (x.URL != url || "http://"+x.Host != url || len(x.Detail().Request.Headers) > 0):
				t.Errorf("%s, %s: recorded as %s, %s, %v", name, what, x.URL, x.Host, x.Detail().Request.Headers)
			}
		}
	}
}

// TestAnOpenedSecretIsCachedUntilOneChanges.
func TestAnOpenedSecretIsCachedUntilOneChanges(t *testing.T) {
	c, store := clientOf(t)
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	one := store.sealer.Seal("acme", "a place", []string{weburl.URLOrigin(url)}, secret.New("hush"))
	store.put("acme", one)
	post := func(since int64) error {
		t.Helper()
		return c.Post(t.Context(), Request{For: fair.Key{Tenant: "acme"}, URL: url, BearerToken: one.Reference(), Since: since}).Err
	}
	for range 3 {
		if err := post(0); err != nil || store.read != 1 {
			t.Fatalf("%v, read %d times", err, store.read)
		}
	}
	one.Retired = 7
	store.put("acme", one)
	store.opener.Changed()
	for since, want := range map[int64]string{0: secret.ErrRetired.Error(), 7: secret.ErrRetired.Error(), 6: ""} {
		if err := post(since); (err == nil) != (want == "") || err != nil && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("a run since %d: %v", since, err)
		}
	}
	if store.read != 2 {
		t.Errorf("read %d times", store.read)
	}
	delete(store.rows, [2]string{"acme", one.ID})
	store.opener.Changed()
	if err := post(6); err == nil || !strings.HasSuffix(err.Error(), secret.ErrGone.Error()) {
		t.Errorf("removed: %v", err)
	}
}

// TestWhileTheDatabaseCannotBeReadNothingIsSent, and it is not the secret's fault.
func TestWhileTheDatabaseCannotBeReadNothingIsSent(t *testing.T) {
	c, store := clientOf(t)
	url := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request is made") })
	v := store.give("acme", "hush", url)
	store.err = errors.New("the disk is gone, with hush")
	x := c.Post(t.Context(), Request{For: fair.Key{Tenant: "acme"}, URL: url, BearerToken: v})
	if x.Err != ErrUnread || x.Class() != Retry {
		t.Errorf("%v, class %d", x.Err, x.Class())
	}
	store.err = context.Canceled
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if x := c.Post(over, Request{For: fair.Key{Tenant: "acme"}, URL: url, BearerToken: v}); x.Err != ErrCanceled {
		t.Errorf("a caller that went away: %v", x.Err)
	}
}

// TestTheSecretCacheIsBounded: it begins anew when it is full.
func TestTheSecretCacheIsBounded(t *testing.T) {
	v := secretCache{opener: newTestStore().opener}
	for i := range mostOpened + 10 {
		v.put(cacheKey{"acme", secret.Stored(string(rune(i+1)), "")}, &openSecret{}, 0)
	}
	if len(v.opened) != 10 {
		t.Errorf("%d are retained", len(v.opened))
	}
}
