package app

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// Export writes the rows of one kind that a tenant has to a file, one on each line, as the
// API shows them (docs/operating.md#export-and-import). It reads page by page, so that its
// memory does not grow with the database, and goes on where it was if it is interrupted. It
// works beside a server. One Export is for one call of Run.
type Export struct {
	Kind   string // orders, history, attempts or events
	Format string // jsonl or csv
	Tenant string
	File   string
	// Out takes the rows in place of File. What was written to it is not gone on with: a Run
	// begins at the beginning.
	Out      io.Writer
	From, To time.Time // zero: no bound
	// Status picks orders; OrderID all but orders; Type events and attempts; Outcome attempts.
	Status, OrderID, Type, Outcome string
	// Progress is told how many rows are in the file, behind each page; it may be nil.
	Progress func(rows int64)

	file  *os.File
	out   *bufio.Writer
	state exportState
	fresh bool // this call has made the file
}

// Check returns an error if a filter is given that the kind does not have: it would pick
// everything, and nobody would notice.
func (x *Export) Check() error {
	for _, f := range []struct {
		flag, value string
		kinds       []string
	}{
		{"status", x.Status, []string{"orders", "history"}},
		{"order", x.OrderID, []string{"history", "attempts", "events"}},
		{"type", x.Type, []string{"attempts", "events"}},
		{"outcome", x.Outcome, []string{"attempts"}},
	} {
		if f.value != "" && !slices.Contains(f.kinds, x.Kind) {
			return UserErrorf("--%s is no filter of %s, but of %s", f.flag, x.Kind, strings.Join(f.kinds, ", "))
		}
	}
	return nil
}

// exportState is what is stored beside the file while the export is not finished. It is
// written when the page before it is on the disk. The next call with the same filter cuts
// the file to Bytes, and goes on there.
type exportState struct {
	Query string `json:"query"`
	// Cursor is where the next page begins.
	Cursor string `json:"cursor"`
	Bytes  int64  `json:"bytes"` // of the file that are complete
	Rows   int64  `json:"rows"`
}

// progressFile is the file with the state. It is there as long as the export is not
// finished.
func (x *Export) progressFile() string { return x.File + ".progress" }

// query says what is exported, so that a later call with other flags does not go on with
// it.
func (x *Export) query() string {
	return fmt.Sprintf("%s %s tenant=%q from=%d to=%d status=%q order=%q type=%q outcome=%q", x.Kind, x.Format, x.Tenant,
		x.From.UnixMicro(), x.To.UnixMicro(), x.Status, x.OrderID, x.Type, x.Outcome)
}

// Run writes the file, and returns how many rows are in it. If ctx ends, or the process is
// killed, the file is as far as it came, and the next Run goes on there. What is made after
// it began is not in the file.
func (x *Export) Run(ctx context.Context, st store.Store) (rows int64, err error) {
	// A file that cannot be written is known before anything is read.
	if err := x.open(); err != nil {
		return 0, err
	}
	if x.Out == nil {
		defer func() { err = x.close(err) }()
	}
	// The names of the columns are the first line of a new file.
	if x.Format == "csv" && x.state.Bytes == 0 {
		if err := x.write(csvColumns[x.Kind]); err != nil {
			return 0, err
		}
	}
	// An export of millions of rows must not keep the server's own questions waiting.
	ctx = store.Background.Mark(ctx)
	for page := (store.Page{Limit: store.MaxLimit, Cursor: x.state.Cursor}); ; {
		next, err := x.page(ctx, st, page)
		if err == nil {
			x.state.Cursor = next
			err = x.save()
		}
		if err != nil {
			return x.state.Rows, doing("export "+x.Kind, err)
		}
		if x.Progress != nil {
			x.Progress(x.state.Rows)
		}
		// The file is complete, so nothing is left to go on with.
		if page.Cursor = next; next == "" {
			return x.state.Rows, x.done()
		}
	}
}

// close closes the file, after an error or none, and returns what has gone wrong.
func (x *Export) close(err error) error {
	err = errors.Join(err, x.file.Close())
	// A new file of which nothing is saved could not be gone on with, and would be in the
	// way of the next call.
	if _, none := os.Stat(x.progressFile()); err != nil && x.fresh && errors.Is(none, os.ErrNotExist) {
		err = errors.Join(err, os.Remove(x.File), os.RemoveAll(x.progressFile()+".part"))
	}
	return err
}

// done removes the state of an export that is finished.
func (x *Export) done() error {
	if x.Out != nil {
		return nil
	}
	return os.Remove(x.progressFile())
}

