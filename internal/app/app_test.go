package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, o Options) (*App, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return Start(ctx, o)
}

func TestStartAndStop(t *testing.T) {
	o := Options{Listen: "127.0.0.1:0", Database: filepath.Join(t.TempDir(), "a.db"), Version: "test"}
	for range 2 { // the second finds the database free
		a, err := start(t, o)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get(a.URL + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("readyz: %d", resp.StatusCode)
		}
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := http.Get(a.URL + "/readyz"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after its stop: %v", err)
		}
	}
}

func TestAFailedStartLeavesNothingBehind(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := Options{Listen: taken.Addr().String(), Database: filepath.Join(t.TempDir(), "a.db"), Version: "test"}
	if _, err := start(t, o); !IsUserError(err) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("on a port in use: %v", err)
	}
	o.Listen, o.SettingsFile = "127.0.0.1:0", "none.json"
	if _, err := start(t, o); !IsUserError(err) {
		t.Fatalf("with settings that are not there: %v", err)
	}
	o.SettingsFile = ""
	a, err := start(t, o)
	if err != nil {
		t.Fatal(err)
	}
	if a.NewKey == "" {
		t.Error("a start that failed took the key with it")
	}
	if err := a.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAStartThatIsCanceledIsNoUserError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx, Options{Listen: "127.0.0.1:0", Database: filepath.Join(t.TempDir(), "a.db"), Version: "test"})
	if !errors.Is(err, context.Canceled) || IsUserError(err) {
		t.Errorf("%v", err)
	}
}
