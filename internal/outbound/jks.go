package outbound

import (
	"bytes"
	"crypto"
	"crypto/sha1" // of the format
	"crypto/x509"
	"errors"
	"slices"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
)

// readJKS reads a Java keystore of the old form, whose key has the password of
// the file. Java writes PKCS#12 by default today, and reads both.
// The key is nil where the file has none. No error holds the password.
func readJKS(data []byte, password string) (certificates []*x509.Certificate, key crypto.Signer, err error) {
	store, err := openJKS(data, password)
	if err != nil {
		return nil, nil, err
	}
	// The aliases come in one order, so the same file always gives the same certificates
	// in the same order.
	for _, alias := range store.Aliases() {
		chain, private, err := readEntry(store, alias, password)
		if err != nil {
			return nil, nil, err
		}
		// Nothing says which of two keys is meant, and a guess could show endpoints the
		// wrong certificate.
		if private != nil && key != nil {
			return nil, nil, errKeys
		}
		if private != nil {
			key = private
		}
		certificates = append(certificates, chain...)
	}
	return certificates, key, nil
}

// beginsJKS begins each Java keystore of the old form.
var beginsJKS = []byte("\xFE\xED\xFE\xED")

// openJKS reads a Java keystore, and checks with the password that nobody has changed it.
func openJKS(data []byte, password string) (keystore.KeyStore, error) {
	store := keystore.New(keystore.WithOrderedAliases())
	err := store.Load(bytes.NewReader(data), []byte(password))
	if err != nil && err.Error() == "got invalid digest" { // the error has no type
		return store, errPassword
	}
	if err != nil {
		return store, errors.New("the Java keystore is malformed")
	}
	return store, nil
}

// uncheckedJKS returns the certificates of a Java keystore without its password, which only its
// integrity check needs: Java does so, too, where it is given none. The check is made to hold
// for an empty password, since the library knows no other way to leave it out.
func uncheckedJKS(data []byte) (certificates []*x509.Certificate, err error) {
	content := data[:max(0, len(data)-sha1.Size)]
	digest := sha1.Sum(slices.Concat([]byte("Mighty Aphrodite"), content))
	store, err := openJKS(slices.Concat(content, digest[:]), "")
	if err != nil {
		return nil, err
	}
	for _, alias := range store.Aliases() {
		var chain []keystore.Certificate
		if store.IsPrivateKeyEntry(alias) {
			chain, err = store.GetPrivateKeyEntryCertificateChain(alias)
		} else {
			var entry keystore.TrustedCertificateEntry
			entry, err = store.GetTrustedCertificateEntry(alias)
			chain = append(chain, entry.Certificate)
		}
		if err != nil {
			return nil, err
		}
		parsed, err := parseAll(chain...)
		if err != nil {
			return nil, err
		}
		certificates = append(certificates, parsed...)
	}
	return certificates, nil
}

// readEntry returns the certificates of an entry, and its key if it has one.
func readEntry(store keystore.KeyStore, alias, password string) ([]*x509.Certificate, crypto.Signer, error) {
	if !store.IsPrivateKeyEntry(alias) {
		entry, err := store.GetTrustedCertificateEntry(alias)
		if err != nil {
			return nil, nil, err
		}
		chain, err := parseAll(entry.Certificate)
		return chain, nil, err
	}
	entry, err := store.GetPrivateKeyEntry(alias, []byte(password))
	if err != nil {
		// The password has already opened the file, so only the key can have another one.
		return nil, nil, errors.New("the private key has another password than the file")
	}
	key, err := parseKey(entry.PrivateKey)
	if err != nil {
		return nil, nil, err
	}
	chain, err := parseAll(entry.CertificateChain...)
	return chain, key, err
}

// parseAll reads certificates. One that is malformed fails them all.
// To leave one out would only be noticed later, by an endpoint that is not trusted.
func parseAll(certificates ...keystore.Certificate) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, c := range certificates {
		parsed, err := x509.ParseCertificate(c.Content)
		if err != nil {
			return nil, errors.New("a certificate in it is malformed")
		}
		all = append(all, parsed)
	}
	return all, nil
}
