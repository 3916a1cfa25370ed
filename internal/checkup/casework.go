package checkup

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/weburl"
)

// success makes the call that all others are held against.
func (p *probe) success() error {
	s, err := p.usualCall(p.document())
	if s == nil {
		return err
	}
	p.usual = s
	if s.exchange.Status == 0 && s.exchange.Detail().RemoteAddr == "" {
		p.report.Unreachable = s.exchange.Failure()
	}
	p.look(s, ifNot{kind: "no-success", advice: "The endpoint has to take a usual call before anything else can be checked."})
	p.plainHTTP(s)
	if s.answered() && (s.Stops || p.o.Kind == Validator && !s.Passed) {
		p.find(s, Finding{Kind: "refused", Severity: Note, Text: "the endpoint refuses the example: " + s.text,
			Advice: "Give one that it approves, by --order FILE, so that the other cases show more.", Section: section(p.o.Kind, "answer")})
	}
	return nil
}

// usualCall begins a call about a document and makes its first attempt. The error is that no
// call could be made.
func (p *probe) usualCall(doc *jsondoc.Object) (*sent, error) {
	c, err := p.kind.begin(doc)
	if err != nil {
		return nil, err
	}
	return p.send(c, variation{attempt: 1}, "")
}

// plainHTTP notes a URL by which orders go over the network in clear text.
func (p *probe) plainHTTP(s *sent) {
	u, ok := weburl.ParseURL(p.o.URL)
	if !ok || u.Scheme != "http" || (outbound.Guard{}).CheckHost(u.Host) != nil {
		return // encrypted, or on this machine or network
	}
	p.find(s, Finding{Kind: "plain-http", Severity: Warning, Text: "the URL begins with http://: orders, and the credentials of the call, go over the network in clear text",
		Advice: "Serve the endpoint with TLS, and give its https:// URL.", Section: "docs/building-an-endpoint.md#retries"})
}

// connection makes a call while the connection of the one before is still open.
func (p *probe) connection() error {
	s, err := p.usualCall(p.document())
	if s == nil {
		return err
	}
	p.look(s, ifNot{kind: "not-twice", advice: "The call before it, of another order, was taken: is it the connection, or a limit on requests?"})
	if t := s.exchange.Detail().Timing; t.Connect > 0 || t.TLS > 0 {
		p.find(s, Finding{Kind: "connection-closed", Severity: Warning, Text: "the endpoint closes the connection after each answer: every call makes a new one, with its handshakes",
			Advice: "Turn keep-alive on, let it wait for a minute or so, and read the request's body to its end before you answer.", Section: section(p.o.Kind, "answer")})
	}
	return nil
}

// unicode, numbers, unknown and echo each ask whether a document of a kind is taken,
// and comes back as it was.
func (p *probe) unicode() error {
	return p.takes(p.unicodeDocument(), ifNot{kind: "unicode-refused", advice: "Read the body as UTF-8, and store text in columns that hold all of Unicode."})
}

func (p *probe) numbers() error {
	return p.takes(p.numbersDocument(), ifNot{kind: "numbers-refused", advice: "Read numbers as decimals of any length, and pass over fields that you do not know."})
}

func (p *probe) unknown() error {
	return p.takes(p.unknownDocument(), ifNot{kind: "unknown-fields", advice: "Pass over fields that you do not know: each shop adds its own, and new versions do. A strict reader of JSON has a setting for it."})
}

func (p *probe) echo() error {
	return p.takes(p.echoDocument(), ifNot{kind: "values-refused", advice: "Take what you need of a document, and let the rest pass unread."})
}

func (p *probe) big() error {
	s, err := p.usualCall(p.bigDocument())
	if s == nil {
		return err
	}
	if s.exchange.TooLarge { // it took the body, and sends it back
		p.look(s, ifNot{kind: "answer-too-large", severity: Warning, advice: "Leave out of the answer what it does not change: it may have 5 MiB, and a document 10."})
		return nil
	}
	p.look(s, ifNot{kind: "big-refused", advice: "Allow bodies of 25 MiB: an order may have 10 MiB, and its lines are sent twice. In nginx that is client_max_body_size, in Express limit of express.json."})
	return nil
}

// takes makes a call about a document that the endpoint has to take.
func (p *probe) takes(doc *jsondoc.Object, not ifNot) error {
	s, err := p.usualCall(doc)
	if s == nil {
		return err
	}
	p.look(s, not)
	return nil
}

// missing asks what becomes of an order that lacks what the endpoint wants. To say no is
// right, and there are better ways than a status of 4xx.
func (p *probe) missing() error {
	s, err := p.usualCall(p.missingDocument())
	if s == nil {
		return err
	}
	not := ifNot{kind: "missing-fields", advice: "Look for each field before you use it. " + sayNo(p.o.Kind)}
	if s.exchange.Status/100 == 4 {
		not.severity = Warning
	}
	p.look(s, not)
	return nil
}

