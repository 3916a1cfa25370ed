package e2e

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// listenHostile listens for events and answers the first two attempts at each
// as it is told, the others as good does.
func listenHostile(t *testing.T, answer func(net.Conn), good *receiver) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	h := &hostileListener{answer: answer, good: good, seen: map[string]int{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go h.serve(c)
		}
	}()
	return "http://" + l.Addr().String()
}

type hostileListener struct {
	answer func(net.Conn)
	good   *receiver
	mu     sync.Mutex
	seen   map[string]int // by the event's id
}

// serve answers one request.
func (h *hostileListener) serve(c net.Conn) {
	defer c.Close()
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h.mu.Lock()
	id := r.Header.Get("Webhook-Id")
	h.seen[id]++
	hostile := h.seen[id] <= 2
	h.mu.Unlock()
	if hostile {
		h.answer(c)
		return
	}
	h.good.keep(r.Header, body)
	_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
}

// What a hostile endpoint does once it has read a request.

func says(s string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, s) }
}

func endless(s, and string) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, s)
		for err == nil {
			_, err = io.WriteString(c, and)
		}
	}
}

func stalls(s string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, s)
		_, _ = io.Copy(io.Discard, c) // until the caller hangs up
	}
}

func trickles(s string) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, s)
		for ; err == nil; time.Sleep(time.Second) {
			_, err = io.WriteString(c, "a")
		}
	}
}

func resets(s string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, s)
		_ = c.(*net.TCPConn).SetLinger(0)
	}
}
