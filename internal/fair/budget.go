// Package fair shares a limited budget: a number of calls at a time, or bytes of memory.
// It is shared among tenants, and within a tenant among its members: the endpoints and
// connectors that it calls.
//
// The rule is three to one, on both levels: nobody may have more than three times as much
// as is left after that. For a tenant that is three times what is left of the whole
// budget; for a member it is three times what its tenant may still take. Whoever has
// nothing yet may always take what is free. For example, of 2,048 a tenant that asks
// alone gets 1,536, two tenants get 877 each, and ten get 198 each; a member that asks
// alone gets 1,152. What is left is for those who come next: they need not wait until the
// hanging calls of others time out.
//
// Whoever cannot take waits. What becomes free is given in turns, to one tenant after the
// other, and within a tenant to one member after the other.
//
// It knows nothing of what is shared, and nothing of time. Start reading at [Budget.Take]
// and Budget.serve; docs/design.md#fair-shares has the reasons.
package fair

import (
	"container/list"
	"context"
	"sync"
)

// most is how many times as much as is left one may have.
const most = 3

// Key is the tenant and the member that take a part.
type Key struct{ Tenant, Member string }

// Budget is a limited amount of something that is shared. It is safe for concurrent use.
type Budget struct {
	capacity int64

	mu      sync.Mutex
	used    int64
	tenants map[string]*tenant
	turns   list.List // of *tenant: the tenants that wait, the next one first
	tight   bool      // the next in turn is allowed its part, but too little is free; all others wait until it has got it
}

// tenant is a tenant that has a part or waits for one. The budget's mu guards it, and its
// members.
type tenant struct {
	name    string
	held    int64
	members map[string]*member
	turns   list.List     // of *member: the members that wait, the next one first
	turn    *list.Element // its place in the budget's turns; nil: none of its members waits
}

// member is an endpoint or a connector of a tenant, by the name that [Key] has.
type member struct {
	name  string
	held  int64
	asked list.List     // of *ask, in the order in which they came
	turn  *list.Element // its place in the tenant's turns; nil: it does not wait
}

// ask is one request for a part that waits.
type ask struct {
	n       int64
	granted func(*Part)
	tenant  *tenant
	member  *member
	place   *list.Element // its place in the member's asked; nil: it does not wait any more
}

// Part is a part of a budget that was taken. A nil Part is valid, and is nothing.
type Part struct {
	budget *Budget
	tenant *tenant
	member *member
	n      int64
}

// New returns a budget of a size, which must be 1 or more.
func New(capacity int64) *Budget {
	return &Budget{capacity: max(1, capacity), tenants: map[string]*tenant{}}
}

// Capacity returns the size of the budget. It never changes.
func (b *Budget) Capacity() int64 { return b.capacity }

// Used returns how much of the budget is taken.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Take takes a part of the size n, which must be 1 or more, and waits until it may. If n
// is more than the whole budget, it takes the whole budget. If ctx ends first, it returns
// the error of ctx.
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
		// The part was granted at the same moment, and nobody will use it.
		if !withdraw() {
			(<-got).Give()
		}
		return nil, ctx.Err()
	}
}

// Ask is Take for a caller that must not wait. It returns the part if it can be taken
// now. If not, it calls granted with the part later, in the goroutine of whoever gives
// back. The caller can call withdraw before that; withdraw reports whether it came in
// time, so that granted is not called.
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

// Add takes a part without asking, for something small that is there already. It may take
// more than is free. If n is 0, there is no part.
func (b *Budget) Add(k Key, n int64) *Part {
	if n <= 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tenant(k.Tenant)
	return b.take(t, t.member(k.Member), n)
}

// Give gives a part back. A second call does nothing.
func (p *Part) Give() { p.Shrink(0) }

// Shrink gives back what a part has above n.
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

// free returns how much nobody has.
func (b *Budget) free() int64 { return b.capacity - b.used }

// allows reports whether the rule allows a member to take n more. It does not say whether
// so much is free.
func (b *Budget) allows(t *tenant, m *member, n int64) bool {
	free := b.free()
	if t.held > 0 && t.held+n > most*(free-n) {
		return false
	}
	ofTenant := (most*free - t.held) / (most + 1) // how much more its tenant may take
	return m.held == 0 || m.held+n <= most*(ofTenant-n)
}

// take gives a part to a member, whatever the rule says. The lock is held, here and below.
func (b *Budget) take(t *tenant, m *member, n int64) *Part {
	b.change(t, m, n)
	return &Part{budget: b, tenant: t, member: m, n: n}
}

// change changes how much a member, its tenant and all together have.
func (b *Budget) change(t *tenant, m *member, by int64) {
	b.used += by
	t.held += by
	m.held += by
}

// grant is an ask that was granted, and its part.
type grant struct {
	*ask
	part *Part
}

// serve grants, in turns, what can be granted now. The caller calls the granted functions
// when it has freed the lock: they may ask for more.
func (b *Budget) serve() (granted []grant) {
	for {
		a := b.next()
		if a == nil {
			return granted
		}
		part := b.take(a.tenant, a.member, a.n)
		b.leave(a)
		// The one that was served is now the last of those that still wait.
		if a.member.turn != nil {
			a.tenant.turns.MoveToBack(a.member.turn)
		}
		if a.tenant.turn != nil {
			b.turns.MoveToBack(a.tenant.turn)
		}
		granted = append(granted, grant{a, part})
	}
}

// next returns whose turn it is, nil if nobody may take what it waits for. If the rule
// allows somebody to take, but too little is free, all others behind it wait, too.
// Otherwise those who ask for much would never get it.
func (b *Budget) next() *ask {
	b.tight = false
	for at := b.turns.Front(); at != nil && b.used < b.capacity; at = at.Next() {
		t := at.Value.(*tenant)
		if t.held > 0 && t.held+1 > most*(b.free()-1) { // the rule allows none of its members anything
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

// withdraw removes an ask, and reports whether it was still waiting.
func (b *Budget) withdraw(a *ask) bool {
	b.mu.Lock()
	if a.place == nil {
		b.mu.Unlock()
		return false
	}
	b.leave(a)
	b.tidy(a.tenant, a.member)
	granted := b.serve() // perhaps all others waited for this one
	b.mu.Unlock()
	for _, one := range granted {
		one.granted(one.part)
	}
	return true
}

// leave removes an ask from those that wait.
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

// tenant returns the tenant of a name, and makes it if it has nothing yet.
func (b *Budget) tenant(name string) *tenant {
	t := b.tenants[name]
	if t == nil {
		t = &tenant{name: name, members: map[string]*member{}}
		b.tenants[name] = t
	}
	return t
}

// member returns the member of a name, and makes it if it has nothing yet.
func (t *tenant) member(name string) *member {
	m := t.members[name]
	if m == nil {
		m = &member{name: name}
		t.members[name] = m
	}
	return m
}

// tidy removes members and tenants that have nothing and wait for nothing, so that the
// memory does not grow.
func (b *Budget) tidy(t *tenant, m *member) {
	if m.held == 0 && m.turn == nil {
		delete(t.members, m.name)
	}
	if len(t.members) == 0 {
		delete(b.tenants, t.name)
	}
}
