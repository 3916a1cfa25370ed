package receiver

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWhichSignaturesAreTaken(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	body := []byte(`{"id":"evt_1"}`)
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(change func(h http.Header)) http.Header {
		h := http.Header{}
		sign(h, body, "evt_1", now)
		if change != nil {
			change(h)
		}
		return h
	}
	good := signed(nil).Get("Webhook-Signature")
	byKey := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, fmt.Appendf(nil, "evt_1.%d.%s", now.Unix(), body)))
	state := hex.EncodeToString(sum([]byte("state"), body))
	all := Verifier{Secrets: []string{"whsec_b3RoZXI=", modelSecret}, PublicKeys: []string{"whpk_" + base64.StdEncoding.EncodeToString(public)}, StateSecrets: []string{"older", "state"}}
	for name, c := range map[string]struct {
		v      Verifier
		header http.Header
		body   []byte
		want   string // a part of the error; "": taken
	}{
		"v1 by the second secret":          {all, signed(nil), body, ""},
		"one of several":                   {all, signed(func(h http.Header) { h.Set("Webhook-Signature", "v1,AAAA v2,x "+good) }), body, ""},
		"v1a":                              {all, signed(func(h http.Header) { h.Set("Webhook-Signature", byKey) }), body, ""},
		"v1a as v1":                        {all, signed(func(h http.Header) { h.Set("Webhook-Signature", strings.Replace(byKey, "v1a", "v1", 1)) }), body, "wrong"},
		"v1a without its key":              {Verifier{Secrets: all.Secrets}, signed(func(h http.Header) { h.Set("Webhook-Signature", byKey) }), body, "wrong"},
		"another secret":                   {Verifier{Secrets: all.Secrets[:1]}, signed(nil), body, "wrong"},
		"another body":                     {all, signed(nil), []byte(`{"id":"evt_2"}`), "wrong"},
		"another id":                       {all, signed(func(h http.Header) { h.Set("Webhook-Id", "evt_2") }), body, "wrong"},
		"another time":                     {all, signed(func(h http.Header) { h.Set("Webhook-Timestamp", "1800000001") }), body, "wrong"},
		"no id":                            {all, signed(func(h http.Header) { h.Del("Webhook-Id") }), body, "webhook-id"},
		"no time":                          {all, signed(func(h http.Header) { h.Set("Webhook-Timestamp", "soon") }), body, "webhook-timestamp"},
		"no base64":                        {all, signed(func(h http.Header) { h.Set("Webhook-Signature", "v1,%%") }), body, "wrong"},
		"nothing":                          {all, http.Header{}, body, "not signed"},
		"a state":                          {all, http.Header{"X-Signature": {state}}, body, ""},
		"a state of another body":          {all, http.Header{"X-Signature": {state}}, []byte(`{}`), "wrong"},
		"a state without a secret":         {Verifier{Secrets: all.Secrets}, http.Header{"X-Signature": {state}}, body, "not signed"},
		"a state by an event's secret":     {Verifier{Secrets: []string{"state"}, StateSecrets: []string{"x"}}, http.Header{"X-Signature": {state}}, body, "wrong"},
		"a wrong signature beside a state": {all, signed(func(h http.Header) { h.Set("Webhook-Signature", "v1,AAAA"); h.Set("X-Signature", state) }), body, "wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := c.v.parsed()
			if err != nil {
				t.Fatal(err)
			}
			switch err := v.verify(c.header, c.body, now); {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestHowOldASignatureMayBe(t *testing.T) {
	body, at := []byte(`{}`), time.Unix(1_800_000_000, 0)
	h := http.Header{}
	sign(h, body, "evt_1", at)
	for _, c := range []struct {
		tolerance, after time.Duration
		taken            bool
	}{
		{0, 5 * time.Minute, true}, {0, -5 * time.Minute, true}, {0, 301 * time.Second, false}, {0, -301 * time.Second, false},
		{time.Second, time.Second, true}, {time.Second, 2 * time.Second, false}, {time.Hour, 59 * time.Minute, true},
	} {
		v, err := Verifier{Secrets: []string{modelSecret}, Tolerance: c.tolerance}.parsed()
		if err != nil {
			t.Fatal(err)
		}
		if err := v.verify(h, body, at.Add(c.after)); (err == nil) != c.taken {
			t.Errorf("tolerance %s, %s later: %v", c.tolerance, c.after, err)
		}
	}
}

// TestSecretsThatCannotBeRead: errors name their position, and hold nothing of them.
func TestSecretsThatCannotBeRead(t *testing.T) {
	for _, c := range []struct {
		config Config
		want   string
	}{
		{Config{}, "no secret"},
		{Config{Verifier: Verifier{Secrets: []string{modelSecret, "whsec_not base64"}}}, "secret 2"},
		{Config{Verifier: Verifier{Secrets: []string{""}}}, "secret 1 is empty"},
		{Config{Verifier: Verifier{Secrets: []string{"whsec_"}}}, "secret 1 is empty"},
		{Config{Verifier: Verifier{StateSecrets: []string{""}}}, "state secret 1 is empty"},
		{Config{Verifier: Verifier{PublicKeys: []string{"whpk_AAAA"}}}, "public key 1"},
	} {
		_, err := New(c.config)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "not base64") {
			t.Errorf("got %v, want one with %q", err, c.want)
		}
	}
	if _, err := New(Config{Unsigned: true}); err != nil {
		t.Error(err)
	}
}
