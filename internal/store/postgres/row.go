package postgres

import (
	"database/sql"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// flag is a truth as an argument. Columns store truths as numbers, and conditions are of
// the type boolean: pgx asks a flag for the one that the statement needs.
type flag bool

// BoolValue implements [pgtype.BoolValuer].
func (f flag) BoolValue() (pgtype.Bool, error) { return pgtype.Bool{Bool: bool(f), Valid: true}, nil }

// Int64Value implements [pgtype.Int64Valuer].
func (f flag) Int64Value() (pgtype.Int8, error) {
	n := pgtype.Int8{Valid: true}
	if f {
		n.Int64 = 1
	}
	return n, nil
}

// flagInto is where a truth is read into, from a number or from a condition.
type flagInto bool

// ScanBool implements [pgtype.BoolScanner].
func (f *flagInto) ScanBool(v pgtype.Bool) error { *f = flagInto(v.Bool); return nil }

// ScanInt64 implements [pgtype.Int64Scanner].
func (f *flagInto) ScanInt64(v pgtype.Int8) error { *f = v.Int64 != 0; return nil }

// values returns arguments as pgx takes them.
func values(args []any) []any {
	out := make([]any, len(args))
	for i, v := range args {
		out[i] = value(v)
	}
	return out
}

// value returns one argument as pgx takes it.
func value(v any) any {
	switch v := v.(type) {
	case bool:
		return flag(v)
	case string:
		return text(v)
	}
	return v
}

// text is a text as PostgreSQL takes it: neither a zero byte nor what is no UTF-8 may be
// in one. U+FFFD stands for either.
func text(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// answer is the rows of a question. It implements what [core.EachRow] reads. read tells ask
// whether the question may be asked again.
type answer struct {
	pgx.Rows
	read bool // a row of it was
	into []any
}

// Next is true as long as there is a row.
func (a *answer) Next() bool {
	next := a.Rows.Next()
	a.read = a.read || next
	return next
}

// Close ends the reading.
func (a *answer) Close() error {
	a.Rows.Close()
	return nil
}

// Scan implements [core.Row].
func (a *answer) Scan(into ...any) error {
	a.into = targets(a.into[:0], into)
	return a.Rows.Scan(a.into...)
}

// targets appends what pgx reads values into. The variables are those of the caller, by
// another type.
func targets(out, into []any) []any {
	for _, v := range into {
		switch v := v.(type) {
		case *bool:
			out = append(out, (*flagInto)(v))
		case *sql.RawBytes:
			out = append(out, (*[]byte)(v))
		default:
			out = append(out, v)
		}
	}
	return out
}
