package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Pooler is a PgBouncer before the cluster, in the mode transaction: each transaction may
// get another connection of the server. So what a connection is told, and what is
// prepared by name on it, does not last; tests prove that orderhook does without both.
type Pooler struct {
	cluster   *Cluster
	dir, path string
	port      int
	process   *os.Process
	ended     <-chan struct{}
}

// errNoPooler says that there is no PgBouncer on the machine.
var errNoPooler = errors.New("there is no PgBouncer on this machine: on Debian, apt-get install pgbouncer")

// NewPooler starts a pooler for the time of a test. It passes no startup parameter on, but
// lets those that are named pass without an error. The test is skipped where there is no
// PgBouncer, or fails where CI=true. Its end is that of the test.
func NewPooler(tb testing.TB, ignored ...string) *Pooler {
	tb.Helper()
	p := &Pooler{cluster: Server(tb)}
	// In CI a missing program is an error, since nobody would notice the skipped tests
	// there.
	err := p.prepare(ignored)
	if errors.Is(err, errNoPooler) && os.Getenv("CI") != "true" {
		tb.Skip(err)
	}
	if err == nil {
		err = p.start()
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		p.end()
		if log, err := os.ReadFile(p.log()); tb.Failed() && err == nil {
			tb.Logf("the pooler says:\n%s", log)
		}
	})
	return p
}

// URL returns the address of one of the cluster's databases by way of the pooler. direct
// is the address of the same database without the pooler.
func (p *Pooler) URL(direct string) string {
	return strings.Replace(direct, fmt.Sprintf(":%d/", p.cluster.port), fmt.Sprintf(":%d/", p.port), 1)
}

// Restart ends the pooler with all its connections, and starts it again. To those who are
// connected it is as if the network broke off.
func (p *Pooler) Restart() error {
	p.end()
	return p.start()
}

// prepare finds the program and writes its configuration.
func (p *Pooler) prepare(ignored []string) (err error) {
	if p.path, err = exec.LookPath("pgbouncer"); err != nil {
		if p.path = "/usr/sbin/pgbouncer"; !exists(p.path) { // the PATH of users does not have it
			return errNoPooler
		}
	}
	if p.port, err = freePort(); err != nil {
		return err
	}
	// In the folder of the cluster: whoever it belongs to runs this, too.
	if p.dir, err = os.MkdirTemp(p.cluster.dir, "pooler-"); err != nil {
		return err
	}
	// The pool mode is that of most installations: a connection to the server is lent for
	// one transaction, so nothing that a session has set may be needed.
	config := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%[1]d
[pgbouncer]
logfile = %[5]s
listen_addr = 127.0.0.1
listen_port = %[2]d
unix_socket_dir =
auth_type = trust
auth_file = %[3]s/users
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
ignore_startup_parameters = %[4]s
`, p.cluster.port, p.port, p.dir, strings.Join(ignored, ", "), p.log())
	// The pooler may run as another user than the tests, who has to be able to read both
	// files, and to write its log.
	return errors.Join(os.WriteFile(filepath.Join(p.dir, "ini"), []byte(config), 0o644), os.WriteFile(filepath.Join(p.dir, "users"), []byte(`"`+superuser+`" ""`), 0o644), os.WriteFile(p.log(), nil, 0o600),
		os.Chmod(p.log(), 0o666), os.Chmod(p.dir, 0o755))
}

// log is the file that the pooler writes into, which a test that fails shows.
func (p *Pooler) log() string { return filepath.Join(p.dir, "log") }

// exists reports whether there is a file.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// start starts the pooler, which ends with this process as the server does. It returns
// once a question gets through to the server.
func (p *Pooler) start() error {
	who, err := p.cluster.owner()
	if err != nil {
		return err
	}
	cmd := exec.Command(p.path, "-q", filepath.Join(p.dir, "ini"))
	cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Credential: who}, p.dir
	// It answers only once it has connected to the server, so that is what is waited for.
	if p.ended, err = start(cmd); err != nil {
		return err
	}
	p.process = cmd.Process
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := doAt(p.URL(p.cluster.URL("postgres")), `SELECT 1`)
		if err == nil {
			return nil
		}
		if time.Now().After(late) {
			return fmt.Errorf("the pooler does not answer: %w", err)
		}
	}
}

// end ends the pooler, and returns when it has ended.
func (p *Pooler) end() {
	_ = p.process.Signal(syscall.SIGTERM) // at once, with all connections
	<-p.ended
}
