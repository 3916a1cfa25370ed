package contract

import (
	"fmt"
	"sync"
)

// crowd is clients that go on patching the order until they are told to stop.
// Each patch adds a tag and a property of its own, and sets the phone, which
// all of them set.
type crowd struct {
	r       *rig
	patched chan string // the tag of each patch that was answered
	stop    chan struct{}
	gone    sync.WaitGroup
}

func (r *rig) crowd() *crowd {
	c := &crowd{r: r, patched: make(chan string, 1<<16), stop: make(chan struct{})}
	for i := range clients {
		c.gone.Go(func() { c.client(i) })
	}
	return c
}

func (c *crowd) client(i int) {
	for n := 0; ; n++ {
		select {
		case <-c.stop:
			return
		default:
		}
		tag := fmt.Sprintf("c%d-%d", i, n)
		a, err := c.r.try("PATCH", theOrder, fmt.Sprintf(`{"tags":[%q],"properties":[{"key":%q,"value":"v"}],"customerPhone":%q}`, tag, tag, tag))
		if err != nil || a.Status != 200 {
			c.r.t.Errorf("%v, %d %s", err, a.Status, cut(a.Raw))
			return
		}
		c.patched <- tag
	}
}

// wait returns once a patch was answered that began after now, and with it as
// many others as there were, with the tags of all.
func (c *crowd) wait() (tags []string) {
	for range len(c.patched) + clients + 1 {
		tags = append(tags, <-c.patched)
	}
	return tags
}

// leave ends the clients and returns the tags of the patches that were not
// waited for.
func (c *crowd) leave() (tags []string) {
	close(c.stop)
	c.gone.Wait()
	close(c.patched)
	for tag := range c.patched {
		tags = append(tags, tag)
	}
	return tags
}
