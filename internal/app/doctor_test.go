package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/outbound/dnstest"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// sick is an installation that a test makes sick.
type sick struct {
	*testing.T
	now    time.Time
	doctor *Doctor
}

func newSick(t *testing.T) *sick {
	t.Helper()
	s := &sick{T: t, now: time.Now().UTC().Truncate(time.Second)}
	s.doctor = &Doctor{Now: s.now, Options: &Options{Listen: "127.0.0.1:0", Database: filepath.Join(t.TempDir(), "orderhook.db")}}
	s.write(func(tx store.Tx) error {
		return tx.InsertKey(t.Context(), access.Key{ID: "key_1", Tenant: "default", Role: access.Admin, Created: s.now, Hash: access.HashKey("k")})
	})
	return s
}

// write changes what is stored.
func (s *sick) write(do func(tx store.Tx) error) {
	s.Helper()
	st, err := OpenStore(s.Context(), s.doctor.Options.Database, StoreOptions{})
	if err != nil {
		s.Fatal(err)
	}
	if err := st.Write(s.Context(), do); err != nil {
		s.Fatal(err)
	}
	if err := st.Close(); err != nil {
		s.Fatal(err)
	}
}

// sql changes it behind the back of the store.
func (s *sick) sql(text string) {
	s.Helper()
	db, err := sql.Open("sqlite", s.doctor.Options.Database)
	if err == nil {
		_, err = db.Exec(text)
	}
	if err != nil {
		s.Fatal(err)
	}
	if err := db.Close(); err != nil {
		s.Fatal(err)
	}
}

func (s *sick) settings(doc string) {
	s.Helper()
	parsed, err := schema.Parse([]byte(doc))
	if err != nil {
		s.Fatal(err)
	}
	next, _, err := settings.Incoming{Doc: parsed}.Check()
	if err != nil {
		s.Fatal(err)
	}
	s.write(func(tx store.Tx) error { return tx.PutSettings(s.Context(), "default", next, 0, "test", s.now) })
}

