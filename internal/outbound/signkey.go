package outbound

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// How the Standard Webhooks specification writes secrets and keys, before
// their base64.
const (
	secretPrefix  = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// The sizes that the specification allows a secret, and the one of those that
// are made here, in bytes.
const (
	leastKey, mostKey = 24, 64
	newKey            = 32
)

// NewSecret returns a random secret for [NewSigner].
// It is random in all its 32 bytes.
func NewSecret() string { return secretPrefix + random() }

// NewPrivateKey returns a random private key for [NewSigner].
func NewPrivateKey() string { return privatePrefix + random() }

// random returns a new key as base64.
func random() string {
	var key [newKey]byte
	rand.Read(key[:]) // never fails
	return base64.StdEncoding.EncodeToString(key[:])
}

// PublicKey returns what an endpoint verifies the v1a signatures of a private
// key with: "whpk_" and base64. A private key is "whsk_" and the base64 of its
// seed of 32 bytes, as the specification's libraries have it, or of the seed
// with the public key after it, as others write it.
func PublicKey(private string) (string, error) {
	key, err := parsePrivate(private)
	if err != nil {
		return "", err
	}
	return publicPrefix + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)), nil
}

// parsePrivate reads a private key in either form.
func parsePrivate(key string) (ed25519.PrivateKey, error) {
	raw, err := decode(key, privatePrefix)
	if err != nil {
		return nil, err
	}
	// The message says the length alone, and nothing of the key.
	if len(raw) != ed25519.SeedSize && len(raw) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("the private key has %d bytes, not %d or %d", len(raw), ed25519.SeedSize, ed25519.PrivateKeySize)
	}
	// The public half is worked out again. If the given one is another, the key is
	// refused: its signatures would never be verified.
	private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	if !bytes.HasPrefix(private, raw) {
		return nil, errors.New("the private key's two halves do not belong together")
	}
	return private, nil
}

// decode reads the base64 behind a prefix. Its errors hold nothing of the key.
func decode(key, prefix string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(key, prefix)
	if !ok {
		return nil, fmt.Errorf("it does not start with %s", prefix)
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("no base64 after %s", prefix)
	}
	return raw, nil
}
