// Package e2e runs the real binary, as its users do.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the orderhook that the tests run, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "orderhook-e2e-")
	if err == nil {
		binary = filepath.Join(dir, "orderhook")
		build := exec.Command("go", "build", "-ldflags", "-X main.release=v1.2.3", "-o", binary, "github.com/orderhook/orderhook/cmd/orderhook")
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the binary:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
