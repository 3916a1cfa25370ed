package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/spelling"
)

// rerunCalls makes recorded calls of a server again, against another URL
// (docs/building-an-endpoint.md#rerun).
type rerunCalls struct {
	Attempts []string `arg:"" optional:"" name:"attempt" help:"Ids of attempts."`
	To       string   `required:"" env:"-" placeholder:"URL" help:"Where the calls go."`
	picked
	sending
	comparing
	remote
}

// picked is the flags that say which calls of a server are meant.
type picked struct {
	Filter []string `sep:"none" env:"-" placeholder:"NAME=VALUE" help:"Picks attempts, as the parameters of GET /api/attempts: --filter kind=step --filter orderId=A1. Again for each."`
	Most   count    `default:"100" env:"-" help:"How many of those that --filter picks, the newest."`
}

// calls returns the calls of a server.
func (p *picked) calls(server *remoteServer, ids []string) (*app.ServerCalls, error) {
	switch {
	case len(ids) == 0 && len(p.Filter) == 0:
		return nil, app.UserErrorf("name the attempts, or pick some with --filter, as --filter kind=step")
	case len(ids) > 0 && len(p.Filter) > 0:
		return nil, app.UserErrorf("attempts are named, and picked with --filter: take one of them")
	case p.Most == 0:
		return nil, app.UserErrorf("--most must be 1 or more")
	}
	return &app.ServerCalls{Server: server, IDs: ids, Filter: p.Filter, Most: int(p.Most)}, nil
}

// parallelCalls is the flag of how many calls are made at once.
type parallelCalls struct {
	Parallel count `default:"4" env:"-" help:"How many calls are made at once, 1 to 64."`
}

const mostParallel = 64

func (p parallelCalls) number() (int, error) {
	if p.Parallel < 1 || p.Parallel > mostParallel {
		return 0, app.UserErrorf("--parallel must be 1 to %d", mostParallel)
	}
	return int(p.Parallel), nil
}

// sending is the flags of how calls are sent. Secrets may be in files and in variables, to be
// out of the list of processes.
type sending struct {
	parallelCalls
	Header               []string `sep:"none" env:"-" placeholder:"NAME:VALUE" help:"Header to send with each call, as the credentials of the endpoint. Again for each."`
	HeaderFile           string   `placeholder:"FILE" help:"File with such headers, one on each line."`
	SigningSecret        string   `placeholder:"SECRET" help:"Signs as a connector or an endpoint does, with the three Standard Webhooks headers."`
	SigningSecretFile    string   `placeholder:"FILE" help:"File that holds --signing-secret, instead."`
	XSignatureSecret     string   `name:"x-signature-secret" placeholder:"SECRET" help:"Signs as the order-state webhook does, with X-Signature."`
	XSignatureSecretFile string   `name:"x-signature-secret-file" placeholder:"FILE" help:"File that holds --x-signature-secret, instead."`
	Timeout              duration `default:"0s" env:"-" help:"How long a call may take; 0: as long as when it was recorded."`
	SameKeys             bool     `help:"Sends the recorded Idempotency-Key and webhook-id, and not new ones. An endpoint that knows them may answer what it answered before."`
	CAFile               string   `name:"ca-file" placeholder:"FILE" help:"Certificates, PEM, of authorities that are trusted beside those of the system."`
}

// set completes what makes the calls.
func (f *sending) set(r *app.Rerun, to string) (err error) {
	if _, why := event.CheckURL(to); why != "" {
		return app.UserErrorf("%s: %s", to, why)
	}
	if r.Parallel, err = f.number(); err != nil {
		return err
	}
	r.CAFile, r.Version = f.CAFile, versionText()
	s := &r.Sender
	s.URL, s.Timeout, s.SameKeys = to, time.Duration(f.Timeout), f.SameKeys
	if s.Signer, err = f.signer(); err != nil {
		return err
	}
	s.Header, err = f.headers()
	return err
}

// signer returns what signs the calls; nil for nothing.
func (f *sending) signer() (*outbound.Signer, error) {
	signing, err := secretOf("signing-secret", f.SigningSecret, f.SigningSecretFile)
	if err != nil {
		return nil, err
	}
	body, err := secretOf("x-signature-secret", f.XSignatureSecret, f.XSignatureSecretFile)
	switch {
	case err != nil:
		return nil, err
	case signing != "" && body != "":
		return nil, app.UserErrorf("--signing-secret and --x-signature-secret are both given: take one of them")
	case body != "":
		return outbound.NewBodySigner(body), nil
	case signing == "":
		return nil, nil
	}
	signer, err := outbound.GivenSigner(signing)
	if err != nil {
		return nil, app.UserErrorf("--signing-secret: %w", err)
	}
	return signer, nil
}

// headers reads the headers. No message has the value of one.
func (f *sending) headers() (out []outbound.GivenHeader, err error) {
	lines := f.Header
	if f.HeaderFile != "" {
		text, err := secretOf("header", "", f.HeaderFile)
		if err != nil {
			return nil, err
		}
		lines = append(lines, strings.Split(text, "\n")...)
	}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); strings.TrimSpace(line) == "" {
			continue
		}
		if !ok || !outbound.HeaderAllowed(name) {
			return nil, app.UserErrorf("--header: write NAME:VALUE, with the name of a header that orderhook does not write itself")
		}
		out = append(out, outbound.GivenHeader{Name: name, Value: strings.TrimSpace(value)})
	}
	return out, nil
}

