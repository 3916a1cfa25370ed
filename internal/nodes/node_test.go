package nodes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// table is a database in memory, by the time of the test's bubble.
type table struct {
	mu     sync.Mutex
	nodes  map[string]*row
	leases map[string]Held
	claims map[string]ClaimID
	ahead  time.Duration // of the clocks of the nodes
	news   []Posted
	wakes  map[*seat]bool
}

type row struct {
	Info
	until time.Time
	seat  *seat
}

// seat is one node's connection to the table.
type seat struct {
	*table
	notice chan Notice
	cut    bool          // the connection is gone, and no other can be made
	hangs  chan struct{} // nil, or what every question waits for
	mute   bool          // the answer to the next Take, or Claim, is lost
	bars   bool          // it may not join any more
}

var errCut = errors.New("cut off")

func newTable() *table {
	return &table{nodes: map[string]*row{}, leases: map[string]Held{}, claims: map[string]ClaimID{}, wakes: map[*seat]bool{}}
}

func (t *table) seat() *seat {
	s := &seat{table: t, notice: make(chan Notice, 100)}
	s.set(func() { t.wakes[s] = true })
	return s
}

// posted is how many pieces of news were ever posted.
func (t *table) posted() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.news)
}

// enter has the lock held, unless the connection is cut.
func (s *seat) enter() error {
	s.mu.Lock()
	hangs := s.hangs
	s.mu.Unlock()
	if hangs != nil {
		<-hangs
	}
	s.mu.Lock()
	if s.cut {
		s.mu.Unlock()
		return errCut
	}
	return nil
}

func (t *table) notify(n Notice) {
	for s := range t.wakes {
		select {
		case s.notice <- n:
		default:
		}
	}
}

func (s *seat) Join(_ context.Context, self Info, lasts time.Duration) (int64, error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if s.bars {
		return 0, fmt.Errorf("another key (%w)", ErrBarred)
	}
	s.nodes[self.ID] = &row{self, time.Now().Add(lasts), s}
	s.notify(Changed)
	return int64(len(s.news)), nil
}

func (s *seat) Look(_ context.Context, id string, lasts time.Duration) (v View, err error) {
	if err := s.enter(); err != nil {
		return v, err
	}
	defer s.mu.Unlock()
	if r := s.nodes[id]; r != nil && lasts > 0 {
		r.until = time.Now().Add(lasts)
	}
	v.Now, v.Leases = time.Now().Add(s.ahead), maps.Clone(s.leases)
	for _, r := range s.nodes {
		v.Nodes = append(v.Nodes, Neighbor{Info: r.Info, Silent: !time.Now().Before(r.until), Gone: r.seat.cut})
	}
	return v, nil
}

func (s *seat) Await(ctx context.Context) Notice {
	select {
	case n := <-s.notice:
		return n
	case <-ctx.Done():
		return Nothing
	}
}

func (s *seat) Take(_ context.Context, id string, names []string) (taken []Lease, err error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	for _, name := range names {
		if held := s.leases[name]; s.nodes[held.Node] == nil && s.nodes[id] != nil {
			s.leases[name] = Held{id, held.Epoch + 1}
			taken = append(taken, Lease{name, held.Epoch + 1})
		}
	}
	if s.mute {
		s.mute = false
		return nil, errCut
	}
	return taken, nil
}

func (s *seat) End(_ context.Context, id string, leases []Lease) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, l := range leases {
		if s.leases[l.Name] == (Held{id, l.Epoch}) {
			s.leases[l.Name] = Held{"", l.Epoch}
		}
	}
	s.notify(Changed)
	return nil
}

func (s *seat) Bury(_ context.Context, id string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if r := s.nodes[id]; r != nil && (r.seat.cut || !time.Now().Before(r.until)) {
		delete(s.nodes, id)
	}
	return nil
}

func (s *seat) Leave(_ context.Context, id string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	delete(s.nodes, id)
	s.notify(Changed)
	return nil
}

