package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestStopIsOverInTime: what does not end is left behind, and what ends does so
// before that.
func TestStopIsOverInTime(t *testing.T) {
	for _, c := range []struct{ grace, work time.Duration }{{30 * time.Second, 27500 * time.Millisecond}, {2 * time.Second, 1500 * time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			began, end := time.Now(), make(chan struct{})
			a := &App{log: slog.New(slog.NewTextHandler(&log, nil))}
			a.onStop(func(context.Context) error { <-end; return nil })
			a.onStop(func(ctx context.Context) error {
				<-ctx.Done()
				if took := time.Since(began); took != c.work {
					t.Errorf("of %v, %v are for work", c.grace, took)
				}
				return nil
			})
			ctx, cancel := context.WithTimeout(t.Context(), c.grace)
			defer cancel()
			if err := a.Stop(ctx); err != nil || time.Since(began) != c.grace {
				t.Errorf("%v after %v", err, time.Since(began))
			}
			if !strings.Contains(log.String(), "stopping took too long") {
				t.Errorf("the log says %q", &log)
			}
			close(end)
		})
	}
}

// oneConn is a listener for one connection.
type oneConn struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (l oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l oneConn) Close() error   { close(l.closed); return nil }
func (l oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// TestDrainCutsOff: callers are released a little before the end, and who does
// not go even then is cut off at the end.
func TestDrainCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })}
		l := oneConn{make(chan net.Conn), make(chan struct{})}
		go func() { _ = server.Serve(l) }()
		mine, theirs := net.Pipe()
		l.conn <- theirs
		_, _ = io.WriteString(mine, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		began, answered := time.Now(), time.Duration(0)
		err := drain(ctx, server, func() { answered = time.Since(began) })
		// Shutdown looks twice a second.
		if took := time.Since(began); err != nil || took < 20*time.Second || took > 21*time.Second || answered < 17500*time.Millisecond || answered > 18*time.Second {
			t.Errorf("%v after %v, released after %v", err, took, answered)
		}
		if _, err := mine.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection: %v", err)
		}
	})
}
