// Package dnstest is a DNS server for tests, which says what a test wants names to lead
// to: also what no real server would, or another thing each time it is asked.
package dnstest

import (
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Answer is what a name leads to. The zero Answer says that there is no such name.
type Answer struct {
	CNAME string // another name, of which Addrs are; "": the name itself has them
	Addrs []netip.Addr
}

// To is the answer with these addresses.
// It panics for a text that is no address, which is an error of the test itself.
func To(addrs ...string) (a Answer) {
	for _, text := range addrs {
		a.Addrs = append(a.Addrs, netip.MustParseAddr(text))
	}
	return a
}

// Serve answers on a loopback address, which it returns, until the test ends. say is called for each
// question, with the name without its last dot, and how often this kind of address was asked
// for of it before.
func Serve(t testing.TB, say func(name string, before int) Answer) (address string) {
	t.Helper()
	// Port 0 has the system choose a free one, so tests can run at the same time.
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() { serve(conn, say) })
	// The test waits for the goroutine, so say is never called after the test has ended.
	t.Cleanup(func() { _ = conn.Close(); served.Wait() })
	return conn.LocalAddr().String()
}

// serve answers one question after the other until the connection is closed. What is no
// question gets no answer.
// It counts the questions by name and type, so A and AAAA have counts of their own.
func serve(conn net.PacketConn, say func(string, int) Answer) {
	// Only this goroutine uses the map, so it needs no lock.
	asked := map[dnsmessage.Question]int{}
	buffer := make([]byte, 4<<10)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		// Resolvers send one question at a time. Whoever asks otherwise runs into a
		// timeout.
		if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		name := q.Name.String()
		fill(&m, say(name[:len(name)-1], asked[q]))
		asked[q]++
		// An answer that cannot be packed is not sent, and the resolver runs into its
		// timeout.
		if answer, err := m.Pack(); err == nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

// fill makes an answer of a question. Nothing may be remembered of it (TTL 0).
func fill(m *dnsmessage.Message, a Answer) {
	q := m.Questions[0]
	// The resolver's additional records are its own options. They are no part of an
	// answer.
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	if a.CNAME == "" && len(a.Addrs) == 0 {
		m.RCode = dnsmessage.RCodeNameError
		return
	}
	// The addresses belong to the last name of the chain, which is the CNAME where there
	// is one.
	owner := q.Name
	if a.CNAME != "" {
		owner = dnsmessage.MustNewName(a.CNAME + ".")
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.CNAMEResource{CNAME: owner}})
	}
	for _, addr := range a.Addrs {
		var body dnsmessage.ResourceBody
		switch {
		case addr.Is4() && q.Type == dnsmessage.TypeA:
			body = &dnsmessage.AResource{A: addr.As4()}
		case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
			body = &dnsmessage.AAAAResource{AAAA: addr.As16()}
		// A resolver asks for A and AAAA in two questions. An address of the other kind
		// is left out, as real servers do.
		default:
			continue
		}
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: owner, Class: q.Class}, Body: body})
	}
}