func (s *seat) Claim(_ context.Context, c ClaimID) (bool, error) {
	if err := s.enter(); err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	if has := s.claims[c.Name]; has.Node != c.Node && s.nodes[has.Node] != nil {
		return false, nil
	}
	s.claims[c.Name] = c
	if s.mute {
		s.mute = false
		return false, errCut
	}
	return true, nil
}

func (s *seat) Unclaim(_ context.Context, c ClaimID) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if s.claims[c.Name] == c {
		delete(s.claims, c.Name)
	}
	return nil
}

func (s *seat) Post(_ context.Context, id string, body []byte) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.news = append(s.news, Posted{int64(len(s.news) + 1), id, body})
	s.notify(NewsCame)
	return nil
}

func (s *seat) News(_ context.Context, after int64) ([]Posted, time.Time, error) {
	if err := s.enter(); err != nil {
		return nil, time.Time{}, err
	}
	defer s.mu.Unlock()
	return slices.Clone(s.news[after:]), time.Now(), nil
}

func (s *seat) Close() error { return nil }

func (s *seat) set(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// worker notes what it is asked to do.
type worker struct {
	mu    sync.Mutex
	owns  map[string]Lease
	heard []News
	slow  time.Duration // of what is under way when it is to give something back
	fails int           // so many of the first takings
	gave  int           // how often it was asked to, gently
}

func (w *worker) Take(_ context.Context, leases []Lease) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fails > 0 {
		w.fails--
		return errCut
	}
	for _, l := range leases {
		w.owns[l.Name] = l
	}
	return nil
}

func (w *worker) Give(ctx context.Context, leases []Lease) {
	if ctx.Err() == nil {
		pause(ctx, w.slow)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() == nil {
		w.gave += len(leases)
	}
	for _, l := range leases {
		if w.owns[l.Name] == l {
			delete(w.owns, l.Name)
		}
	}
}

func (w *worker) Hear(_ context.Context, news []News) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, news...)
}

func (w *worker) shards() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range w.owns {
		if name != Maintenance {
			n++
		}
	}
	return n
}

func (w *worker) hears(kind Kind) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.heard {
		if one.Kind == kind {
			n++
		}
	}
	return n
}

// member is a node of a test, with all that it has.
type member struct {
	*Node
	*worker
	seat *seat
}

func begin(t *testing.T, on *table) *member {
	t.Helper()
	m := &member{worker: &worker{owns: map[string]Lease{}}, seat: on.seat()}
	var err error
	if m.Node, err = Join(t.Context(), Options{Database: m.seat}); err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context(), m.worker); err != nil {
		t.Fatal(err)
	}
	return m
}

// check fails unless each shard has exactly one holder among the members, each of whom has
// as many as it may.
func check(t *testing.T, members ...*member) {
	t.Helper()
	holders := map[string]int{}
	most := (Shards + len(members) - 1) / len(members)
	for i, m := range members {
		if n := m.shards(); n > most {
			t.Errorf("node %d of %d has %d shards", i, len(members), n)
		}
		for name := range m.owns {
			holders[name]++
		}
	}
	if len(holders) != Shards+1 {
		t.Errorf("%d leases have a holder", len(holders))
	}
	for name, n := range holders {
		if n > 1 {
			t.Errorf("%s has %d holders", name, n)
		}
	}
}

func TestNodesShareTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a := begin(t, on)
		time.Sleep(time.Second)
		check(t, a)
		b := begin(t, on)
		c := begin(t, on)
		time.Sleep(2 * time.Second)
		check(t, a, b, c)
		b.Stop(t.Context())
		time.Sleep(lookEvery + lookEvery/10) // the others are notified; where both wanted the same shards, one looks once more
		synctest.Wait()
		if n := a.shards() + c.shards(); n != Shards {
			t.Errorf("%d shards are at work after a node has signed off", n)
		}
		check(t, a, c)
		time.Sleep(2 * lookEvery) // until all have seen it
		if list := a.List(); len(list) != 2 || !list[0].Self || list[1].Self || list[0].Shards+list[1].Shards != Shards ||
			list[0].Maintenance == list[1].Maintenance || !list[0].Live {
			t.Errorf("the nodes are %+v", list)
		}
		a.Stop(t.Context())
		c.Stop(t.Context())
		if len(on.nodes) != 0 {
			t.Errorf("%d nodes are left", len(on.nodes))
		}
	})
}

