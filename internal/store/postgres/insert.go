package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store/core"
)

// mostInStatement is how many rows a statement adds; more of them are copied, which
// takes longer for few.
const mostInStatement = 50

// columns is the types of all columns, by table and column. It is read once, when the
// database is opened.
type columns map[string]map[string]string

// columnTypes asks for them: a statement that adds rows names them.
func columnTypes(ctx context.Context, r *readers) (columns, error) {
	all := columns{}
	err := r.QueryOnce(ctx, func(row core.Row) error {
		var table, column, kind string
		err := row.Scan(&table, &column, &kind)
		if all[table] == nil {
			all[table] = map[string]string{}
		}
		all[table][column] = kind
		return err
	}, `SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = current_schema()`)
	return all, err
}

// insertIDs adds the ids of events that were not made here to the table that has each of
// them once: the index of a partition does not know of those of the others. The ids that
// orderhook makes are unique by themselves.
func (t *transaction) insertIDs(u *unit, in *core.Insertion, rows []core.Tuple) {
	tenant, id, seq, webhook := slices.Index(in.Often, "tenant"), slices.Index(in.Often, "id"), slices.Index(in.Often, "seq"), slices.Index(in.Often, "webhook_id")
	var tenants, given []string
	var seqs []int64
	for _, row := range rows {
		// An event with an id of its publisher's has a webhook-id that was made here.
		name := row.Often[id].(string)
		if _, made := ids.TimeOf(ids.Event, name); made && row.Often[webhook] == "" {
			continue
		}
		tenants, given, seqs = append(tenants, row.Often[tenant].(string)), append(given, text(name)), append(seqs, row.Often[seq].(int64))
	}
	if len(given) > 0 {
		t.queue(want{unit: u, rows: int64(len(given))}, `INSERT INTO event_ids (tenant, id, seq) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING`, tenants, given, seqs)
	}
}

// insertTexts is the statements of one insertion: with the rare columns and without.
type insertTexts struct{ lean, whole string }

// insertTextsOf returns an insertion's statements, which take a list for each column.
func (c columns) insertTextsOf(in *core.Insertion) insertTexts {
	return insertTexts{c.insertText(in.Table, in.Often), c.insertText(in.Table, insertColumns(in, true))}
}

// insertColumns returns the columns of an insertion: those that most rows have a value for,
// or all.
func insertColumns(in *core.Insertion, whole bool) []string {
	if !whole {
		return in.Often
	}
	return append(append([]string{}, in.Often...), in.Rare...)
}

// insertText makes a statement that takes a list of values for each column, so that its
// text is the same for any number of rows. A row whose key exists is left out, and the
// number of rows tells so.
func (c columns) insertText(table string, names []string) string {
	lists := make([]string, len(names))
	for i, name := range names {
		lists[i] = fmt.Sprintf("$%d::%s[]", i+1, c[table][name])
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") SELECT * FROM unnest(" + strings.Join(lists, ", ") + ") ON CONFLICT DO NOTHING"
}

// alike returns how many rows, from the first one on, can be added by one statement: either
// all of them have rare values, or none has.
func alike(rows []core.Tuple) int {
	n := 1
	for n < len(rows) && (rows[n].Rare == nil) == (rows[0].Rare == nil) {
		n++
	}
	return n
}

// lists returns the values of rows by column, as the statement takes them.
func lists(rows []core.Tuple) []any {
	often, rare := len(rows[0].Often), len(rows[0].Rare)
	out := make([]any, often+rare)
	cells := make([]any, len(out)*len(rows))
	for c := range out {
		list := cells[c*len(rows) : (c+1)*len(rows) : (c+1)*len(rows)]
		for i, row := range rows {
			if c < often {
				list[i] = value(row.Often[c])
			} else {
				list[i] = value(row.Rare[c-often])
			}
		}
		out[c] = list
	}
	return out
}

// copied is rows as they are copied into a table.
type copied struct {
	rows []core.Tuple
	at   int
}

// Next implements [pgx.CopyFromSource].
func (c *copied) Next() bool {
	c.at++
	return c.at <= len(c.rows)
}

// Values implements [pgx.CopyFromSource].
func (c *copied) Values() ([]any, error) {
	row := c.rows[c.at-1]
	return append(values(row.Often), values(row.Rare)...), nil
}

// Err implements [pgx.CopyFromSource].
func (c *copied) Err() error { return nil }
