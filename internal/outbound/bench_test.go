package outbound

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/secret"
)

// acknowledging answers every request on a connection, at as little cost as
// can be: what a benchmark measures is the client.
func acknowledging(conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		var length int
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				length, _ = strconv.Atoi(string(bytes.TrimSpace(n)))
			}
			if len(line) == 2 {
				break
			}
		}
		r.Discard(length)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
	}
}

var benchBody = []byte(`{"data":"` + strings.Repeat("x", 2000) + `"}`)

// BenchmarkBare is what BenchmarkPost is held against: net/http alone.
func BenchmarkBare(b *testing.B) {
	url := listen(b, acknowledging)
	c := &http.Client{Transport: &http.Transport{}}
	b.Cleanup(c.CloseIdleConnections)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.Post(url, "application/json", bytes.NewReader(benchBody))
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func BenchmarkPost(b *testing.B) {
	r := Request{URL: listen(b, acknowledging), Body: benchBody, ID: "evt_1", Attempt: 1, SigningKeys: []secret.Value{given(NewSecret())}, OneWay: true}
	benchmarkPost(b, r)
}

func BenchmarkPostStep(b *testing.B) {
	benchmarkPost(b, Request{
		URL: listen(b, acknowledging), Body: benchBody, IdempotencyKey: "call_1", Delivery: 1, MaxDelivery: 4,
		SigningSecret: given("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
	})
}

func benchmarkPost(b *testing.B, r Request) {
	c := newClient(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		if x := c.Post(b.Context(), r); x.Class() != Answered {
			b.Fatal(x.Failure())
		}
	}
}
