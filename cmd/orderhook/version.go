package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// release and commit are what was built, as `make build` and `make release` set them.
// They are "" in a program that `go build` or `go install` made.
var release, commit string

// version prints what was built.
type version struct{}

// Run implements a kong command.
func (version) Run(s *session) error {
	fmt.Fprintln(s.out, versionLine())
	return nil
}

// versionFlag is --version, which does the same as the command. People try either.
type versionFlag bool

// BeforeReset implements a kong hook: it runs before anything that is missing is complained about.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	fmt.Fprintln(app.Stdout, versionLine())
	app.Exit(exitOK)
	return nil
}

// versionLine says what was built, with what, and for what.
func versionLine() string {
	details := []string{runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if c := commitText(); c != "" {
		details = append(details, "commit "+c)
	}
	return fmt.Sprintf("orderhook %s (%s)", versionText(), strings.Join(details, ", "))
}

// versionText is the version that was built: as make set it, or as `go install
// …@v1.2.3` knows it, else dev.
func versionText() string {
	if release != "" {
		return strings.TrimPrefix(release, "v")
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}

// commitText is the commit that was built: as make set it, or as `go build` found it;
// "" if nobody knows. A tree with changes that are not committed is -dirty.
func commitText() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	found, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			found = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "-dirty"
		}
	}
	if found == "" {
		return ""
	}
	return found + modified
}
