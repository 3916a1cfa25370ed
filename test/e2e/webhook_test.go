package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The webHook section of the config file in the real binary: what the wire
// contract has of it is in test/contract/webhook_test.go.

// theWebHook is the section's endpoint.
var theWebHook = endpoint{id: "ep_webhook"}

const (
	password = "hush-password"
	secret   = "hush-secret"
)

// hooked writes a config file with the section for an endpoint; more is what
// else it says, with a comma in front.
func (w where) hooked(t *testing.T, endpoint, more string) {
	t.Helper()
	w.file(t, "orderhook.json", fmt.Sprintf(`{"webHook":{"enabled":true,"endpoint":%q,"secret":%q,"sslKeyPassword":%q%s}}`, endpoint, secret, password, more))
}

// automation is an endpoint that tells of each request when it came, by its
// body and the name in the client's certificate.
type automation struct {
	*httptest.Server
	told chan string
}

// automating starts an endpoint with a certificate; it wants one of clients
// from one authority, if there is any.
func automating(t *testing.T, own, clients *issued) *automation {
	t.Helper()
	a := &automation{told: make(chan string, 100)}
	a.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		for _, c := range r.TLS.PeerCertificates {
			body = append(body, " "+c.Subject.CommonName...)
		}
		a.told <- string(body)
	}))
	a.Config.ErrorLog = log.New(io.Discard, "", 0)
	a.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{own.Raw}, PrivateKey: own.key}}}
	if clients != nil {
		a.TLS.ClientAuth, a.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		a.TLS.ClientCAs.AddCert(clients.Certificate)
	}
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

// expectTold fails the test unless the next thing that came is the given one.
func (a *automation) expectTold(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-a.told:
		if got != want {
			t.Errorf("it was told %s, want %s", got, want)
		}
	case <-time.After(patience):
		t.Errorf("it was told nothing, want %s", want)
	}
}

const (
	anOrder = `{"id":"ORD-1"}`
	created = `{"orderId":"ORD-1","eventType":"OrderCreated"}`
)

var (
	nextYear  = time.Now().AddDate(1, 0, 0)
	yesterday = time.Now().AddDate(0, 0, -1)
)

func TestTLSOfTheWebHook(t *testing.T) {
	t.Parallel()
	ca, other := issue(t, nil, "ca", nextYear), issue(t, nil, "other", nextYear)
	client := issue(t, ca, "client", nextYear)
	open := automating(t, issue(t, ca, "server", nextYear), nil)
	asking := automating(t, issue(t, ca, "server", nextYear), ca)
	stale := automating(t, issue(t, ca, "server", yesterday), nil)
	const verified = `,"useSslTrustAll":false`
	for form := range keyFiles {
		w := newWhere(t)
		w.keyFile(t, "ca", form, password, nil, ca)
		w.keyFile(t, "other", form, password, nil, other)
		w.keyFile(t, "client", form, password, client, ca)
		for name, c := range map[string]struct {
			to      *automation
			more    string
			told    string // "": nothing
			failure string
		}{
			"right CA":                             {open, verified + `,"sslTrustFile":"ca"`, created, ""},
			"wrong CA":                             {open, verified + `,"sslTrustFile":"other"`, "", "TLS: certificate signed by unknown authority"},
			"the CA of the key file":               {open, verified + `,"sslKeyFile":"client"`, created, ""},
			"the CA of a key file that is shown":   {open, verified + `,"useSslClientCert":true,"sslKeyFile":"client"`, "", "TLS: certificate signed by unknown authority"},
			"client certificate":                   {asking, verified + `,"useSslClientCert":true,"sslKeyFile":"client","sslTrustFile":"ca"`, created + " client ca", ""},
			"client certificate that is not shown": {asking, verified + `,"sslKeyFile":"client","sslTrustFile":"ca"`, "", "certificate required"},
			"client certificate, all trusted":      {asking, `,"useSslClientCert":true,"sslKeyFile":"client"`, created + " client ca", ""},
			"expired":                              {stale, verified + `,"sslTrustFile":"ca"`, "", "expired"},
			"expired, all trusted":                 {stale, ``, created, ""},
			"the system's CAs":                     {open, verified, "", "TLS: certificate signed by unknown authority"},
		} {
			t.Run(form+", "+name, func(t *testing.T) {
				w := where{dir: w.dir, env: []string{"ORDERHOOK_DATABASE=" + strings.ReplaceAll(name, " ", "_")}}
				w.hooked(t, c.to.URL, c.more)
				s := w.serve(t)
				s.expect(t, 201, "POST", "/api/orders", s.newKey, anOrder)
				if c.told != "" {
					c.to.expectTold(t, c.told)
				} else if failed := s.awaitFailed(t, s.newKey, theWebHook, 1); !strings.Contains(fmt.Sprint(failed[0]["error"]), c.failure) {
					t.Errorf("it fails with %v, want %s", failed[0]["error"], c.failure)
				}
				s.stop(t)
				expectHushed(t, s)
			})
		}
	}
}

