package contract

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// identity is a certificate for 127.0.0.1 that vouches for itself, and its key.
type identity struct{ certificate, key string }

func newIdentity(t *testing.T) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "orderhook"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return identity{text("CERTIFICATE", der), text("PRIVATE KEY", private)}
}

// mutualTLS starts a TLS endpoint that asks for the client's certificate.
func mutualTLS(t *testing.T, own, client identity) *httptest.Server {
	t.Helper()
	pair, err := tls.X509KeyPair([]byte(own.certificate), []byte(own.key))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(client.certificate))
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func tlsOf(ca, certificate, key string) string {
	text, _ := json.Marshal(map[string]string{"ca": ca, "certificate": certificate, "key": key})
	return `,"tls":` + string(text)
}

func TestAnEndpointHasItsOwnTLS(t *testing.T) {
	r, server, client := lease(t), newIdentity(t), newIdentity(t)
	s := mutualTLS(t, server, client)
	e := r.subscribed(s.URL, tlsOf(server.certificate, client.certificate, client.key))
	path := endpointPath(e, "")
	for _, a := range []answer{e, r.get(path)} {
		a.is("tls.ca", server.certificate).is("tls.certificate", client.certificate).is("tls.key", "***").says("PRIVATE")
	}
	works := func(want string) {
		t.Helper()
		r.call("POST", path+"/test", "").want(200).is("outcome", want)
	}
	works("succeeded")
	r.call("PATCH", path, `{"description":"x"}`).want(200)
	works("succeeded")
	r.call("PATCH", path, "{"+tlsOf(server.certificate, client.certificate, "***")[1:]+"}").want(200).is("tls.key", "***")
	works("succeeded")
	other := newIdentity(t)
	r.call("PATCH", path, "{"+tlsOf(server.certificate, other.certificate, "***")[1:]+"}").problem(422, "body.tls.key")
	r.call("PATCH", path, `{"url":"https://example.com"}`).problem(422, "body.tls")
	r.call("PATCH", path, `{"url":"https://example.com"`+tlsOf("", client.certificate, "***")+`}`).problem(422, "body.tls.key")
	r.call("PATCH", path, `{"tls":{"ca":null}}`).want(200).is("tls", nil)
	works("failed")
}

// Issue: "certificate that does not match its key: 422 naming the field".
func TestWhatTLSCannotBe(t *testing.T) {
	r, a, b := lease(t), newIdentity(t), newIdentity(t)
	for more, place := range map[string]string{
		tlsOf("", a.certificate, b.key): "body.tls.key", tlsOf("", a.certificate, ""): "body.tls.key", tlsOf("", "", a.key): "body.tls.certificate",
		tlsOf("", "no PEM", a.key): "body.tls.certificate", tlsOf(a.key, "", ""): "body.tls.ca", tlsOf("", a.certificate, "no PEM"): "body.tls.key",
	} {
		r.call("POST", "/api/endpoints", `{"url":"https://example.com","eventTypes":["*"]`+more+`}`).problem(422, place).says("PRIVATE")
	}
}

// TestSessionsOfTLSAreResumed: by the next connection of the endpoint, and not by that of another
// one, whose own authority has to vouch for the host first.
func TestSessionsOfTLSAreResumed(t *testing.T) {
	r, resumed := lease(t), make(chan bool, 1)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		resumed <- req.TLS.DidResume
		w.Header().Set("Connection", "close")
		w.WriteHeader(204)
	}))
	s.StartTLS()
	t.Cleanup(s.Close)
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	for _, name := range []string{"one", "other"} {
		r.call("POST", "/api/endpoints", `{"url":"`+s.URL+`","eventTypes":["of.`+name+`"]`+tlsOf(authority, "", "")+`}`).want(201)
	}
	for _, next := range []struct {
		endpoint string
		resumes  bool
	}{{"one", false}, {"one", true}, {"other", false}, {"other", true}} {
		r.call("POST", "/api/events", `{"type":"of.`+next.endpoint+`","data":{}}`).want(202)
		if got := <-resumed; got != next.resumes {
			t.Errorf("the session of %s is resumed: %v, want %v", next.endpoint, got, next.resumes)
		}
	}
}
