package e2e

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// The programs of docs/building-an-endpoint.md, as readers copy them.

// documented is a program of the page, in Node or in Go.
type documented struct {
	extension, source, address string
}

var (
	codeBlock   = regexp.MustCompile("(?ms)^```(js|go)\n(.*?)^```$")
	nodeAddress = regexp.MustCompile(`\.listen\((\d+), "127\.0\.0\.1"\)`)
	goAddress   = regexp.MustCompile(`"127\.0\.0\.1:\d+"`)
)

// documentedPrograms are all of the page, each with an address of its own.
func documentedPrograms(t *testing.T) (all []documented) {
	t.Helper()
	page, err := os.ReadFile("../../docs/building-an-endpoint.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range codeBlock.FindAllStringSubmatch(string(page), -1) {
		p := documented{source: m[2], address: freeAddress(t)}
		host, port, _ := net.SplitHostPort(p.address)
		switch {
		case m[1] == "js" && strings.Contains(p.source, "createServer("):
			p.extension, p.source = ".mjs", nodeAddress.ReplaceAllString(p.source, `.listen(`+port+`, "`+host+`")`)
		case m[1] == "go" && strings.HasPrefix(p.source, "package main"):
			p.extension, p.source = ".go", goAddress.ReplaceAllString(p.source, `"`+p.address+`"`)
		default:
			continue // a part of a program
		}
		if !strings.Contains(p.source, port) {
			t.Fatalf("this program has no address:\n%s", p.source)
		}
		all = append(all, p)
	}
	return all
}

// name is what a program is about, for messages.
func (p documented) name() string {
	for _, known := range []string{"PUBLIC_KEY", "standardwebhooks", "orderhook/receiver", "createHmac", "hmac.New"} {
		if strings.Contains(p.source, known) {
			return known + " " + p.extension
		}
	}
	return p.extension
}

// path is the path that it listens on.
func (p documented) path() string {
	if m := regexp.MustCompile(`"POST (/\w+)"`).FindStringSubmatch(p.source); m != nil {
		return m[1]
	}
	return "/"
}

// command builds a program, and returns what runs it.
func (p documented) command(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main"+p.extension)
	if err := os.WriteFile(file, []byte(p.source), 0o600); err != nil {
		t.Fatal(err)
	}
	if p.extension == ".mjs" {
		modules, err := filepath.Abs("verifiers/node_modules")
		if err == nil {
			err = os.Symlink(modules, filepath.Join(dir, "node_modules"))
		}
		if err != nil {
			t.Fatal(err)
		}
		return []string{"node", file}
	}
	built := filepath.Join(dir, "main")
	if out, err := exec.Command("go", "build", "-o", built, file).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", p.name(), err, out)
	}
	return []string{built}
}

// start starts a program, and returns what ends it once it listens; the error is that it ended.
func (p documented) start(t *testing.T, command []string, env ...string) (stop func(), err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	for {
		select {
		case err := <-ended:
			cancel()
			return nil, fmt.Errorf("it ended: %v: %s", err, &out)
		case <-time.After(10 * time.Millisecond):
		}
		if conn, err := net.Dial("tcp", p.address); err == nil {
			conn.Close()
			t.Cleanup(stop)
			return stop, nil
		}
	}
}

// breakOff sends the beginning of a body, and is gone.
func (p documented) breakOff(t *testing.T) {
	t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na", p.path())
	conn.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, conn) // until the program has seen it, and closes
	conn.Close()
}

// post sends a body that is signed, and returns the status, 0 where no answer came.
func (p documented) post(t *testing.T, body, signature string, at int64) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.address+p.path(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {fmt.Sprint(at)}, "Webhook-Signature": {signature}}
	c := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(r)
	if err != nil {
		t.Log(err)
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// TestTheDocumentedPrograms: each refuses to start without a secret, goes on after a body that
// breaks off, and takes what was signed, up to the largest step of an order.
func TestTheDocumentedPrograms(t *testing.T) {
	t.Parallel()
	all := documentedPrograms(t)
	if len(all) != 6 {
		t.Fatalf("%d programs are on the page", len(all))
	}
	for _, p := range all {
		t.Run(p.name(), func(t *testing.T) {
			command := p.command(t)
			for _, none := range [][]string{nil, {"SIGNING_SECRET=", "PUBLIC_KEY="}, {"SIGNING_SECRET=whsec_", "PUBLIC_KEY=whpk_"}} {
				if stop, err := p.start(t, command, none...); err == nil {
					t.Errorf("it starts with %q", none)
					stop()
				}
			}
			if strings.Contains(p.source, "PUBLIC_KEY") {
				public, private, _ := ed25519.GenerateKey(nil)
				p.takes(t, command, "PUBLIC_KEY=whpk_"+base64.StdEncoding.EncodeToString(public), func(text []byte) string {
					return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, text))
				})
				return
			}
			encoded := strings.TrimPrefix(exampleSecret, "whsec_")
			key, _ := base64.StdEncoding.DecodeString(encoded)
			p.takes(t, command, "SIGNING_SECRET="+exampleSecret, byHMAC(key))
			if !strings.Contains(p.source, "standardwebhooks") { // whose secrets are base64, with whsec_ or without
				p.takes(t, command, "SIGNING_SECRET="+encoded, byHMAC([]byte(encoded)))
			}
		})
	}
}

// byHMAC signs with a key.
func byHMAC(key []byte) func([]byte) string {
	return func(text []byte) string {
		mac := hmac.New(sha256.New, key)
		mac.Write(text)
		return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
}

// takes starts a program, breaks off, and fails unless it takes what was signed and nothing else.
func (p documented) takes(t *testing.T, command []string, secret string, sign func([]byte) string) {
	t.Helper()
	stop, err := p.start(t, command, secret)
	if err != nil {
		t.Fatalf("with %s: %v", secret, err)
	}
	defer stop()
	p.breakOff(t)
	const order = `{"Value":{"Id":"o1","CustomerEmail":"a@example.com"},"type":"OrderCreated","data":{"id":"o1"}%s}`
	now := time.Now().Unix()
	for _, spaces := range []int{0, 21 << 20} { // 10 MiB of an order, of which nearly all are lines
		body := fmt.Sprintf(order, strings.Repeat(" ", spaces))
		if status := p.post(t, body, sign(fmt.Appendf(nil, "msg_1.%d.%s", now, body)), now); status/100 != 2 {
			t.Errorf("with %s, %d bytes: %d", secret, len(body), status)
		}
		if status := p.post(t, body, sign([]byte("another text")), now); status != 401 {
			t.Errorf("with %s, a wrong signature of %d bytes: %d", secret, len(body), status)
		}
	}
	if status := p.post(t, strings.Repeat(" ", 23<<20), "v1,AAAA", now); status != 413 && status != 401 {
		t.Errorf("a body that is too large: %d", status)
	}
}