// expectHushed fails the test if a server that ended has printed a secret.
func expectHushed(t *testing.T, s *server) {
	t.Helper()
	if printed := s.out + s.errOut.String(); strings.Contains(printed, "hush") {
		t.Errorf("it printed a secret: %s", printed)
	}
}

func TestErrorsInTheWebHookSection(t *testing.T) {
	t.Parallel()
	ca := issue(t, nil, "ca", nextYear)
	client := issue(t, ca, "client", nextYear)
	w := newWhere(t)
	w.file(t, "text", "neither of the three")
	for form := range keyFiles {
		w.keyFile(t, form+"-client", form, "another password", client, ca)
		w.keyFile(t, form+"-ca", form, "another password", nil, ca)
	}
	refused := map[string]string{
		`,"endpoint":"https://b.example"`:                                           `endpoint: the field is there twice`,
		`,"usesSslTrustAll":true`:                                                   `webHook.usesSslTrustAll: is no field of webHook; is useSslTrustAll meant?`,
		`,"useSslTrustAll":"hush"`:                                                  `webHook.useSslTrustAll: must be true or false`,
		`,"key":5`:                                                                  `webHook.key: must be text`,
		`,"connectionTimeout":"hush"`:                                               `webHook.connectionTimeout: must be a duration over 0`,
		`,"connectionTimeout":"PT0S"`:                                               `webHook.connectionTimeout: must be a duration over 0`,
		`,"useSslClientCert":true`:                                                  `webHook.sslKeyFile: missing: useSslClientCert needs a key`,
		`,"useSslClientCert":true,"sslKeyFile":"none"`:                              `webHook.sslKeyFile: none: no such file or directory`,
		`,"useSslTrustAll":false,"sslTrustFile":"none"`:                             `webHook.sslTrustFile: none: no such file or directory`,
		`,"useSslTrustAll":false,"sslTrustFile":"text"`:                             `webHook.sslTrustFile: text: neither PEM nor PKCS#12 nor JKS`,
		`,"useSslClientCert":true,"sslKeyFile":"PEM-ca"`:                            `webHook.sslKeyFile: PEM-ca: there is no private key in it`,
		`,"useSslClientCert":true,"sslKeyFile":"PEM-client"`:                        `webHook.sslKeyFile: PEM-client: wrong password`,
		`,"useSslTrustAll":false,"sslKeyFile":"JKS-client"`:                         `webHook.sslKeyFile: JKS-client: wrong password`,
		`,"sslKeyFile":"PKCS#12-client"`:                                            `webHook.sslKeyFile: PKCS#12-client: wrong password`,
		`,"useSslTrustAll":false,"sslTrustFile":"JKS-ca","sslTrustPassword":"hush"`: `webHook.sslTrustFile: JKS-ca: wrong password`,
		`,"useSslTrustAll":false,"sslTrustFile":"PKCS#12-ca"`:                       `webHook.sslTrustFile: PKCS#12-ca: wrong password`,
	}
	for more, want := range refused {
		w.hooked(t, "https://a.example", more)
		if r := w.refuses(t, want, "serve"); !strings.HasPrefix(r.errOut, "orderhook: orderhook.json: ") || strings.Contains(r.out+r.errOut, "hush") {
			t.Errorf("%s: it says %s", more, r.errOut)
		}
	}
	for _, endpoint := range []string{"", "hush.example", "ftp://hush.example", "http://user:hush@", "https://a.example:hush"} {
		w.hooked(t, endpoint, "")
		if r := w.refuses(t, "orderhook.json: webHook.endpoint: ", "serve"); strings.Contains(r.errOut, "hush") {
			t.Errorf("it says %s", r.errOut)
		}
	}
	if w.has("orderhook.db") {
		t.Error("a start that was refused has made a database")
	}
	w.hooked(t, "https://a.example", `,"tenant":"acme"`)
	w.refuses(t, `orderhook.json: webHook.tenant: there is no tenant "acme"`, "serve")
	w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "reader")
	w.serve(t).stop(t)
}