// open opens a new file, or one that an earlier call has begun. A file that is there and
// has no state is never written to.
func (x *Export) open() error {
	if x.Out != nil {
		x.out, x.state = bufio.NewWriter(x.Out), exportState{}
		return nil
	}
	data, err := os.ReadFile(x.progressFile())
	flags := os.O_RDWR
	switch {
	case errors.Is(err, os.ErrNotExist):
		flags |= os.O_CREATE | os.O_EXCL
		x.state, x.fresh = exportState{Query: x.query()}, true
	case err != nil:
		return &UserError{err}
	// Somebody else's file of that name must not be overwritten.
	case json.Unmarshal(data, &x.state) != nil:
		return UserErrorf("%s says nothing of an export: remove it", x.progressFile())
	// With other filters the rows behind would not belong to those before.
	case x.state.Query != x.query():
		return UserErrorf("%s is of another export, which was not finished: give the same flags to go on with that, or remove it and %s", x.progressFile(), x.File)
	}
	x.file, err = os.OpenFile(x.File, flags, 0o600)
	// A new export makes its file, and never takes one that is there.
	if errors.Is(err, os.ErrExist) {
		return UserErrorf("%s is there already: an export replaces no file", x.File)
	}
	if err != nil {
		return &UserError{err}
	}
	// What is behind it was written for a page that was not finished.
	if err = x.file.Truncate(x.state.Bytes); err == nil {
		_, err = x.file.Seek(x.state.Bytes, io.SeekStart)
	}
	x.out = bufio.NewWriter(x.file)
	if err != nil {
		return errors.Join(&UserError{err}, x.file.Close())
	}
	return nil
}

// save makes what was written durable, and only then says that it is.
func (x *Export) save() error {
	err := x.out.Flush()
	if x.Out != nil && err != nil {
		return &UserError{err}
	}
	if x.Out != nil {
		return nil
	}
	// Only what is synced counts: a crash may lose what the system still had in memory.
	if err == nil {
		err = x.file.Sync()
	}
	if err == nil {
		x.state.Bytes, err = x.file.Seek(0, io.SeekCurrent)
	}
	if err != nil {
		return &UserError{err}
	}
	data, err := json.Marshal(x.state)
	if err != nil {
		return err
	}
	// The file gets its name by a rename, so that a crash leaves the old state or the new
	// one, and not half of one.
	part := x.progressFile() + ".part"
	if err = os.WriteFile(part, data, 0o600); err == nil {
		err = os.Rename(part, x.progressFile())
	}
	if err != nil {
		return &UserError{err}
	}
	return nil
}

// page writes one page, and returns the cursor of the next; "" if there is none.
func (x *Export) page(ctx context.Context, st store.Store, p store.Page) (next string, err error) {
	switch x.Kind {
	case "orders", "history":
		return x.orders(ctx, st, p)
	case "attempts":
		return x.attempts(ctx, st, p)
	}
	return x.events(ctx, st, p)
}

// events writes a page of events. Lists leave out the data, so each event is read by
// itself.
func (x *Export) events(ctx context.Context, st store.Store, p store.Page) (next string, err error) {
	list, err := st.Events(ctx, x.Tenant, store.EventFilter{Type: x.Type, Related: event.Related{OrderID: x.OrderID}, From: x.From, To: x.To}, p)
	for _, one := range list.Items {
		if err != nil {
			break
		}
		e, errOfOne := st.Event(ctx, x.Tenant, one.ID)
		// Retention goes on beside the export.
		if apierr.KindOf(errOfOne) == apierr.NotFound { // it was removed meanwhile
			continue
		}
		if errOfOne != nil {
			return "", errOfOne
		}
		err = x.row(api.ShowEventWithData(e))
	}
	return list.NextCursor, err
}

// orders writes a page of orders, or the history of each order of a page. The times of the
// filter are those of orders, or of the entries.
func (x *Export) orders(ctx context.Context, st store.Store, p store.Page) (next string, err error) {
	// One order's history is one page, whatever its length.
	if x.Kind == "history" && x.OrderID != "" {
		return "", x.history(ctx, st, x.OrderID)
	}
	f := store.OrderFilter{Status: x.Status}
	// For histories the times are those of entries, so all orders have to be looked at.
	if x.Kind == "orders" {
		f.From, f.To = x.From, x.To
	}
	list, err := st.Orders(ctx, x.Tenant, f, p)
	for _, d := range list.Items {
		if err != nil {
			break
		}
		if x.Kind == "history" {
			err = x.history(ctx, st, d.ID)
		} else {
			// The document is written as it is stored, digit by digit.
			err = x.line([]byte(d.JSON))
		}
	}
	return list.NextCursor, err
}

// entryOf is a history entry with the order that it is of, as a line of an export.
type entryOf struct {
	OrderID string `json:"orderId"`
	order.HistoryEntry
}

