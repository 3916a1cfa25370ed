package app

import (
	"bufio"
	"context"
	"os"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
)

// lineAt is where a line of a file is.
// Both are in bytes; the line break at the end of a line is part of it.
type lineAt struct{ start, bytes int64 }

// backwards imports a file from its last line to its first: an export has the newest event
// first, and lists show those first that were stored last.
func (m *Import) backwards(ctx context.Context, f *os.File) (added, there int64, err error) {
	// The file is read twice, first to find its lines. So memory holds only their places, and
	// the lines of one write.
	lines, err := m.lines(f)
	if err != nil {
		return 0, 0, err
	}
	// Each round is one write. If the process dies, the writes before stay, and the next
	// import finds their events there.
	for last := len(lines); last > 0; {
		first, total := last, int64(0)
		// A write has at least one line, even if that line is longer than lineBytesAtOnce.
		for first > 0 && last-first < linesAtOnce && total < lineBytesAtOnce {
			first--
			total += lines[first].bytes
		}
		some := make([][]byte, 0, last-first)
		for _, at := range slices.Backward(lines[first:last]) {
			line := make([]byte, at.bytes)
			// Another program may have shortened the file since its lines were found.
			if _, err := f.ReadAt(line, at.start); err != nil {
				return m.added, m.there, &UserError{err}
			}
			some = append(some, line)
		}
		// Lines are counted from 1, so last is also the number of the first line of this
		// write.
		if err := m.some(ctx, last, some); err != nil {
			return m.added, m.there, err
		}
		if last = first; m.Progress != nil {
			m.Progress(m.added, m.there)
		}
	}
	return m.added, m.there, nil
}

// lines finds the lines of the file, each of which says something.
func (m *Import) lines(f *os.File) (all []lineAt, err error) {
	in := bufio.NewReaderSize(f, 1<<16)
	for start := int64(0); ; {
		line, more, err := nextLine(in, m.MaxBytes)
		switch {
		// A line that is too long is found here, before anything is imported.
		case err != nil:
			return nil, UserErrorf("%s: line %d: %w", m.File, len(all)+1, err)
		case !more:
			return all, nil
		}
		all = append(all, lineAt{start, int64(len(line))})
		start += int64(len(line))
	}
}

// addEvent adds an event as a record, unless the same one is there.
func (m *Import) addEvent(ctx context.Context, tx store.Tx, line []byte, seen map[string]bool) (isNew bool, err error) {
	e, err := importedEvent(ctx, line)
	if err != nil {
		return false, err
	}
	// seen is of one write alone: what earlier writes of this file have stored is found in the
	// store.
	if seen[e.ID] {
		return false, UserErrorf("the event %q is in the file twice", e.ID)
	}
	seen[e.ID] = true
	// Seq is set if the event is stored. It stays 0 if there is one of this id already.
	if err := tx.ImportEvents(ctx, m.Tenant, e); err != nil || e.Seq != 0 {
		return err == nil, err
	}
	have, err := tx.Event(ctx, m.Tenant, e.ID)
	if err != nil {
		return false, err
	}
	// Data that was erased here stays so, whatever the file has of it.
	equal := have.Data == nil
	if !equal {
		if equal, err = sameJSON(have.Data, e.Data); err != nil {
			return false, err
		}
	}
	if !equal || have.Type != e.Type || have.MessageID() != e.MessageID() || !have.Timestamp.Equal(e.Timestamp) || have.Subject != e.Subject || have.Related != e.Related {
		return false, UserErrorf("there is another event %q", e.ID)
	}
	return false, nil
}

// sameJSON compares the payloads of two events by value, as those of orders are: an export
// writes the same text with other white space and other escapes.
func sameJSON(a, b jsontext.Value) (bool, error) {
	// Data that one side lacks is a difference.
	if a == nil || b == nil {
		return false, nil
	}
	one, err := jsondoc.ParseValue(a, nil)
	if err != nil {
		return false, err
	}
	other, err := jsondoc.ParseValue(b, nil)
	return err == nil && jsondoc.Equal(one, other), err
}

// importedEvent is an event as an export has it.
func importedEvent(ctx context.Context, line []byte) (*event.Event, error) {
	var in api.EventWithData
	// A member that nobody knows is refused: the line may be of another kind of export.
	if err := json.Unmarshal(line, &in, json.RejectUnknownMembers(true)); err != nil {
		return nil, UserErrorf("is no event: %w", err)
	}
	e := &event.Event{ID: in.ID, Type: in.Type, Related: in.Related, Timestamp: in.Timestamp.UTC(), Data: in.Data}
	switch {
	case in.ID == "" || e.Type == "" || e.Timestamp.IsZero() || in.WebhookID == "":
		return nil, UserErrorf("id, type, timestamp and webhookId are needed")
	case (e.Data == nil) != in.DataErased:
		return nil, UserErrorf("data is needed, unless dataErased says that it was removed")
	}
	// A text that says no trace would be dropped in silence.
	if e.Trace = trace.Text(trace.WithText(ctx, in.Trace)); e.Trace != in.Trace {
		return nil, UserErrorf("trace: %q is no traceparent, with a tracestate behind a space", in.Trace)
	}
	if in.Subject != nil {
		e.Subject = *in.Subject
	}
	// WebhookID is "" where the message has the id of the event.
	if in.WebhookID != in.ID {
		e.WebhookID = in.WebhookID
	}
	return e, event.CheckImported(e)
}

// lineNumber is how the lines of a write are numbered: those of events come from the last line
// of the file to its first.
func (m *Import) lineNumber(first, i int) int {
	if m.Kind == "events" {
		return first - i
	}
	return first + i
}
