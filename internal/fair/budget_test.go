package fair_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/fair"
)

// asker asks for parts of a budget, and notes who was granted one.
type asker struct {
	b       *fair.Budget
	parts   map[fair.Key][]*fair.Part
	granted []string // in order, of those that had to wait
}

func newAsker(capacity int64) *asker {
	return &asker{b: fair.New(capacity), parts: map[fair.Key][]*fair.Part{}}
}

func (a *asker) ask(k fair.Key, n int64) (withdraw func() bool) {
	part, withdraw := a.b.Ask(k, n, func(p *fair.Part) {
		a.granted = append(a.granted, k.Tenant+"/"+k.Member)
		a.parts[k] = append(a.parts[k], p)
	})
	if part != nil {
		a.parts[k] = append(a.parts[k], part)
	}
	return withdraw
}

// give gives back what somebody took first.
func (a *asker) give(k fair.Key) {
	first := a.parts[k][0]
	a.parts[k] = a.parts[k][1:]
	first.Give()
}

func (a *asker) of(tenant string) (n int) {
	for k, parts := range a.parts {
		if k.Tenant == tenant {
			n += len(parts)
		}
	}
	return n
}

// TestTheRule is the rule with its numbers: tenants and members that ask for all
// they can get, in turn, and what each then has.
func TestTheRule(t *testing.T) {
	for name, row := range map[string]struct {
		tenants, members int
		ofTenant         int
		ofMember         int
	}{
		"a tenant alone, with a call each of many":        {1, 2048, 1536, 1},
		"a tenant alone, with one member":                 {1, 1, 1152, 1152},
		"a tenant alone, with two":                        {1, 2, 1316, 658},
		"a tenant alone, with eight":                      {1, 8, 1474, 184},
		"two tenants, with a call each of many":           {2, 2048, 877, 1},
		"ten tenants, with a call each of many":           {10, 2048, 198, 1},
		"a hundred tenants, with a call of each":          {100, 2048, 20, 1},
		"more tenants than there is, one after the other": {4096, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAsker(2048)
			for i := range min(2048, 16*2048/row.tenants) {
				for tenant := range row.tenants {
					a.ask(fair.Key{fmt.Sprint("t", tenant), fmt.Sprint("m", i%row.members)}, 1)
				}
			}
			left := int(a.b.Capacity() - a.b.Used())
			if row.ofTenant > 0 && left == 0 {
				t.Error("nothing is left for those who come next")
			}
			for tenant := range min(row.tenants, 2048) {
				got := a.of(fmt.Sprint("t", tenant))
				if row.ofTenant > 0 && (got < row.ofTenant-2 || got > row.ofTenant+2) {
					t.Errorf("tenant %d got %d, want %d", tenant, got, row.ofTenant)
				}
				if row.ofTenant == 0 && got != 1 && got != 0 {
					t.Errorf("tenant %d got %d", tenant, got)
				}
				if got > 3*max(left, 1) {
					t.Errorf("tenant %d got %d, and %d are left", tenant, got, left)
				}
			}
			for k, parts := range a.parts {
				if row.ofMember > 0 && (len(parts) < row.ofMember-2 || len(parts) > row.ofMember+2) {
					t.Errorf("%v got %d, want %d", k, len(parts), row.ofMember)
				}
			}
		})
	}
}

// TestANewcomerNeedNotWait for what others hold, be it another tenant or another
// member of theirs.
func TestANewcomerNeedNotWait(t *testing.T) {
	a := newAsker(2048)
	for i := range 4096 {
		a.ask(fair.Key{"greedy", fmt.Sprint("m", i%8)}, 1)
	}
	newcomer, sibling := fair.Key{"other", "m"}, fair.Key{"greedy", "new"}
	a.ask(newcomer, 1)
	a.ask(sibling, 1)
	if len(a.parts[newcomer]) != 1 || len(a.parts[sibling]) != 1 {
		t.Errorf("the other tenant got %d, the other member %d", len(a.parts[newcomer]), len(a.parts[sibling]))
	}
	for range 255 {
		a.ask(newcomer, 1)
	}
	if got := len(a.parts[newcomer]); got < 128 {
		t.Errorf("the other tenant got only %d at once", got)
	}
}

