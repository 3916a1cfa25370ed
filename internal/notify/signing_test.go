package notify

import (
	"encoding/base64"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
)

// TestSecretsOverlap: after a rotation both secrets sign until the old one's
// time is over, also in a process that runs on.
func TestSecretsOverlap(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	e := &oms.Endpoint{Signatures: []string{oms.SignatureV1, oms.SignatureV1a}, SigningKey: "whsk_key",
		Secrets: []oms.Secret{{Text: "new"}, {Text: "old", Until: now.Add(time.Hour)}, {Text: "older", Until: now.Add(time.Minute)}}}
	for _, c := range []struct {
		at    time.Time
		keys  []string
		until time.Time
	}{
		{now, []string{"new", "old", "older", "whsk_key"}, now.Add(time.Minute)},
		{now.Add(time.Minute), []string{"new", "old", "whsk_key"}, now.Add(time.Hour)},
		{now.Add(time.Hour), []string{"new", "whsk_key"}, time.Time{}},
	} {
		keys, until := signingKeys(e, c.at)
		if !slices.Equal(keys, c.keys) || !until.Equal(c.until) {
			t.Errorf("at %v: %v until %v", c.at, keys, until)
		}
	}
}

// TestSignerIsKept: it is made once, and anew when a secret's time is over.
func TestSignerIsKept(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	target := &target{Endpoint: &oms.Endpoint{Origin: oms.OriginAPI, Signatures: []string{oms.SignatureV1},
		Secrets: []oms.Secret{{Text: hook.NewSecret()}, {Text: hook.NewSecret(), Until: now.Add(time.Hour)}}}}
	at := func(when time.Time) *hook.Signer {
		s, err := target.signerAt(when)
		must(t, err)
		return s
	}
	first := at(now)
	if at(now.Add(59*time.Minute)) != first {
		t.Error("it is made for each attempt")
	}
	later := at(now.Add(time.Hour))
	if later == first || at(now.Add(100*time.Hour)) != later {
		t.Error("it is not made anew when the old secret's time is over, or always")
	}
	if key := base64.StdEncoding.EncodeToString([]byte("too short")); key != "" {
		target.Secrets, target.signer = []oms.Secret{{Text: "whsec_" + key}}, nil
		if _, err := target.signerAt(now); err == nil {
			t.Error("a secret that is none signs")
		}
	}
}
