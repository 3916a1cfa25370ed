package outbound

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
)

// Trust says how the TLS of a request is verified, and what the client shows of
// itself. It is made once for many requests. Connections are kept by its address, so it is
// never copied.
type Trust struct {
	all   bool
	roots *x509.CertPool   // nil: those of the client
	own   *tls.Certificate // nil: none is shown
}

// TrustOptions are what a [Trust] is made of, certificates and key as PEM text.
type TrustOptions struct {
	TrustAll    bool   // verify nothing
	CA          string // one certificate or more, instead of those of the system; "": none
	Certificate string // of the client, and what leads from it to its root; "": none
	Key         string // of Certificate
}

// TrustError says which of the [TrustOptions] is wrong. It holds nothing of a
// key.
type TrustError struct {
	Field string // "ca", "certificate" or "key", as the API has them under tls
	Why   string
}

// Error implements error.
func (e *TrustError) Error() string { return e.Field + ": " + e.Why }

// NewTrust returns a Trust. Its error is a [*TrustError]. What has expired is
// no error here: whoever verifies it will say so. It reads no file.
func NewTrust(o TrustOptions) (*Trust, error) {
	t := &Trust{all: o.TrustAll}
	if o.CA != "" {
		authorities, err := CertificatesIn([]byte(o.CA))
		if err != nil {
			return nil, &TrustError{"ca", err.Error()}
		}
		t.roots = pool(authorities)
	}
	// The client shows nothing of itself.
	if o.Certificate == "" && o.Key == "" {
		return t, nil
	}
	own, err := clientCertificate(o.Certificate, o.Key)
	if err != nil {
		return nil, err
	}
	t.own = own
	return t, nil
}

// clientCertificate reads what the client shows of itself. An error names the field that is
// wrong.
func clientCertificate(certificate, key string) (*tls.Certificate, error) {
	if certificate == "" {
		return nil, &TrustError{"certificate", "missing beside a key"}
	}
	certificates, err := CertificatesIn([]byte(certificate))
	if err != nil {
		return nil, &TrustError{"certificate", err.Error()}
	}
	// A certificate is public, so without its key it proves nothing.
	if key == "" {
		return nil, &TrustError{"key", "missing beside a certificate"}
	}
	// The key comes without a password: the database seals it.
	private, err := keyIn([]byte(key), "")
	if err == nil && private == nil {
		err = errors.New("there is no private key in the PEM")
	}
	if err != nil {
		return nil, &TrustError{"key", err.Error()}
	}
	// Both are well formed by now. If they do not match, the message is about the key.
	own, err := identity(private, certificates)
	if err != nil {
		return nil, &TrustError{"key", err.Error()}
	}
	return own, nil
}

// pool returns certificates as crypto/x509 wants them.
func pool(certificates []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certificates {
		p.AddCert(c)
	}
	return p
}

// identity returns a key with its certificate and those of its issuers, as far
// as they are among the certificates, in the order that TLS wants. A certificate that leads
// nowhere is left out.
func identity(key crypto.Signer, certificates []*x509.Certificate) (*tls.Certificate, error) {
	leaf := find(certificates, func(c *x509.Certificate) bool { return belongs(key, c) })
	if leaf == nil {
		return nil, errors.New("the private key does not match the certificate")
	}
	own := &tls.Certificate{PrivateKey: key, Leaf: leaf}
	// The chain ends at a root, or where an issuer is missing. Certificates that name one
	// another in a circle end it, too.
	for c := leaf; c != nil && len(own.Certificate) < len(certificates); {
		own.Certificate = append(own.Certificate, c.Raw)
		child := c
		c = find(certificates, func(c *x509.Certificate) bool { return c != child && bytes.Equal(c.RawSubject, child.RawIssuer) })
	}
	return own, nil
}

// find returns the first certificate that will do; nil for none.
// All callers have a handful of certificates, so they are looked through one by one.
func find(certificates []*x509.Certificate, ok func(*x509.Certificate) bool) *x509.Certificate {
	for _, c := range certificates {
		if ok(c) {
			return c
		}
	}
	return nil
}

// belongs reports whether a certificate is that of a key.
// A key whose public part cannot be compared belongs to no certificate.
func belongs(key crypto.Signer, c *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

// configure returns t as crypto/tls has it; roots are those of the client. The version of
// TLS is 1.2 at least.
func (t *Trust) configure(roots *x509.CertPool) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.all, RootCAs: roots}
	if t.roots != nil {
		config.RootCAs = t.roots
	}
	if own := t.own; own != nil {
		// Not Certificates: from those crypto/tls takes none where the server
		// names other issuers, and the failure would not say so.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own, nil }
	}
	return config
}
