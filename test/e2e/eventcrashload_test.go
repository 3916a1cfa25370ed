package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	eventPublishers = 4
	orderWriters    = 4
	crashSubjects   = 5 // of each publisher, who alone writes about them
)

// load is what is published while the server is killed and started again.
type load struct {
	server atomic.Pointer[server] // the one that runs
	pick   func() *server         // one of those that run; nil: server
	facts  *facts
	over   atomic.Bool
	all    sync.WaitGroup
}

func startLoad(seed uint64, s *server) *load {
	l := &load{}
	l.server.Store(s)
	l.start(seed)
	return l
}

func (l *load) start(seed uint64) {
	l.facts = newFacts()
	for i := range eventPublishers {
		l.all.Go(func() { l.publishEvents(i, rand.New(rand.NewPCG(seed, uint64(1+i)))) })
	}
	for i := range orderWriters {
		l.all.Go(func() { l.writeOrders(i) })
	}
}

// any returns a server to ask.
func (l *load) any() *server {
	if l.pick != nil {
		return l.pick()
	}
	return l.server.Load()
}

// end ends the load and returns what was published.
func (l *load) end(t *testing.T) *facts {
	l.over.Store(true)
	l.all.Wait()
	for _, p := range l.facts.problems {
		t.Error(p)
	}
	return l.facts
}

// publishEvents publishes events, one alone or several at once, with ids of its
// own, or without. The next publication waits for the answer to the one before.
func (l *load) publishEvents(publisher int, random *rand.Rand) {
	var numbers [crashSubjects]int
	for !l.over.Load() {
		named := random.IntN(2) == 0
		batch := make([]published, 1+random.IntN(2)*random.IntN(12))
		about := make([]fact, len(batch))
		for i := range batch {
			subject := random.IntN(crashSubjects)
			numbers[subject]++
			about[i] = fact{fmt.Sprintf("thing-%d-%d", publisher, subject), numbers[subject]}
			batch[i] = about[i].event(named, random.IntN(1500))
		}
		l.publish(batch, about, named)
		time.Sleep(time.Duration(random.IntN(15)) * time.Millisecond) // not all that the server can take
	}
}

// publish publishes a batch. What has ids of its own is published again and
// again until that is acknowledged: the server may have died before or after it
// stored the batch. What has none would be another event each time.
func (l *load) publish(batch []published, about []fact, named bool) {
	body := mustJSON(batch)
	if len(batch) == 1 {
		body = mustJSON(batch[0])
	}
	l.facts.try(about)
	post := func(s *server) answer { return s.call("POST", "/api/events", crashKey, body) }
	var a answer
	if named {
		a = l.insist(202, post)
	} else if a = post(l.any()); a.err != nil || a.status == http.StatusServiceUnavailable { // a node that cannot reach the database
		return
	}
	ids := a.ids()
	if a.status != 202 || len(ids) != len(batch) {
		l.facts.problem("%d events were answered with %d %s", len(batch), a.status, a.text)
		return
	}
	for i, f := range about {
		l.facts.acknowledge(f, ids[i])
	}
}

// insist makes a call until it is answered with a status. It has more patience than others: where
// the machine is slow, a server may be killed several times before it has answered once.
func (l *load) insist(status int, call func(*server) answer) answer {
	for deadline := time.Now().Add(4 * patience); ; time.Sleep(10 * time.Millisecond) { // while the server is being started again
		a := call(l.any())
		if a.err == nil && (a.status == status || a.status != http.StatusServiceUnavailable) || time.Now().After(deadline) {
			return a
		}
	}
}

// orderTypes are the events of an order's life, as writeOrders has it.
var orderTypes = []string{"OrderCreated", "OrderAccepted", "OrderDueDateUpdated", "order_completed"}

// writeOrders takes one order after the other through its life: changes that
// cause events.
func (l *load) writeOrders(writer int) {
	for n := 0; !l.over.Load(); n++ {
		id := fmt.Sprintf("ORD-%d-%d", writer, n)
		order := fmt.Sprintf(`{"id":%q,"customerEmail":"kari@example.com","orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":2}]}}`, id)
		l.write(fact{id, 1}, 201, "POST", "/api/orders", order)
		l.write(fact{id, 2}, 200, "POST", "/api/orders/"+id+"/status", `{"status":"Accepted"}`)
		l.write(fact{id, 3}, 200, "PATCH", "/api/orders/"+id, `{"dueDate":"2027-01-31T00:00:00Z"}`)
		l.write(fact{id, 4}, 200, "POST", "/api/orders/"+id+"/status", `{"status":"Completed"}`)
	}
}

func (l *load) write(f fact, status int, method, path, body string) {
	l.facts.try([]fact{f})
	a := l.insist(status, func(s *server) answer {
		if method == http.MethodPatch {
			return s.call(method, path, crashKey, body) // the second time it changes nothing
		}
		return s.callWith(method, path, crashKey, body, "Idempotency-Key", fmt.Sprint(f))
	})
	if a.err != nil || a.status != status {
		l.facts.problem("%s %s: %d %s %v", method, path, a.status, a.text, a.err)
		return
	}
	l.facts.acknowledge(f, "")
}

// event is a fact as it is published, with so much else.
func (f fact) event(named bool, more int) published {
	p := published{Type: "thing_happened", Subject: map[string]string{"kind": "thing", "id": f.subject},
		Data: map[string]any{"subject": f.subject, "n": f.n, "more": strings.Repeat("æ", more/2)}}
	if named {
		p.ID = fmt.Sprintf("own-%s-%d", f.subject, f.n)
	}
	return p
}
