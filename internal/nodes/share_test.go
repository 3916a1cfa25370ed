package nodes_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/nodes"
)

// TestSharesAreOfTheirLeases: a lease that is taken again keeps its share; one of the same
// name and another epoch has another one, which the end of the one before does not concern.
func TestSharesAreOfTheirLeases(t *testing.T) {
	first, second := nodes.Lease{Name: "shard/1", Epoch: 1}, nodes.Lease{Name: "shard/1", Epoch: 2}
	other := nodes.Lease{Name: "shard/2", Epoch: 1}
	s := nodes.Shares{}
	s.Take(t.Context(), []nodes.Lease{first, other})
	before := s[first.Name]
	s.Take(t.Context(), []nodes.Lease{first})
	if s[first.Name] != before || before.Lease != first || len(s) != 2 {
		t.Fatalf("taken twice: %v", s)
	}
	if got := nodes.LeasesOf(before.Ctx); !slices.Equal(got, []nodes.Lease{first}) {
		t.Errorf("its writes are made by %v", got)
	}
	s.Take(t.Context(), []nodes.Lease{second})
	now := s[first.Name]
	if now == before || now.Lease != second {
		t.Fatalf("the shard has come back, with %v", now.Lease)
	}
	if gone := s.Give([]nodes.Lease{first}); gone != nil || s[first.Name] != now || now.Ctx.Err() != nil {
		t.Errorf("the end of the lease before ends %v", gone)
	}
	if gone := s.Give([]nodes.Lease{second, second}); !slices.Equal(gone, []*nodes.Share{now}) || now.Ctx.Err() == nil {
		t.Errorf("given back: %v, %v", gone, now.Ctx.Err())
	}
	if len(s) != 1 || s[other.Name].Ctx.Err() != nil {
		t.Errorf("left are %v", s)
	}
}

// TestAwaitWork waits for what is under way in all of the shares, but not longer than its
// context.
func TestAwaitWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := nodes.Shares{}
		s.Take(t.Context(), nodes.All())
		for name, takes := range map[string]time.Duration{"shard/1": time.Second, "shard/2": time.Minute} {
			s[name].Work.Go(func() { time.Sleep(takes) })
		}
		gone := s.Give(nodes.All())
		began := time.Now()
		short, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		nodes.AwaitWork(short, gone)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("with its context it took %v", took)
		}
		nodes.AwaitWork(t.Context(), gone)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}
