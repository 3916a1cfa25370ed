package settings

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	sealedPrefix = "sealed:v1:"

	// minSalt is what NIST SP 800-132 asks of a salt, in bytes.
	minSalt = 16

	// iterations makes guessing a weak key slow, and costs a start well under
	// a tenth of a second.
	iterations = 200_000

	generatedPrefix = "ohe_"
	generatedBytes  = 32
)

// ErrWrongKey is the error of opening a secret that was sealed with another
// key, or with another salt, or was tampered with: these look alike.
var ErrWrongKey = errors.New("the encryption key is not the one that the database's secrets were encrypted with")

// Sealer encrypts secrets for the database with AES-256-GCM, each with a
// random nonce of its own. It may be used by many at once.
type Sealer struct{ aead cipher.AEAD }

// NewSealer derives a Sealer from the operator's --encryption-key and the
// database's salt, of 16 bytes or more. It takes tens of milliseconds, unless NewKey made the key.
func NewSealer(key string, salt []byte) (*Sealer, error) {
	if key == "" {
		return nil, errors.New("the encryption key is empty")
	}
	if len(salt) < minSalt {
		return nil, fmt.Errorf("the salt of the encryption key has %d bytes, at least %d are needed", len(salt), minSalt)
	}
	derived, err := derive(key, salt)
	if err != nil {
		return nil, fmt.Errorf("derive encryption key: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("derive encryption key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("derive encryption key: %w", err)
	}
	return &Sealer{aead}, nil
}

// Seal encrypts a secret; the same one looks different each time.
func (s *Sealer) Seal(plain string) string {
	return sealedPrefix + base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(plain), nil))
}

// Open is the reverse of Seal. Its error is [ErrWrongKey] unless the text is
// nothing that Seal made.
func (s *Sealer) Open(sealed string) (string, error) {
	encoded, ok := strings.CutPrefix(sealed, sealedPrefix)
	data, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return "", errors.New("not an encrypted secret")
	}
	plain, err := s.aead.Open(nil, nil, data, nil)
	if err != nil {
		return "", ErrWrongKey
	}
	return string(plain), nil
}

// NewKey makes a random key, of 256 bits, for a database that is given none.
func NewKey() string {
	var b [generatedBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return generatedPrefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// derive makes an AES key of the operator's key. One that NewKey made has all
// the randomness that it needs; one that a person thought of is made slow to guess.
func derive(key string, salt []byte) ([]byte, error) {
	if encoded, ok := strings.CutPrefix(key, generatedPrefix); ok {
		if secret, err := base64.RawURLEncoding.DecodeString(encoded); err == nil && len(secret) == generatedBytes {
			return hkdf.Key(sha256.New, secret, salt, "orderhook secrets", 32)
		}
	}
	return pbkdf2.Key(sha256.New, key, salt, iterations, 32)
}
