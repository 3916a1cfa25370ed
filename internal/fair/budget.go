// Package fair shares something that there is only so much of: calls at once,
// bytes in memory. It is shared among tenants, and among the members of each: the
// endpoints and connectors that its calls go to.
//
// The rule is three to one, at both levels. Whoever takes may have, with it, at
// most three times as much as is left then: a tenant, of all that there is; a
// member, of what its tenant may still take. Who has nothing yet may always take
// what is free. So of 2,048 a tenant that asks alone gets 1,536, two get 877 each,
// ten 198; a member that asks alone gets 1,152. What is left is for those who come
// next: they need not wait until somebody's hanging calls time out.
//
// Who cannot take waits. What comes free is granted in turns: to one tenant after
// the other, and of each to one member after the other.
package fair

import (
	"container/list"
	"context"
	"sync"
)

// most is how many times as much as is left somebody may have.
const most = 3

// Key says for whom something is taken.
type Key struct{ Tenant, Member string }

// Budget is so much of something. It is safe for concurrent use.
type Budget struct {
	capacity int64

	mu      sync.Mutex
	used    int64
	tenants map[string]*tenant
	turns   list.List // of *tenant: those that wait, the next first
	tight   bool      // the next may take what it asks for, but that is not free yet: nobody goes before it
}

type tenant struct {
	name    string
	held    int64
	members map[string]*member
	turns   list.List     // of *member: those that wait, the next first
	turn    *list.Element // in the budget's turns; nil: none of it waits
}

type member struct {
	name  string
	held  int64
	asked list.List     // of *ask, the first first
	turn  *list.Element // in its tenant's turns; nil: it waits for nothing
}

// ask is somebody who waits.
type ask struct {
	n       int64
	granted func(*Part)
	tenant  *tenant
	member  *member
	place   *list.Element // in the member's asked; nil: it waits no longer
}

// Part is what somebody has got of a budget. A nil Part is of none.
type Part struct {
	budget *Budget
	tenant *tenant
	member *member
	n      int64
}

// New returns a budget of some size, which is at least 1.
func New(capacity int64) *Budget {
	return &Budget{capacity: max(1, capacity), tenants: map[string]*tenant{}}
}

// Capacity is the size of the budget.
func (b *Budget) Capacity() int64 { return b.capacity }

// Used is how much of the budget is taken.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Take takes a part of the size n, at least 1, and waits until it may. What is more
// than the whole budget is taken as all of it. It returns ctx's error if that ends first.
func (b *Budget) Take(ctx context.Context, k Key, n int64) (*Part, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	got := make(chan *Part, 1)
	part, withdraw := b.Ask(k, n, func(p *Part) { got <- p })
	if part != nil {
		return part, nil
	}
	select {
	case part := <-got:
		return part, nil
	case <-ctx.Done():
		if !withdraw() {
			(<-got).Give()
		}
		return nil, ctx.Err()
	}
}

// Ask is Take for who does not wait for it: it returns the part if it can be taken
// now. If not, granted is called with it later, in the goroutine of whoever gives
// back what it is made of; unless withdraw is called before, which reports
// whether it kept granted from being called.
func (b *Budget) Ask(k Key, n int64, granted func(*Part)) (part *Part, withdraw func() bool) {
	n = min(max(1, n), b.capacity)
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tenant(k.Tenant)
	m := t.member(k.Member)
	if m.asked.Len() == 0 && !b.tight && b.allows(t, m, n) && n <= b.free() {
		return b.take(t, m, n), nil
	}
	a := &ask{n: n, granted: granted, tenant: t, member: m}
	a.place = m.asked.PushBack(a)
	if m.turn == nil {
		m.turn = t.turns.PushBack(m)
	}
	if t.turn == nil {
		t.turn = b.turns.PushBack(t)
	}
	return nil, func() bool { return b.withdraw(a) }
}

// Add takes a part without asking: for what is there already, and small. It may
// take more than there is; of nothing there is no part.
func (b *Budget) Add(k Key, n int64) *Part {
	if n <= 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tenant(k.Tenant)
	return b.take(t, t.member(k.Member), n)
}

// Give gives a part back. A second time does nothing.
func (p *Part) Give() { p.Shrink(0) }

