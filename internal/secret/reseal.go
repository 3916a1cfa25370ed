package secret

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
)

// Resealer seals anew what a [Sealer] opens, so that nobody between the two gets to
// see it. It is another Sealer, or a [Digest].
type Resealer interface {
	seal(prefix string, to []byte, plain string) string
}

// Reseal returns the text of a stored secret as another seals it, for the same tenant,
// id, place and origins. Its error is [ErrMoved] if the secret does not open.
func (s *Sealer) Reseal(to Resealer, tenant string, one Sealed) (string, error) {
	additional := one.boundTo(tenant, one.Place)
	plain, err := s.open(sealedPrefix, additional, one.Text)
	if err != nil {
		return "", ErrMoved
	}
	return to.seal(sealedPrefix, additional, plain), nil
}

// ResealDocument is Reseal for what [Sealer.SealDocument] has sealed.
func (s *Sealer) ResealDocument(to Resealer, tenant, place, sealed string) (string, error) {
	plain, err := s.OpenDocument(tenant, place, sealed)
	if err != nil {
		return "", ErrMoved
	}
	return to.seal(sealedPrefix, bound("document", tenant, place), plain), nil
}

// Digest is a [Resealer] whose texts do not open again. Two of them are the same if
// what was sealed is the same and is sealed for the same. They depend on a random key
// of the Digest's own, so that nobody can try out which secret makes which.
type Digest struct{ key [sha256.Size]byte }

// NewDigest returns a Digest with a key of its own.
func NewDigest() *Digest {
	d := &Digest{}
	_, _ = rand.Read(d.key[:]) // it never fails
	return d
}

func (d *Digest) seal(prefix string, to []byte, plain string) string {
	h := hmac.New(sha256.New, d.key[:])
	_, _ = h.Write(bound(prefix, string(to), plain)) // it never fails
	return string(h.Sum(nil))
}
