package outbound

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"software.sslmate.com/src/go-pkcs12"
)

// KeyFile is what a PEM file, a PKCS#12 file or a Java keystore holds.
// Both fields are made once and are not changed, so requests may share them.
type KeyFile struct {
	Certificates []*x509.Certificate // all of them, at least one
	Own          *tls.Certificate    // the private key with its chain; nil where there is no key
}

// errKeys says that a file has several keys, and nothing says which is meant.
var errKeys = errors.New("there is more than one private key in it")

// LoadKeyFile reads a file of certificates, and a key where there is one, by its content,
// whatever its name. A password that nothing in the file needs is ignored in PEM. Errors
// name the file, and never hold a key or the password. It is called at the start, so a
// wrong file ends the start.
func LoadKeyFile(path, password string) (*KeyFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, plain(err))
	}
	f, err := parseKeyFile(data, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// plain takes the operation and the path off an error of the file system.
func plain(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// parseKeyFile reads what the bytes of a file hold. A file without a certificate is of no
// use.
func parseKeyFile(data []byte, password string) (*KeyFile, error) {
	certificates, key, err := contents(data, password)
	switch {
	case err != nil:
		return nil, err
	case len(certificates) == 0:
		return nil, errors.New("there is no certificate in it")
	case key == nil:
		return &KeyFile{Certificates: certificates}, nil
	}
	// A key without its certificate is an error: nobody could be shown it.
	own, err := identity(key, certificates)
	return &KeyFile{certificates, own}, err
}

// contents returns the certificates in a file, and its key, nil if it has none. The first
// bytes tell which format it is.
func contents(data []byte, password string) ([]*x509.Certificate, crypto.Signer, error) {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, nil, errors.New("the file is empty")
	case bytes.HasPrefix(data, beginsJKS):
		return readJKS(data, password)
	case bytes.HasPrefix(data, []byte("\x30")): // an ASN.1 sequence
		return readPKCS12(data, password)
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return readPEM(data, password)
	}
	return nil, nil, errors.New("neither PEM nor PKCS#12 nor JKS")
}

// readPEM reads the certificates in a PEM text, and the key if there is one.
func readPEM(data []byte, password string) ([]*x509.Certificate, crypto.Signer, error) {
	certificates, err := CertificatesIn(data)
	if err != nil {
		return nil, nil, err
	}
	key, err := keyIn(data, password)
	return certificates, key, err
}

// readPKCS12 reads a file with one key and its chain, or one of certificates
// alone that are marked as trusted, which keytool does and openssl does not.
func readPKCS12(data []byte, password string) ([]*x509.Certificate, crypto.Signer, error) {
	key, leaf, chain, err := pkcs12.DecodeChain(data, password)
	if err == nil {
		own, err := signer(key)
		return append([]*x509.Certificate{leaf}, chain...), own, err
	}
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		return nil, nil, errPassword
	}
	// Without a key it may be a file of trusted certificates, which is read in another way.
	trusted, notTrust := pkcs12.DecodeTrustStore(data, password)
	if notTrust != nil {
		return nil, nil, fmt.Errorf("not a PKCS#12 file that can be read: %w, and %w", err, notTrust)
	}
	return trusted, nil, nil
}
