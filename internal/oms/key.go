package oms

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// Role says what a key may do; each includes those before it in [Roles].
type Role string

// The roles (API.md, "Auth").
const (
	Reader    Role = "reader"
	Publisher Role = "publisher"
	Operator  Role = "operator"
	Admin     Role = "admin"
)

// Roles is all roles, the weakest first.
var Roles = []Role{Reader, Publisher, Operator, Admin}

// ParseRole reads a role's name, in any case.
func ParseRole(s string) (Role, error) {
	r := Role(strings.ToLower(s))
	if !slices.Contains(Roles, r) {
		return "", Wrong("role", "must be one of reader, publisher, operator, admin")
	}
	return r, nil
}

// Reaches reports whether r may do what needs the role. A role that there is
// not reaches nothing and is reached by none.
func (r Role) Reaches(needed Role) bool {
	n := slices.Index(Roles, needed)
	return n >= 0 && slices.Index(Roles, r) >= n
}

// Key is an API key: everything but the key itself, of which only a hash is kept.
type Key struct {
	ID      string    `json:"id"`
	Tenant  string    `json:"tenant"`
	Role    Role      `json:"role" enum:"reader,publisher,operator,admin"`
	Name    string    `json:"name,omitempty"`
	Created time.Time `json:"created"`
	Hash    []byte    `json:"-"`
}

// NewSecret returns a new random key with 256 bits.
func NewSecret() string { return randomSecret("ohk_") }

func randomSecret(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// HashKey returns what is kept of a key.
func HashKey(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}
