package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/clock"
)

func TestPace(t *testing.T) {
	start := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	same := func(what string, got time.Time, want time.Duration) {
		t.Helper()
		if d := got.Sub(at(want)).Abs(); d > time.Millisecond {
			t.Errorf("%s: %v, want %v", what, got.Sub(start), want)
		}
	}
	var p pace
	same("nothing yet", p.deadline(at(0)), 30*time.Second)
	same("nothing still", p.deadline(at(10*time.Second)), 30*time.Second)
	p.bytes = 64 << 10
	same("64 KiB more", p.deadline(at(10*time.Second)), 32*time.Second)
	p.pause(at(20 * time.Second))
	same("after a rest of an hour", p.deadline(at(time.Hour)), time.Hour+12*time.Second)
	p.bytes = 1 << 42
	if d := p.deadline(at(0)).Sub(start); d < 1000*time.Hour {
		t.Errorf("4 TiB may take %v", d)
	}
}

// pipes is a network within a synctest bubble.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p pipes) Close() error   { close(p); return nil }

// slowRig is a server with one operation, in a synctest bubble.
type slowRig struct {
	t    *testing.T
	gate *admission.Gate
	net  pipes
}

// paced runs a test against a server that takes a body, waits, and gives an
// answer of a size.
func paced(t *testing.T, wait time.Duration, size int, test func(*slowRig)) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowRig{t, admission.New(admission.DefaultLimits), make(pipes)}
		mux := http.NewServeMux()
		a := newAPI(Options{Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler), Admission: r.gate, Work: admission.NewWork(1)}, mux)
		handle(a, access.Publisher, huma.Operation{OperationID: "slow", Method: http.MethodPost, Path: "/api/slow", RequestBody: documentBody("Slow", "", nil)},
			func(ctx context.Context, _ *struct{}) (*struct{ Body string }, error) {
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-time.After(wait):
					return &struct{ Body string }{strings.Repeat("x", size)}, nil
				}
			})
		server := &http.Server{Handler: a.observed(a.recovered(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			callOf(r.Context()).key = access.Key{ID: "key", Tenant: "acme", Role: access.Publisher}
			mux.ServeHTTP(w, r)
		}))), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)}
		go func() { _ = server.Serve(r.net) }()
		test(r)
		_ = server.Close()
		time.Sleep(2 * time.Hour) // who still sends finds out
	})
}

func (r *slowRig) dial() (net.Conn, *bufio.Reader) {
	mine, theirs := net.Pipe()
	r.net <- theirs
	r.t.Cleanup(func() { _ = mine.Close() })
	return mine, bufio.NewReader(mine)
}

func head(length int, more string) string {
	return fmt.Sprintf("POST /api/slow HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n", length, more)
}

// begin sends the head of a request and its body, byte after byte or piece after
// piece, as slowly as it is told, until the server hears no more.
func begin(conn net.Conn, length, piece int, every time.Duration) {
	_, _ = io.WriteString(conn, head(length, ""))
	for sent := 0; sent < length; sent += piece {
		time.Sleep(every)
		if _, err := io.WriteString(conn, strings.Repeat(" ", min(piece, length-sent))); err != nil {
			return
		}
	}
}

// gone wants that the server holds nothing any more.
func (r *slowRig) gone() {
	r.t.Helper()
	synctest.Wait()
	if f := r.gate.Figures(); f.Requests != 0 || f.Bytes != 0 {
		r.t.Errorf("the server holds %+v", f)
	}
}

func TestWhoSendsNothingIsLetGo(t *testing.T) {
	for name, every := range map[string]time.Duration{"nothing": time.Hour, "a byte in ten seconds": 10 * time.Second} {
		t.Run(name, func(t *testing.T) {
			paced(t, 0, 10, func(r *slowRig) {
				conn, in := r.dial()
				go begin(conn, 1000, 1, every)
				time.Sleep(paceStart - time.Second)
				synctest.Wait()
				if r.gate.Figures().Requests != 1 {
					t.Error("it is not held for as long as it may take")
				}
				resp, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatal(err)
				}
				text, _ := io.ReadAll(resp.Body)
				if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "too slowly: it may take 30s, and a second more for each 32768 bytes") {
					t.Errorf("%d %s", resp.StatusCode, text)
				}
				r.gone()
			})
		})
	}
}

