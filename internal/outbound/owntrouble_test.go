package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// dialed is the error of a dial to an address.
func dialed(addr string, errno syscall.Errno) error {
	to, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		panic(err)
	}
	return &net.OpError{Op: "dial", Net: "tcp", Addr: to, Err: os.NewSyscallError("connect", errno)}
}

func TestWhatIsOwnTrouble(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		own  bool
	}{
		{"no descriptor of the process's", dialed("192.0.2.1:80", syscall.EMFILE), true},
		{"none of the machine's", dialed("192.0.2.1:80", syscall.ENFILE), true},
		{"no memory", fmt.Errorf("read: %w", syscall.ENOMEM), true},
		{"no buffers", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ENOBUFS)}, true},
		{"no port", dialed("192.0.2.1:80", syscall.EADDRNOTAVAIL), true},
		{"no IPv6 here", dialed("[2001:db8::1]:80", syscall.EADDRNOTAVAIL), false},
		{"an address that nobody can have", dialed("192.0.2.1:0", syscall.EADDRNOTAVAIL), false},
		{"no descriptor to resolve with", &net.DNSError{Err: "dial udp 192.0.2.53:53: socket: too many open files", Name: "shop.example"}, true},
		{"no such host", &net.DNSError{Err: "no such host", Name: "shop.example", IsNotFound: true}, false},
		{"refused", dialed("192.0.2.1:80", syscall.ECONNREFUSED), false},
		{"reset", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, false},
		{"unreachable", dialed("192.0.2.1:80", syscall.ENETUNREACH), false},
		{"no memory for the answer", errNoMemory, true},
		{"anything", errors.New("anything"), false},
	} {
		if got := ownTroubleIn(row.err, false); (got != "") != row.own {
			t.Errorf("%s: %q", row.name, got)
		}
	}
}

func TestTheClassOfOwnTrouble(t *testing.T) {
	for _, row := range []struct {
		status int
		oneWay bool
		want   Class
	}{
		{0, false, OwnTrouble}, {200, false, OwnTrouble}, {400, false, Final}, {404, false, Final}, {503, false, Retry},
		{0, true, OwnTrouble}, {204, true, OwnTrouble}, {404, true, Retry}, {500, true, Retry},
	} {
		x := Exchange{Status: row.status, OneWay: row.oneWay, Err: OwnTroubleError("too many open files")}
		if got := x.Class(); got != row.want {
			t.Errorf("%d, one way %v: %v, want %v", row.status, row.oneWay, got, row.want)
		}
	}
	if got := (Exchange{Err: OwnTroubleError("too many open files")}).Failure(); got != "this server's own trouble: too many open files" {
		t.Error(got)
	}
}

// TestWithoutDescriptors has the process run out of descriptors: no call is made,
// whether the target is an address or a name, and all is well once there are some.
func TestWithoutDescriptors(t *testing.T) {
	var came atomic.Int64
	url := serve(t, func(http.ResponseWriter, *http.Request) { came.Add(1) })
	named := strings.Replace(url, "127.0.0.1", "localhost", 1)
	c := newClient(t, nil)
	if _, err := net.LookupHost("localhost"); err != nil { // the resolver reads what it needs once, with the first
		t.Fatal(err)
	}
	whileExhausted(t, func() {
		for _, to := range []string{url, named} {
			x := c.Post(t.Context(), Request{URL: to, Timeout: time.Second})
			if x.Class() != OwnTrouble || !strings.Contains(x.Failure(), "own trouble: too many open files") {
				t.Errorf("%s: class %v, %q", to, x.Class(), x.Failure())
			}
		}
		if got := ownTroubleIn(&net.DNSError{Err: "no such host", Name: "shop.example", IsNotFound: true}, false); got == "" {
			t.Error("a name that is not found while /etc/hosts cannot be read")
		}
	})
	if came.Load() != 0 {
		t.Error("a call was made")
	}
	for _, to := range []string{url, named} {
		if x := c.Post(t.Context(), Request{URL: to}); x.Class() != Answered {
			t.Errorf("once there are descriptors: %v", x.Err)
		}
	}
}

// whileExhausted runs do while the process may open nothing.
func whileExhausted(t *testing.T, do func()) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Skip("the limit of descriptors cannot be changed here:", err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}()
	do()
}
