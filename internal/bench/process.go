package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// process is a server in a process of its own. It can be killed, and its memory is its
// own. Whoever starts it must kill it.
type process struct {
	url     string
	begun   time.Time // just before it was started
	command *exec.Cmd
}

// startProcess starts a server, which this binary is, on a database, and
// returns once it listens. What it complains about is in the error if it does not listen.
// It ends with ctx, too.
func (b *bench) startProcess(ctx context.Context, database *database) (*process, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// Everything that matters is given as a flag, so the settings of whoever runs the
	// bench have no part in it.
	cmd := exec.CommandContext(ctx, binary, "serve", "--listen=127.0.0.1:0", "--database="+database.name, "--encryption-key="+encryptionKey, "--api-key="+key, "--log-level=error")
	cmd.Dir = b.folder // where no config file is
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &process{command: cmd, begun: time.Now()}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	// A server that does not begin has said why on its standard error.
	if p.url, err = listening(out); err != nil {
		p.kill()
		return nil, fmt.Errorf("a server of its own: %w: %s", err, complaints.String())
	}
	return p, nil
}

// listening reads the address that a server prints. It stands behind the lines about
// keys.
func listening(out io.Reader) (string, error) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			return url, nil
		}
	}
	return "", errors.New("it does not listen")
}

// kill ends the process as kill -9 does. It may be called again.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// resident is the process's resident memory in bytes.
func (p *process) resident() int64 { return residentOf(strconv.Itoa(p.command.Process.Pid)) }

// readEvery is how often a process's memory is read. A read costs a few system calls of
// the bench, and nothing of the server.
const readEvery = 50 * time.Millisecond

// peak is the most memory that the process has within a time.
func (p *process) peak(within time.Duration) (most int64) {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(readEvery) {
		most = max(most, p.resident())
	}
	return most
}

// mostWhile does something and returns the most memory that the process had
// meanwhile. The last read is made when it is done, so that something short is read at
// all.
func (p *process) mostWhile(do func() error) (most int64, err error) {
	done := make(chan struct{})
	var reading sync.WaitGroup
	// Only this goroutine writes to most until it has ended.
	reading.Go(func() {
		for tick := time.NewTicker(readEvery); ; {
			select {
			case <-tick.C:
				most = max(most, p.resident())
			case <-done:
				tick.Stop()
				return
			}
		}
	})
	err = do()
	close(done)
	reading.Wait()
	return max(most, p.resident()), err
}
