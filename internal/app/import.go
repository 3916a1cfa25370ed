package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
)

// Import adds orders, their history, or events from the JSON lines of an export. No workflow
// runs for them, no event is published, and nobody is sent what is imported. What is there already is left out, so the same file
// may be imported again, as after an interruption.
type Import struct {
	Kind     string // orders, history or events: attempts are the record of what another server sent
	Tenant   string
	File     string
	MaxBytes int64 // of an order
	// Progress is told, behind each write, how many rows were added and how many were
	// there; it may be nil.
	Progress func(added, there int64)

	// The rows of this call so far.
	st           store.Store
	added, there int64
}

// linesAtOnce is how many lines one write stores, and lineBytesAtOnce ends a write earlier:
// a write holds up others while it is committed.
const (
	linesAtOnce     = 100
	lineBytesAtOnce = 1 << 20
)

// Run imports the file, and returns how many rows were added, and how many were there. An
// error names the line, and leaves what came before the write that the line is in.
func (m *Import) Run(ctx context.Context, st store.Store) (added, there int64, err error) {
	f, err := os.Open(m.File)
	if err != nil {
		return 0, 0, &UserError{err}
	}
	defer f.Close()
	m.st = st
	if m.Kind == "events" {
		return m.backwards(ctx, f)
	}
	in := bufio.NewReaderSize(f, 1<<16)
	var waiting [][]byte
	for number, bytes, more := 1, 0, true; more; {
		var line []byte
		line, more, err = nextLine(in, m.MaxBytes)
		if err != nil {
			return m.added, m.there, UserErrorf("%s: line %d: %w", m.File, number+len(waiting), err)
		}
		if more {
			waiting, bytes = append(waiting, line), bytes+len(line)
		}
		// The write is not full yet.
		if more && len(waiting) < linesAtOnce && bytes < lineBytesAtOnce {
			continue
		}
		if err := m.some(ctx, number, waiting); err != nil {
			return m.added, m.there, err
		}
		if number, waiting, bytes = number+len(waiting), nil, 0; m.Progress != nil {
			m.Progress(m.added, m.there)
		}
	}
	return m.added, m.there, nil
}

// nextLine reads a line of at most so many bytes; more is false behind the last one. The
// last line needs no line break. A line that is too long ends the import before the memory
// does.
func nextLine(in *bufio.Reader, most int64) (line []byte, more bool, err error) {
	for {
		part, err := in.ReadSlice('\n')
		if line = append(line, part...); int64(len(line)) > most {
			return nil, true, fmt.Errorf("has more than %d bytes", most)
		}
		switch {
		// The line goes on behind the buffer.
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return line, len(bytes.TrimSpace(line)) > 0, nil
		}
		return line, true, err
	}
}

// some stores some lines in one write: all of them or none.
func (m *Import) some(ctx context.Context, first int, lines [][]byte) error {
	add := map[string]func(context.Context, store.Tx, []byte, map[string]bool) (bool, error){
		"orders": m.addOrder, "history": m.addHistory, "events": m.addEvent}[m.Kind]
	var added int64
	err := m.st.Write(ctx, func(tx store.Tx) error {
		// The write may be decided again.
		added = 0
		// seen is of this write alone: what writes before it have stored is read from the
		// database.
		seen := map[string]bool{}
		for i, line := range lines {
			isNew, err := add(ctx, tx, line, seen)
			if err != nil {
				return firstWrong(fmt.Sprintf("%s: line %d", m.File, m.lineNumber(first, i)), err)
			}
			// What is there already is counted by the caller.
			if isNew {
				added++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.added += added
	m.there += int64(len(lines)) - added
	return nil
}

// addOrder adds an order with its version and times, unless the same one is there. Another
// order of the same id is an error: which of the two is right nobody can tell here.
func (m *Import) addOrder(ctx context.Context, tx store.Tx, line []byte, seen map[string]bool) (isNew bool, err error) {
	doc, _, err := schema.ParseOrder(line)
	if err != nil {
		return false, &UserError{err}
	}
	o, err := importedOrder(doc)
	if err != nil {
		return false, err
	}
	if seen[o.ID] {
		return false, UserErrorf("the order %q is in the file twice", o.ID)
	}
	seen[o.ID] = true
	have, err := tx.Order(ctx, m.Tenant, o.ID)
	switch {
	case apierr.KindOf(err) == apierr.NotFound:
		return true, tx.InsertOrder(ctx, m.Tenant, o)
	case err != nil:
		return false, err
	// They are compared as JSON, by value: the order of fields and the way a number is
	// written do not matter.
	case !jsondoc.Equal(have.Doc, o.Doc):
		return false, UserErrorf("there is another order %q, of version %d", o.ID, have.Version)
	}
	return false, nil
}

// importedOrder is an order as its document says. The document of an export says all of it
// but at which version the status was entered last: the version of the order itself is
// taken for that.
func importedOrder(doc *jsondoc.Object) (*order.Order, error) {
	o := &order.Order{ID: doc.Text("id"), Doc: doc}
	if err := ids.Check(o.ID); err != nil {
		return nil, UserErrorf("id: %w", err)
	}
	// An export has no derived fields, but a file that somebody else wrote may have some.
	if err := order.DropDerived(doc); err != nil {
		return nil, &UserError{err}
	}
	if err := order.CheckIDs(nil, doc); err != nil {
		return nil, UserErrorf("%w", err)
	}
	if doc.Text("status") == "" {
		return nil, UserErrorf("status is needed")
	}
	// A number with a point, or one that an int64 does not hold, is refused, and not
	// rounded.
	version, _ := doc.Get("version")
	number, ok := version.(jsondoc.Number)
	if _, err := fmt.Sscan(string(number), &o.Version); !ok || err != nil || o.Version < 1 || fmt.Sprint(o.Version) != string(number) {
		return nil, UserErrorf("version must be a whole number from 1")
	}
	o.StatusVersion = o.Version
	for name, into := range map[string]*time.Time{"created": &o.Created, "modified": &o.Modified} {
		at, err := timetext.ParseTime(doc.Text(name), timetext.LayoutLocal)
		if err != nil {
			return nil, UserErrorf("%s: %w", name, err)
		}
		*into = at
	}
	return o, nil
}

// addHistory adds an entry to the history of an order, unless it is there. The order has to
// be there. seen has the orders whose history was read in this write, and the entries that
// they have.
func (m *Import) addHistory(ctx context.Context, tx store.Tx, line []byte, seen map[string]bool) (isNew bool, err error) {
	var entry entryOf
	if err := json.Unmarshal(line, &entry); err != nil {
		return false, UserErrorf("is no history entry: %w", err)
	}
	// An entry without these could not be shown, or told from another.
	if entry.OrderID == "" || entry.ID == "" || entry.Timestamp.IsZero() || entry.Category == "" || entry.Operation == "" {
		return false, UserErrorf("orderId, id, timestamp, category and operation are needed")
	}
	if !seen[entry.OrderID] {
		seen[entry.OrderID] = true
		if _, err := tx.Order(ctx, m.Tenant, entry.OrderID); err != nil {
			return false, err
		}
		stored, err := historyOf(ctx, m.st, m.Tenant, entry.OrderID)
		if err != nil {
			return false, err
		}
		// All entries of the order are read once for each write, however many lines are
		// about it.
		for _, h := range stored {
			seen[entry.OrderID+" "+h.ID] = true
		}
	}
	key := entry.OrderID + " " + entry.ID
	if seen[key] {
		return false, nil
	}
	seen[key] = true
	return true, tx.AddHistory(ctx, m.Tenant, entry.OrderID, entry.HistoryEntry)
}
