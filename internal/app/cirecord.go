package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/orderhook/orderhook/internal/redact"
	"github.com/orderhook/orderhook/internal/rerun"
)

// CallRecording writes recorded calls to a folder, one to a file, without what is personal
// in them.
type CallRecording struct {
	From CallSource
	Dir  string
	// KeyFile has the key of the replacements, which is made if it is not there. With the
	// same key the same value becomes the same replacement.
	KeyFile  string
	Rules    redact.Rules
	Parallel int
	Progress func(done, all int)
}

// CallsWritten is what a recording has come to.
type CallsWritten struct {
	New, Changed, Unchanged int
	Skipped                 []string // why, of each
	KeyMade                 bool     // the file of the key was not there
	// UnusedNames and UnusedKeep are those of the rules that no field had.
	UnusedNames, UnusedKeep []string
}

// Run writes the calls. What stands in the folder beside them stays. An error leaves whole
// files alone, and the same command goes on.
func (c *CallRecording) Run(ctx context.Context) (out CallsWritten, err error) {
	names, err := c.From.List(ctx)
	if err != nil {
		return out, err
	}
	if len(names) == 0 {
		return out, UserErrorf("no call was found")
	}
	key, made, err := c.key()
	if err != nil {
		return out, err
	}
	out.KeyMade = made
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return out, UserErrorf("%w", err)
	}
	r := redact.New(key, c.Rules)
	var mu sync.Mutex
	var failed error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := 0
	inParallel(ctx, c.Parallel, len(names), func(i int) {
		count, skipped, err := c.one(ctx, r, names[i])
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil && failed == nil:
			failed = err
			cancel()
		case err != nil:
		case skipped != "":
			out.Skipped = append(out.Skipped, names[i]+": "+skipped)
		default:
			*count(&out)++
		}
		if done++; c.Progress != nil {
			c.Progress(done, len(names))
		}
	})
	if failed != nil {
		return out, failed
	}
	out.UnusedNames, out.UnusedKeep = r.Unused()
	return out, context.Cause(ctx)
}

// one writes one call, and says what it counts as. skipped is why it was not written.
func (c *CallRecording) one(ctx context.Context, r *redact.Redactor, name string) (count func(*CallsWritten) *int, skipped string, err error) {
	call, err := c.From.Call(ctx, name)
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		return nil, err.Error(), nil
	}
	if call, err = rerun.Redacted(call, r); err != nil {
		return nil, err.Error(), nil
	}
	text, err := call.Text()
	if err != nil {
		return nil, "", fmt.Errorf("write call %s: %w", name, err)
	}
	path := filepath.Join(c.Dir, filepath.Base(call.ID)+callFile)
	was, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(was, text):
		return func(w *CallsWritten) *int { return &w.Unchanged }, "", nil
	case err == nil:
		count = func(w *CallsWritten) *int { return &w.Changed }
	default:
		count = func(w *CallsWritten) *int { return &w.New }
	}
	// A file is whole or not there, also where the command is stopped meanwhile.
	beside := path + ".part"
	if err := os.WriteFile(beside, text, 0o644); err != nil {
		return nil, "", UserErrorf("%w", err)
	}
	if err := os.Rename(beside, path); err != nil {
		return nil, "", UserErrorf("%w", err)
	}
	return count, "", nil
}

// redactionKey is how many random bytes a new key has.
const redactionKey = 32

// key reads the key of the replacements, or makes it, for its owner alone to read.
func (c *CallRecording) key() (key []byte, isNew bool, err error) {
	text, err := os.ReadFile(c.KeyFile)
	if err == nil {
		if text = bytes.TrimSpace(text); len(text) < redactionKey/2 {
			return nil, false, UserErrorf("%s holds no key: it has %d bytes, and %d are too few", c.KeyFile, len(text), redactionKey/2-1)
		}
		return text, false, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, false, UserErrorf("%w", err)
	}
	key = make([]byte, redactionKey)
	rand.Read(key) // never fails
	made := hex.EncodeToString(key)
	f, err := os.OpenFile(c.KeyFile, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, false, UserErrorf("%w", err)
	}
	_, err = f.WriteString(made + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		// Half of a key would be refused, or used, by the next call.
		return nil, false, UserErrorf("%w", errors.Join(err, os.Remove(c.KeyFile)))
	}
	return []byte(made), true, nil
}

// RedactionKeyFile is where the key of a folder's replacements is unless somebody says
// otherwise: beside the folder, so that the folder can be given away.
func RedactionKeyFile(dir string) string {
	return strings.TrimRight(filepath.Clean(dir), `/\`) + ".key"
}
