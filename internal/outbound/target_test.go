package outbound

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
)

func storedSecret(id string) secret.Value { return secret.Stored(id, "") }

// What a connector says of its calls they all get: steps, exports, validators and
// their replays.
func TestARequestToAConnector(t *testing.T) {
	step := []event.Header{{Name: "X-Key", Value: storedSecret("step")}}
	own := []event.Header{{Name: "X-Key", Value: storedSecret("connector")}}
	full := settings.Connector{ConnectorID: "erp", Host: "https://erp", CustomHeaders: own, BearerToken: storedSecret("bearer"), Token: storedSecret("token"),
		Username: "u", Password: storedSecret("password"), SigningSecret: storedSecret("signing"), Timeout: 5 * time.Second}
	for name, row := range map[string]struct {
		target settings.Target
		want   Request
	}{
		"no connector": {settings.Target{URL: "https://own/step"},
			Request{For: fair.Key{Tenant: "acme", Member: "https://own/step"}, URL: "https://own/step", Header: step, Timeout: event.DefaultTimeout, Since: 7}},
		"all that a connector has": {settings.Target{URL: "https://erp", Connector: &full},
			Request{For: fair.Key{Tenant: "acme", Member: "erp"}, URL: "https://erp", Header: slices.Concat(step, own), Timeout: 5 * time.Second, Since: 7,
				BearerToken: full.BearerToken, Token: full.Token, Username: "u", Password: full.Password, SigningSecret: full.SigningSecret}},
		"a connector without an id": {settings.Target{URL: "https://own/step", Connector: &settings.Connector{Host: "https://erp", Timeout: time.Second}},
			Request{For: fair.Key{Tenant: "acme", Member: "https://erp"}, URL: "https://own/step", Header: step, Timeout: time.Second, Since: 7}},
	} {
		if got := ToConnector("acme", row.target, step, 7); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
}

func TestARequestToAnEndpoint(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	e := &event.Endpoint{ID: "ep_1", Origin: event.OriginAPI, URL: "https://shop", Headers: []event.Header{{Name: "X-A", Value: storedSecret("a")}},
		Signatures: []string{event.SignatureV1}, Secrets: []event.Secret{{Value: storedSecret("s")}}, TLS: &event.EndpointTLS{}, Timeout: time.Second}
	want := Request{For: fair.Key{Tenant: "acme", Member: "ep_1"}, URL: e.URL, Header: e.Headers, SigningKeys: []secret.Value{storedSecret("s")},
		TLS: e.TLS, Timeout: time.Second, OneWay: true}
	if got := ToEndpoint("acme", e, now); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	e.Origin = event.OriginWebHook // its key is in the config file
	if got := ToEndpoint("acme", e, now); got.SigningKeys != nil {
		t.Errorf("the webHook section is signed with %v", got.SigningKeys)
	}
}

// TestSecretsOverlap: after a rotation both secrets sign until the old one's
// time is over, also in a process that runs on.
func TestSecretsOverlap(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	e := &event.Endpoint{Origin: event.OriginAPI, Signatures: []string{event.SignatureV1, event.SignatureV1a}, SigningKey: storedSecret("key"),
		Secrets: []event.Secret{{Value: storedSecret("new")}, {Value: storedSecret("old"), Until: now.Add(time.Hour)}, {Value: storedSecret("older"), Until: now.Add(time.Minute)}}}
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

func TestTheRecordOfAnExchange(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		x       Exchange
		failure string
		want    attempt.Attempt
	}{
		"a success": {Exchange{StartedAt: at, Duration: 1234567, URL: "https://a/b", Host: "a", Status: 200}, "",
			attempt.Attempt{Kind: attempt.KindStep, Number: 1, MaxNumber: 1, StartedAt: at, DurationMs: 1.234, URL: "https://a/b", Host: "a", Status: 200, Outcome: attempt.OutcomeSucceeded}},
		"a failure": {Exchange{StartedAt: at, URL: "https://a/b", Host: "a", Err: errors.New("refused")}, "it failed",
			attempt.Attempt{Kind: attempt.KindStep, Number: 1, MaxNumber: 1, StartedAt: at, URL: "https://a/b", Host: "a", Outcome: attempt.OutcomeFailed, Error: "it failed"}},
	} {
		got := row.x.Record(attempt.KindStep, row.failure)
		if got.ID == "" || got.Detail == nil || (got.Detail.Response == nil) != (row.x.Status == 0) {
			t.Errorf("%s: id %q, detail %+v", name, got.ID, got.Detail)
		}
		row.want.ID, row.want.Detail = got.ID, got.Detail
		if !reflect.DeepEqual(*got, row.want) {
			t.Errorf("%s: %+v, want %+v", name, *got, row.want)
		}
	}
}
