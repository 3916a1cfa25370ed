// Package e2e runs the real binary, as its users do.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// binary is the orderhook that the tests run, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "orderhook-e2e-")
	if err == nil {
		binary = filepath.Join(dir, "orderhook")
		build := exec.Command("go", "build", "-ldflags", "-X main.release=v1.2.3 -X main.commit=0123456789abcdef", "-o", binary, "./cmd/orderhook")
		build.Dir = "../.." // the product's module, which says what it is built of
		build.Stderr = os.Stderr
		err = build.Run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the binary:", err)
		os.Exit(1)
	}
	code := pgtest.Run(m)
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
