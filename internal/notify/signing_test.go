package notify

import (
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

// TestSecretsOverlap: after a rotation both secrets sign until the old one's
// time is over, also in a process that runs on.
func TestSecretsOverlap(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	stored := func(id string) secret.Value { return secret.Stored(id, "") }
	e := &oms.Endpoint{Signatures: []string{oms.SignatureV1, oms.SignatureV1a}, SigningKey: stored("key"),
		Secrets: []oms.Secret{{Value: stored("new")}, {Value: stored("old"), Until: now.Add(time.Hour)}, {Value: stored("older"), Until: now.Add(time.Minute)}}}
	for _, c := range []struct {
		at   time.Time
		keys []string
	}{
		{now, []string{"new", "old", "older", "key"}},
		{now.Add(time.Minute), []string{"new", "old", "key"}},
		{now.Add(time.Hour), []string{"new", "key"}},
	} {
		var keys []string
		for _, v := range signingKeys(e, c.at) {
			keys = append(keys, v.ID())
		}
		if !slices.Equal(keys, c.keys) {
			t.Errorf("at %v: %v", c.at, keys)
		}
	}
}
