// Package checkup calls an endpoint as the server would, with a number of cases, and says
// what the server would make of each answer and what is to be changed (`orderhook check
// URL`). Requests are put together, signed and sent by the packages that do so for the
// server, and answers are read and decided on by them, too: so the report says what a
// server would do, and cannot say anything else.
//
// It knows no store, no file and no flag, and reaches the network through internal/outbound
// alone. Begin to read with [Run], then with the list of the cases in cases.go.
package checkup

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/weburl"
)

// Kind is what an endpoint is called for.
type Kind string

// The kinds.
const (
	Step      Kind = "step"      // a WebhookWorkflowStep of an order
	Return    Kind = "return"    // a WebhookReturnWorkflowStep
	Validator Kind = "validator" // a webhookValidator, about a cart
	Event     Kind = "event"     // an endpoint of events
)

// Kinds is all of them.
var Kinds = []Kind{Step, Return, Validator, Event}

// Pair is a header, or a property of the step or the connector.
type Pair struct{ Name, Value string }

// Options say which endpoint is called, and how. URL, Kind, Timeout and Now are needed.
type Options struct {
	URL     string
	Kind    Kind
	Timeout time.Duration
	// Secret signs the requests; "": steps and validators are not signed, and events with
	// a secret that nobody knows, since an event always is.
	Secret     string
	Headers    []Pair
	Properties []Pair
	// Document is the order, or the cart, that all cases are made of; nil: an example.
	Document *jsondoc.Object
	Only     []string         // names of cases; none: all
	Client   outbound.Options // its Secrets and Now are set here
	Now      func() time.Time
}

// tenant is whose calls they are. No tenant is known to an endpoint.
const tenant = "check"

// staleBy is how old the time of a request is that a receiver has to refuse: the libraries
// of Standard Webhooks allow five minutes.
const staleBy = time.Hour

// Run makes the calls, one case after the other, and tells told of each case when it is
// done. An error is the caller's, as a URL that is none ([apierr.Invalid]), or that of a
// context that has ended. An endpoint that cannot be reached is no error: the report says
// so.
func Run(ctx context.Context, o Options, told func(Case)) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	memory, err := newMemorySecrets()
	if err != nil {
		return nil, err
	}
	o.Client.Secrets = memory.opener(slog.New(slog.DiscardHandler))
	p := &probe{ctx: ctx, o: &o, report: newReport(&o), told: map[string]bool{}}
	p.client = p.newClient(0)
	defer p.client.Close()
	p.late = p.newClient(staleBy)
	defer p.late.Close()
	if p.kind, err = newKind(ctx, &o, p.client, memory); err != nil {
		return nil, err
	}
	for _, c := range cases {
		if !c.isFor(o.Kind) || !c.chosen(o.Only) {
			continue
		}
		if err := p.run(c); err != nil {
			return p.report, err
		}
		told(p.report.Cases[len(p.report.Cases)-1])
	}
	return p.report, nil
}

// check finds what is wrong with the options, where no other package does.
func (o *Options) check() error {
	if !slices.Contains(Kinds, o.Kind) {
		return apierr.Wrong("kind", "%q is none of step, return, validator and event", string(o.Kind))
	}
	if o.Timeout <= 0 {
		return apierr.Wrong("timeout", "must be more than nothing")
	}
	for _, name := range o.Only {
		i := slices.IndexFunc(cases, func(c checkCase) bool { return c.name == name })
		switch {
		case i < 0:
			return apierr.Wrong("only", "there is no case %q: the cases are %s", name, strings.Join(Names(), ", "))
		case !cases[i].isFor(o.Kind):
			return apierr.Wrong("only", "the case %s is not for an endpoint of the kind %s", name, o.Kind)
		}
	}
	if len(o.Properties) > 0 && o.Kind == Event {
		return apierr.Wrong("property", "an event has no properties")
	}
	return nil
}

// newClient returns a client whose clock is behind by so much. Private addresses may be
// called: whoever builds an endpoint has it on the machine beside.
func (p *probe) newClient(behind time.Duration) *outbound.Client {
	o := p.o.Client
	o.Guard.AllowPrivate = true
	o.Now = func() time.Time { return p.o.Now().Add(-behind) }
	return outbound.New(o)
}

// probe is a check under way.
type probe struct {
	ctx          context.Context
	o            *Options
	kind         kind
	client, late *outbound.Client // the clock of late is behind
	report       *Report
	usual        *sent           // the call of the first case
	told         map[string]bool // findings that hold for all calls, and were told
	calls        int             // made until now, which numbers the documents
	now          *Case           // that is under way
}

// run makes the calls of a case, unless there is a reason to leave it out.
func (p *probe) run(c checkCase) error {
	p.report.Cases = append(p.report.Cases, Case{Name: c.name, About: c.about, Calls: []Call{}, Findings: []Finding{}})
	p.now = &p.report.Cases[len(p.report.Cases)-1]
	switch {
	case p.usual != nil && !p.usual.answered():
		p.now.Skipped = "success has failed"
	case c.signed && p.o.Secret == "":
		p.now.Skipped = "no secret was given, with --secret-file"
	default:
		if err := c.do(p); err != nil {
			return err
		}
	}
	p.now.finish()
	p.report.count(p.now)
	return nil
}

// id returns an id of an order or a cart by which people see where it comes from.
func (p *probe) id() string {
	p.calls++
	return fmt.Sprintf("CHECK-%s-%d", p.o.Now().UTC().Format("20060102T150405"), p.calls)
}

// newReport begins a report.
func newReport(o *Options) *Report {
	return &Report{URL: weburl.PublicURL(o.URL), Kind: o.Kind, Timeout: timetext.FormatDuration(o.Timeout), Signed: o.Secret != "", Cases: []Case{}}
}
