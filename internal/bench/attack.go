package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/timetext"
)

// What the attacks are made of. The sizes are those at which an earlier design let one
// tenant hold up all others (docs/design.md#a-write-is-a-value).
const (
	bigOrder   = 7 << 20   // bytes of the order that is patched
	bigAnswer  = 4_900_000 // bytes of the answers to steps
	listOrder  = 9 << 20   // bytes of the orders that are listed
	bigUpload  = 10 << 20  // bytes of the uploads that are held open
	hangAtOnce = 256       // calls at once to each endpoint that hangs
	hangOnes   = 20        // endpoints that hang
	hangTime   = 30 * time.Second
)

// attack is what the first tenant does while it goes on. Its name is that of its line in
// the report.
type attack struct {
	name string
	// begin makes what it needs, and returns what to do until ctx ends. What is returned
	// runs in the attacker's process, and ends by itself soon after ctx.
	begin func(*attackOn, context.Context) (func(ctx context.Context) error, error)
}

// attacks is known to both processes, which name an attack by its place in it.
var attacks = []attack{
	// The name says what is asked and how often, and is a line of the report. The place
	// in the list is how the bench tells the other process which one is meant.
	{"10 patches of 7 bytes at once of an order of 7 MiB", (*attackOn).patches},
	{"15 orders at once whose endpoint answers a nested patch of 4.9 MB", (*attackOn).answers},
	{"8 lists of orders of 9 MiB that nobody reads", (*attackOn).lists},
	{"60 uploads of 10 MiB that are held open with a reader's key", (*attackOn).uploads},
	{"20 endpoints that hang, with 256 calls at once each", (*attackOn).hang},
}

// attackOn is an attack on a server, with the key of its tenant. It lives in the
// attacker's process, and knows the server by its URL alone.
type attackOn struct {
	*bench
	reader   string       // a key that may only read
	attacked atomic.Int64 // requests that were taken on, or are held open
}

// AttackCommand is the command by which a bench starts an attack as a process of
// its own: whoever is attacked shares no memory with it, and what the one waits for
// is not the other's work. The commands of the program have it under this name.
const AttackCommand = "bench-attack"

// AttackOptions say which attack is made, and on what.
type AttackOptions struct {
	Number      int    // in the list of the attacks
	URL, Reader string // of the server, and a key that may only read
	Scale       float64
}

// What attacker and bench tell each other, a line each. The bench measures the idle times
// between the two, while the attacker is there and does nothing.
const (
	attackReady = "ready"
	attackBegin = "begin"
)

// Attack makes an attack: it prepares, says so, begins when it is told, goes on
// until in ends, and says how many requests the server took on. It runs in the process
// that the bench has started. in is the pipe from the bench: its end means that the
// attack is over, also if the bench has died.
func Attack(ctx context.Context, o AttackOptions, in io.Reader, out io.Writer) error {
	// The attacker is a bench that knows only the URL of the server. What it needs for
	// the attack it stores through the API, as any tenant would.
	t := &attackOn{bench: &bench{url: o.URL, scale: o.Scale, client: newClient()}, reader: o.Reader}
	attacking, err := attacks[o.Number].begin(t, ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, attackReady)
	// Everything is ready, and the bench measures without the attack first.
	lines := bufio.NewScanner(in)
	if !lines.Scan() || lines.Text() != attackBegin {
		return nil // there is nobody any more who wants it
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	// The bench says nothing more than begin, so this waits for the end of the pipe, and
	// that is the end of the attack.
	go func() {
		for lines.Scan() {
		}
		stop()
	}()
	if err := attacking(ctx); err != nil {
		return err
	}
	// The number is read by end, in the process of the bench.
	fmt.Fprintln(out, t.attacked.Load())
	return nil
}

// attacker is the process of an attack. The bench has it, and must call end or kill.
type attacker struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	said    strings.Builder // on its standard error
}

// startAttacker starts an attack, and returns once it has prepared everything and waits
// to begin.
func (i *isolated) startAttacker(ctx context.Context, number int) (*attacker, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// A real attacker has a machine of their own. So this one gets the processor only when
	// nobody else wants it.
	a := &attacker{command: exec.CommandContext(ctx, "nice", "-n", "19", binary, AttackCommand, strconv.Itoa(number), i.url, i.reader, fmt.Sprint(i.scale))}
	a.command.Stderr = &a.said
	if a.in, err = a.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// Only a process that has started can say anything, so the first line is read after
	// that. It comes when the attack has stored what it needs.
	a.out = bufio.NewScanner(out)
	if err := a.command.Start(); err != nil {
		return nil, err
	}
	if !a.out.Scan() || a.out.Text() != attackReady {
		a.kill()
		return nil, fmt.Errorf("the attack did not begin: %s", a.said.String())
	}
	return a, nil
}

