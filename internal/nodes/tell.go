package nodes

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
)

// Kind is what news is about.
type Kind string

// The kinds of news. Each names what the receiver has to read anew: news says that
// something changed, and the database says what it is now.
const (
	Anew     Kind = "anew"     // anything may have changed
	Sure     Kind = "sure"     // the node may begin work again (see [Node.Sure]); it is told by this node itself
	Due      Kind = "due"      // deliveries to endpoint No are due
	Trial    Kind = "trial"    // so is that of Event, which was sent again by hand
	Behind   Kind = "behind"   // which deliveries to endpoint No are due has changed altogether
	Ended    Kind = "ended"    // the delivery of Event to endpoint No was canceled
	Endpoint Kind = "endpoint" // endpoint No was made, changed or deleted; Version is that of the tenant's endpoints
	Filter   Kind = "filter"   // the filter of endpoint No could not evaluate event ID; Text says why
	Circuit  Kind = "circuit"  // the circuit of endpoint No is open until Event, in Unix microseconds; 0: closed
	Secrets  Kind = "secrets"  // secrets were destroyed, retired, or are in use again
	Order    Kind = "order"    // a run of order ID is to begin, to continue or to end
	Erased   Kind = "erased"   // order ID was erased
	Answered Kind = "answered" // run ID has an answer
	Job      Kind = "job"      // job ID is to begin
	Trying   Kind = "trying"   // the breaker of the connector ID, named Text, is to be tried now
	Touched  Kind = "touched"  // things of the tenant changed; No is which kinds, as changes.Topics
	Late     Kind = "late"     // an attempt was recorded No microseconds after it began
)

// News is what one node tells all others. Which fields are set depends on the kind. It is
// comparable, so that the same news is told once.
type News struct {
	Kind    Kind   `json:"k"`
	Tenant  string `json:"t,omitempty"`
	ID      string `json:"i,omitempty"`
	No      int64  `json:"n,omitempty"`
	Event   int64  `json:"e,omitempty"`
	Version int64  `json:"v,omitempty"`
	Text    string `json:"x,omitempty"`
}

const (
	// tellEvery is how much time there is at least between two postings of a node. One for
	// each commit would halve the rate of single events (docs/design.md#the-shape-of-a-delivery).
	tellEvery = 50 * time.Millisecond
	// mostNews is how much news there may be in one posting. Where there is more, the
	// others look at everything anew.
	mostNews = 5000
)

// Tell tells all other nodes, soon. It is called after the commit that the news is about,
// and never waits. Of [Anew] this node hears, too. If the process dies before the news is
// posted, the others notice that the node is gone, and look at everything.
func (n *Node) Tell(news ...News) {
	if n.db == nil || len(news) == 0 {
		return
	}
	if slices.Contains(news, News{Kind: Anew}) {
		n.lookAnew()
	}
	n.toPost(news)
}

// Outside returns what tells all nodes of what a process commits that is none of them, as a
// command is. It waits until the news is posted: the process may end with its next step.
// ctx is what is asked with, and ends nothing.
func Outside(ctx context.Context, db Database, log *slog.Logger) func(...News) {
	id := ids.New(ids.Node) // nobody's, so that all nodes hear
	return func(news ...News) {
		if len(news) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer cancel()
		body, err := json.Marshal(news)
		if err == nil {
			err = db.Post(ctx, id, body)
		}
		if err != nil {
			log.Warn("a change was made, and the servers could not be told of it: some of it takes effect there when they are started again", "error", err)
		}
	}
}

// lookAnew has the workers of this node look at everything anew: now, and when nothing can be
// under way any more of what this is for.
func (n *Node) lookAnew() {
	n.hear([]News{{Kind: Anew}})
	time.AfterFunc(DefaultLasts, func() { n.hear([]News{{Kind: Anew}}) })
}

// toPost has news posted soon. News that waits already is not added a second time.
func (n *Node) toPost(news []News) {
	n.telling.Lock()
	for _, one := range news {
		if !n.untold[one] {
			n.untold[one] = true
			n.order = append(n.order, one)
		}
	}
	// This is far more than a posting should hold: to read everything anew is less work
	// than to read each of these.
	if len(n.order) > mostNews {
		n.order, n.untold = []News{{Kind: Anew}}, map[News]bool{{Kind: Anew}: true}
	}
	n.telling.Unlock()
	select {
	case n.toTell <- struct{}{}:
	default:
	}
}

// post posts what is to be told, until ctx ends, at most once in tellEvery. What cannot be
// posted waits: the others will have it once the database is back.
func (n *Node) post(ctx context.Context) {
	for {
		select {
		case <-n.toTell:
		case <-ctx.Done():
			return
		}
		for n.postNow(ctx) != nil && ctx.Err() == nil {
			pause(ctx, tellEvery)
		}
		pause(ctx, tellEvery)
	}
}

// postNow posts all that waits. After an error it waits again.
func (n *Node) postNow(ctx context.Context) error {
	n.telling.Lock()
	news := n.order
	n.order, n.untold = nil, map[News]bool{}
	n.telling.Unlock()
	if len(news) == 0 {
		return nil
	}
	body, err := json.Marshal(news)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		err = n.db.Post(ctx, n.ID(), body)
	}
	if err != nil {
		n.toPost(news) // the order does not matter: whoever hears of it reads what is now
	}
	return err
}

// heard takes what others have posted, and has the workers hear of it. A node that could
// not read for long looks at everything anew, because what was posted meanwhile may have
// been removed.
func (n *Node) heard(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	posted, now, err := n.db.News(ctx, n.position)
	if err != nil {
		return err
	}
	if !n.heardAt.IsZero() && now.Sub(n.heardAt) > MostSilence/2 {
		n.hear([]News{{Kind: Anew}}) // what was posted meanwhile may have been removed
	}
	n.heardAt = now
	for _, p := range posted {
		n.position = p.Number
		if p.Node == n.ID() {
			continue
		}
		var news []News
		if err := json.Unmarshal(p.Body, &news); err != nil { // of another version
			news = []News{{Kind: Anew}}
		}
		n.hear(news)
	}
	return nil
}

// MostSilence is for how long news is retained at least. A node that has not read any for
// half of this time looks at everything anew.
const MostSilence = time.Minute

// hear hands news on to the workers, by a goroutine of its own (listen): they may ask the
// database, and the leases must be renewed meanwhile.
func (n *Node) hear(news []News) {
	n.hearing.Lock()
	n.unheard = append(n.unheard, news...)
	for _, one := range news {
		n.times[one.Kind]++
	}
	n.hearing.Unlock()
	select {
	case n.toHear <- struct{}{}:
	default:
	}
}

// Times returns how often this node has heard of a kind of things, or that anything may
// have changed. A caller that remembers something remembers this number with it: if the number
// is another one later, what was remembered may not be true any more.
func (n *Node) Times(of Kind) uint64 {
	n.hearing.Lock()
	defer n.hearing.Unlock()
	return n.times[of] + n.times[Anew]
}

// listen has the workers hear of news, one worker after the other, until ctx ends.
func (n *Node) listen(ctx context.Context) {
	for {
		select {
		case <-n.toHear:
		case <-ctx.Done():
			return
		}
		n.hearing.Lock()
		news := n.unheard
		n.unheard = nil
		n.hearing.Unlock()
		for _, w := range n.workers {
			w.Hear(ctx, news)
		}
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