// history writes the entries of one order, the oldest first, so that an import adds them in
// their order.
func (x *Export) history(ctx context.Context, st store.Store, orderID string) error {
	entries, err := historyOf(ctx, st, x.Tenant, orderID)
	for _, h := range slices.Backward(entries) {
		if err != nil {
			break
		}
		// History has no index by time within an order; an order's is short.
		if !x.From.IsZero() && h.Timestamp.Before(x.From) || !x.To.IsZero() && !h.Timestamp.Before(x.To) {
			continue
		}
		err = x.row(entryOf{orderID, h})
	}
	return err
}

// historyOf returns the whole history of an order, the newest entry first.
func historyOf(ctx context.Context, st store.Store, tenant, orderID string) (all []order.HistoryEntry, err error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		list, err := st.History(ctx, tenant, orderID, page)
		if err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		if page.Cursor = list.NextCursor; page.Cursor == "" {
			return all, nil
		}
	}
}

// attempts writes a page of attempts, each with its bodies, which lists leave out.
func (x *Export) attempts(ctx context.Context, st store.Store, p store.Page) (next string, err error) {
	list, err := st.Attempts(ctx, x.Tenant, store.AttemptFilter{EventType: x.Type, Outcome: x.Outcome, Related: event.Related{OrderID: x.OrderID}, From: x.From, To: x.To}, p)
	for _, one := range list.Items {
		if err != nil {
			break
		}
		at, errOfOne := st.Attempt(ctx, x.Tenant, one.ID)
		if apierr.KindOf(errOfOne) == apierr.NotFound { // it was removed meanwhile
			continue
		}
		if errOfOne != nil {
			return "", errOfOne
		}
		err = x.row(api.ShowAttempt(at))
	}
	return list.NextCursor, err
}

// row writes a value as one line: as its JSON, or the cells that CSV has of that.
func (x *Export) row(v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return x.line(data)
}

// line writes a row whose JSON is there.
func (x *Export) line(data []byte) error {
	x.state.Rows++
	if x.Format == "csv" {
		// The numbers stay as they are written, so that no price is rounded.
		doc, err := schema.Parse(data)
		if err != nil {
			return err
		}
		return x.write(cells(doc, csvColumns[x.Kind]))
	}
	if _, err := x.out.Write(append(data, '\n')); err != nil {
		return &UserError{err}
	}
	return nil
}

// write writes one line of CSV.
func (x *Export) write(cells []string) error {
	w := csv.NewWriter(x.out)
	// The writer of CSV has a buffer of its own, which is emptied here into that of the
	// file.
	_ = w.Write(cells) // Error has it
	w.Flush()
	if err := w.Error(); err != nil {
		return &UserError{err}
	}
	return nil
}

// csvColumns are the most important fields of each kind, which CSV has as columns. JSON
// lines have all fields.
var csvColumns = map[string][]string{
	"orders":   {"id", "version", "status", "created", "modified", "orderType", "marketId", "storeId", "customerEmail", "subscriptionId", "total"},
	"history":  {"orderId", "id", "timestamp", "category", "operation", "status", "previousStatus", "step", "shipmentId", "returnId", "callId", "runId", "by", "isError", "message"},
	"attempts": {"id", "kind", "callId", "number", "startedAt", "durationMs", "url", "status", "outcome", "error", "connectorId", "runId", "endpointId", "eventId", "eventType", "deliveryId", "orderId"},
	"events":   {"id", "type", "timestamp", "webhookId", "subject", "orderId", "shipmentId", "returnId", "cartId", "subscriptionId", "stockItemId", "data"},
}

// column returns the field of a document that a column has. The total of an order is that of its
// form, which orderhook works out (docs/building-an-endpoint.md#totals); some systems write it
// beside the form.
func column(doc *jsondoc.Object, name string) (any, bool) {
	if name == "total" && doc.Object("orderForm").Has("total") {
		doc = doc.Object("orderForm")
	}
	return doc.Get(name)
}

// cells returns the fields of a document, texts as they are and the rest as JSON. A text
// that a spreadsheet would take for a formula gets an apostrophe before it: somebody
// outside may have written it into an order.
func cells(doc *jsondoc.Object, columns []string) []string {
	out := make([]string, len(columns))
	for i, name := range columns {
		switch v, there := column(doc, name); v := v.(type) {
		// A text is written as it is; all other values are, as JSON, no formula.
		case string:
			if out[i] = v; strings.IndexAny(v, "=+-@\t\r") == 0 {
				out[i] = "'" + v
			}
		case nil:
		default:
			if there {
				out[i] = shown(v)
			}
		}
	}
	return out
}