func (s *sick) attempts(n int, outcome string, at time.Time) {
	s.Helper()
	s.write(func(tx store.Tx) error {
		for i := range n {
			one := &attempt.Attempt{ID: ids.New(ids.Attempt), Kind: attempt.KindStep, Number: 1, MaxNumber: 1, StartedAt: at.Add(time.Duration(i) * time.Second), URL: "https://erp", Host: "erp",
				ConnectorID: "erp", Outcome: outcome, Error: "answered 500", Detail: &attempt.AttemptDetail{}}
			if err := tx.AddAttempt(s.Context(), "default", one); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sick) endpoint(change func(e *event.Endpoint)) *event.Endpoint {
	s.Helper()
	e := &event.Endpoint{ID: ids.New(ids.Endpoint), Origin: event.OriginAPI, URL: "http://127.0.0.1:1/", EventTypes: []string{"*"}, Enabled: true, Created: s.now, Updated: s.now}
	change(e)
	s.write(func(tx store.Tx) error { return tx.PutEndpoint(s.Context(), "default", e) })
	return e
}

// certificate makes one that lasts so long, with its key.
func (s *sick) certificate(lasts time.Duration) tls.Certificate {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: s.now.Add(-time.Hour), NotAfter: s.now.Add(lasts), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		s.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// file writes a certificate, or its key, as PEM.
func (s *sick) file(name, block string, der []byte) string {
	s.Helper()
	path := filepath.Join(filepath.Dir(s.doctor.Options.Database), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: block, Bytes: der}), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// answers is a server that runs, by path.
type answers map[string]string

func (a answers) Ask(_ context.Context, _, path string, _ []byte) (int, []byte, error) {
	if text, broken := strings.CutPrefix(a[path], "503 "); broken {
		return http.StatusServiceUnavailable, []byte(text), nil
	}
	return http.StatusOK, []byte(a[path]), nil
}

// illnesses have the doctor find one thing each, with a piece of what it says of that.
var illnesses = []struct {
	kind, says string
	fall       func(s *sick)
}{
	{foundDamage, "is damaged", func(s *sick) {
		s.attempts(400, attempt.OutcomeSucceeded, s.now.Add(-time.Hour))
		f, err := os.OpenFile(s.doctor.Options.Database, os.O_RDWR, 0)
		if err == nil {
			_, err = f.WriteAt([]byte(strings.Repeat("damage", 20_000)), 40*8192)
		}
		if err != nil {
			s.Fatal(err)
		}
		f.Close()
	}},
	{foundSchema, "and this version has", func(s *sick) {
		s.sql(`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	}},
	{foundSchema, "no server of this version", func(s *sick) { s.sql(`DELETE FROM meta WHERE name = 'encryption.bound'`) }},
	{foundClock, "ahead of this machine's clock", func(s *sick) { s.attempts(1, attempt.OutcomeSucceeded, s.now.Add(time.Hour)) }},
	{foundDescriptors, "the limit of open files is", func(s *sick) { s.doctor.Options.MaxOutgoing = 1 << 40 }},
	{foundMode, "mode is 0644", func(s *sick) {
		if err := os.Chmod(s.doctor.Options.Database+".key", 0o644); err != nil {
			s.Fatal(err)
		}
	}},
	{foundCertificate, "of the server expires at", func(s *sick) {
		c := s.certificate(20 * 24 * time.Hour)
		key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
		if err != nil {
			s.Fatal(err)
		}
		s.doctor.Options.TLSCert, s.doctor.Options.TLSKey = s.file("cert.pem", "CERTIFICATE", c.Certificate[0]), s.file("key.pem", "PRIVATE KEY", key)
	}},
	{foundCertificate, "tls.ca expired at", func(s *sick) {
		s.endpoint(func(e *event.Endpoint) {
			text, err := os.ReadFile(s.file("ca.pem", "CERTIFICATE", s.certificate(-time.Minute).Certificate[0]))
			if err != nil {
				s.Fatal(err)
			}
			e.TLS = &event.EndpointTLS{CA: string(text)}
		})
	}},
	{foundCertificate, "the certificate of https://127.0.0.1", func(s *sick) {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS = &tls.Config{Certificates: []tls.Certificate{s.certificate(time.Hour)}}
		server.StartTLS()
		s.Cleanup(server.Close)
		s.endpoint(func(e *event.Endpoint) { e.URL = server.URL + "/hidden?key=s3cret" })
		s.doctor.Online = true
	}},
	{foundOff, "is off: it answered 410", func(s *sick) {
		s.endpoint(func(e *event.Endpoint) { e.Enabled, e.Disabled = false, "it answered 410" })
	}},
	{foundFailing, "has failed 3 times in a row", func(s *sick) {
		e := s.endpoint(func(*event.Endpoint) {})
		s.write(func(tx store.Tx) error {
			_, err := tx.AddHealth(s.Context(), "default", e.No, store.HealthChange{Failures: 3, FailingSince: s.now.Add(-2 * time.Hour), LastFailure: s.now, LastError: "answered 500"})
			return err
		})
	}},
	{foundConnector, "connector erp: the newest 5 calls failed", func(s *sick) {
		s.settings(`{"connectors":[{"name":"Webhook","connectorId":"erp","host":"https://erp"}],"orderTypes":[{"name":"a","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"erp"}]}]}]}`)
		s.attempts(5, attempt.OutcomeFailed, s.now.Add(-time.Hour))
	}},
	{foundConnector, "its breaker is open", func(s *sick) {
		s.doctor.Server = answers{"/api/connectors/health": `{"items":[{"name":"Webhook","connectorId":"erp","breaker":{"circuit":"open"}}]}`}
	}},
	{foundSettings, `no connector is named "Nobody"`, func(s *sick) {
		s.settings(`{"orderTypes":[{"name":"a","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Nobody"}]}]}]}`)
	}},
	{foundSettings, "refused by the target guard", func(s *sick) {
		s.endpoint(func(e *event.Endpoint) { e.URL = "http://169.254.169.254/" })
	}},
	{foundSecret, "bearerToken", func(s *sick) {
		s.settings(`{"connectors":[{"name":"Webhook","connectorId":"erp","host":"https://erp","bearerToken":"s3cret"}],"orderTypes":[{"name":"a","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"erp"}]}]}]}`)
		s.sql(`UPDATE secrets SET origins = '["https://other:443"]'`)
	}},
	{foundSettings, "--ca-file", func(s *sick) { s.doctor.Options.CAFile = "/nonexistent" }},
	{foundSettings, "--proxy", func(s *sick) { s.doctor.Options.Proxy = "ftp://x" }},
	{foundCertificate, "in --ca-file", func(s *sick) {
		s.doctor.Options.CAFile = s.file("ca.pem", "CERTIFICATE", s.certificate(-time.Minute).Certificate[0])
	}},
	{foundSettings, "names a tenant that does not exist", func(s *sick) {
		s.doctor.Options.TenantHosts = map[string]outbound.Hosts{"default": {}, "acmee": {}}
	}},
	{foundCertificate, "the certificate of https://127.0.0.1", func(s *sick) {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.TLS = &tls.Config{Certificates: []tls.Certificate{s.certificate(time.Hour)}}
		server.StartTLS()
		s.Cleanup(server.Close)
		s.endpoint(func(e *event.Endpoint) { e.URL = server.URL })
		s.doctor.Online, s.doctor.Options.Proxy = true, "http://127.0.0.1:1" // which loopback does without
	}},
	{foundSecret, "signingSecret", func(s *sick) {
		s.settings(`{"connectors":[{"name":"Webhook","connectorId":"erp","host":"https://erp","signingSecret":"s3cret"}],"orderTypes":[{"name":"a","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"erp"}]}]}]}`)
		s.sql(`UPDATE secrets SET origins = '["https://other:443"]'`)
	}},
	{foundSecret, "order type a, status New: step WebhookWorkflowStep", func(s *sick) {
		s.settings(`{"connectors":[{"name":"Webhook","connectorId":"erp","host":"https://erp"}],"orderTypes":[{"name":"a","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"erp","properties":[{"key":"X-Key","keyGroup":"RequestHeaders","value":"s3cret"}]}]}]}]}`)
		s.sql(`UPDATE secrets SET origins = '["https://other:443"]'`)
	}},
	{foundSecret, "secrets[0]", func(s *sick) {
		s.endpoint(func(e *event.Endpoint) {
			e.Secrets = []event.Secret{{Value: secret.New("whsec_s3crets3crets3crets3crets3cret00")}}
		})
		s.sql(`UPDATE secrets SET origins = '["https://other:443"]'`)
	}},
	{foundKey, "expires at", func(s *sick) {
		s.write(func(tx store.Tx) error {
			return tx.InsertKey(s.Context(), access.Key{ID: "key_2", Tenant: "default", Role: access.Reader, Created: s.now, ExpiresAt: s.now.Add(access.ExpirySoon), Hash: access.HashKey("2")})
		})
	}},
	{foundLimit, "7 requests were refused", func(s *sick) {
		s.doctor.Server = answers{"/metrics": "# TYPE orderhook_requests_refused_total counter\norderhook_requests_refused_total{limit=\"requests\"} 7\n"}
	}},
	{foundLimit, "of the budget outgoing 99 of 100", func(s *sick) {
		s.doctor.Server = answers{"/metrics": "# TYPE orderhook_budget_used gauge\norderhook_budget_used{budget=\"outgoing\"} 99\n# TYPE orderhook_budget_size gauge\norderhook_budget_size{budget=\"outgoing\"} 100\n"}
	}},
	{foundNotReady, "the disk has less than 128 MiB left", func(s *sick) {
		s.doctor.Server = answers{"/readyz": "503 the disk has less than 128 MiB left\n"}
	}},
}

// TestTheDoctorFindsEachIllness, and nothing else, and shows no secret.
func TestTheDoctorFindsEachIllness(t *testing.T) {
	t.Run("none", func(t *testing.T) {
		s := newSick(t)
		s.endpoint(func(*event.Endpoint) {})
		s.attempts(5, attempt.OutcomeFailed, s.now.Add(-time.Hour)) // of no connector that is there
		if got, err := s.doctor.Run(t.Context()); err != nil || len(got.Findings) > 0 || len(got.Skipped) != 2 {
			t.Errorf("%v %+v", err, got)
		}
	})
	for _, ill := range illnesses {
		t.Run(ill.kind, func(t *testing.T) {
			s := newSick(t)
			ill.fall(s)
			got, err := s.doctor.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Findings) != 1 || got.Findings[0].Kind != ill.kind || !strings.Contains(got.Findings[0].Text, ill.says) || strings.Contains(got.Findings[0].Text, "s3cret") {
				t.Errorf("found %+v, want %s that says %q", got.Findings, ill.kind, ill.says)
			}
		})
	}
}

// TestTheDoctorLooksAtTheDisk, of which a test cannot take the space away.
func TestTheDoctorLooksAtTheDisk(t *testing.T) {
	d := &Doctor{Options: &Options{Database: "orderhook.db"}}
	d.free(leastFree)
	if len(d.findings) > 0 {
		t.Errorf("%+v", d.findings)
	}
	if d.free(leastFree - 1); len(d.findings) != 1 || d.findings[0].Kind != foundDisk {
		t.Errorf("%+v", d.findings)
	}
}

func TestTheDoctorLooksAtTheClockOfTheServer(t *testing.T) {
	for ahead, says := range map[time.Duration]string{0: "", clockOff: "", -clockOff: "", 2 * time.Minute: "is 2m0s ahead", -2 * time.Minute: "is -2m0s ahead"} {
		d := &Doctor{Options: &Options{}}
		d.serverClock(ahead)
		if says == "" && len(d.findings) > 0 || says != "" && (len(d.findings) != 1 || d.findings[0].Kind != foundClock || !strings.Contains(d.findings[0].Text, says)) {
			t.Errorf("%v ahead: %+v", ahead, d.findings)
		}
	}
}

// TestAConnectorThatFailsNowAndThen is no finding: one of its newest calls has succeeded.
func TestAConnectorThatFailsNowAndThen(t *testing.T) {
	s := newSick(t)
	s.settings(`{"connectors":[{"name":"Webhook","connectorId":"erp","host":"https://erp"}],"orderTypes":[{"name":"a","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"erp"}]}]}]}`)
	s.attempts(5, attempt.OutcomeFailed, s.now.Add(-2*time.Hour))
	s.attempts(1, attempt.OutcomeSucceeded, s.now.Add(-time.Hour))
	if got, err := s.doctor.Run(t.Context()); err != nil || len(got.Findings) > 0 {
		t.Errorf("%v %+v", err, got.Findings)
	}
}

// TestConnectorsOfOneHost are told apart: by their ids, and one without an id from those that
// have one, and from endpoints of events that lead there.
func TestConnectorsOfOneHost(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	s := newSick(t)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{s.certificate(time.Hour)}}
	server.StartTLS()
	t.Cleanup(server.Close)
	var asked atomic.Int64
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			asked.Add(1)
		}
	}
	host := strings.TrimPrefix(server.URL, "https://")
	s.settings(`{"connectors":[{"name":"A","connectorId":"a","host":"` + server.URL + `/a"},{"name":"B","connectorId":"b","host":"` + server.URL + `/b"},{"name":"C","host":"` + server.URL + `/c"}],
		"orderTypes":[{"name":"t","orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"A","connectorId":"a"},
		{"name":"WebhookWorkflowStep","displayName":"Second","connector":"B","connectorId":"b"},{"name":"WebhookWorkflowStep","displayName":"Third","connector":"C"}]}]}]}`)
	calls := func(n int, kind, connector, outcome string) {
		s.write(func(tx store.Tx) error {
			for i := range n {
				one := &attempt.Attempt{ID: ids.New(ids.Attempt), Kind: kind, Number: 1, MaxNumber: 1, StartedAt: s.now.Add(-time.Hour + time.Duration(i)*time.Second), URL: server.URL, Host: host,
					ConnectorID: connector, Outcome: outcome, Error: "answered 500", Detail: &attempt.AttemptDetail{}}
				if err := tx.AddAttempt(t.Context(), "default", one); err != nil {
					return err
				}
			}
			return nil
		})
	}
	failing := func(when string, want ...string) {
		t.Helper()
		got, err := (&Doctor{Now: s.now, Options: s.doctor.Options}).Run(t.Context())
		var names []string
		for _, f := range got.Findings {
			if f.Kind == foundConnector {
				name, _, _ := strings.Cut(f.Text, ":")
				names = append(names, name)
			}
		}
		if err != nil || !slices.Equal(names, want) {
			t.Errorf("%s: %v, %v; want %v", when, err, names, want)
		}
	}
	failing("nobody was called")
	calls(5, attempt.KindStep, "a", attempt.OutcomeFailed)
	calls(5, attempt.KindStep, "b", attempt.OutcomeSucceeded)
	calls(5, attempt.KindEvent, "", attempt.OutcomeFailed)
	failing("of three one fails", "connector a")
	calls(5, attempt.KindStep, "", attempt.OutcomeFailed)
	calls(5, attempt.KindEvent, "", attempt.OutcomeSucceeded)
	failing("the one without an id does, too", "connector a", "connector C")
	calls(1, attempt.KindValidator, "", attempt.OutcomeSucceeded)
	failing("and no longer", "connector a")

	s.doctor.Online = true
	got, err := s.doctor.Run(t.Context())
	certificates := 0
	for _, f := range got.Findings {
		if f.Kind == foundCertificate {
			certificates++
		}
	}
	if err != nil || certificates != 1 || asked.Load() != 1 {
		t.Errorf("%v; %d certificates were found, after %d questions", err, certificates, asked.Load())
	}
}

// TestTheDoctorAsksNobodyThroughAProxy for a certificate, and says so: what is reached directly by
// --no-proxy is asked. The proxy and its password are of no concern to who reads that.
func TestTheDoctorAsksNobodyThroughAProxy(t *testing.T) {
	s := newSick(t)
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int64
	go func() {
		for {
			conn, err := proxy.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = proxy.Close() })
	for _, host := range []string{"shop.example", "direct.example"} {
		s.endpoint(func(e *event.Endpoint) { e.URL = "https://" + host + "/hidden?key=s3cret" })
	}
	var asked sync.Map
	dns := dnstest.Serve(t, func(name string, _ int) dnstest.Answer {
		asked.Store(name, true)
		return dnstest.Answer{}
	})
	s.doctor.Online, s.doctor.Options.Proxy, s.doctor.Options.NoProxy = true, "http://u:s3cret@"+proxy.Addr().String(), []string{"direct.example"}
	s.doctor.Options.Resolver = dns
	got, err := s.doctor.Run(t.Context())
	if err != nil || len(got.Findings) > 0 {
		t.Errorf("%v %+v", err, got.Findings)
	}
	text := strings.Join(got.Skipped, "\n")
	if !strings.Contains(text, "the certificate of https://shop.example, of endpoint ") || strings.Count(text, ": it is reached through --proxy") != 1 ||
		!strings.Contains(text, "the certificate of https://direct.example, of endpoint ") || strings.Contains(text, "s3cret") {
		t.Errorf("not looked at: %s", text)
	}
	if _, is := asked.Load("shop.example"); is {
		t.Error("what is reached through the proxy was looked up")
	}
	if _, is := asked.Load("direct.example"); !is {
		t.Error("what is reached directly was not looked up")
	}
	if connections.Load() > 0 {
		t.Errorf("the proxy got %d connections", connections.Load())
	}
}

// TestABreakerThatLetsCallsThrough is no finding: one that is closed, and one that the settings
// do not ask for.
func TestABreakerThatLetsCallsThrough(t *testing.T) {
	s := newSick(t)
	s.doctor.Server = answers{"/api/connectors/health": `{"items":[{"connectorId":"a","breaker":{"circuit":"off"}},{"connectorId":"b","breaker":{"circuit":"closed"}},{"connectorId":"c"}]}`}
	if got, err := s.doctor.Run(t.Context()); err != nil || len(got.Findings) > 0 {
		t.Errorf("%v %+v", err, got.Findings)
	}
	s.doctor.Server = answers{"/api/connectors/health": `{"items":[{"connectorId":"a","breaker":{"circuit":"halfOpen"}}]}`}
	if got, err := s.doctor.Run(t.Context()); err != nil || len(got.Findings) != 1 {
		t.Errorf("%v %+v", err, got.Findings)
	}
}

// TestEachFindingHasItsSection in the document that the finding names.
func TestEachFindingHasItsSection(t *testing.T) {
	text, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for line := range strings.Lines(string(text)) {
		if heading, is := strings.CutPrefix(line, "### "); is {
			anchors = append(anchors, strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(strings.TrimSpace(heading), ",", "")), " ", "-"))
		}
	}
	tested := []string{foundDisk}
	for _, ill := range illnesses {
		tested = append(tested, ill.kind)
	}
	for _, a := range Advices {
		if !slices.Contains(anchors, a.Section) {
			t.Errorf("%s: docs/troubleshooting.md has no section %s", a.Kind, a.Section)
		}
		if a.Advice == "" || !slices.Contains(tested, a.Kind) {
			t.Errorf("%s has no advice, or no test", a.Kind)
		}
	}
}
