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

	"github.com/orderhook/orderhook/internal/oms"
)

// What the attacks are made of.
const (
	bigOrder   = 7 << 20   // bytes of the order that is patched
	bigAnswer  = 4_900_000 // bytes of the answers to steps
	listOrder  = 9 << 20   // bytes of the orders that are listed
	bigUpload  = 10 << 20  // bytes of the uploads that are held open
	hangAtOnce = 256       // calls at once to each endpoint that hangs
	hangOnes   = 20        // endpoints that hang
	hangTime   = 30 * time.Second
)

// attack is what the first tenant does while it goes on.
type attack struct {
	name string
	// begin makes what it needs, and returns what to do until ctx ends.
	begin func(*attackOn, context.Context) (func(ctx context.Context) error, error)
}

var attacks = []attack{
	{"10 patches of 7 bytes at once of an order of 7 MiB", (*attackOn).patches},
	{"15 orders at once whose endpoint answers a nested patch of 4.9 MB", (*attackOn).answers},
	{"8 lists of orders of 9 MiB that nobody reads", (*attackOn).lists},
	{"60 uploads of 10 MiB that are held open with a reader's key", (*attackOn).uploads},
	{"20 endpoints that hang, with 256 calls at once each", (*attackOn).hang},
}

// attackOn is an attack on a server, with the key of its tenant.
type attackOn struct {
	*bench
	reader   string       // a key that may only read
	attacked atomic.Int64 // requests that were taken on, or are held open
}

// AttackCommand is the command by which a bench starts an attack as a process of
// its own: whoever is attacked shares no memory with it, and what the one waits for
// is not the other's work.
const AttackCommand = "bench-attack"

// AttackOptions say which attack is made, and on what.
type AttackOptions struct {
	Number      int    // in the list of the attacks
	URL, Reader string // of the server, and a key that may only read
	Scale       float64
}

// What attacker and bench tell each other, a line each.
const (
	attackReady = "ready"
	attackBegin = "begin"
)

// Attack makes an attack: it prepares, says so, begins when it is told, goes on
// until in ends, and says how many requests the server took on.
func Attack(ctx context.Context, o AttackOptions, in io.Reader, out io.Writer) error {
	t := &attackOn{bench: &bench{url: o.URL, scale: o.Scale, client: newClient()}, reader: o.Reader}
	attacking, err := attacks[o.Number].begin(t, ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, attackReady)
	lines := bufio.NewScanner(in)
	if !lines.Scan() || lines.Text() != attackBegin {
		return nil // there is nobody any more who wants it
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for lines.Scan() {
		}
		stop()
	}()
	if err := attacking(ctx); err != nil {
		return err
	}
	fmt.Fprintln(out, t.attacked.Load())
	return nil
}

// attacker is the process of an attack.
type attacker struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	said    strings.Builder // on its standard error
}

