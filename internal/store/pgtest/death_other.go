//go:build !linux

package pgtest

import "syscall"

// endWithParent is for Linux: elsewhere a server outlives tests that are killed.
func endWithParent(*syscall.SysProcAttr) {}
