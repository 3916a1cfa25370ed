package outbound

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// FileTrust is what the webHook section of the config file says of TLS
// (docs/contract.md#order-state-webhook).
type FileTrust struct {
	TrustAll      bool   // useSslTrustAll; true where it is not said
	ClientCert    bool   // useSslClientCert
	TrustFile     string // sslTrustFile; "": none
	TrustPassword string // sslTrustPassword; "": none of its own
	KeyFile       string // sslKeyFile; "": none
	KeyPassword   string // sslKeyPassword
}

// LoadTrust reads the files and returns what they and the section come to. It
// reads those too that do not matter as things stand, so that a wrong one is
// found when it is written, and not when a setting changes. An error begins
// with the setting that is wrong. It is called at the start.
func LoadTrust(f FileTrust) (*Trust, error) {
	trusted, err := f.loadTrusted()
	if err != nil {
		return nil, fmt.Errorf("sslTrustFile: %w", err)
	}
	// The key file is read even where ClientCert is false, because it may still say whom
	// to trust.
	own, err := f.loadOwn()
	if err != nil {
		return nil, fmt.Errorf("sslKeyFile: %w", err)
	}
	t := &Trust{all: f.TrustAll}
	switch {
	case trusted != nil:
		t.roots = pool(trusted)
	// A file whose key is not shown says whom to trust.
	case own != nil && !f.ClientCert:
		t.roots = pool(own.Certificates)
	}
	if f.ClientCert {
		t.own = own.Own
	}
	return t, nil
}

// loadTrusted opens the file with its own password. Where it is said to have none, that of the
// key file is tried, and none: a file of certificates holds no secret, and often has no
// password. A Java keystore is read without one, if need be.
func (f FileTrust) loadTrusted() ([]*x509.Certificate, error) {
	if f.TrustFile == "" {
		return nil, nil
	}
	file, err := LoadKeyFile(f.TrustFile, cmp.Or(f.TrustPassword, f.KeyPassword))
	if err == nil {
		return file.Certificates, nil
	}
	if f.TrustPassword == "" {
		if file, open := LoadKeyFile(f.TrustFile, ""); open == nil {
			return file.Certificates, nil
		}
		data, _ := os.ReadFile(f.TrustFile)
		if certificates, open := uncheckedJKS(data); bytes.HasPrefix(data, beginsJKS) && open == nil && len(certificates) > 0 {
			return certificates, nil
		}
	}
	// The error is that of the password which was given.
	return nil, err
}

// loadOwn returns nil where no file is named, and none is needed.
func (f FileTrust) loadOwn() (*KeyFile, error) {
	if f.KeyFile == "" {
		if f.ClientCert {
			return nil, errors.New("missing: useSslClientCert needs a key")
		}
		return nil, nil
	}
	// It is read even if no key is needed, so that a wrong file is found now.
	file, err := LoadKeyFile(f.KeyFile, f.KeyPassword)
	if err == nil && f.ClientCert && file.Own == nil {
		return nil, fmt.Errorf("%s: there is no private key in it, which useSslClientCert needs", f.KeyFile)
	}
	return file, err
}
