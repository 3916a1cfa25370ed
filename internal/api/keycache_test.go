package api

import (
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

func TestARememberedKeyIsForgotten(t *testing.T) {
	now, hash, key := time.Now(), access.HashKey("k"), access.Key{ID: "key_1"}
	c := &keyCache{}
	_, found, forgot := c.get(hash, now)
	if found {
		t.Fatal("an empty cache has a key")
	}
	c.put(hash, key, now, forgot)
	if got, found, _ := c.get(hash, now.Add(keyMemory-1)); !found || got.ID != key.ID {
		t.Error("the key is not remembered")
	}
	if _, found, _ := c.get(hash, now.Add(keyMemory)); found {
		t.Error("the key is remembered too long")
	}
	if _, found, _ := c.get(access.HashKey("other"), now); found {
		t.Error("another key is known")
	}
	c.forget()
	if _, found, _ := c.get(hash, now); found {
		t.Error("the key is not forgotten")
	}
	c.put(hash, key, now, forgot) // it was asked for before it was deleted
	if _, found, _ := c.get(hash, now); found {
		t.Error("a deleted key is remembered")
	}
}

func TestRememberedKeysAreBounded(t *testing.T) {
	c := &keyCache{}
	for i := range 3 * mostKeys {
		c.put(access.HashKey(fmt.Sprint(i)), access.Key{}, time.Now(), 0)
	}
	if len(c.keys) > mostKeys {
		t.Errorf("%d keys are remembered", len(c.keys))
	}
}
