package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// issued is a certificate with its key.
type issued struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

// issue makes a certificate for 127.0.0.1 that is valid until a time, signed by
// ca, or, if that is nil, by itself as an authority.
func issue(t *testing.T, ca *issued, name string, until time.Time) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: ca == nil, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ca == nil {
		ca = &issued{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Certificate, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{cert, key}
}

// keyFiles writes a key under a password, with its chain, in every form that
// the section takes; without a key, the certificates alone.
var keyFiles = map[string]func(key *ecdsa.PrivateKey, chain []*x509.Certificate, password string) ([]byte, error){
	"PEM":     pemFile,
	"PKCS#12": pkcs12File,
	"JKS":     jksFile,
}

func pemFile(key *ecdsa.PrivateKey, chain []*x509.Certificate, password string) ([]byte, error) {
	var b bytes.Buffer
	for _, c := range chain {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	if key == nil {
		return b.Bytes(), nil
	}
	der, err := pkcs8.MarshalPrivateKey(key, []byte(password), nil)
	_ = pem.Encode(&b, &pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})
	return b.Bytes(), err
}

func pkcs12File(key *ecdsa.PrivateKey, chain []*x509.Certificate, password string) ([]byte, error) {
	if key == nil {
		return pkcs12.Modern2023.EncodeTrustStore(chain, password)
	}
	return pkcs12.Modern2023.Encode(key, chain[0], chain[1:], password)
}

func jksFile(key *ecdsa.PrivateKey, chain []*x509.Certificate, password string) ([]byte, error) {
	var certificates []keystore.Certificate
	for _, c := range chain {
		certificates = append(certificates, keystore.Certificate{Type: "X.509", Content: c.Raw})
	}
	store := keystore.New()
	if key == nil {
		for i, c := range certificates {
			if err := store.SetTrustedCertificateEntry(fmt.Sprint(i), keystore.TrustedCertificateEntry{CreationTime: time.Now(), Certificate: c}); err != nil {
				return nil, err
			}
		}
	} else {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err == nil {
			entry := keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: der, CertificateChain: certificates}
			err = store.SetPrivateKeyEntry("key", entry, []byte(password))
		}
		if err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err := store.Store(&b, []byte(password))
	return b.Bytes(), err
}

// keyFile writes a file in one of the forms; its name does not tell which.
func (w where) keyFile(t *testing.T, name, form, password string, key *issued, trusted ...*issued) {
	t.Helper()
	var private *ecdsa.PrivateKey
	var chain []*x509.Certificate
	if key != nil {
		private, chain = key.key, append(chain, key.Certificate)
	}
	for _, c := range trusted {
		chain = append(chain, c.Certificate)
	}
	data, err := keyFiles[form](private, chain, password)
	if err != nil {
		t.Fatal(err)
	}
	w.file(t, name, string(data))
}