// TestTurns: what comes free goes from tenant to tenant, and within each from
// member to member, however many of one wait.
func TestTurns(t *testing.T) {
	a := newAsker(1)
	first := fair.Key{"z", "z"}
	a.ask(first, 1)
	for range 3 {
		a.ask(fair.Key{"a", "1"}, 1)
	}
	a.ask(fair.Key{"a", "2"}, 1)
	a.ask(fair.Key{"b", "1"}, 1)
	a.ask(fair.Key{"b", "1"}, 1)
	a.ask(fair.Key{"c", "1"}, 1)
	held := first
	for len(a.granted) < 7 {
		a.give(held)
		tenant, m, _ := strings.Cut(a.granted[len(a.granted)-1], "/")
		held = fair.Key{tenant, m}
	}
	if got := strings.Join(a.granted, " "); got != "a/1 b/1 c/1 a/2 b/1 a/1 a/1" {
		t.Error(got)
	}
}

// TestMuchIsNotPassedForEver: who asks for much gets it, though others always ask
// for little; and has nobody wait once it asks no more.
func TestMuchIsNotPassedForEver(t *testing.T) {
	a := newAsker(100)
	small, big := fair.Key{"small", "m"}, fair.Key{"big", "m"}
	for range 60 {
		a.ask(small, 1)
	}
	withdraw := a.ask(big, 90)
	a.ask(small, 1)
	late := fair.Key{"late", "m"}
	a.ask(late, 1)
	a.give(small) // now it is its turn, and too little is free
	a.ask(late, 1)
	if len(a.parts[late]) != 1 {
		t.Errorf("%d were granted past the one that waits for much", len(a.parts[late]))
	}
	if !withdraw() || len(a.parts[late]) != 2 {
		t.Errorf("%d are granted once it does not wait any more", len(a.parts[late]))
	}
	a.ask(big, 90)
	for range a.of("small") {
		a.give(small)
	}
	for range 2 {
		a.give(late)
	}
	if len(a.parts[big]) != 1 {
		t.Error("with nearly all free it has not got it")
	}
}

// TestAMemberIsServedInTheOrderThatItAsks, though what it asked for later would fit
// before.
func TestAMemberIsServedInTheOrderThatItAsks(t *testing.T) {
	a := newAsker(100)
	k := fair.Key{"a", "m"}
	a.ask(k, 30)
	a.ask(k, 60)
	a.ask(k, 1)
	if got := len(a.parts[k]); got != 1 {
		t.Errorf("%d are granted", got)
	}
	a.give(k)
	if got := len(a.parts[k]); got != 1 || a.b.Used() != 60 {
		t.Errorf("%d are granted, of %d in all", got, a.b.Used())
	}
}

// TestGrantedAsItsContextEnds: what comes at the very moment that nobody waits for
// it any more is given back.
func TestGrantedAsItsContextEnds(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			b := fair.New(1)
			k := fair.Key{"a", "m"}
			first := b.Add(k, 1)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if part, err := b.Take(ctx, k, 1); err == nil {
					part.Give()
				}
			}()
			synctest.Wait()
			cancel()
			first.Give()
			synctest.Wait()
			if b.Used() != 0 {
				t.Fatalf("%d are taken in the end", b.Used())
			}
		})
	}
}

func TestMoreThanThereIs(t *testing.T) {
	b := fair.New(10)
	part, err := b.Take(t.Context(), fair.Key{"a", "m"}, 1000)
	if err != nil || b.Used() != 10 {
		t.Errorf("used: %d, %v", b.Used(), err)
	}
	part.Shrink(4)
	if b.Used() != 4 {
		t.Errorf("shrunk: %d", b.Used())
	}
	part.Shrink(7)
	part.Give()
	part.Give()
	if b.Used() != 0 {
		t.Errorf("given back: %d", b.Used())
	}
	(*fair.Part)(nil).Give()
	big := b.Add(fair.Key{"a", "m"}, 100)
	if b.Used() != 100 || b.Add(fair.Key{"a", "m"}, 0) != nil {
		t.Errorf("added: %d", b.Used())
	}
	big.Give()
}

// TestTakeWaits until there is something, or its context ends; then it has taken
// nothing.
func TestTakeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := fair.New(1)
		k := fair.Key{"a", "m"}
		first, err := b.Take(t.Context(), k, 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := b.Take(ctx, k, 1); err != context.DeadlineExceeded {
			t.Errorf("past its time: %v", err)
		}
		if _, err := b.Take(ctx, fair.Key{"b", "m"}, 1); err != context.DeadlineExceeded {
			t.Errorf("with a context that is over: %v", err)
		}
		began := time.Now()
		time.AfterFunc(time.Second, first.Give)
		second, err := b.Take(t.Context(), k, 1)
		if err != nil || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		second.Give()
		if b.Used() != 0 {
			t.Errorf("%d are taken in the end", b.Used())
		}
	})
}