// comparing is the flags of what is compared, and how it is shown.
type comparing struct {
	Ignore     []string  `sep:"none" env:"-" placeholder:"PATH" help:"Does not compare this, as reason, order.tags or properties[Checked*]. Again for each."`
	Tolerance  tolerance `default:"0" env:"-" placeholder:"NUMBER" help:"By how much two numbers may differ, as 0.01."`
	Slower     factor    `default:"3" env:"-" placeholder:"FACTOR" help:"A call is slower if it takes so many times as long as it did, and 500 ms or more; 0: never."`
	FailSlower bool      `env:"-" help:"Takes a slower call for another decision: exit code 1."`
	Details    bool      `env:"-" help:"Shows the differences of each call."`
	JSON       bool      `name:"json" env:"-" help:"Prints the report as JSON."`
}

// slowerFrom is how long a call takes at least that is slower: what is quick is so now and
// then by chance.
const slowerFrom = 500 * time.Millisecond

func (f *comparing) options() rerun.Options {
	return rerun.Options{Ignore: f.Ignore, Tolerance: decimal.Decimal(f.Tolerance), Slower: float64(f.Slower), SlowerFrom: slowerFrom}
}

// tolerance is a flag with a number that is not negative.
type tolerance decimal.Decimal

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *tolerance) UnmarshalText(text []byte) error {
	d, err := decimal.NewFromString(strings.TrimSpace(string(text)))
	if err != nil || d.IsNegative() {
		return fmt.Errorf("%q is no number from 0 on", text)
	}
	*t = tolerance(d)
	return nil
}

// factor is a flag with a number that is 0, or 1 or more.
type factor float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *factor) UnmarshalText(text []byte) error {
	d, err := decimal.NewFromString(strings.TrimSpace(string(text)))
	n := d.InexactFloat64()
	if err != nil || n != 0 && (n < 1 || n > 1000) {
		return fmt.Errorf("%q is neither 0 nor a number from 1 to 1000", text)
	}
	*f = factor(n)
	return nil
}

// Run implements a kong command. Nothing is written anywhere; the exit code says whether all
// came to the same.
func (c *rerunCalls) Run(s *session) error {
	server, err := c.remote.server(c.CAFile)
	if err != nil {
		return err
	}
	if server == nil {
		return app.UserErrorf("--url names the server whose calls they are, with --key-file or --key")
	}
	defer server.close()
	calls, err := c.calls(server, c.Attempts)
	if err != nil {
		return err
	}
	r := &app.Rerun{From: calls, Options: c.options()}
	if err := c.set(r, c.To); err != nil {
		return err
	}
	_, err = c.try(s, r)
	return err
}

// try makes the calls and shows what came of them. Its error is the exit code.
func (f *comparing) try(s *session, r *app.Rerun) (app.Report, error) {
	bar := progress{session: s, last: time.Now()}
	r.Progress = func(done, all int) {
		if bar.due() {
			fmt.Fprintf(s.errOut, "%d of %d\n", done, all)
		}
	}
	report, err := r.Run(s.ctx)
	if err != nil && len(report.Calls) == 0 {
		left := "nothing was made again"
		if report.Begun > 0 {
			left = spelling.Count(report.Begun, "call") + " had begun, which the endpoint may have got, and no answer came in time"
		}
		return report, s.unlessStopped(err, left)
	}
	if shown := f.show(s.out, &report); shown != nil {
		return report, shown
	}
	if err != nil {
		return report, s.unlessStopped(lookError{err}, "not all calls were made again")
	}
	if err := report.Err(); err != nil {
		return report, err
	}
	n := report.Summary.Different + report.Summary.Failed
	if f.FailSlower {
		n += report.Summary.Slower
	}
	if n > 0 {
		return report, foundError(fmt.Sprintf("%d of %s came to something else", n, spelling.Count(len(report.Calls), "call")))
	}
	return report, nil
}

// show prints the report: a table, or JSON.
func (f *comparing) show(out io.Writer, report *app.Report) error {
	if f.JSON {
		text, err := json.Marshal(report, json.Deterministic(true), jsontext.WithIndent("  "))
		if err == nil {
			_, err = fmt.Fprintf(out, "%s\n", text)
		}
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ATTEMPT\tKIND\tABOUT\tRECORDED\tNOW\tRESULT")
	for _, t := range report.Calls {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Kind, t.About, side(t.Recorded), side(t.Now), strings.TrimSuffix(fmt.Sprintf("%s: %s", t.Result, t.Said()), ": "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if f.Details {
		for _, t := range report.Calls {
			if len(t.Differences) > 0 {
				fmt.Fprintf(out, "\n%s %s\n  %s", t.ID, t.About, strings.ReplaceAll(strings.TrimSuffix(t.Details(), "\n"), "\n", "\n  ")+"\n")
			}
		}
	}
	n := report.Summary
	_, err := fmt.Fprintf(out, "\n%d same, %d slower, %d different, %d failed, %d skipped\n", n.Same, n.Slower, n.Different, n.Failed, n.Skipped)
	return err
}

// side is an answer as the table shows it.
func side(a *app.TriedSide) string {
	if a == nil {
		return "-"
	}
	status := "no answer"
	if a.Status != 0 {
		status = fmt.Sprint(a.Status)
	}
	what := string(a.Decision.Result)
	switch {
	case a.Decision.Outcome != rerun.Answered:
		what = string(a.Decision.Outcome)
	case what == "" && a.Decision.Passed:
		what = "passed"
	case what == "":
		what = "answered"
	}
	return fmt.Sprintf("%s %s %.0f ms", status, what, a.DurationMs)
}
