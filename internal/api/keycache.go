package api

import (
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// keyMemory is how long a key may be used for publishing without being read again:
// reading it is a third of what publishing an event costs the API. A key that this
// process deletes is forgotten at once. One that is deleted by `keys revoke` can publish
// for this long.
const keyMemory = time.Second

// mostKeys is how many keys are remembered.
const mostKeys = 1000

// keyCache remembers keys by the hash of their secrets. Only hashes are in memory, never
// a key itself. Its zero value is empty and ready. It is safe for concurrent use; mu
// guards all of it.
type keyCache struct {
	mu     sync.RWMutex
	forgot int // how often all was forgotten
	keys   map[string]rememberedKey
}

// rememberedKey is a key, and when it has to be read again.
type rememberedKey struct {
	key   access.Key
	until time.Time
}

// get returns a remembered key. forgot has to be given to put later. Publications come by
// the thousand, so readers do not wait for each other.
func (c *keyCache) get(hash []byte, now time.Time) (key access.Key, ok bool, forgot int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	k, ok := c.keys[string(hash)]
	return k.key, ok && now.Before(k.until), c.forgot
}

// put remembers a key, unless keys were forgotten after get was called: this key may be
// one of them. Without that, a request that had read a key just before it was deleted
// would put it back.
func (c *keyCache) put(hash []byte, k access.Key, now time.Time, forgot int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if forgot != c.forgot {
		return
	}
	// To begin anew is simpler than to look for the oldest, and costs each key one
	// question.
	if c.keys == nil || len(c.keys) >= mostKeys {
		c.keys = map[string]rememberedKey{}
	}
	c.keys[string(hash)] = rememberedKey{k, now.Add(keyMemory)}
}

// forget forgets all keys. Which of them was deleted is not known by its hash here, and
// the others are read again within a second anyway.
func (c *keyCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgot++
	c.keys = nil
}
