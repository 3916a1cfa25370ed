package core

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// Tell implements [store.Store]. A node of a database with several nodes sets it
// (nodes.Node.Tell).
func (s *Store) Tell(tell func(...nodes.News)) { s.teller = tell }

// forOthers returns what other nodes have to know of a commit. It names things and does not
// describe them: the others read them anew (docs/design.md#several-nodes). When
// deliveries are due, the listener tells the node that is to attempt them.
func (e *effects) forOthers() (all []nodes.News) {
	for _, c := range e.endpoints {
		all = append(all, nodes.News{Kind: nodes.Endpoint, Tenant: c.tenant, No: c.no, Version: c.version})
	}
	if e.secrets {
		all = append(all, nodes.News{Kind: nodes.Secrets})
	}
	for _, c := range e.touched {
		all = append(all, nodes.News{Kind: nodes.Touched, Tenant: c.tenant, No: int64(c.what)})
	}
	return all
}

// latenessForOthers returns what the node that indexes bodies has to know of this one's
// attempts.
func (s *Store) latenessForOthers() []nodes.News {
	late := s.lateness.untold()
	if late == 0 {
		return nil
	}
	return []nodes.News{{Kind: nodes.Late, No: late.Microseconds()}}
}

// Unknown is called by an engine where nobody knows what became of a commit. It may have been
// done, and then nobody was told: so all nodes look at everything anew.
func (s *Store) Unknown() {
	if s.teller != nil {
		s.teller(nodes.News{Kind: nodes.Anew})
	}
}

// Hear implements [store.Store]. A node's goroutine for news calls it, before its other
// workers hear of the same news: they ask the store. News may come twice, and an earlier
// version after a later one.
func (s *Store) Hear(ctx context.Context, news []nodes.News) {
	for _, n := range news {
		switch n.Kind {
		case nodes.Anew:
			s.anew.Add(1)
			s.due.forget()
			s.endpoints.Clear()
			s.feeds.wakeAll("")
			s.opener.Changed()
		case nodes.Late:
			s.lateness.hear(s.clock(), time.Duration(n.No)*time.Microsecond)
		case nodes.Due:
			s.due.forgetOne(endpointKey{n.Tenant, n.No})
		case nodes.Secrets:
			s.opener.Changed()
		case nodes.Endpoint:
			s.keepEndpoints(n.Tenant, &endpointSet{version: n.Version, outdated: true})
			s.hearOfEndpoint(ctx, n.Tenant, n.No)
		case nodes.Touched:
			if changes.Topics(n.No)&changes.TopicEvents != 0 {
				s.feeds.wakeAll(n.Tenant)
			}
			if s.watcher != nil {
				s.watcher.Changed(n.Tenant, changes.Topics(n.No))
			}
		}
	}
}

// hearAgain is how long it takes until an endpoint is read again that could not be read.
const hearAgain = time.Second

// hearOfEndpoint tells the listener of an endpoint that another node has changed. It does
// not give up before it has read it or ctx ends: otherwise the queue of the endpoint would
// go on with what it was before. For an endpoint without a row there is nothing to tell.
func (s *Store) hearOfEndpoint(ctx context.Context, tenant string, no int64) {
	e, version, err := s.endpointNow(ctx, tenant, no)
	for ; err != nil && !errors.Is(err, sql.ErrNoRows) && ctx.Err() == nil; e, version, err = s.endpointNow(ctx, tenant, no) {
		s.log.Warn("an endpoint that another node has changed cannot be read yet", "tenant", tenant, "endpoint", no, "error", err)
		select {
		case <-time.After(hearAgain):
		case <-ctx.Done():
		}
	}
	switch {
	case err == nil && e != nil:
		s.tell(func(l store.Listener) { l.EndpointChanged(tenant, e, version) })
	case err == nil:
		s.tell(func(l store.Listener) { l.EndpointDeleted(tenant, no, version) })
	}
}