// A command that does not deliver has no use for the files, and a section that
// is off neither.
func TestTheFilesOfTheWebHookAreReadWhereTheyMatter(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.hooked(t, "https://a.example", `,"sslKeyFile":"none"`)
	w.refuses(t, "webHook.sslKeyFile: none: no such file", "serve")
	w.succeeds(t, "migrate")
	w.succeeds(t, "keys", "create", "--role", "reader")
	w.file(t, "orderhook.json", `{"webHook":{"enabled":false,"sslKeyFile":"none","useSslClientCert":true,"endpoint":"to do"}}`)
	w.serve(t).stop(t)
	w.file(t, "orderhook.json", `{"webHook":{"enabled":false,"sslKeyFile":5}}`)
	w.refuses(t, "webHook.sslKeyFile: must be text", "serve")
}

// "orderhook logs a warning at start": where there is something to verify.
func TestTrustingAllDrawsAWarning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		endpoint, more string
		warned         bool
	}{
		{"https://a.example", "", true},
		{"HTTPS://a.example", `,"useSslTrustAll":true`, true},
		{"https://a.example", `,"useSslTrustAll":false`, false},
		{"http://a.example", "", false},
	} {
		w := newWhere(t)
		w.hooked(t, c.endpoint, c.more)
		s := w.serve(t, "--log-level", "debug")
		s.stop(t)
		if n := strings.Count(s.errOut.String(), "useSslTrustAll"); n > 1 || (n == 1) != c.warned {
			t.Errorf("%s%s: %d warnings: %s", c.endpoint, c.more, n, s.errOut)
		}
		expectHushed(t, s)
	}
}

// TestAWebHookUnderWayIsFinished: SIGTERM lets it end, and be recorded.
func TestAWebHookUnderWayIsFinished(t *testing.T) {
	t.Parallel()
	endpoint := newSlow(t)
	w := newWhere(t, "ORDERHOOK_API_KEY=admin-key-of-mine")
	w.hooked(t, endpoint.server.URL, "")
	s := w.serve(t)
	s.expect(t, 201, "POST", "/api/orders", "admin-key-of-mine", anOrder)
	<-endpoint.called
	s.signal(t, syscall.SIGTERM)
	s.awaitClosed(t)
	close(endpoint.answer)
	if code := s.code(t); code != 0 {
		t.Errorf("code %d: %s", code, s.errOut)
	}
	s = w.serve(t)
	if got := s.attempts(t, "admin-key-of-mine", theWebHook, "succeeded"); len(got) != 1 {
		t.Errorf("the attempts are %v", got)
	}
	s.stop(t)
	if n := len(endpoint.called); n > 0 {
		t.Errorf("it was called %d times more", n)
	}
}

// TestAWebHookThatIsCutOffComesAgain: what took longer than the grace is
// attempted once more, and was no attempt.
func TestAWebHookThatIsCutOffComesAgain(t *testing.T) {
	t.Parallel()
	endpoint := newSlow(t)
	w := newWhere(t, "ORDERHOOK_API_KEY=admin-key-of-mine")
	w.hooked(t, endpoint.server.URL, "")
	s := w.serve(t, "--grace", "PT0.1S")
	s.expect(t, 201, "POST", "/api/orders", "admin-key-of-mine", anOrder)
	<-endpoint.called
	s.stop(t)
	s = w.serve(t)
	<-endpoint.called
	close(endpoint.answer)
	s.awaitDeliveries(t, "admin-key-of-mine", theWebHook)
	got := append(s.attempts(t, "admin-key-of-mine", theWebHook, "failed"), s.attempts(t, "admin-key-of-mine", theWebHook, "succeeded")...)
	if len(got) != 1 || fmt.Sprint(got[0]["number"]) != "1" {
		t.Errorf("the attempts are %v", got)
	}
}
