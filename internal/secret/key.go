package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

const (
	// unboundPrefix begins what was sealed before secrets were bound to anything,
	// and still the check value; sealedPrefix all else.
	unboundPrefix = "sealed:v1:"
	sealedPrefix  = "sealed:v2:"

	// minSalt is what NIST SP 800-132 asks of a salt, in bytes.
	minSalt = 16

	// iterations makes guessing a weak key slow, and costs a start well under
	// a tenth of a second.
	iterations = 200_000

	generatedPrefix = "ohe_"
	generatedBytes  = 32
)

// ErrWrongKey is the error of opening what was sealed with another key or salt, or
// for another tenant, place or origin, or was tampered with: these look alike.
var ErrWrongKey = errors.New("the encryption key is not the one that the database's secrets were encrypted with")

// ErrNotSealed is the error of opening what no Sealer has made.
var ErrNotSealed = errors.New("not an encrypted secret")

// Sealer encrypts for the database with AES-256-GCM, each time with a random
// nonce. It may be used by many at once.
type Sealer struct {
	aead cipher.AEAD
	salt []byte
}

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
	return &Sealer{aead, slices.Clone(salt)}, nil
}

// Salt returns the salt that the key was derived with. It is no secret, and another one with
// each key of a database: so it tells whether a database still has the key.
func (s *Sealer) Salt() []byte { return slices.Clone(s.salt) }

// checkText is what the check value of a database is made of.
const checkText = "orderhook"

// Check returns the check value that a new database keeps of its key.
func (s *Sealer) Check() string { return s.seal(unboundPrefix, nil, checkText) }

// Fits is [ErrWrongKey] unless a check value was made with this key.
func (s *Sealer) Fits(check string) error {
	_, err := s.OpenUnbound(check)
	return err
}

// OpenUnbound opens what an orderhook sealed that did not bind secrets to a
// tenant, a place and origins yet. Its error is [ErrWrongKey] unless the text is
// nothing that was sealed so.
func (s *Sealer) OpenUnbound(sealed string) (string, error) {
	return s.open(unboundPrefix, nil, sealed)
}

// SealDocument encrypts a document of a tenant, which is not one secret, but may
// hold some among other things, as an endpoint's URL does. It opens for that tenant
// and that place alone.
func (s *Sealer) SealDocument(tenant, place, plain string) string {
	return s.seal(sealedPrefix, bound("document", tenant, place), plain)
}

// OpenDocument is the reverse of SealDocument. Its error is [ErrWrongKey] unless
// the text is nothing that was sealed.
func (s *Sealer) OpenDocument(tenant, place, sealed string) (string, error) {
	return s.open(sealedPrefix, bound("document", tenant, place), sealed)
}

func (s *Sealer) seal(prefix string, to []byte, plain string) string {
	return prefix + base64.StdEncoding.EncodeToString(s.aead.Seal(nil, nil, []byte(plain), to))
}

func (s *Sealer) open(prefix string, to []byte, sealed string) (string, error) {
	encoded, ok := strings.CutPrefix(sealed, prefix)
	data, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return "", ErrNotSealed
	}
	plain, err := s.aead.Open(nil, nil, data, to)
	if err != nil {
		return "", ErrWrongKey
	}
	return string(plain), nil
}

// bound is the additional data that texts are sealed with: nothing but the same
// parts in the same order makes the same.
func bound(parts ...string) []byte {
	var data []byte
	for _, part := range parts {
		data = binary.AppendUvarint(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
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
