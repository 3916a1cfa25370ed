package app

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestAServerThatEndsByItselfIsTold: each of the addresses that a server listens at is broken once,
// as if the system had taken its socket. The operator hears of it in the log, and `serve`
// through Failed.
func TestAServerThatEndsByItselfIsTold(t *testing.T) {
	for _, what := range []string{"requests", "metrics", "profiles"} {
		t.Run(what, func(t *testing.T) {
			var log bytes.Buffer
			ports := map[string]string{"requests": freePort(t), "metrics": freePort(t), "profiles": freePort(t)}
			a, err := Start(t.Context(), Options{
				Listen: ports["requests"], Beside: Beside{MetricsListen: ports["metrics"], DebugListen: ports["profiles"]},
				Database: filepath.Join(t.TempDir(), "x.db"), Log: slog.New(slog.NewTextHandler(&log, nil)),
			})
			if err != nil {
				t.Fatal(err)
			}
			endListening(t, ports[what])
			if err := <-a.Failed; !strings.HasPrefix(err.Error(), "serve "+what+": ") {
				t.Errorf("failed: %v", err)
			}
			if err := a.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			// Nobody writes to the log any more.
			if want := "level=ERROR msg=\"a server ended by itself\" serves=" + what + " address=" + ports[what]; !strings.Contains(log.String(), want) {
				t.Errorf("the log has no %s:\n%s", want, log.String())
			}
			select {
			case err := <-a.Failed:
				t.Errorf("of those that were stopped: %v", err)
			default:
			}
		})
	}
}

// TestAnAddressThatIsTakenCostsNoKey: a start makes the first key, shows it once, and must not
// fail behind that.
func TestAnAddressThatIsTakenCostsNoKey(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for what, at := range map[string]Beside{"metrics": {MetricsListen: taken.Addr().String()}, "profiles": {DebugListen: taken.Addr().String()}} {
		o := Options{Listen: freePort(t), Beside: at, Database: filepath.Join(t.TempDir(), "x.db"), Log: slog.New(slog.DiscardHandler)}
		if _, err := Start(t.Context(), o); !IsUserError(err) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(o.Database); !os.IsNotExist(err) {
			t.Errorf("%s: the start that failed has left a database (%v)", what, err)
		}
		l, err := net.Listen("tcp", o.Listen)
		if err != nil {
			t.Errorf("%s: the start that failed still listens: %v", what, err)
			continue
		}
		l.Close()
	}
}

// freePort returns an address that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// endListening shuts the socket of this process that listens at an address: whoever waits there
// for a connection gets an error.
func endListening(t *testing.T, address string) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range open {
		fd, _ := strconv.Atoi(entry.Name())
		bound, err := syscall.Getsockname(fd)
		if err != nil {
			continue // it is no socket
		}
		listens, _ := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
		if at, ok := bound.(*syscall.SockaddrInet4); ok && listens == 1 && net.JoinHostPort(net.IP(at.Addr[:]).String(), strconv.Itoa(at.Port)) == address {
			if err := syscall.Shutdown(fd, syscall.SHUT_RDWR); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("nobody listens at %s", address)
}
