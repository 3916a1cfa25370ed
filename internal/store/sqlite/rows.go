package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// rows reads what a statement of the session returns. It is for [core.EachRow].
type rows struct {
	from    driver.Rows
	present []driver.Value // the values of the row that is being read, one for each column
	err     error          // why there is no next row, other than that there are no more
}

// Next goes to the next row, and reports whether there is one.
func (r *rows) Next() bool {
	err := r.from.Next(r.present)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return err == nil
}

// Err returns why the rows ended too early.
func (r *rows) Err() error { return r.err }

// Close frees the statement for its next time.
func (r *rows) Close() error { return r.from.Close() }

// Scan implements [core.Row], for the types that the questions of the writer have. Bytes are
// copied by the driver, so they stay what they are when the next row is read.
func (r *rows) Scan(into ...any) error {
	if len(into) != len(r.present) {
		return fmt.Errorf("%d values are wanted of a row of %d", len(into), len(r.present))
	}
	for i, v := range r.present {
		var err error
		switch into := into[i].(type) {
		case *int64:
			err = assign(into, v)
		case *string:
			err = assign(into, v)
		case *[]byte:
			if *into = nil; v != nil {
				err = assign(into, v)
			}
		default:
			err = fmt.Errorf("no value can be read into %T", into)
		}
		if err != nil {
			return fmt.Errorf("column %d: %w", i, err)
		}
	}
	return nil
}

// assign converts a value as database/sql does. NULL is an error.
func assign[T any](into *T, v driver.Value) error {
	var value sql.Null[T]
	if err := value.Scan(v); err != nil {
		return err
	}
	if !value.Valid {
		return errors.New("the value is NULL")
	}
	*into = value.V
	return nil
}