// TestADeadNode: one whose connection is gone is replaced within two looks; its work goes on
// elsewhere, and everybody looks at everything anew, once more when nothing of it can be
// under way.
func TestADeadNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(2 * time.Second)
		check(t, a, b)
		before := a.hears(Anew)
		b.seat.set(func() { b.seat.cut = true })
		time.Sleep((goneLooks+1)*lookEvery + time.Millisecond)
		synctest.Wait()
		check(t, a)
		if n := a.hears(Anew) - before; n != 1 {
			t.Errorf("it looks at everything anew %d times", n)
		}
		if b.Sure() {
			t.Error("a node that is cut off is sure of its leases")
		}
		time.Sleep(DefaultLasts)
		synctest.Wait()
		if n := a.hears(Anew) - before; n != 2 {
			t.Errorf("it looks at everything anew %d times", n)
		}
		b.seat.set(func() { b.seat.cut = false })
		time.Sleep(2 * time.Second)
		check(t, a, b)
		if b.hears(Anew) == 0 || !b.Sure() {
			t.Error("a node that is back does not look at everything anew, or is not sure")
		}
		if a.hears(Anew) == 2+before {
			t.Error("the others do not look anew at what it told itself alone")
		}
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestASilentNode is replaced after its time, and not before. When it wakes, it is not sure
// of anything until it has looked, and begins anew under another id.
func TestASilentNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(2 * time.Second)
		id, wakes := b.ID(), make(chan struct{})
		b.seat.set(func() { b.seat.hangs = wakes })
		time.Sleep(DefaultLasts - DefaultLasts/5)
		if n := a.shards(); n != Shards/2 {
			t.Errorf("the other has %d shards while this one may still be silent", n)
		}
		time.Sleep(DefaultLasts/5 + lookEvery)
		synctest.Wait()
		check(t, a)
		if b.Sure() {
			t.Error("it is sure of its leases")
		}
		b.seat.set(func() { b.seat.hangs = nil })
		close(wakes)
		time.Sleep(2 * time.Second)
		check(t, a, b)
		if b.ID() == id {
			t.Error("it has the id of before")
		}
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestARestartOfTheDatabase cuts all connections off. Nobody is taken for dead for it.
func TestARestartOfTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(2 * time.Second)
		ids := []string{a.ID(), b.ID()}
		a.seat.set(func() { a.seat.cut, b.seat.cut = true, true })
		time.Sleep(3 * time.Second)
		if a.Sure() || b.Sure() {
			t.Error("a node that cannot reach the database is sure of its leases")
		}
		a.seat.set(func() { a.seat.cut = false })
		time.Sleep(time.Second) // the other needs longer
		a.seat.set(func() { b.seat.cut = false })
		time.Sleep(time.Second)
		check(t, a, b)
		if got := []string{a.ID(), b.ID()}; !slices.Equal(got, ids) {
			t.Errorf("the nodes %v are %v now", ids, got)
		}
		if a.hears(Sure) == 0 || !a.Sure() {
			t.Error("nobody is told that work may begin again")
		}
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestALostAnswer: what a node has taken without knowing it begins all the same.
func TestALostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		m := &member{worker: &worker{owns: map[string]Lease{}}, seat: on.seat()}
		m.seat.mute = true
		var err error
		m.Node, err = Join(t.Context(), Options{Database: m.seat})
		must(t, err)
		must(t, m.Start(t.Context(), m.worker))
		time.Sleep(3 * time.Second)
		check(t, m)
		m.Stop(t.Context())
	})
}