func TestASteadyUploadIsTaken(t *testing.T) {
	paced(t, 0, 10, func(r *slowRig) {
		conn, in := r.dial()
		began := time.Now()
		go begin(conn, 10<<20, 33<<10, time.Second)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); resp.StatusCode != http.StatusOK || took < 5*time.Minute {
			t.Errorf("%d after %v", resp.StatusCode, took)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		r.gone()
	})
}

func TestWhoWaitsForAnHourGetsTheAnswer(t *testing.T) {
	paced(t, time.Hour, 10, func(r *slowRig) {
		conn, in := r.dial()
		go begin(conn, 100, 100, time.Second)
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		time.Sleep(time.Hour) // what was set for this answer does not cut off the next
		go func() { _, _ = io.WriteString(conn, head(2, "Expect: 100-continue\r\n")) }()
		line, err := in.ReadString('\n')
		if err != nil || !strings.Contains(line, "100 Continue") {
			t.Fatal(line, err)
		}
		_, _ = in.ReadString('\n')
		go func() { _, _ = io.WriteString(conn, "{}") }()
		if resp, err = http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		r.gone()
	})
}

func TestWhoTakesNothingIsLetGo(t *testing.T) {
	paced(t, 0, 1<<20, func(r *slowRig) {
		conn, _ := r.dial()
		begin(conn, 2, 2, 0)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if r.gate.Figures().Requests != 1 {
			t.Error("it is not held for as long as it may take")
		}
		time.Sleep(33 * time.Second) // 1 MiB may take 32 more
		r.gone()
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoReadsSteadilyGetsAll(t *testing.T) {
	paced(t, 0, 8<<20, func(r *slowRig) {
		conn, in := r.dial()
		began := time.Now()
		begin(conn, 2, 2, 0)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		var n int64
		for err == nil {
			var m int64
			m, err = io.CopyN(io.Discard, resp.Body, 33<<10)
			n += m
			time.Sleep(time.Second)
		}
		if took := time.Since(began); err != io.EOF || n != 8<<20+3 || took < 4*time.Minute { // quotes and a line end
			t.Errorf("%d bytes, %v, after %v", n, err, took)
		}
		r.gone()
	})
}

// TestLargeBodiesAreWorkedOnInTurn: one after the other, and small ones beside them.
func TestLargeBodiesAreWorkedOnInTurn(t *testing.T) {
	paced(t, time.Hour, 10, func(r *slowRig) {
		began := time.Now()
		took := make(chan time.Duration, 4)
		for _, size := range []int{8 << 20, admission.Large, admission.Large - 1, 10} {
			go func() {
				conn, in := r.dial()
				go begin(conn, size, size, 0)
				resp, err := http.ReadResponse(in, nil)
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Error(resp, err)
				}
				took <- time.Since(began).Round(time.Minute)
			}()
		}
		for _, want := range []time.Duration{time.Hour, time.Hour, time.Hour, 2 * time.Hour} {
			if got := <-took; got != want {
				t.Errorf("one took %v, want %v", got, want)
			}
		}
	})
}

// TestABodyThatNobodyReads does not keep its answer back for ever.
func TestABodyThatNobodyReads(t *testing.T) {
	paced(t, 0, 10, func(r *slowRig) {
		conn, in := r.dial()
		began := time.Now()
		go func() {
			_, _ = io.WriteString(conn, "GET /elsewhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n")
		}()
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != http.StatusNotFound || time.Since(began) != paceStart {
			t.Errorf("%v, %v, after %v", resp, err, time.Since(began))
		}
		_ = conn.Close()
	})
}