// sayNo is how an endpoint says that it does not like an order.
func sayNo(k Kind) string {
	switch k {
	case Validator:
		return "To reject a cart, answer 200 with an entry in validationErrors, which the shopper gets to see."
	case Event:
		return "An event that you can do nothing with is acknowledged as any other, and passed over."
	}
	return "To say no to an order, answer 200 with an ActionStatus of Error, an ErrorReason, and CancelWorkflow if the workflow is to stop: then the order shows why."
}

// repeat makes one attempt twice, as a server does that was killed before it had stored the
// answer, and then its retry, as one does that did not get the answer.
func (p *probe) repeat() error {
	c, err := p.kind.begin(p.document())
	if err != nil {
		return err
	}
	first, err := p.send(c, variation{attempt: 1}, "")
	if first == nil {
		return err
	}
	p.look(first, ifNot{kind: "not-repeated", advice: "The same call was taken before, for another order."})
	again := []variation{{attempt: 1}}
	if p.o.Kind != Validator { // which has no retries
		again = append(again, variation{attempt: 2})
	}
	for _, v := range again {
		s, err := p.send(c, v, "the same call again")
		if s == nil {
			return err
		}
		if p.compareRepeat(first, s) {
			break // the retry would tell the same
		}
	}
	return nil
}

// keyName is the header by which an endpoint knows a repeated call.
func keyName(k Kind) string {
	if k == Event {
		return "webhook-id"
	}
	return "Idempotency-Key"
}

// compareRepeat finds what a repeated call was answered otherwise than the first one, and
// reports whether it was. A validator does no work that could be done twice, so it need only
// answer.
func (p *probe) compareRepeat(first, s *sent) bool {
	advice := fmt.Sprintf("Remember under the %s what you did and what you answered, and answer a repeat with that, with a status of 2xx. A 409 or the like counts as a failure.", keyName(p.o.Kind))
	at := repeatSection(p.o.Kind)
	if first.answered() && !s.answered() {
		p.find(s, Finding{Kind: "repeat-refused", Severity: Error, Text: "a call that was answered before is refused when it comes again: " + s.Reason, Advice: advice, Section: at})
		return true
	}
	found := rerun.Compare(first.Decision, s.Decision, rerun.Options{})
	if len(found) == 0 || p.o.Kind == Validator {
		return false
	}
	var texts []string
	for _, d := range found[:min(len(found), mostNamed)] {
		texts = append(texts, fmt.Sprintf("%s was %s, and is %s", d.Path, shown(d.Recorded), shown(d.Now)))
	}
	p.find(s, Finding{Kind: "repeat-differs", Severity: Error, Text: "a repeated call is answered otherwise, so its work was likely done twice: " + strings.Join(texts, "; "), Advice: advice, Section: at})
	return true
}

// again has a validator validate what it made of the cart: a cart is validated whenever
// somebody asks.
func (p *probe) again() error {
	first, err := p.usualCall(p.document())
	if first == nil {
		return err
	}
	p.look(first, ifNot{kind: "not-again"})
	if first.after == nil || len(first.Changes) == 0 {
		return nil // what it leaves as it is, it was asked about already
	}
	s, err := p.usualCall(first.after)
	if s == nil {
		return err
	}
	p.look(s, ifNot{kind: "own-cart-refused", advice: "The cart came as the validator itself had left it."})
	if len(s.Changes) > 0 {
		p.find(s, Finding{Kind: "changes-again", Severity: Error, Text: "the validator changes again what it has changed itself: " + strings.Join(differences(s.Changes), "; "),
			Advice:  "Set what you know, as the price of your own catalogue less the discount, instead of changing what you are sent; put what you add on a line with a lineItemId of its own.",
			Section: "docs/building-an-endpoint.md#traps"})
	}
	return nil
}

// lateEvent sends two events of one order in the wrong order.
func (p *probe) lateEvent() error {
	k, doc := p.kind.(*eventKind), p.document()
	events, err := k.events(doc)
	if err != nil {
		return err
	}
	for _, e := range []*event.Event{events[1], events[0]} {
		s, err := p.send(k.deliver(e, doc), variation{attempt: 1}, "")
		if s == nil {
			return err
		}
		p.look(s, ifNot{kind: "late-refused", advice: "Acknowledge an event that is older than what you have, and pass over it: compare data.version. Or have the endpoint made with ordering subject."})
	}
	return nil
}

// unknownType sends an event of a type that the endpoint cannot know.
func (p *probe) unknownType() error {
	k := p.kind.(*eventKind)
	s, err := p.send(k.deliver(event.ExampleEvent("check.unknown_type", p.o.Now()), nil), variation{attempt: 1}, "")
	if s == nil {
		return err
	}
	p.look(s, ifNot{kind: "unknown-type", advice: "Acknowledge events of types that you do not know, and pass over them: types are added, and an endpoint with a wildcard gets them. One that is refused is sent again and again."})
	return nil
}

