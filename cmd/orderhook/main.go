// Command orderhook is the server and the tools around it. Each command is a file here: a
// struct with its flags, and a method Run, which hands them to package app and prints
// what comes back.
//
// The package knows flags, variables, the config file (sources.go), output and exit
// codes, and nothing of how anything is done. main.go has the list of the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/bench"
	"github.com/orderhook/orderhook/internal/checkup"
)

// The exit codes. Scripts go by them, so they do not change. The document
// docs/operating.md#start-and-stop says which command has one, and for what.
const (
	exitOK        = 0
	exitInternal  = 1
	exitWarned    = 1   // the settings have a warning, and --strict was given
	exitFound     = 1   // the command did what it was asked, and has found something (foundError)
	exitUserError = 2   // the user can correct it
	exitSignal    = 128 // plus the number of the signal that ended the process at once, or a command before it was done
)

// commands is the command line. kong reads the struct tags; their order is that of the
// help.
type commands struct {
	ShowVersion versionFlag `name:"version" help:"Print the version."`

	Serve       serve        `cmd:"" help:"Run the server."`
	Demo        demoRun      `cmd:"" help:"Show the server at work on orders of its own, with nothing to set up."`
	Migrate     migrate      `cmd:"" help:"Bring the database's schema up to date; or copy a whole database into another, from SQLite to PostgreSQL and back."`
	Keys        keys         `cmd:"" help:"Make, list and revoke API keys; works beside a running server."`
	Backup      backup       `cmd:"" help:"Copy the database to a file, beside a running server, and check the copy."`
	Restore     restore      `cmd:"" help:"Put a backup in the place of the database, which no server may have open."`
	Check       check        `cmd:"" help:"Look for damage in the database; or, with a URL, call an endpoint as a server would and say what it gets wrong."`
	Doctor      doctor       `cmd:"" help:"Look at an installation for what somebody should do something about; works beside a running server."`
	Bench       benchRun     `cmd:"" help:"Measure this machine, and print the report as Markdown."`
	Attack      benchAttack  `cmd:"" name:"bench-attack" hidden:""`
	Settings    settingsFile `cmd:"" help:"Check a settings file, or apply it."`
	Apply       apply        `cmd:"" help:"Have settings, endpoints and keys be as a file says, or show the differences."`
	Simulate    simulation   `cmd:"" help:"Say what would have become of orders under other settings, by the answers on record; works beside a running server."`
	Export      export       `cmd:"" help:"Write orders, history, attempts or events to a file."`
	Import      importing    `cmd:"" help:"Add orders, history or events from a file that export made."`
	Rerun       rerunCalls   `cmd:"" help:"Make recorded calls of a server again, against any URL and without effect, and compare what would come of them."`
	CI          ci           `cmd:"" name:"ci" help:"Contract tests of an endpoint, from the calls that it really got."`
	Listen      listening    `cmd:"" help:"Bring events of a server to a receiver on this machine, and show them."`
	Trigger     trigger      `cmd:"" help:"Publish an event made of an order, or send it to a receiver."`
	Healthcheck healthcheck  `cmd:"" help:"Ask the server on this machine whether it takes requests; the exit code says so."`
	Version     version      `cmd:"" help:"Print the version."`
}

// session is what a command runs with. There is one for the process. The context ends
// with the first signal. config is what the command line did not say.
type session struct {
	ctx         context.Context
	out, errOut io.Writer
	config      *sources
	command     *kong.Context // with its flags
	args        []string      // of the command line
}

// again reads the flags anew from where they came from at first. Of these, the config file
// may have changed. That it is gone is an error, even where it need not be there: its rules
// would be gone with it, without a word.
func (s *session) again() (*session, error) {
	parser, config := newParser(s.out, s.errOut)
	command, err := parser.Parse(s.args)
	if was := s.config.path(); err == nil && was != "" && config.path() == "" {
		err = app.UserErrorf("the config file %s is gone", was)
	}
	return &session{s.ctx, s.out, s.errOut, config, command, s.args}, err
}