// TestGivingBack waits for what is under way, for no longer than a lease lasts, and holds up
// nothing else; so does a taking that fails.
func TestGivingBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a := begin(t, on)
		time.Sleep(time.Second)
		a.slow = 10 * time.Second
		b := &member{worker: &worker{owns: map[string]Lease{}, fails: 1}, seat: on.seat()}
		var err error
		if b.Node, err = Join(t.Context(), Options{Database: b.seat}); err != nil {
			t.Fatal(err)
		}
		if err := b.Start(t.Context(), b.worker); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if a.shards() != Shards || b.shards() != 0 {
			t.Errorf("they have %d and %d shards while calls are under way", a.shards(), b.shards())
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		check(t, a, b)
		if a.gave != Shards/2 {
			t.Errorf("%d shards were given back gently", a.gave)
		}
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestNewsIsGathered: what is told at one time is posted at once, each piece once, and
// nobody hears of what it told itself.
func TestNewsIsGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(2 * time.Second)
		before := on.posted()
		for i := range 1000 {
			a.Tell(News{Kind: Due, Tenant: "acme", No: int64(i % 10)})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := on.posted() - before; n < 10 || n > 25 {
			t.Errorf("there were %d postings in a second", n)
		}
		if n := b.hears(Due); n < 100 || n > 250 {
			t.Errorf("the other hears %d pieces", n)
		}
		if n := a.hears(Due); n != 0 {
			t.Errorf("it hears %d pieces of its own", n)
		}
		for i := range 2 * mostNews {
			a.Tell(News{Kind: Order, ID: fmt.Sprint(i)})
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if b.hears(Anew) == 0 || b.hears(Order) > mostNews {
			t.Errorf("of too much news the other hears %d pieces", b.hears(Order))
		}
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestNewsIsPostedLate where the database could not be reached; and what cannot be
// understood has everything looked at.
func TestNewsIsPostedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(2 * time.Second)
		a.seat.set(func() { a.seat.cut = true })
		a.Tell(News{Kind: Job, ID: "j"})
		time.Sleep(200 * time.Millisecond)
		a.seat.set(func() { a.seat.cut = false })
		time.Sleep(time.Second)
		if n := b.hears(Job); n != 1 {
			t.Errorf("the other hears it %d times", n)
		}
		before := b.hears(Anew)
		on.mu.Lock()
		on.news = append(on.news, Posted{int64(len(on.news) + 1), "newer", []byte(`{"another":"shape"}`)})
		on.mu.Unlock()
		time.Sleep(2 * lookEvery)
		synctest.Wait()
		if b.hears(Anew) != before+1 {
			t.Error("what cannot be understood is passed over")
		}
		a.Stop(t.Context())
		body, _ := json.Marshal([]News{{Kind: Job}})
		must(t, b.seat.Post(t.Context(), "x", body))
		b.Stop(t.Context())
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestAClaim is one node's at a time, and free once that has given it up, or has died.
func TestAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(time.Second)
		done, err := a.Claim(t.Context(), "key")
		must(t, err)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Claim(short, "key"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the other gets it: %v", err)
		}
		other, err := b.Claim(t.Context(), "another key")
		must(t, err)
		other()
		done()
		_, err = b.Claim(t.Context(), "key")
		must(t, err)
		b.seat.set(func() { b.seat.cut = true })
		time.Sleep(2 * time.Second)
		done, err = a.Claim(t.Context(), "key")
		must(t, err)
		done()
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestAClaimThatCannotBeGivenUp, since the database does not answer, is given up as soon as it
// does. The node itself need not wait for that.
func TestAClaimThatCannotBeGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(time.Second)
		done, err := a.Claim(t.Context(), "key")
		must(t, err)
		a.seat.set(func() { a.seat.cut = true })
		done()
		a.seat.set(func() { a.seat.cut = false })
		again, err := a.Claim(t.Context(), "key")
		must(t, err)
		time.Sleep(2 * lookEvery) // what was left is given up
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := b.Claim(short, "key"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the claim of before was given up, and with it the new one: %v", err)
		}
		again()

		done, err = a.Claim(t.Context(), "key")
		must(t, err)
		a.seat.set(func() { a.seat.cut = true })
		done()
		a.seat.set(func() { a.seat.cut = false })
		soon, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = b.Claim(soon, "key")
		must(t, err)

		a.seat.set(func() { a.seat.mute = true })
		if _, err := a.Claim(t.Context(), "its answer is lost"); !errors.Is(err, errCut) {
			t.Errorf("a claim whose answer is lost: %v", err)
		}
		_, err = b.Claim(soon, "its answer is lost")
		must(t, err)
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestNodesGoByTheClockOfTheDatabase from when they have joined.
func TestNodesGoByTheClockOfTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		on.ahead = 30 * time.Second
		c := NewClock(clock.Real{})
		n, err := Join(t.Context(), Options{Database: on.seat(), Clock: c})
		must(t, err)
		if off := time.Until(c.Now()); off != on.ahead {
			t.Errorf("the clock is %v ahead", off)
		}
		n.Stop(t.Context())
	})
}

