package outbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// mac makes HMAC-SHA256s of one key, whose schedule it keeps. It is safe for concurrent
// use: each signature has a hash of the pool for itself.
type mac struct{ idle sync.Pool }

// keyed is a hash that has its key, and room for its sum. It is used for one signature at a
// time.
type keyed struct {
	hash.Hash
	sum []byte
}

// newMAC returns a mac. What a key needs before its first use is worked out once for many
// signatures.
func newMAC(key []byte) *mac {
	m := &mac{}
	m.idle.New = func() any { return &keyed{hmac.New(sha256.New, key), make([]byte, 0, sha256.Size)} }
	return m
}

// sign appends the sum of the parts to dst in the form that encode gives it.
func (m *mac) sign(dst []byte, encode func(dst, src []byte) []byte, parts ...[]byte) []byte {
	k := m.idle.Get().(*keyed)
	defer m.idle.Put(k)
	k.Reset()
	for _, part := range parts {
		k.Write(part)
	}
	return encode(dst, k.Sum(k.sum))
}
