package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
)

// Role says what a key may do; each includes those before it in [Roles].
type Role string

// The roles (docs/contract.md#keys).
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
		return "", apierr.Wrong("role", "must be one of reader, publisher, operator, admin")
	}
	return r, nil
}

// Reaches reports whether r may do what needs the role. A role that there is
// not reaches nothing and is reached by none.
func (r Role) Reaches(needed Role) bool {
	n := slices.Index(Roles, needed)
	return n >= 0 && slices.Index(Roles, r) >= n
}

// mays say what each of [Roles] may do beyond those before it, for people to choose by.
var mays = []string{"read", "write orders, carts and stock, have carts validated, publish events",
	"change settings and endpoints, resume and cancel runs, cancel deliveries, send events and requests again", "make, change and delete keys, read the audit log"}

// May says in words what a role may do, what the weakest one may do first.
func (r Role) May() []string { return mays[:slices.Index(Roles, r)+1] }

// Key is an API key: everything but the key itself, of which only a hash is stored.
type Key struct {
	ID      string    `json:"id"`
	Tenant  string    `json:"tenant"`
	Role    Role      `json:"role" enum:"reader,publisher,operator,admin"`
	Name    string    `json:"name,omitempty"`
	Created time.Time `json:"created"`
	// RateLimit bounds the requests with the key on one node; 0: no limit.
	RateLimit float64   `json:"rateLimit,omitempty" doc:"Requests a second; absent where there is no limit"`
	ExpiresAt time.Time `json:"expiresAt,omitzero" doc:"From then on the key is refused; absent where it does not expire"`
	// LastUsed is kept without a write for each request, so it may be a minute old.
	LastUsed time.Time `json:"lastUsed,omitzero" doc:"When the last request came with it, to about a minute; absent where none came"`
	Hash     []byte    `json:"-"`
}

// Expired reports whether the key is refused because of its age.
func (k *Key) Expired(now time.Time) bool { return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) }

// ExpirySoon is how long before a key expires somebody is warned: a new key has to get to
// whoever uses it.
const ExpirySoon = 14 * 24 * time.Hour

// ExpiresSoon reports whether the key has expired or will do so soon.
func (k *Key) ExpiresSoon(now time.Time) bool { return k.Expired(now.Add(ExpirySoon)) }

// NewSecret returns a new random key with 256 bits.
func NewSecret() string { return randomSecret("ohk_") }

func randomSecret(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// HashKey returns what is stored of a key.
func HashKey(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// DefaultTenant is the tenant of `serve --api-key`, `--settings` and the
// webHook section, where none is named.
const DefaultTenant = "default"
