// Command orderhook is the server and the tools around it: flags in, app out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/bench"
)

// The exit codes (docs/operating.md).
const (
	exitOK       = 0
	exitInternal = 1
	exitWarned   = 1   // the settings have a warning, and --strict was given
	exitMistake  = 2   // something that the user can put right
	exitSignal   = 128 // and the number of the signal that ended it at once
)

// commands is the command line.
type commands struct {
	Serve    serve        `cmd:"" help:"Run the server."`
	Demo     demoRun      `cmd:"" help:"Show the server at work on orders of its own, with nothing to set up."`
	Migrate  migrate      `cmd:"" help:"Bring the database's schema up to date."`
	Keys     keys         `cmd:"" help:"Make, list and revoke API keys; works beside a running server."`
	Bench    benchRun     `cmd:"" help:"Measure this machine, and print the report as Markdown."`
	Attack   benchAttack  `cmd:"" name:"bench-attack" hidden:""`
	Settings settingsFile `cmd:"" help:"Check a settings file, or apply it."`
	Version  version      `cmd:"" help:"Print the version."`
}

// session is what a command runs with.
type session struct {
	ctx         context.Context
	out, errOut io.Writer
	config      *sources
}

func main() {
	// Only net/http's client writes there: what an endpoint sent uncalled for,
	// which may be the very secrets that it was sent.
	log.SetOutput(io.Discard)
	os.Exit(run(untilSignal(), os.Args[1:], os.Stdout, os.Stderr))
}

// untilSignal returns a context that the first signal to stop cancels. A second
// one ends the process at once.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		again := <-signals
		os.Exit(exitSignal + int(again.(syscall.Signal)))
	}()
	return ctx
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	parser, config := newParser(out, errOut)
	command, err := parser.Parse(args)
	if err == nil {
		err = command.Run(&session{ctx, out, errOut, config})
	}
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) { // stopped before it had begun
		return exitOK
	}
	fmt.Fprintf(errOut, "orderhook: %s\n", oneLine(err))
	return exitCode(err)
}

func newParser(out, errOut io.Writer) (*kong.Kong, *sources) {
	config := &sources{}
	return kong.Must(&commands{},
		kong.Name("orderhook"), kong.Description("A webhook server for order management."),
		kong.Writers(out, errOut), kong.Vars{"defaultConfig": defaultConfig, "measurements": strings.Join(bench.Names(), ", ")}, limitDefaults(), kong.ValueFormatter(helpText),
		kong.Resolvers(config), kong.PostBuild(config.learnKeys)), config
}

func exitCode(err error) int {
	if _, ok := errors.AsType[warnedError](err); ok {
		return exitWarned
	}
	if _, ok := errors.AsType[*kong.ParseError](err); ok || app.IsMistake(err) {
		return exitMistake
	}
	return exitInternal
}

// oneLine is the text of an error, which may be several joined ones, on one line.
func oneLine(err error) string {
	if s, ok := errors.AsType[*sourceError](err); ok {
		err = s // without what kong puts before it
	}
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
