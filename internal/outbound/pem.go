package outbound

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/youmark/pkcs8"
)

// errPassword says that a file, or the key in it, has another password.
var errPassword = errors.New("wrong password")

// errKey says that a key is none of PKCS#8, PKCS#1 and SEC 1, or of no kind
// that TLS has signatures of.
var errKey = errors.New("the private key is malformed, or of an unknown kind")

// CertificatesIn returns the certificates in a PEM text, at least one.
func CertificatesIn(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for block := range blocks(text) {
		// A file often has the key beside the certificates, and keyIn reads that.
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d is malformed", len(all)+1)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no certificate in the PEM")
	}
	return all, nil
}

// keyIn returns the one private key in a PEM text, nil if there is none. Two of them are an
// error: nothing says which one is meant.
func keyIn(text []byte, password string) (crypto.Signer, error) {
	var found *pem.Block
	for block := range blocks(text) {
		// The suffix covers "RSA PRIVATE KEY", "EC PRIVATE KEY" and "ENCRYPTED PRIVATE KEY"
		// as well.
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		if found != nil {
			return nil, errKeys
		}
		found = block
	}
	if found == nil {
		return nil, nil
	}
	return keyOf(found, password)
}

// blocks yields the blocks of a PEM text.
// What stands between the blocks is ignored, as openssl writes comments there.
func blocks(text []byte) func(yield func(*pem.Block) bool) {
	return func(yield func(*pem.Block) bool) {
		for block, rest := pem.Decode(text); block != nil && yield(block); {
			block, rest = pem.Decode(rest)
		}
	}
}

// keyOf returns the private key that a block holds, decrypted.
func keyOf(block *pem.Block, password string) (crypto.Signer, error) {
	//lint:ignore SA1019 weak as this encryption is, key files of its form are in use
	legacy := x509.IsEncryptedPEMBlock(block)
	switch {
	case !legacy && block.Type != "ENCRYPTED PRIVATE KEY":
		return parseKey(block.Bytes)
	case password == "":
		return nil, errors.New("the private key is encrypted, and no password is given")
	case legacy:
		return legacyKey(block, password)
	}
	key, err := pkcs8.ParsePKCS8PrivateKey(block.Bytes, []byte(password))
	if err != nil && strings.Contains(err.Error(), "incorrect password") { // the error has no type
		return nil, errPassword
	}
	if err != nil {
		return nil, fmt.Errorf("the private key cannot be decrypted: %w", err)
	}
	return signer(key)
}

// legacyKey decrypts a key in the old form of PEM, in which the encryption stands in
// headers.
func legacyKey(block *pem.Block, password string) (crypto.Signer, error) {
	//lint:ignore SA1019 see keyOf
	der, err := x509.DecryptPEMBlock(block, []byte(password))
	if err != nil {
		return nil, errPassword
	}
	key, err := parseKey(der)
	if err != nil {
		return nil, errPassword // which this form finds out by the padding alone, so by luck
	}
	return key, nil
}

// parseKey reads a private key in any of its three DER forms.
// The forms are tried one after the other, since the bytes do not say which of them it
// is.
func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return signer(key)
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, errKey
}

// signer returns a key as what TLS signs with; errKey for one that cannot sign.
func signer(key any) (crypto.Signer, error) {
	if s, ok := key.(crypto.Signer); ok {
		return s, nil
	}
	return nil, errKey
}
