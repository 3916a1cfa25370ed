package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// A transaction has as many rows as these allow, so that neither its memory nor what a copy
// that is killed has to do again grows with the table. A row alone may be larger than
// mostBytes.
const (
	mostRows  = 5000
	mostBytes = 4 << 20
)

// metaAt begins the names of the rows of meta that say how far each table is. They are
// removed at the end (database.finish).
const metaAt = "copy.at."

// copy copies the rows of a table that are not copied yet. It has one transaction of rows
// in memory at a time. The position is written with the rows that lead to it: so a copy
// that goes on neither misses a row nor has one twice.
func (t *transfer) copy(ctx context.Context, table *table) error {
	after, err := t.position(ctx, table)
	if err != nil {
		return err
	}
	var batch [][]any
	rows, size := 0, 0
	// The position is the key as the source has it, from before the row is translated: the
	// source is asked for what comes behind it.
	write := func() error {
		if len(batch) == 0 {
			return nil
		}
		last, err := json.Marshal(encodeKey(table.keyIn(batch[len(batch)-1])))
		if err != nil {
			return err
		}
		for i, row := range batch {
			batch[i] = t.translate(table, row)
		}
		if err := t.to.insert(ctx, table, batch, metaRow{metaAt + table.name, last}); err != nil {
			return err
		}
		rows += len(batch)
		clear(batch)
		// The rows are not needed any more, and the slice is used again.
		batch, size = batch[:0], 0
		t.tell("copied", table, rows, false)
		return nil
	}
	// The statement stays open for the whole table, while transactions of the target come
	// and go.
	for row, err := range t.from.rows(ctx, table, after) {
		if err != nil {
			return fmt.Errorf("read --from: %w", err)
		}
		batch, size = append(batch, row), size+bytesOf(row)
		if len(batch) >= mostRows || size >= mostBytes {
			if err := write(); err != nil {
				return fmt.Errorf("write --to: %w", err)
			}
		}
	}
	if err := write(); err != nil {
		return fmt.Errorf("write --to: %w", err)
	}
	t.tell("copied", table, rows, true)
	return nil
}

// translate makes a row one of the target: its secrets are sealed with the target's key,
// and its texts are as the target can hold them. A secret that does not open stays as it
// is. One of a tenant whose name the target cannot hold will not open there.
func (t *transfer) translate(table *table, row []any) []any {
	held := t.held(row)
	// Nothing of this table is sealed.
	if table.sealed < 0 {
		return held
	}
	sealed, err := table.reseal(t.from.sealer(), t.to.sealer(), table.value(row))
	if err == nil {
		// Else the old text stays, which opens nowhere, so that the row is not lost.
		held[table.sealed] = sealed
	}
	// What is sealed is bound to names of the row: if the target cannot hold one of these
	// as it is, it does not open.
	if err != nil || compareKeys(table.keyIn(row), table.keyIn(held)) != 0 {
		t.unopened++
	}
	return held
}

// held returns a row of the source as the target can hold it: a copy, with other texts if
// need be.
func (t *transfer) held(row []any) []any {
	held := slices.Clone(row)
	for i, v := range held {
		if s, is := v.(string); is {
			held[i] = t.to.holds(s)
		}
	}
	return held
}

// value returns what gives the values of a row by column, for reseal.
func (t *table) value(row []any) func(string) any {
	return func(column string) any {
		for i, name := range t.columns {
			if name == column {
				return row[i]
			}
		}
		return nil
	}
}

// position is the key of the last row of a table that was copied, as it is in the source;
// nil if none was.
func (t *transfer) position(ctx context.Context, table *table) ([]any, error) {
	value, err := t.to.meta(ctx, metaAt+table.name)
	// Nothing of the table has been copied yet.
	if err != nil || value == nil {
		return nil, err
	}
	// JSON has these as base64, so any bytes can be in them.
	var encoded [][]byte
	if err := json.Unmarshal(value, &encoded); err != nil {
		return nil, fmt.Errorf("read how far the copy is: %w", err)
	}
	return table.decodeKey(encoded)
}

// encodeKey makes bytes of the values of a key, because JSON could not hold every text as
// it is. Their kinds say how to read them.
func encodeKey(key []any) (encoded [][]byte) {
	for _, v := range key {
		switch v := v.(type) {
		case int64:
			encoded = append(encoded, strconv.AppendInt(nil, v, 10))
		case string:
			encoded = append(encoded, []byte(v))
		case []byte:
			encoded = append(encoded, v)
		}
	}
	return encoded
}

// decodeKey is the reverse of encodeKey. A position that does not fit the table is an
// error: another version has begun the copy.
func (t *table) decodeKey(encoded [][]byte) ([]any, error) {
	if len(encoded) != len(t.key) {
		return nil, fmt.Errorf("a key of %d columns is stored for a table whose key has %d", len(encoded), len(t.key))
	}
	key := make([]any, len(encoded))
	for i, b := range encoded {
		switch t.kinds[t.key[i]] {
		case number:
			n, err := strconv.ParseInt(string(b), 10, 64)
			if err != nil {
				return nil, fmt.Errorf("read how far the copy is: %w", err)
			}
			key[i] = n
		case text:
			key[i] = string(b)
		default:
			key[i] = b
		}
	}
	return key, nil
}
