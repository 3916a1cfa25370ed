package main

import (
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/redact"
	"github.com/orderhook/orderhook/internal/spelling"
)

// ci are the commands for the pipeline of an endpoint
// (docs/building-an-endpoint.md#contract-tests-from-production).
type ci struct {
	Record ciRecord `cmd:"" help:"Write recorded calls of a server to a folder, without what is personal in them."`
	Run    ciRun    `cmd:"" help:"Make the calls of such a folder against an endpoint, and compare what would come of them; needs no server."`
}

// ciRecord writes recorded calls to a folder.
type ciRecord struct {
	Out              string   `required:"" env:"-" placeholder:"FOLDER" help:"Folder to write to, which is made if it is not there."`
	RedactionKeyFile string   `placeholder:"FILE" help:"File with the key of the replacements, which is made if it is not there: with the same key, the same value becomes the same. Without it, FOLDER.key."`
	Redact           nameList `env:"-" placeholder:"NAMES" help:"Names of fields, between commas, whose values are replaced beside those that always are."`
	RedactPattern    []string `sep:"none" env:"-" placeholder:"REGEXP" help:"What is replaced wherever it stands. Again for each."`
	Keep             nameList `env:"-" placeholder:"NAMES" help:"Names of fields whose values stay as they are, since the endpoint goes by them."`
	KeepDomain       bool     `env:"-" help:"Leaves the domains of e-mail addresses as they are, for an endpoint that goes by them; one of somebody's own says whose it is."`
	picked
	parallelCalls
	CAFile string `name:"ca-file" placeholder:"FILE" help:"Certificates, PEM, of authorities that are trusted beside those of the system."`
	remote
}

// Run implements a kong command. A call that cannot be made again is left out, and named.
func (c *ciRecord) Run(s *session) error {
	server, err := c.remote.server(c.CAFile)
	if err != nil {
		return err
	}
	if server == nil {
		return app.UserErrorf("--url names the server whose calls they are, with --key-file or --key")
	}
	defer server.close()
	calls, err := c.calls(server, nil)
	if err != nil {
		return err
	}
	r := &app.CallRecording{From: calls, Dir: c.Out, KeyFile: c.RedactionKeyFile, Rules: redact.Rules{Names: c.Redact, Keep: c.Keep, KeepDomain: c.KeepDomain}}
	if r.KeyFile == "" {
		r.KeyFile = app.RedactionKeyFile(c.Out)
	}
	if r.Parallel, err = c.number(); err != nil {
		return err
	}
	for _, text := range c.RedactPattern {
		pattern, err := regexp.Compile(text)
		if err != nil {
			return app.UserErrorf("--redact-pattern: %w", err)
		}
		r.Rules.Patterns = append(r.Rules.Patterns, pattern)
	}
	bar := progress{session: s, last: time.Now()}
	r.Progress = func(done, all int) {
		if bar.due() {
			fmt.Fprintf(s.errOut, "%d of %d\n", done, all)
		}
	}
	written, err := r.Run(s.ctx)
	c.say(s, r.KeyFile, &written)
	for _, why := range written.Skipped {
		fmt.Fprintf(s.errOut, "left out: %s\n", why)
	}
	if err != nil {
		return s.unlessStopped(err, "the same command writes the others")
	}
	all := written.New + written.Changed + written.Unchanged
	fmt.Fprintf(s.out, "%s has %s: %d new, %d changed, %d as they were\n", c.Out, spelling.Count(all, "recorded call"), written.New, written.Changed, written.Unchanged)
	if all == 0 {
		return app.UserErrorf("no call could be recorded")
	}
	return nil
}

// say says what the replacements go by, and which names of fields have done nothing: one may
// be misspelt.
func (c *ciRecord) say(s *session, keyFile string, written *app.CallsWritten) {
	if written.New+written.Changed+written.Unchanged == 0 {
		return
	}
	what := "uses"
	if written.KeyMade {
		what = "has made"
	}
	fmt.Fprintf(s.errOut, "ci record %s the key of the replacements, %s: keep it for next time, and never commit it, since by it short values could be found out\n", what, keyFile)
	for _, name := range written.UnusedNames {
		fmt.Fprintf(s.errOut, "--redact %s: no call has a field of that name with a text or a number\n", name)
	}
	for _, name := range written.UnusedKeep {
		fmt.Fprintf(s.errOut, "--keep %s: no call has a field of that name with a text or a number\n", name)
	}
}

// ciRun makes the calls of a folder.
type ciRun struct {
	Calls   string `arg:"" help:"Folder that ci record has written."`
	Against string `required:"" env:"-" placeholder:"URL" help:"The endpoint."`
	JUnit   string `name:"junit" env:"-" placeholder:"FILE" help:"Writes the report for a build server, too."`
	sending
	comparing
}

// Run implements a kong command.
func (c *ciRun) Run(s *session) error {
	r := &app.Rerun{From: app.CallFolder{Dir: c.Calls}, Options: c.options()}
	if err := c.set(r, c.Against); err != nil {
		return err
	}
	report, err := c.try(s, r)
	if c.JUnit == "" || len(report.Calls) == 0 {
		return err
	}
	text, made := report.JUnit(c.FailSlower)
	if made != nil {
		return made
	}
	if written := os.WriteFile(c.JUnit, text, 0o644); written != nil {
		return app.UserErrorf("--junit: %w", written)
	}
	return err
}