func TestANodeThatIsAlone(t *testing.T) {
	n, w := Alone(), &worker{owns: map[string]Lease{}}
	must(t, n.Start(t.Context(), w))
	if w.shards() != Shards || len(w.owns) != Shards+1 || !n.Sure() {
		t.Errorf("it has %d leases", len(w.owns))
	}
	n.Tell(News{Kind: Due})
	if list := n.List(); len(list) != 1 || list[0].Shards != Shards || !list[0].Self || !list[0].Maintenance {
		t.Errorf("the nodes are %+v", list)
	}
	n.Stop(t.Context())
	if got := LeasesOf(Under(t.Context(), All()...)); got != nil {
		t.Errorf("its writes are checked for %v", got)
	}
	one := Lease{"one", 1}
	if got := LeasesOf(Under(t.Context(), one, Lease{Name: "none"}, one)); !slices.Equal(got, []Lease{one}) {
		t.Errorf("a write is checked for %v", got)
	}
}

// TestShardsAreEven: a thing is in the same shard each time, and things are spread.
func TestShardsAreEven(t *testing.T) {
	many := map[string]int{}
	for i := range 6400 {
		many[OfEndpoint("acme", int64(i))]++
		many[OfOrder("acme", fmt.Sprint(i))]++
		many[OfJob("acme", fmt.Sprint(i))]++
	}
	if len(many) != Shards {
		t.Errorf("%d shards are in use", len(many))
	}
	for name, n := range many {
		if n < 200 || n > 400 {
			t.Errorf("%s has %d of 300 things", name, n)
		}
	}
}

func TestTheClockIsTheDatabases(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := NewClock(clocktest.NewFake(at))
	for _, row := range []struct {
		name      string
		way       time.Duration
		off, want time.Duration
	}{
		{"30 s ahead", 10 * time.Millisecond, 30 * time.Second, 30 * time.Second},
		{"nearly right", 0, 30*time.Second + leastOffset/2, 30 * time.Second},
		{"a slow answer says little", 10 * time.Second, 33 * time.Second, 30 * time.Second},
		{"30 s behind", 0, -30 * time.Second, -30 * time.Second},
	} {
		c.put(at.Add(row.way/2).Add(row.off), at, at.Add(row.way))
		if got := c.Now().Sub(at); got != row.want {
			t.Errorf("%s: the clock is %v ahead, want %v", row.name, got, row.want)
		}
	}
}