// begin has the attack begin.
func (a *attacker) begin() error {
	_, err := fmt.Fprintln(a.in, attackBegin)
	return err
}

// end ends the attack and returns how many requests of it were taken on. It waits for the
// process. An attack that failed is an error: what was measured beside it would mean
// nothing.
func (a *attacker) end() (attacked int64, err error) {
	if err := a.in.Close(); err != nil {
		return 0, err
	}
	// The attacker stops its calls when its input ends, and prints the number last. If
	// there is no line, the process has failed, and the error below says why.
	if a.out.Scan() {
		attacked, err = strconv.ParseInt(a.out.Text(), 10, 64)
	}
	if ended := a.command.Wait(); ended != nil {
		err = errors.Join(ended, errors.New(a.said.String()))
	}
	return attacked, err
}

// kill ends the process. After end it does nothing.
func (a *attacker) kill() {
	// The error is left out: the process may have ended by itself.
	_ = a.command.Process.Kill()
	_ = a.command.Wait()
}

// send makes a request of the attack. It may be refused because there are too
// many, or broken off; any other answer would mean that there is no attack. Requests that
// were taken on are counted, so that the report shows that there was an attack.
func (t *attackOn) send(ctx context.Context, method, path, body string, want int) error {
	// A server that defends itself refuses with one of these two.
	status, err := t.as(ctx, key, method, path, body, want, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	// A connection that broke off has no status, and is an answer that one may get.
	if wrong, ok := errors.AsType[*unwanted](err); ok {
		return wrong
	}
	if status == want {
		t.attacked.Add(1)
	}
	return nil
}

// sized is an order of about so many bytes, of many lines. A measurement that is made
// smaller has smaller orders.
func (t *attackOn) sized(id string, bytes int) string {
	var lines strings.Builder
	// Each line has a few fields and two properties, like the lines of a real order, so a
	// parser has as much to do per byte.
	for n := 0; lines.Len() < t.of(bytes); n++ {
		fmt.Fprintf(&lines, `,{"lineItemId":"%d","code":"SKU-%d","displayName":"A thing of number %d, of a rather long name","quantity":1,"placedPrice":9.50,"properties":[{"key":"a","value":"%d"},{"key":"b","value":"%x"}]}`,
			n, n*7, n, n*31, n*977)
	}
	return fmt.Sprintf(`{"id":%q,"marketId":"NOR","orderForm":{"lineItems":[%s]}}`, id, lines.String()[1:])
}

// together runs so many of them until ctx ends, or one fails. The end of ctx is no error.
func together(ctx context.Context, n int, do func() error) error {
	// The first error ends ctx for all of them, so the attack does not go on in part.
	all, ctx := errgroup.WithContext(ctx)
	for range n {
		all.Go(func() error {
			for ctx.Err() == nil {
				if err := do(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return all.Wait()
}

// patches changes one field of a large order, over and over: a small write for the
// caller, and a large one for the server.
func (t *attackOn) patches(ctx context.Context) (func(context.Context) error, error) {
	// The order is stored once, without a workflow, since only its patches count.
	if _, err := t.as(ctx, key, http.MethodPost, "/api/orders?runWorkflow=false", t.sized("big", bigOrder), http.StatusCreated); err != nil {
		return nil, err
	}
	var n atomic.Int64
	return func(ctx context.Context) error {
		return together(ctx, 10, func() error {
			// Each patch sets another value, so none is without effect.
			return t.send(ctx, http.MethodPatch, "/api/orders/big", fmt.Sprintf(`{"a":%d}`, n.Add(1)), http.StatusOK)
		})
	}, nil
}

// answers creates orders whose endpoint answers with a patch that is as large as an
// answer may be, and deep.
func (t *attackOn) answers(ctx context.Context) (func(context.Context) error, error) {
	// Each piece is nested so deep, and there are as many pieces as the answer has room
	// for.
	depth := 50
	one := strings.Repeat(`{"a":`, depth) + `"x"` + strings.Repeat("}", depth)
	nested := "[" + strings.TrimSuffix(strings.Repeat(one+",", max(1, t.of(bigAnswer)/(len(one)+1))), ",") + "]"
	body := `{"OrderPatch":{"Properties":[{"Key":"a","Value":"b"}],"OrderForm":{"Custom":` + nested + `}}}`
	// The endpoint is in the attacker's process, so making the answer costs the server
	// nothing.
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, body)
	}))
	settings := fmt.Sprintf(`{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"Big","workflowSteps":[%s]}]}]}`, step(endpoint.URL))
	if _, err := t.as(ctx, key, http.MethodPut, "/api/settings", settings, http.StatusOK); err != nil {
		return nil, err
	}
	var n atomic.Int64
	return func(ctx context.Context) error {
		// Requests may still be under way when the attack ends.
		defer closeUnhealthy(endpoint)
		return together(ctx, 15, func() error {
			return t.send(ctx, http.MethodPost, "/api/orders", orderOf(fmt.Sprintf("a%d", n.Add(1)), "Big"), http.StatusCreated)
		})
	}, nil
}

// lists asks for pages of large orders, and never reads the answers.
func (t *attackOn) lists(ctx context.Context) (func(context.Context) error, error) {
	// One of these orders is larger than a page should be, and the page has it all the
	// same, since a page ends with the order that reaches its size.
	for n := range 8 {
		if _, err := t.as(ctx, key, http.MethodPost, "/api/orders?runWorkflow=false", t.sized(fmt.Sprintf("l%d", n), listOrder), http.StatusCreated); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) error {
		return together(ctx, 8, func() error {
			// The request is complete, so the server makes the answer, and cannot send
			// more of it than the connection holds.
			return t.hold(ctx, "GET /api/orders?limit=200 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "+key+"\r\n\r\n", 0)
		})
	}, nil
}

// uploads sends all of a large body but its last byte. The key may not create orders, so
// the server should not hold the body at all.
func (t *attackOn) uploads(context.Context) (func(context.Context) error, error) {
	// The header promises size bytes, and one less is sent: the server waits for the last
	// one.
	size := t.of(bigUpload)
	return func(ctx context.Context) error {
		return together(ctx, 60, func() error {
			return t.hold(ctx, fmt.Sprintf("POST /api/orders HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", t.reader, size), size-1)
		})
	}, nil
}

// hold sends a request, and so many bytes of its body, on a connection of its own,
// and neither reads nor sends anything more until ctx ends or the server is done
// with it. A second is long enough to be in the way, and a server that has answered, or
// hung up, is asked again.
func (t *attackOn) hold(ctx context.Context, head string, body int) error {
	// It writes to the connection itself: a client of net/http would read the answer.
	u, err := url.Parse(t.url)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		// The server takes no connection at the moment. A short pause keeps the attacker
		// from spending its processor on trying.
		_ = clock.Pause(ctx, clock.Real{}, 10*time.Millisecond)
		return nil
	}
	// The connection is closed at the end in any case. At the end of ctx a deadline ends
	// what it still waits for.
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	_, err = io.WriteString(conn, head)
	// The body is zeros, sent in pieces of 64 KiB. It is no JSON, which makes no
	// difference: the key may not create orders, whatever the body says.
	for chunk := make([]byte, 64<<10); err == nil && body > 0; body -= len(chunk) {
		_, err = conn.Write(chunk[:min(len(chunk), body)])
	}
	if err != nil {
		_ = clock.Pause(ctx, clock.Real{}, 10*time.Millisecond)
		return nil
	}
	// Everything was taken, so the request is held open.
	t.attacked.Add(1)
	_ = clock.Pause(ctx, clock.Real{}, time.Second)
	return nil
}

// hang has many endpoints that never answer, each with as many calls at once as it may
// have. Events go on coming for them.
func (t *attackOn) hang(ctx context.Context) (func(context.Context) error, error) {
	hanging := startHanging()
	// Two at least, so that also in a small run more than one endpoint hangs.
	endpoints := max(2, t.of(hangOnes))
	// All are at one address, with a path each, and each may have so many calls at once.
	for n := range endpoints {
		body := fmt.Sprintf(`{"url":%q,"eventTypes":["bench.hang"],"maxConcurrency":%d,"timeout":%q}`, fmt.Sprintf("%s/%d", hanging.URL, n), hangAtOnce, timetext.FormatDuration(hangTime))
		if _, err := t.as(ctx, key, http.MethodPost, "/api/endpoints", body, http.StatusCreated); err != nil {
			return nil, err
		}
	}
	// As many events wait from the start on as can be under way, and more.
	events := strings.TrimSuffix(strings.Repeat(`{"type":"bench.hang","data":{"a":1}},`, 2*hangAtOnce), ",")
	if _, err := t.as(ctx, key, http.MethodPost, "/api/events", "["+events+"]", http.StatusAccepted); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer closeUnhealthy(hanging)
		// After the first ones, one event comes every 50 ms. They wait behind those that
		// hang.
		return together(ctx, 1, func() error {
			defer func() { _ = clock.Pause(ctx, clock.Real{}, 50*time.Millisecond) }()
			return t.send(ctx, http.MethodPost, "/api/events", `{"type":"bench.hang","data":{"a":1}}`, http.StatusAccepted)
		})
	}, nil
}
