package checkup

import (
	"cmp"
	"fmt"
	"mime"
	"strings"

	"github.com/orderhook/orderhook/internal/outbound"
)

// ifNot is what a case says of a call that was not taken, though it should have been.
type ifNot struct {
	kind     string
	severity Severity // "": an error
	advice   string
}

// look finds what holds for every call: that it was not taken, and what is wrong with the
// answer however good the call is. What holds for all calls is told once.
func (p *probe) look(s *sent, not ifNot) {
	if !s.answered() {
		advice, at := p.adviceOn(s)
		p.find(s, Finding{Kind: not.kind, Severity: cmp.Or(not.severity, Error), Text: p.notTaken(s), Advice: strings.TrimSpace(advice + " " + not.advice), Section: at})
	}
	if s.exchange.Status == 0 {
		return
	}
	p.lookAtTime(s)
	if p.o.Kind == Event {
		return // what the answer says means nothing
	}
	p.lookAtType(s)
	for _, w := range s.Warnings {
		at := strings.TrimSuffix(w.Path+": ", ": ")
		p.once(s, Finding{Kind: "not-read", Severity: Warning, Text: strings.TrimPrefix(at+": "+w.Message, ": "),
			Advice: "Spell the member as the documentation does and put it where it is read, or leave it out.", Section: section(p.o.Kind, "unread")})
	}
	p.lookAtValues(s)
}

// notTaken is the text about a call that was not taken.
func (p *probe) notTaken(s *sent) string {
	switch {
	case s.exchange.Status == 0:
		return "no answer came: " + s.exchange.Failure()
	case s.exchange.Status/100 == 2:
		return s.Reason
	}
	return "the endpoint " + s.exchange.Failure()
}

// lookAtTime holds the time that an answer took against the time-out.
func (p *probe) lookAtTime(s *sent) {
	if took := s.exchange.Duration; took > p.o.Timeout/2 {
		p.once(s, Finding{Kind: "slow-answer", Severity: Warning, Text: fmt.Sprintf("an answer took more than half of the time-out of %s", p.o.Timeout),
			Advice: "Answer earlier: a little more load, and calls time out, are made again, and do their work twice. " + soon(p.o.Kind), Section: repeatSection(p.o.Kind)})
	}
}

// soon is how an endpoint of a kind answers soon.
func soon(k Kind) string {
	if k == Event {
		return "Store the event safely, answer, and work on it afterwards."
	}
	return "Do what the answer does not need afterwards; or give the connector a longer timeout."
}

// lookAtType looks at what an answer says that its body is.
func (p *probe) lookAtType(s *sent) {
	body := strings.TrimSpace(string(s.exchange.Body))
	if s.answered() && body == "" {
		text := "an empty body counts as a success, and changes nothing"
		if p.o.Kind == Validator {
			text = "an empty body approves the cart"
		}
		p.once(s, Finding{Kind: "empty-answer", Severity: Note, Text: text, Advice: "If the endpoint meant to say something, it did not: does it write its answer, and under 200 rather than 204?", Section: section(p.o.Kind, "answer")})
		return
	}
	header := s.exchange.Header.Get("Content-Type")
	media, params, err := mime.ParseMediaType(header)
	json := err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
	switch charset := params["charset"]; {
	case !s.answered():
	case !json:
		p.once(s, Finding{Kind: "content-type", Severity: Warning, Text: fmt.Sprintf("the answer is JSON, and its Content-Type is %q", printable(header)),
			Advice: "Answer with Content-Type: application/json. orderhook reads the body all the same; proxies and tools between may change or refuse it.", Section: section(p.o.Kind, "answer")})
	case charset != "" && !strings.EqualFold(charset, "utf-8"):
		p.once(s, Finding{Kind: "content-type", Severity: Warning, Text: fmt.Sprintf("the answer says that it is in %q: JSON is UTF-8, and is read as that", printable(charset)),
			Advice: "Write the answer as UTF-8.", Section: section(p.o.Kind, "answer")})
	}
}

// find adds a finding about a request.
func (p *probe) find(s *sent, f Finding) {
	f.Text, f.Sent, f.Came, f.Effect = printable(f.Text), s.what(), s.came(), s.text
	p.now.Findings = append(p.now.Findings, f)
}

// once is find for what may hold for all calls: it is told of the first.
func (p *probe) once(s *sent, f Finding) {
	if key := f.Kind + "\n" + f.Text; !p.told[key] {
		p.told[key] = true
		p.find(s, f)
	}
}

// section is where the documentation says what an endpoint of a kind answers, what of that
// is not read, or what is not valid.
func section(k Kind, about string) string {
	switch {
	case k == Validator:
		return "docs/building-an-endpoint.md#cart-validators"
	case k == Event:
		return "docs/building-an-endpoint.md#events"
	case about == "unread":
		return "docs/building-an-endpoint.md#what-nobody-reads"
	case about == "invalid":
		return "docs/building-an-endpoint.md#what-is-an-invalid-answer"
	case about == "patch":
		return "docs/building-an-endpoint.md#the-patch"
	case k == Return && about == "answer":
		return "docs/building-an-endpoint.md#return-steps"
	}
	return "docs/building-an-endpoint.md#what-to-answer"
}

