package maintenance

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// usesStore takes writes of uses.
type usesStore struct {
	store.Store
	mu     sync.Mutex // of all of it: synctest.Wait orders only what was before it
	fails  bool
	writes int
	used   map[string]time.Time
}

func (s *usesStore) Write(_ context.Context, do func(tx store.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes++; s.fails {
		return errors.New("the disk is full")
	}
	return do(usesTx{s: s})
}

func (s *usesStore) fail(fails bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = fails
}

// state returns how often something was written, and what is stored.
func (s *usesStore) state() (writes int, used map[string]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes, maps.Clone(s.used)
}

type usesTx struct {
	store.Tx
	s *usesStore
}

func (t usesTx) NoteKeyUses(_ context.Context, tenant string, used map[string]time.Time) error {
	for id, at := range used {
		t.s.used[tenant+"/"+id] = at
	}
	return nil
}

// TestKeyUses: what comes within a minute is one write for each tenant, with the latest times;
// what was not taken comes again with what is new, and a stop stores the rest.
func TestKeyUses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := &usesStore{used: map[string]time.Time{}}
		u := NewKeyUses(t.Context(), s, slog.New(slog.NewTextHandler(&log, nil)))
		begin := time.Now()
		for i := range 1000 {
			u.Note("acme", "a", begin.Add(time.Duration(i)))
			u.Note("acme", "b", begin)
			u.Note("other", "a", begin)
		}
		u.Note("acme", "a", begin.Add(-time.Hour))
		time.Sleep(keyUseEvery - time.Nanosecond)
		synctest.Wait()
		if writes, _ := s.state(); writes != 0 {
			t.Errorf("%d writes within the minute", writes)
		}
		s.fail(true)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if writes, _ := s.state(); writes != 2 || !strings.Contains(log.String(), "when keys were used last cannot be stored yet") {
			t.Errorf("%d writes; %s", writes, log.String())
		}
		s.fail(false)
		u.Note("acme", "b", begin.Add(time.Second))
		time.Sleep(keyUseEvery)
		synctest.Wait()
		want := map[string]time.Time{"acme/a": begin.Add(999), "acme/b": begin.Add(time.Second), "other/a": begin}
		if writes, used := s.state(); writes != 4 || !maps.Equal(used, want) {
			t.Errorf("%d writes; %v, want %v", writes, used, want)
		}
		time.Sleep(time.Hour) // idle
		synctest.Wait()
		u.Note("acme", "c", begin)
		u.Stop(t.Context())
		u.Note("acme", "d", begin)
		time.Sleep(time.Hour)
		want["acme/c"] = begin
		if writes, used := s.state(); writes != 5 || !maps.Equal(used, want) {
			t.Errorf("%d writes; %v, want %v", writes, used, want)
		}
	})
}
