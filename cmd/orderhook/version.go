package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// release is the version as `make build` sets it.
var release string

type version struct{}

// Run implements a kong command.
func (version) Run(s *session) error {
	fmt.Fprintf(s.out, "orderhook %s (%s, %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
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