// repeatSection is where the documentation says what comes again.
func repeatSection(k Kind) string {
	switch k {
	case Validator:
		return "docs/building-an-endpoint.md#traps"
	case Event:
		return "docs/building-an-endpoint.md#events"
	}
	return "docs/building-an-endpoint.md#the-same-attempt-twice"
}

// adviceOn says what to do about a call that was not taken, and where the documentation
// speaks of it.
func (p *probe) adviceOn(s *sent) (advice, at string) {
	at = "docs/building-an-endpoint.md#retries"
	switch p.o.Kind {
	case Validator, Event:
		at = section(p.o.Kind, "answer")
	}
	x := s.exchange
	if x.Status == 0 {
		return adviceOnSilence(x), at
	}
	if x.Status/100 == 2 && p.o.Kind != Event {
		advice = "Answer with one JSON object, or with nothing."
		if encoding := x.Header.Get("Content-Encoding"); encoding != "" {
			advice = fmt.Sprintf("The body is compressed (%s), which the request did not ask for: compress only for those who send Accept-Encoding.", printable(encoding))
		} else if strings.HasPrefix(strings.TrimSpace(string(x.Body)), "<") {
			advice = "It is a page, and not JSON: is it the right URL, and not that of a login or a proxy?"
		}
		return advice, section(p.o.Kind, "invalid")
	}
	return p.adviceOnStatus(x), at
}

// adviceOnSilence is for calls that got no whole answer.
func adviceOnSilence(x outbound.Exchange) string {
	switch failure := x.Failure(); {
	case strings.Contains(failure, "timed out after"):
		return "Answer within the time-out; or give the connector, or the endpoint, a longer one, and check with --timeout."
	case strings.Contains(failure, "plain HTTP"):
		return "The URL begins with https:// and the server speaks HTTP: give its http:// URL, or turn TLS on there."
	case strings.HasPrefix(failure, "TLS:"):
		return "Its certificate has to be valid for the name in the URL and lead to an authority that is trusted: the server has to send the certificates between, too. For an authority of your own there is --ca-file."
	case strings.Contains(failure, "invalid HTTP response"):
		return "What answers there does not speak HTTP, or only HTTPS: is the port the right one?"
	case strings.Contains(failure, "connection closed"), strings.Contains(failure, "connection reset"):
		return "The program that answers ended the connection: look for a crash in its log."
	case strings.Contains(failure, "no such host"):
		return "The name cannot be resolved: is it spelled right, and known to this machine's DNS?"
	case strings.Contains(failure, "refused by the target guard"):
		return "A server never calls such an address: it belongs to the machine's own services."
	}
	return "Does a program listen there, and does no firewall stand between?"
}

// adviceOnStatus says what a status that is no success is likely about.
func (p *probe) adviceOnStatus(x outbound.Exchange) string {
	switch status := x.Status; {
	case status/100 == 3:
		to := x.Header.Get("Location")
		if to == "" {
			return "Redirects are never followed, since a call carries secrets: give the URL that answers by itself."
		}
		return fmt.Sprintf("Redirects are never followed, since a call carries secrets: give the URL that this one leads to, %s. Often it is https in place of http, or a slash at the end.", printable(to))
	case status == 401, status == 403:
		return "Give what it asks for: the secret by --secret-file, credentials by --header-file. A protection against forged forms (CSRF) has to be off for this path."
	case status == 404:
		return "Is the path the right one?" + p.final(status)
	case status == 405:
		return "The path has to take POST."
	case status == 406, status == 415:
		return "The request is application/json, and accepts that: the framework has to be told so."
	case status == 409:
		return "A conflict is no answer."
	case status == 410:
		return "Only an endpoint of events that wants no more of them answers so."
	case status == 413:
		return "The server, or a proxy before it, takes no body of this size."
	case status == 429:
		return "The limit on requests is too low."
	case status/100 == 4:
		return sayNo(p.o.Kind) + p.final(status)
	case status/100 == 5:
		return "Look for the error in the endpoint's log."
	case p.o.Kind == Event && status/100 == 2:
		return "Only 200, 201, 202 and 204 acknowledge an event: answer with one of these."
	}
	return "Answer with a status of 2xx."
}

// final says whether a status of 4xx is tried again, which surprises.
func (p *probe) final(status int) string {
	switch {
	case p.o.Kind == Validator || p.o.Kind == Event:
		return ""
	case outbound.Classify(status, nil) == outbound.Final:
		return " It is final: the call is not tried again."
	}
	return fmt.Sprintf(" A %d is tried again; only 400 and 404 are final.", status)
}
