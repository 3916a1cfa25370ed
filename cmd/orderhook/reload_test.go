package main

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// served is the session of serve in a directory of its own, with a config file.
func served(t *testing.T, config string, args ...string) *session {
	t.Helper()
	t.Chdir(t.TempDir())
	configure(t, config)
	s, err := (&session{ctx: t.Context(), out: io.Discard, errOut: io.Discard, config: &sources{}, args: append([]string{"serve"}, args...)}).again()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// configure writes the config file that is read if it is there.
func configure(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(defaultConfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAConfigFileThatIsGone is an error of a reload where it was there before: its rules would
// be gone, too.
func TestAConfigFileThatIsGone(t *testing.T) {
	s := served(t, `{"outgoing": {"denyHosts": ["denied.example"]}}`)
	if err := os.Remove(defaultConfig); err != nil {
		t.Fatal(err)
	}
	if _, err := s.again(); err == nil || !strings.Contains(err.Error(), "the config file "+defaultConfig+" is gone") {
		t.Errorf("it is gone: %v", err)
	}
	none, err := (&session{ctx: s.ctx, out: io.Discard, errOut: io.Discard, config: &sources{}, args: s.args}).again()
	if err != nil {
		t.Fatalf("it was never there: %v", err)
	}
	if none, err = none.again(); err != nil {
		t.Fatalf("it is not there still: %v", err)
	}
	configure(t, `{}`)
	if none, err = none.again(); err != nil || none.config.path() != defaultConfig {
		t.Errorf("it has come: %v", err)
	}
}

// TestWhatAReloadTakesOver: a DNS server that is another one is taken over with the rest of what
// outgoing calls go by, and is not said to be ignored.
func TestWhatAReloadTakesOver(t *testing.T) {
	s := served(t, `{"resolver": "127.0.0.1:53", "grace": "PT30S"}`)
	configure(t, `{"resolver": "127.0.0.1:54", "grace": "PT20S"}`)
	next, err := s.again()
	if err != nil {
		t.Fatal(err)
	}
	changed, ignored := (&reloader{started: s, now: s}).differences(next)
	if !slices.Equal(changed, []string{"resolver"}) || !slices.Equal(ignored, []string{"grace"}) {
		t.Errorf("changed %v, ignored %v", changed, ignored)
	}
}