// TestTakeAndGiveAtOnce has very many take for a moment, of whom some go away:
// nobody waits for ever, and nothing is lost.
func TestTakeAndGiveAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := fair.New(5)
		for i := range 200 {
			go func() {
				random := rand.New(rand.NewPCG(uint64(i), 1))
				for range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+random.IntN(50))*time.Millisecond)
					part, err := b.Take(ctx, fair.Key{fmt.Sprint(i % 3), fmt.Sprint(i % 7)}, 1+random.Int64N(6))
					if err == nil {
						time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
						part.Give()
					}
					cancel()
				}
			}()
		}
		time.Sleep(time.Hour)
		if b.Used() != 0 {
			t.Errorf("%d are taken in the end", b.Used())
		}
	})
}

// TestBudgetProperties: whatever is asked for, given back and withdrawn, never
// more is taken than there is, nobody has more than its share, and in the end
// everybody who still waited has got it.
func TestBudgetProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.Int64Range(1, 40).Draw(t, "capacity")
		a := newAsker(capacity)
		asked, withdrawn := 0, 0
		var waiting []func() bool
		keys := func() (all []fair.Key) {
			for k, parts := range a.parts {
				if len(parts) > 0 {
					all = append(all, k)
				}
			}
			slices.SortFunc(all, func(a, b fair.Key) int { return strings.Compare(a.Tenant+a.Member, b.Tenant+b.Member) })
			return all
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "do") {
			case 0, 1, 2:
				k := fair.Key{fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "tenant")), fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "member"))}
				asked++
				if w := a.ask(k, rapid.Int64Range(1, 1+capacity/2).Draw(t, "n")); w != nil {
					waiting = append(waiting, w)
				}
			case 3:
				if some := keys(); len(some) > 0 {
					a.give(rapid.SampledFrom(some).Draw(t, "who"))
				}
			case 4:
				if len(waiting) > 0 {
					i := rapid.IntRange(0, len(waiting)-1).Draw(t, "which")
					if waiting[i]() {
						withdrawn++
					}
					waiting = slices.Delete(waiting, i, i+1)
				}
			}
			if used := a.b.Used(); used < 0 || used > capacity {
				t.Fatalf("%d of %d are taken", used, capacity)
			}
		}
		got := 0
		for some := keys(); len(some) > 0; some = keys() {
			a.give(some[0])
			got++
		}
		if a.b.Used() != 0 {
			t.Fatalf("%d are left taken", a.b.Used())
		}
		for _, w := range waiting {
			if w() {
				t.Fatal("somebody still waits, and all is free")
			}
		}
	})
}

func BenchmarkTakeAndGive(b *testing.B) {
	budget := fair.New(2048)
	b.RunParallel(func(pb *testing.PB) {
		k := fair.Key{"tenant", "member"}
		for pb.Next() {
			part, err := budget.Take(context.Background(), k, 1)
			if err != nil {
				b.Fatal(err)
			}
			part.Give()
		}
	})
}

// BenchmarkTurns is a slot that goes round among 10,000 members of a tenant that wait.
func BenchmarkTurns(b *testing.B) {
	budget := fair.New(64)
	var again func(k fair.Key) func(*fair.Part)
	held := make(chan *fair.Part, 64)
	again = func(k fair.Key) func(*fair.Part) {
		return func(p *fair.Part) {
			held <- p
			if p, _ := budget.Ask(k, 1, again(k)); p != nil {
				b.Fatal("it need not wait")
			}
		}
	}
	for i := range 10_000 {
		k := fair.Key{"tenant", fmt.Sprint(i)}
		if p, _ := budget.Ask(k, 1, again(k)); p != nil {
			held <- p
		}
	}
	for b.Loop() {
		(<-held).Give()
	}
}

// TestExactlyThreeTimesWhatIsLeft is what a tenant may have, and no more: three of four.
func TestExactlyThreeTimesWhatIsLeft(t *testing.T) {
	for capacity, most := range map[int64]int{4: 3, 8: 6, 9: 6, 128: 96} {
		a := newAsker(capacity)
		for i := range capacity { // each member has at most one, so the rule of members does not count
			a.ask(fair.Key{Tenant: "a", Member: fmt.Sprint(i)}, 1)
		}
		if n := a.of("a"); n != most {
			t.Errorf("a tenant alone has %d of %d, want %d", n, capacity, most)
		}
	}
}
