package access

import "time"

// SessionTTL is how long somebody who signed in stays so.
const SessionTTL = 12 * time.Hour

// MostSessions is how many sessions a key may have; one more ends the oldest.
const MostSessions = 100

// Session is somebody who signed in with a key and holds a token for it. It may do
// what the key may, and ends with it.
type Session struct {
	Hash             []byte // of the token, by [HashKey]
	Tenant, KeyID    string
	Created, Expires time.Time
}

// NewSession returns a session that begins now, and its token, which has 256 random
// bits and is stored nowhere.
func NewSession(k Key, now time.Time) (s Session, token string) {
	token = randomSecret("ohs_")
	return Session{Hash: HashKey(token), Tenant: k.Tenant, KeyID: k.ID, Created: now, Expires: now.Add(SessionTTL)}, token
}
