package app

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
)

// Rerun makes recorded calls again and compares what would come of their answers with what
// comes of the recorded ones.
type Rerun struct {
	From     CallSource
	Sender   rerun.Sender // its client is made here
	Options  rerun.Options
	Parallel int
	// CAFile has certificates that are trusted beside those of the system; "": none.
	CAFile, Version string
	// Progress is told how many are done; nil: nobody is.
	Progress func(done, all int)

	begun atomic.Int64 // calls that the endpoint may have got
}

// Skipped is the result of a call that could not be made or compared.
const Skipped rerun.Result = "skipped"

// Tried is a call that was made again.
type Tried struct {
	ID     string       `json:"id"`
	Kind   rerun.Kind   `json:"kind,omitempty"`
	About  string       `json:"about,omitempty"` // the order, the cart, the type of the event
	Step   string       `json:"step,omitempty"`
	Result rerun.Result `json:"result"`
	// Reason says why it was skipped.
	Reason      string             `json:"reason,omitempty"`
	Recorded    *TriedSide         `json:"recorded,omitempty"`
	Now         *TriedSide         `json:"now,omitempty"`
	Differences []rerun.Difference `json:"differences,omitempty"`
}

// TriedSide is one of the two answers of a call, and what comes of it.
type TriedSide struct {
	Status     int             `json:"status,omitzero"`
	DurationMs float64         `json:"durationMs"`
	Decision   *rerun.Decision `json:"decision"`
	// Error is why no whole answer came now.
	Error string `json:"error,omitempty"`

	unreached bool // there was no connection
}

// Report is what came of all calls, in their order.
type Report struct {
	Calls   []Tried `json:"calls"`
	Summary Summary `json:"summary"`
	// Begun is how many calls were begun, also those that ctx ended before their answer came.
	Begun int `json:"-"`
}

// Summary counts the calls by their results.
type Summary struct {
	Same      int `json:"same"`
	Slower    int `json:"slower"`
	Different int `json:"different"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
}

// Run makes all calls. The error is that they could not be listed, or that ctx has ended;
// then the report has those that were made.
func (r *Rerun) Run(ctx context.Context) (Report, error) {
	names, err := r.From.List(ctx)
	if err != nil {
		return Report{}, err
	}
	client, err := r.client()
	if err != nil {
		return Report{}, err
	}
	defer client.Close()
	sender := r.Sender
	sender.Client = client
	tried := make([]*Tried, len(names))
	var mu sync.Mutex
	done := 0
	inParallel(ctx, r.Parallel, len(names), func(i int) {
		one := r.one(ctx, &sender, names[i])
		mu.Lock()
		defer mu.Unlock()
		if tried[i] = one; one != nil && r.Progress != nil {
			done++
			r.Progress(done, len(names))
		}
	})
	out := Report{Calls: []Tried{}, Begun: int(r.begun.Load())}
	for _, one := range tried {
		if one != nil {
			out.add(*one)
		}
	}
	return out, ctx.Err()
}

// inParallel does something for each number below n, several at once, until ctx ends.
func inParallel(ctx context.Context, parallel, n int, do func(i int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(parallel, n) {
		workers.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
}

// client returns what makes the requests. Whoever calls this machine from a command means it,
// so private addresses are let through.
func (r *Rerun) client() (*outbound.Client, error) {
	o := outbound.Options{Version: r.Version, Guard: outbound.Guard{AllowPrivate: true}, Outgoing: fair.New(int64(r.Parallel))}
	if r.CAFile != "" {
		var err error
		if o.RootCAs, err = Authorities(r.CAFile); err != nil {
			return nil, err
		}
	}
	return outbound.New(o), nil
}

// one makes one call; nil where ctx ended before.
func (r *Rerun) one(ctx context.Context, sender *rerun.Sender, name string) *Tried {
	t := &Tried{ID: name}
	err := r.compare(ctx, sender, t)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil
	default:
		t.Result, t.Reason = Skipped, err.Error()
	}
	return t
}

// compare makes a call and compares what comes of both answers. The recorded one is decided
// here as the new one is, so that what somebody else did to the order meanwhile has the same
// part in both.
func (r *Rerun) compare(ctx context.Context, sender *rerun.Sender, t *Tried) error {
	call, err := r.From.Call(ctx, t.ID)
	if err != nil {
		return err
	}
	t.ID, t.Kind, t.About = call.ID, call.Kind, cmp.Or(call.OrderID, call.CartID, call.StockItemID, call.SubscriptionID, call.EventType)
	if call.Step != nil {
		t.Step = cmp.Or(call.Step.Config.Text("displayName"), call.Step.Config.Text("name"))
	} else {
		t.Step = call.EventType
	}
	recorded, err := call.Decide(&call.Answer)
	if err != nil {
		return err
	}
	t.Recorded = &TriedSide{Status: call.Answer.Status, DurationMs: call.Answer.DurationMs, Decision: recorded}
	r.begun.Add(1)
	answer, err := sender.Send(ctx, call)
	if err != nil {
		return err
	}
	now, err := call.Decide(answer)
	if err != nil {
		return err
	}
	c := rerun.CompareCalls(recorded, now, &call.Answer, answer, r.Options)
	t.Result, t.Differences, t.Now = c.Result, c.Differences, &TriedSide{Status: answer.Status, DurationMs: answer.DurationMs, Decision: now, Error: answer.Error, unreached: answer.Unreached}
	return nil
}

// add puts a call into the report.
func (r *Report) add(t Tried) {
	r.Calls = append(r.Calls, t)
	switch t.Result {
	case rerun.Same:
		r.Summary.Same++
	case rerun.Slower:
		r.Summary.Slower++
	case rerun.Different:
		r.Summary.Different++
	case rerun.Broken:
		r.Summary.Failed++
	default:
		r.Summary.Skipped++
	}
}

// ErrNoCalls says that there was no call to make again.
var ErrNoCalls = errors.New("no call could be made again and compared")

// Err is nil where calls were compared; where none was, nothing is known.
func (r *Report) Err() error {
	if len(r.Calls) == r.Summary.Skipped {
		why := "no call was found"
		if len(r.Calls) > 0 {
			why = r.Calls[0].Reason
		}
		return apierr.Errorf(apierr.Conflict, "%s: %s", ErrNoCalls, why)
	}
	if why := r.unanswered(); why != "" {
		return apierr.Errorf(apierr.Conflict, "%s: %s", ErrNoCalls, why)
	}
	return nil
}

// unanswered says why the endpoint has answered none of the calls as it answers those that it takes;
// "" if it has answered one. Then nothing is known of its decisions.
func (r *Report) unanswered() (why string) {
	unreached, refused := 0, 0
	for _, t := range r.Calls {
		switch {
		case t.Now == nil: // it was skipped
			continue
		case t.Now.unreached:
			unreached++
			why = cmp.Or(why, t.Now.Error)
		case t.Now.Status == http.StatusUnauthorized && t.Recorded.Status != http.StatusUnauthorized:
			refused++
		default:
			return ""
		}
	}
	if unreached == 0 {
		return "the endpoint answers each with 401: if it verifies signatures, give the secret with --signing-secret-file, as its connector has it; if it wants credentials, give them with --header-file"
	}
	if refused > 0 {
		return ""
	}
	return "there was no connection to the endpoint: " + why + ": is it running, and is the URL right?"
}
