package api

import (
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// keyMemory is how long a key that was found may publish without being looked
// up again: a third of what publishing an event costs the API would be that. A
// key that this process deletes is forgotten at once; one that somebody else
// does, `keys revoke` or another node, publishes no longer than this.
const keyMemory = time.Second

// mostKeys bounds how many keys are remembered.
const mostKeys = 1000

// keyCache remembers keys by the hash of their secrets.
type keyCache struct {
	mu     sync.RWMutex
	forgot int // how often all was forgotten
	keys   map[string]rememberedKey
}

type rememberedKey struct {
	key   oms.Key
	until time.Time
}

// get returns a key that is remembered, and else what put has to be given.
func (c *keyCache) get(hash []byte, now time.Time) (key oms.Key, ok bool, forgot int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	k, ok := c.keys[string(hash)]
	return k.key, ok && now.Before(k.until), c.forgot
}

// put remembers a key, unless keys were forgotten since it was asked for.
func (c *keyCache) put(hash []byte, k oms.Key, now time.Time, forgot int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if forgot != c.forgot {
		return
	}
	if c.keys == nil || len(c.keys) >= mostKeys {
		c.keys = map[string]rememberedKey{}
	}
	c.keys[string(hash)] = rememberedKey{k, now.Add(keyMemory)}
}

func (c *keyCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgot++
	c.keys = nil
}
