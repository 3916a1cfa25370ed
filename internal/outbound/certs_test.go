package outbound

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// issued is a certificate with its key, and may issue others.
type issued struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	ca   *issued // nil: itself
}

// issue makes a certificate for the name and 127.0.0.1, signed by ca, or by
// itself where that is nil.
func issue(t testing.TB, ca *issued, name string, until time.Time) *issued {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: ca == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	by := &issued{template, key, nil}
	if ca != nil {
		by = ca
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, &key.PublicKey, by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{cert, key, ca}
}

var (
	valid   = time.Now().Add(24 * time.Hour)
	expired = time.Now().Add(-24 * time.Hour)
)

func certPEM(certificates ...*issued) string {
	var b bytes.Buffer
	for _, c := range certificates {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
	}
	return b.String()
}

func (i *issued) keyPEM() string {
	der, _ := x509.MarshalPKCS8PrivateKey(i.key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// serveTLS starts a server that shows its certificate, and asks for one of
// clients where it is told whose to accept. It answers with the client's name.
func serveTLS(t *testing.T, shown, clients *issued) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, c := range r.TLS.PeerCertificates[:min(1, len(r.TLS.PeerCertificates))] {
			io.WriteString(w, c.Subject.CommonName)
		}
		w.Header().Set("X-From", r.RemoteAddr)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{shown.cert.Raw}, PrivateKey: shown.key}}}
	if clients != nil {
		s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		s.TLS.ClientCAs.AddCert(clients.cert)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// file writes a file and returns its path. Its name says nothing of its form.
func file(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The forms of key files. Each writes a key with its chain, or where there is
// no key the certificates alone.
var forms = map[string]func(t *testing.T, key *issued, certs []*issued, password string) []byte{
	"PEM":     writePEM,
	"PKCS#12": writePKCS12,
	"JKS":     writeJKS,
}

func writePEM(t *testing.T, key *issued, certs []*issued, password string) []byte {
	text := certPEM(certs...)
	if key != nil {
		der, err := pkcs8.MarshalPrivateKey(key.key, []byte(password), nil)
		if err != nil {
			t.Fatal(err)
		}
		text += string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}))
	}
	return []byte(text)
}

func writePKCS12(t *testing.T, key *issued, certs []*issued, password string) (data []byte) {
	var all []*x509.Certificate
	for _, c := range certs {
		all = append(all, c.cert)
	}
	encoder, err := pkcs12.Modern2023, error(nil)
	switch {
	case key != nil:
		data, err = encoder.Encode(key.key, all[0], all[1:], password)
	case password == "":
		data, err = pkcs12.Passwordless.EncodeTrustStore(all, "")
	default:
		data, err = encoder.EncodeTrustStore(all, password)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeJKS(t *testing.T, key *issued, certs []*issued, password string) []byte {
	store := keystore.New()
	var chain []keystore.Certificate
	for _, c := range certs {
		chain = append(chain, keystore.Certificate{Type: "X.509", Content: c.cert.Raw})
	}
	if key != nil {
		der, _ := x509.MarshalPKCS8PrivateKey(key.key)
		entry := keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: der, CertificateChain: chain}
		if err := store.SetPrivateKeyEntry("key", entry, []byte(password)); err != nil {
			t.Fatal(err)
		}
	} else {
		for i, c := range chain {
			store.SetTrustedCertificateEntry(string(rune('a'+i)), keystore.TrustedCertificateEntry{CreationTime: time.Now(), Certificate: c})
		}
	}
	var b bytes.Buffer
	if err := store.Store(&b, []byte(password)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