// Shrink gives back of a part what is more than n.
func (p *Part) Shrink(n int64) {
	if p == nil {
		return
	}
	b := p.budget
	b.mu.Lock()
	more := p.n - n
	if more <= 0 {
		b.mu.Unlock()
		return
	}
	p.n = n
	b.change(p.tenant, p.member, -more)
	b.tidy(p.tenant, p.member)
	granted := b.serve()
	b.mu.Unlock()
	for _, one := range granted {
		one.granted(one.part)
	}
}

// free is how much nobody has.
func (b *Budget) free() int64 { return b.capacity - b.used }

// allows reports whether the rule lets a member take n more. Whether so much is
// free is another matter.
func (b *Budget) allows(t *tenant, m *member, n int64) bool {
	free := b.free()
	if t.held > 0 && t.held+n > most*(free-n) {
		return false
	}
	ofTenant := (most*free - t.held) / (most + 1) // what it may take from now on
	return m.held == 0 || m.held+n <= most*(ofTenant-n)
}

func (b *Budget) take(t *tenant, m *member, n int64) *Part {
	b.change(t, m, n)
	return &Part{budget: b, tenant: t, member: m, n: n}
}

func (b *Budget) change(t *tenant, m *member, by int64) {
	b.used += by
	t.held += by
	m.held += by
}

// grant is an ask that is granted.
type grant struct {
	*ask
	part *Part
}

// serve grants in turns what can be granted now.
func (b *Budget) serve() (granted []grant) {
	for {
		a := b.next()
		if a == nil {
			return granted
		}
		part := b.take(a.tenant, a.member, a.n)
		b.leave(a)
		// Who was served is the last of those that still wait.
		if a.member.turn != nil {
			a.tenant.turns.MoveToBack(a.member.turn)
		}
		if a.tenant.turn != nil {
			b.turns.MoveToBack(a.tenant.turn)
		}
		granted = append(granted, grant{a, part})
	}
}

// next returns whose turn it is, nil if nobody may take what it waits for. One
// that may, but for which too little is free, has all behind it wait: else those
// who ask for much would never get it.
func (b *Budget) next() *ask {
	b.tight = false
	for at := b.turns.Front(); at != nil && b.used < b.capacity; at = at.Next() {
		t := at.Value.(*tenant)
		if t.held > 0 && t.held+1 > most*(b.free()-1) { // whatever its members ask for
			continue
		}
		for one := t.turns.Front(); one != nil; one = one.Next() {
			m := one.Value.(*member)
			a := m.asked.Front().Value.(*ask)
			if !b.allows(t, m, a.n) {
				continue
			}
			if b.tight = a.n > b.free(); b.tight {
				return nil
			}
			return a
		}
	}
	return nil
}

// withdraw ends the waiting of an ask, and reports whether it waited.
func (b *Budget) withdraw(a *ask) bool {
	b.mu.Lock()
	if a.place == nil {
		b.mu.Unlock()
		return false
	}
	b.leave(a)
	b.tidy(a.tenant, a.member)
	granted := b.serve() // it may have been the one that all behind it waited for
	b.mu.Unlock()
	for _, one := range granted {
		one.granted(one.part)
	}
	return true
}

// leave takes an ask out of those that wait.
func (b *Budget) leave(a *ask) {
	t, m := a.tenant, a.member
	m.asked.Remove(a.place)
	a.place = nil
	if m.asked.Len() == 0 {
		t.turns.Remove(m.turn)
		m.turn = nil
	}
	if t.turns.Len() == 0 {
		b.turns.Remove(t.turn)
		t.turn = nil
	}
}

func (b *Budget) tenant(name string) *tenant {
	t := b.tenants[name]
	if t == nil {
		t = &tenant{name: name, members: map[string]*member{}}
		b.tenants[name] = t
	}
	return t
}

func (t *tenant) member(name string) *member {
	m := t.members[name]
	if m == nil {
		m = &member{name: name}
		t.members[name] = m
	}
	return m
}

// tidy forgets who has nothing and waits for nothing.
func (b *Budget) tidy(t *tenant, m *member) {
	if m.held == 0 && m.turn == nil {
		delete(t.members, m.name)
	}
	if len(t.members) == 0 {
		delete(b.tenants, t.name)
	}
}