// TestAClaimOfANodeThatBeganAnew: who waits for a claim, and is taken for dead meanwhile, gets
// it under the id that it has then. Under the one of before it would be free to everybody.
func TestAClaimOfANodeThatBeganAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(time.Second)
		has, err := b.Claim(t.Context(), "key")
		must(t, err)
		got := make(chan func(), 1)
		go func() {
			done, err := a.Claim(t.Context(), "key")
			if err != nil {
				t.Error(err)
			}
			got <- done
		}()
		time.Sleep(claimEvery)
		before := a.ID()
		must(t, b.seat.Leave(t.Context(), before)) // as whoever takes it for dead does
		time.Sleep(2 * lookEvery)
		if a.ID() == before {
			t.Fatal("the node has not begun anew")
		}
		has()
		done := <-got
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if other, err := b.Claim(short, "key"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("another node gets the claim beside it: %v", err)
			other()
		}
		done()
		_, err = b.Claim(t.Context(), "key")
		must(t, err)
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestAnewIsToldOnceTheDatabaseAnswers: a node that cannot say what it has committed looks at
// everything anew itself, and so do all others as soon as it can tell them; all do so once more.
func TestAnewIsToldOnceTheDatabaseAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(2 * time.Second)
		own, others := a.hears(Anew), b.hears(Anew)
		a.seat.set(func() { a.seat.cut = true })
		a.Tell(News{Kind: Anew})
		time.Sleep(lookEvery / 4) // for less than two looks: nobody takes it for dead
		synctest.Wait()
		if n := a.hears(Anew) - own; n != 1 {
			t.Errorf("the node itself looks anew %d times", n)
		}
		if b.hears(Anew) != others {
			t.Error("the others were told by nobody")
		}
		a.seat.set(func() { a.seat.cut = false })
		time.Sleep(2 * lookEvery)
		synctest.Wait()
		if n := b.hears(Anew) - others; n != 1 {
			t.Errorf("the others look anew %d times", n)
		}
		time.Sleep(DefaultLasts)
		synctest.Wait()
		if n := a.hears(Anew) - own; n != 2 {
			t.Errorf("the node itself looks anew %d times in all", n)
		}
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestANodeThatMayNotJoinAgain ends its work, says why, once, and asks no more.
func TestANodeThatMayNotJoinAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		m := &member{worker: &worker{owns: map[string]Lease{}}, seat: on.seat()}
		var told []error
		var err error
		m.Node, err = Join(t.Context(), Options{Database: m.seat, Barred: func(err error) { told = append(told, err) }})
		must(t, err)
		must(t, m.Start(t.Context(), m.worker))
		time.Sleep(time.Second)
		check(t, m)
		m.seat.set(func() { m.seat.bars = true; delete(on.nodes, m.info.ID) })
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(told) != 1 || !errors.Is(told[0], ErrBarred) {
			t.Errorf("it was told %v", told)
		}
		if m.Sure() || m.shards() != 0 || m.Leases().Shards != 0 {
			t.Errorf("it has %d shards, and is sure of them: %t", m.shards(), m.Sure())
		}
		m.seat.set(func() { m.seat.bars = false })
		time.Sleep(time.Minute)
		if m.shards() != 0 {
			t.Error("it has joined again")
		}
		m.Stop(t.Context())
	})
}

// TestLeasesAreWatched: a node says how many shards it has, and how long ago it renewed them.
func TestLeasesAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(10 * time.Second)
		if l := a.Leases(); !l.Shared || !l.Sure || l.Shards != Shards/2 || l.Age > DefaultLasts/6+lookEvery || l.Lasts != DefaultLasts {
			t.Errorf("the leases are %+v", l)
		}
		a.seat.set(func() { a.seat.cut = true })
		time.Sleep(20 * time.Second)
		if l := a.Leases(); l.Sure || l.Age < 20*time.Second || l.Age > 20*time.Second+DefaultLasts/6+lookEvery {
			t.Errorf("the leases of who is cut off are %+v", l)
		}
		if l := b.Leases(); l.Shards != Shards || !l.Sure {
			t.Errorf("the leases of the other are %+v", l)
		}
		a.seat.set(func() { a.seat.cut = false })
		time.Sleep(2 * time.Second)
		if l := a.Leases(); !l.Sure || l.Shards != Shards/2 || l.Age > DefaultLasts/6+lookEvery {
			t.Errorf("the leases of who is back are %+v", l)
		}
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}

// TestNewsFromOutside: of what a process commits that is no node, all nodes hear.
func TestNewsFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newTable()
		a, b := begin(t, on), begin(t, on)
		time.Sleep(time.Second)
		tell := Outside(t.Context(), on.seat(), a.Log)
		tell()
		posted := on.posted()
		tell(News{Kind: Secrets}, News{Kind: Job, ID: "j"})
		if on.posted() != posted+1 {
			t.Error("the news is not posted when the command may end")
		}
		time.Sleep(lookEvery)
		synctest.Wait()
		for name, m := range map[string]*member{"one": a, "the other": b} {
			if m.hears(Secrets) != 1 || m.hears(Job) != 1 {
				t.Errorf("%s does not hear of it", name)
			}
		}
		a.Stop(t.Context())
		b.Stop(t.Context())
	})
}