func (i *isolated) startAttacker(ctx context.Context, number int) (*attacker, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// Whoever attacks has a machine of their own: what they do here for it has the
	// processor when nobody else wants it.
	a := &attacker{command: exec.CommandContext(ctx, "nice", "-n", "19", binary, AttackCommand, strconv.Itoa(number), i.url, i.reader, fmt.Sprint(i.scale))}
	a.command.Stderr = &a.said
	if a.in, err = a.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
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

func (a *attacker) begin() error {
	_, err := fmt.Fprintln(a.in, attackBegin)
	return err
}

// end ends the attack and returns how many requests of it were taken on.
func (a *attacker) end() (attacked int64, err error) {
	if err := a.in.Close(); err != nil {
		return 0, err
	}
	if a.out.Scan() {
		attacked, err = strconv.ParseInt(a.out.Text(), 10, 64)
	}
	if ended := a.command.Wait(); ended != nil {
		err = errors.Join(ended, errors.New(a.said.String()))
	}
	return attacked, err
}

func (a *attacker) kill() {
	_ = a.command.Process.Kill()
	_ = a.command.Wait()
}

// attack makes a request of the attack. It may be refused because there are too
// many, or broken off; any other answer would mean that there is no attack.
func (t *attackOn) attack(ctx context.Context, method, path, body string, want int) error {
	status, err := t.as(ctx, key, method, path, body, want, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if wrong, ok := errors.AsType[*unwanted](err); ok {
		return wrong
	}
	if status == want {
		t.attacked.Add(1)
	}
	return nil
}

// sized is an order of about so many bytes, of many lines.
func (t *attackOn) sized(id string, bytes int) string {
	var lines strings.Builder
	for n := 0; lines.Len() < t.of(bytes); n++ {
		fmt.Fprintf(&lines, `,{"lineItemId":"%d","code":"SKU-%d","displayName":"A thing of number %d, of a rather long name","quantity":1,"placedPrice":9.50,"properties":[{"key":"a","value":"%d"},{"key":"b","value":"%x"}]}`,
			n, n*7, n, n*31, n*977)
	}
	return fmt.Sprintf(`{"id":%q,"marketId":"NOR","orderForm":{"lineItems":[%s]}}`, id, lines.String()[1:])
}

// together runs so many of them until ctx ends, or one fails.
func together(ctx context.Context, n int, do func() error) error {
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

func (t *attackOn) patches(ctx context.Context) (func(context.Context) error, error) {
	if _, err := t.as(ctx, key, http.MethodPost, "/api/orders?runWorkflow=false", t.sized("big", bigOrder), http.StatusCreated); err != nil {
		return nil, err
	}
	var n atomic.Int64
	return func(ctx context.Context) error {
		return together(ctx, 10, func() error {
			return t.attack(ctx, http.MethodPatch, "/api/orders/big", fmt.Sprintf(`{"a":%d}`, n.Add(1)), http.StatusOK)
		})
	}, nil
}

func (t *attackOn) answers(ctx context.Context) (func(context.Context) error, error) {
	depth := 50
	one := strings.Repeat(`{"a":`, depth) + `"x"` + strings.Repeat("}", depth)
	nested := "[" + strings.TrimSuffix(strings.Repeat(one+",", max(1, t.of(bigAnswer)/(len(one)+1))), ",") + "]"
	body := `{"OrderPatch":{"Properties":[{"Key":"a","Value":"b"}],"OrderForm":{"Custom":` + nested + `}}}`
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
		defer closeIll(endpoint)
		return together(ctx, 15, func() error {
			return t.attack(ctx, http.MethodPost, "/api/orders", orderOf(fmt.Sprintf("a%d", n.Add(1)), "Big"), http.StatusCreated)
		})
	}, nil
}

func (t *attackOn) lists(ctx context.Context) (func(context.Context) error, error) {
	for n := range 8 {
		if _, err := t.as(ctx, key, http.MethodPost, "/api/orders?runWorkflow=false", t.sized(fmt.Sprintf("l%d", n), listOrder), http.StatusCreated); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) error {
		return together(ctx, 8, func() error {
			return t.hold(ctx, "GET /api/orders?limit=200 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "+key+"\r\n\r\n", 0)
		})
	}, nil
}

func (t *attackOn) uploads(context.Context) (func(context.Context) error, error) {
	size := t.of(bigUpload)
	return func(ctx context.Context) error {
		return together(ctx, 60, func() error {
			return t.hold(ctx, fmt.Sprintf("POST /api/orders HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", t.reader, size), size-1)
		})
	}, nil
}

// hold sends a request, and so many bytes of its body, on a connection of its own,
// and neither reads nor sends anything more until ctx ends or the server is done
// with it.
func (t *attackOn) hold(ctx context.Context, head string, body int) error {
	u, err := url.Parse(t.url)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		_ = sleep(ctx, 10*time.Millisecond)
		return nil
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	_, err = io.WriteString(conn, head)
	for chunk := make([]byte, 64<<10); err == nil && body > 0; body -= len(chunk) {
		_, err = conn.Write(chunk[:min(len(chunk), body)])
	}
	if err != nil {
		_ = sleep(ctx, 10*time.Millisecond)
		return nil
	}
	t.attacked.Add(1)
	_ = sleep(ctx, time.Second)
	return nil
}

func (t *attackOn) hang(ctx context.Context) (func(context.Context) error, error) {
	hanging := startHanging()
	endpoints := max(2, t.of(hangOnes))
	for n := range endpoints {
		body := fmt.Sprintf(`{"url":%q,"eventTypes":["bench.hang"],"maxConcurrency":%d,"timeout":%q}`, fmt.Sprintf("%s/%d", hanging.URL, n), hangAtOnce, oms.FormatDuration(hangTime))
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
		defer closeIll(hanging)
		return together(ctx, 1, func() error {
			defer func() { _ = sleep(ctx, 50*time.Millisecond) }()
			return t.attack(ctx, http.MethodPost, "/api/events", `{"type":"bench.hang","data":{"a":1}}`, http.StatusAccepted)
		})
	}, nil
}
