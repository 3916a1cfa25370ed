package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// theCluster is the one of this process. Every test that asks for a database has it
// start, if it has not.
var theCluster = &Cluster{}

// Cluster is a server of PostgreSQL that this test process alone uses. It is started by
// the first test that needs it. On Linux it ends with the process, however that ends. Its
// methods may be called by tests that run side by side; mu guards all fields.
type Cluster struct {
	mu      sync.Mutex
	err     error // why it did not start
	dir     string
	port    int
	bin     string
	process *os.Process
	ended   <-chan struct{} // closed once the process has
	// databases numbers the databases, so that each test's has a name of its own.
	databases int
	template  bool // is made
}

// superuser is who the tests are to the server. The server takes everybody on this
// machine for whom they say they are (-A trust), so there is no password.
const superuser = "orderhook"

// URL is the address of one of the cluster's databases, over TCP. Connections are plain:
// TLS would prove nothing here.
func (c *Cluster) URL(database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=disable", superuser, c.port, database)
}

// errNone says that there is no PostgreSQL on the machine. A test is skipped for it, and
// for no other error.
var errNone = errors.New("there is no PostgreSQL server on this machine: on Debian, apt-get install postgresql")

// programs finds the folder of the newest server's programs. Debian puts each version
// into a folder of its own, and none of them into the PATH.
func programs() (string, error) {
	newest, dir := 0, ""
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	for _, path := range found {
		version, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if version > newest {
			newest, dir = version, filepath.Dir(path)
		}
	}
	if path, err := exec.LookPath("postgres"); dir == "" && err == nil {
		dir = filepath.Dir(path)
	}
	if dir == "" {
		return "", errNone
	}
	return dir, nil
}

// start starts the server once. If that failed, every further call returns the same
// error, so that not each test tries again.
func (c *Cluster) start() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process == nil && c.err == nil {
		c.err = c.startNew()
	}
	return c.err
}

// prefix begins the names of the folders, behind which comes the id of the process that
// made it (sweep).
const prefix = "orderhook-pg-"

// startNew makes a cluster and starts its server. The collation is C, as all columns of
// orderhook have it.
func (c *Cluster) startNew() (err error) {
	if c.bin, err = programs(); err != nil {
		return err
	}
	sweep()
	if c.dir, err = os.MkdirTemp("", prefix+strconv.Itoa(os.Getpid())+"-"); err != nil {
		return err
	}
	who, err := c.owner()
	if err != nil {
		return err
	}
	init := exec.Command(filepath.Join(c.bin, "initdb"), "-D", c.data(), "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	init.SysProcAttr, init.Dir = &syscall.SysProcAttr{Credential: who}, c.dir
	if out, err := init.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	if c.port, err = freePort(); err != nil {
		return err
	}
	return c.launch(who)
}

// data is where the server keeps its files.
func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// owner is whom the server runs as: it refuses to be root. The folder becomes theirs. nil
// is whoever runs the tests.
func (c *Cluster) owner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("as root the server is run as the user postgres: %w", err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(c.dir, uid, gid)
}

// freePort returns a port that nobody listens on now. Somebody else may take it before
// the server does; then the start fails, and says so.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// settings are those of a server that many tests use at once, and that nobody needs
// after them. Tests open many connections, and some lock thousands of things in one
// transaction.
var settings = []string{"fsync=off", "full_page_writes=off", "max_connections=600", "shared_buffers=128MB",
	"max_locks_per_transaction=256", "listen_addresses=127.0.0.1", "logging_collector=off", "log_min_messages=fatal", "max_wal_size=2GB"}

// launch starts the server. It ends with this process, however that ends: the kernel
// tells it once the thread is gone that started it, so that stays. It returns once the
// server answers.
func (c *Cluster) launch(who *syscall.Credential) error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", c.data(), "-k", c.dir, "-p", strconv.Itoa(c.port)}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	if c.ended, err = start(cmd); err != nil {
		return err
	}
	c.process = cmd.Process
	return c.answers()
}

// start starts a process that ends with this one. The thread that starts it stays: the
// kernel ends the process with the thread.
//
// So there is one goroutine for each process, which never ends and holds its thread.
// ended is closed when the process has ended, and whoever waits for it reaps nothing: the
// goroutine does.
func start(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	endWithParent(cmd.SysProcAttr)
	started, over := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		_ = cmd.Wait()
		close(over)
		select {}
	}()
	return over, <-started
}

// answers waits until the server does. A server that ends at once has written why into
// its log, which is in the error.
func (c *Cluster) answers() error {
	end := time.Now().Add(30 * time.Second)
	for {
		err := c.do(`SELECT 1`)
		if err == nil {
			return nil
		}
		select {
		case <-c.ended:
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("the server ended: %s", log)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

// do runs a statement in the server's own database.
func (c *Cluster) do(statement string) error { return doAt(c.URL("postgres"), statement) }

// doAt runs a statement on a connection of its own.
func doAt(url, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// Restart ends the server as a crash does, with whatever it was at, and starts it again.
// It is for tests that have the server for themselves. SIGQUIT has the server leave
// without writing anything more. With fsync off the operating system still has all that
// was written, so nothing committed is lost by it.
func (c *Cluster) Restart() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.process.Signal(syscall.SIGQUIT); err != nil {
		return err
	}
	<-c.ended
	who, err := c.owner()
	if err != nil {
		return err
	}
	return c.launch(who)
}

// stop ends the server and removes its folder. A server that does not end by itself is
// ended as by a crash: nobody needs what it has.
func (c *Cluster) stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.process != nil {
		_ = c.process.Signal(syscall.SIGINT) // ends all connections first
		select {
		case <-c.ended:
		case <-time.After(10 * time.Second):
			_ = c.process.Signal(syscall.SIGQUIT)
			<-c.ended
		}
	}
	if c.dir == "" {
		return nil
	}
	return os.RemoveAll(c.dir)
}

// sweep removes the folders of processes that were killed. A process that was killed
// could not do so. Folders of processes that are alive stay: they are other tests that
// run now.
func sweep() {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range found {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && syscall.Kill(n, 0) == syscall.ESRCH {
			_ = os.RemoveAll(dir) // the next one tries again
		}
	}
}