// serve is the command that runs, if it is that one.
func (s *session) serve() *serve { return s.command.Selected().Target.Addr().Interface().(*serve) }
func main() {
	// Only net/http's client writes there: what an endpoint sent uncalled for,
	// which may be the very secrets that it was sent.
	log.SetOutput(io.Discard)
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// leaving is for how many nanoseconds after the first signal a second one does not end the
// process yet, and a third one does. A command sets it that has something to remove from a server
// in the end: GNU timeout sends its signal to the child and to its group, so it comes twice.
var leaving atomic.Int64

// outlivesReader says that the command goes on though nobody reads what it writes any more, as
// where a log is read by a program that is started again.
var outlivesReader atomic.Bool

// untilSignal returns a context that ends with the first signal to stop, or with the reader of
// what the command writes, unless it [outlivesReader]. A second signal to stop
// ends the process at once, unless the command is [leaving]. The goroutine lives as long as
// the process. The cause of the context says which signal it was (unlessStopped).
func untilSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	unread := make(chan os.Signal, 1)
	signal.Notify(unread, syscall.SIGPIPE) // without this, the next write would end the process
	go func() {
		for range unread {
			if !outlivesReader.Load() {
				cancel(signalError{syscall.SIGPIPE})
			}
		}
	}()
	go func() {
		first := <-signals
		cancel(signalError{first.(syscall.Signal)})
		began := time.Now()
		again := <-signals
		if left := time.Duration(leaving.Load()) - time.Since(began); left > 0 {
			select {
			case <-time.After(left):
			case again = <-signals: // whoever insists has their way
			}
		}
		os.Exit(exitSignal + int(again.(syscall.Signal)))
	}()
	return ctx
}

// signalError is why the context of a command has ended.
type signalError struct{ signal syscall.Signal }

// Error implements error.
func (e signalError) Error() string { return e.signal.String() }

// stoppedError ends a command that a signal has stopped before it was done: whoever waits
// for it must not take it for done.
type stoppedError struct {
	signalError
	left string // what is there now
}

// Error implements error.
func (e stoppedError) Error() string { return "stopped before it was done: " + e.left }

// unlessStopped returns an error as it is, unless a signal is the reason for it. left
// says what the command leaves behind.
func (s *session) unlessStopped(err error, left string) error {
	if signal, ok := errors.AsType[signalError](context.Cause(s.ctx)); ok && err != nil {
		return stoppedError{signal, left}
	}
	return err
}

// stoppedBy reports whether an error comes of the end of the context. A request that was under way
// has its cause as the error, which is the signal.
func stoppedBy(err error) bool {
	_, signalled := errors.AsType[signalError](err)
	return signalled || errors.Is(err, context.Canceled)
}

// endless are the commands that a signal is meant to end. The others end before they are done.
var endless = []string{"serve", "demo", "bench", "bench-attack", "listen"}

// run runs a command and returns the exit code. An error is one line on standard error.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	s, err := (&session{ctx: ctx, out: out, errOut: errOut, config: &sources{}, args: args}).again()
	if err == nil {
		err = s.command.Run(s)
		if ctx.Err() != nil && stoppedBy(err) {
			if slices.Contains(endless, s.command.Command()) { // stopped before it had begun
				return exitOK
			}
			if _, told := errors.AsType[stoppedError](err); !told {
				err = s.unlessStopped(err, "nothing was changed, or only what the command said")
			}
		}
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(errOut, "orderhook: %s\n", oneLine(err))
	return exitCode(err)
}

// newParser makes the parser, and the sources that it asks for what is not on the command
// line. An error in the struct tags ends the program at once, so tests find it.
func newParser(out, errOut io.Writer) (*kong.Kong, *sources) {
	config := &sources{}
	return kong.Must(&commands{},
		kong.Name("orderhook"), kong.Description("A webhook server for order management."),
		kong.Writers(out, errOut), kong.Vars{"defaultConfig": defaultConfig, "measurements": strings.Join(bench.Names(), ", "), "cases": strings.Join(checkup.Names(), ", ")}, defaults(), kong.ValueFormatter(helpText),
		kong.Resolvers(config), kong.PostBuild(config.learnKeys)), config
}

// exitCode returns the code of an error. What nobody has classified is the program's own
// fault.
func exitCode(err error) int {
	if _, ok := errors.AsType[warnedError](err); ok {
		return exitWarned
	}
	if _, ok := errors.AsType[foundError](err); ok {
		return exitFound
	}
	if e, ok := errors.AsType[stoppedError](err); ok {
		return exitSignal + int(e.signal)
	}
	if _, ok := errors.AsType[lookError](err); ok {
		return exitUserError
	}
	if _, ok := errors.AsType[*kong.ParseError](err); ok || app.IsUserError(err) {
		return exitUserError
	}
	return exitInternal
}

// oneLine returns the text of an error on one line. The error may be several errors
// joined.
func oneLine(err error) string {
	if s, ok := errors.AsType[*sourceError](err); ok {
		err = s // without what kong puts before it
	}
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