// signature sends what an endpoint that verifies must refuse.
func (p *probe) signature() error {
	for _, try := range []struct {
		variation
		about, kind, text string
	}{
		{variation{attempt: 1, signing: forged}, "signed with another secret", "signature-not-verified", "a call that was signed with another secret is taken: whoever knows the URL can send orders"},
		{variation{attempt: 1, signing: unsigned}, "without a signature", "unsigned-taken", "a call without a signature is taken: whoever knows the URL can send orders"},
		{variation{attempt: 1, stale: true}, "signed an hour ago", "stale-signature", "a call that was signed an hour ago is taken: whoever has recorded one can send it again at any time"},
	} {
		c, err := p.kind.begin(p.document())
		if err != nil {
			return err
		}
		s, err := p.send(c, try.variation, try.about)
		if s == nil {
			return err
		}
		switch status := s.exchange.Status; {
		case s.answered() || status/100 == 2:
			p.find(s, Finding{Kind: try.kind, Severity: Error, Text: try.text, Section: "docs/building-an-endpoint.md#signatures",
				Advice: "Verify webhook-signature over webhook-id, webhook-timestamp and the exact bytes of the body, refuse a time that is more than five minutes away, and answer 401."})
			if try.signing == forged {
				return nil // who does not look at signatures takes the others, too
			}
		case status/100 == 5, status == 0:
			p.find(s, Finding{Kind: "refusal-breaks", Severity: Warning, Text: fmt.Sprintf("a call %s makes the endpoint fail, in place of being refused: %s", try.about, s.Reason),
				Advice: "Answer 401. A 5xx looks as if the endpoint was broken.", Section: "docs/building-an-endpoint.md#signatures"})
		case s.Outcome == rerun.Failed && p.o.Kind != Validator:
			p.find(s, Finding{Kind: "refusal-final", Severity: Note, Text: fmt.Sprintf("a call %s is refused with %d, which is final: while a secret is changed, steps fail at once", try.about, status),
				Advice: "Answer 401, which is tried again.", Section: "docs/building-an-endpoint.md#retries"})
		}
	}
	return nil
}

// abort breaks off in the middle of a body, as a caller who is gone, and then makes calls that
// the endpoint has to take: anybody can do so, before any signature is looked at. Two, for a
// program that ends may still answer the first.
func (p *probe) abort() error {
	c, err := p.kind.begin(p.document())
	if err != nil {
		return err
	}
	if s, err := p.send(c, variation{attempt: 1, broken: true}, "with a body that breaks off"); s == nil {
		return err
	}
	for range 2 {
		s, err := p.usualCall(p.document())
		if s == nil {
			return err
		}
		if !s.answered() {
			p.look(s, ifNot{kind: "not-after-abort", advice: "The call before it broke off in the middle of its body, which anybody can do: catch the error of reading a body. In Node, " +
				"`for await (const chunk of req)` throws it in an async function, and what nobody catches there ends the program."})
			return nil
		}
	}
	return nil
}

// beside is how many calls are made side by side. A server makes far more.
const beside = 16

// slow makes calls side by side: a server calls for all orders at once, so an endpoint that
// takes one call after the other is as slow as all of them together.
func (p *probe) slow() error {
	var (
		all    [beside]*sent
		errs   [beside]error
		calls  sync.WaitGroup
		callee []*call
	)
	for range beside {
		c, err := p.kind.begin(p.document())
		if err != nil {
			return err
		}
		callee = append(callee, c)
	}
	for i, c := range callee {
		calls.Go(func() { all[i], errs[i] = p.make(c, variation{attempt: 1}, "side by side with 15 others") })
	}
	calls.Wait()
	for i, s := range all {
		if s == nil {
			return errs[i]
		}
		p.note(s)
	}
	slices.SortFunc(all[:], func(a, b *sent) int { return int(a.exchange.Duration - b.exchange.Duration) })
	for _, s := range all {
		if !s.answered() {
			p.look(s, ifNot{kind: "side-by-side", advice: "Each of these calls is taken when it comes alone. Take several at once; nothing may be shared between them without a lock."})
			return nil
		}
	}
	alone, err := p.alone()
	if err != nil {
		return err
	}
	middle, slowest := all[beside/2].exchange.Duration, all[beside-1]
	// What takes far longer than all of them one after the other waits for something else.
	if took := slowest.exchange.Duration; took > leastSlow && middle > alone*beside/4 && took > alone*beside/2 && took < alone*beside*2 {
		p.find(slowest, Finding{Kind: "one-by-one", Severity: Warning, Text: fmt.Sprintf("of %d calls side by side the slowest took %s, and one alone %s: the endpoint takes one after the other", beside, rounded(took), rounded(alone)),
			Advice: fmt.Sprintf("Serve calls at the same time, with threads, workers or asynchronous code. With 200 orders at once the last would wait for %s, and the time-out is %s.", rounded(alone*200), p.o.Timeout), Section: section(p.o.Kind, "answer")})
	}
	return nil
}

// alone returns how long a call takes that comes by itself: the shortest time of three, since
// other work on either machine makes some longer.
func (p *probe) alone() (shortest time.Duration, err error) {
	for range 3 {
		s, err := p.usualCall(p.document())
		if s == nil {
			return 0, err
		}
		if took := s.exchange.Duration; shortest == 0 || took < shortest {
			shortest = took
		}
	}
	return shortest, nil
}

// leastSlow is how long a call has to take before its time says anything: on a busy machine
// calls of any endpoint take a while.
const leastSlow = time.Second
