package e2e

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// fact is what an event tells: the n-th thing that happened to a subject.
type fact struct {
	subject string
	n       int
}

// fact is what an arrival tells.
func (r receipt) fact() fact {
	if n := slices.Index(orderTypes, r.Type); n >= 0 {
		return fact{r.Data.ID, n + 1}
	}
	return fact{r.Data.Subject, r.Data.N}
}

// facts is what the publishers know.
type facts struct {
	mu       sync.Mutex
	tried    map[fact]bool
	acked    map[fact]bool
	ids      map[fact]string // of their events, as far as anybody was told
	webhooks map[fact]string // the webhook-id that they arrived with
	problems []string
	others   func(fact) bool // what others have published at the same time; nil: nobody has
}

func newFacts() *facts {
	return &facts{tried: map[fact]bool{}, acked: map[fact]bool{}, ids: map[fact]string{}, webhooks: map[fact]string{}}
}

func (k *facts) try(some []fact) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range some {
		k.tried[f] = true
	}
}

// acknowledge notes that the server has taken it; id is "" where it did not say.
func (k *facts) acknowledge(f fact, id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.acked[f] = true
	if id != "" {
		k.ids[f] = id
	}
}

func (k *facts) problem(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.problems = append(k.problems, fmt.Sprintf(format, args...))
}

func (k *facts) acknowledged() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.acked)
}

// check compares what an endpoint was sent with what was published.
func (k *facts) check(t *testing.T, r *crashReceiver) {
	t.Helper()
	got, _ := r.all()
	seen, last := map[fact]bool{}, map[string]int{}
	wrong := complaints{t: t, about: r.name}
	for _, one := range got {
		f := one.fact()
		if k.others != nil && k.others(f) {
			continue
		}
		again := seen[f]
		seen[f] = true
		if !k.tried[f] {
			wrong.say("%v arrived and was never published: %s", f, one.body)
		}
		if k.ids[f] == "" {
			k.ids[f] = one.ID // which every other arrival must have, too
		}
		if one.ID != k.ids[f] {
			wrong.say("%v arrived as event %s, and is %s", f, one.ID, k.ids[f])
		}
		if k.webhooks[f] == "" {
			k.webhooks[f] = one.webhookID()
		}
		if one.webhookID() != k.webhooks[f] {
			wrong.say("%v arrived with the webhook-id %s, and once with %s", f, one.webhookID(), k.webhooks[f])
		}
		if r.ordered && f.n < last[f.subject] {
			wrong.say("%v arrived after number %d of that subject (not for the first time: %t)", f, last[f.subject], again)
		}
		last[f.subject] = f.n
	}
	for f := range k.acked {
		if !seen[f] {
			wrong.say("%v was acknowledged as %q and never arrived", f, k.ids[f])
		}
	}
}

// complaints are the first few errors about something: one bug makes thousands.
type complaints struct {
	t     *testing.T
	about string
	n     int
}

func (c *complaints) say(format string, args ...any) {
	c.t.Helper()
	if c.n++; c.n <= 5 {
		c.t.Errorf(c.about+": "+format, args...)
	}
}
