package sqlite

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/store/core"
)

// TestRowsOfTheWriter reads values as the writer's questions do. What does not fit is an
// error, and never a value that is nearly right.
func TestRowsOfTheWriter(t *testing.T) {
	s := openTemp(t).engine.writer.session
	ask := func(text string, into ...any) error {
		return s.query(func(r core.Row) error { return r.Scan(into...) }, text)
	}
	number, text, data := int64(1), "a", []byte("b")
	must(t, ask(`SELECT 7, 'seven', x'0700'`, &number, &text, &data))
	if number != 7 || text != "seven" || string(data) != "\x07\x00" {
		t.Errorf("%d, %q, %q", number, text, data)
	}
	must(t, ask(`SELECT NULL, 7`, &data, &text))
	if data != nil || text != "7" {
		t.Errorf("%q, %q", data, text)
	}
	var flag bool
	for question, c := range map[string]struct {
		into []any
		want string
	}{
		`SELECT NULL`:              {[]any{&number}, "column 0: the value is NULL"},
		`SELECT 'seven'`:           {[]any{&number}, "column 0: converting"},
		`SELECT 1, NULL`:           {[]any{&number, &text}, "column 1: the value is NULL"},
		`SELECT 1, 2`:              {[]any{&number}, "1 values are wanted of a row of 2"},
		`SELECT 3`:                 {[]any{&number, &text}, "2 values are wanted of a row of 1"},
		`SELECT 4`:                 {[]any{&flag}, "no value can be read into *bool"},
		`SELECT json('no JSON')`:   {[]any{&text}, "malformed JSON"},
		`SELECT missing FROM meta`: {[]any{&text}, "no such column"},
	} {
		if err := ask(question, c.into...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", question, err)
		}
	}
	// An error in the middle ends the statement, and the next time begins at its first row.
	const halfway = `SELECT json(value) FROM (SELECT '1' AS value UNION ALL SELECT '2' UNION ALL SELECT ?)`
	for last, want := range map[string]int{"{": 2, "3": 3} {
		rows := 0
		err := s.query(func(core.Row) error { rows++; return nil }, halfway, last)
		if rows != want || (err != nil) != (last == "{") {
			t.Errorf("with %s: %d rows, %v", last, rows, err)
		}
	}
}

// named is a text with a type of its own, as the fields of many rows are.
type named string

// TestArgumentsOfTheWriter stores a value of each type that a row may have.
func TestArgumentsOfTheWriter(t *testing.T) {
	s := openTemp(t).engine.writer.session
	var got string
	must(t, s.query(func(r core.Row) error { return r.Scan(&got) },
		`SELECT concat_ws(' ', typeof(?1), ?1, typeof(?2), ?2, typeof(?3), ?3, typeof(?4), ?4, typeof(?5), hex(?5), typeof(?6), ?6, typeof(?7), ?7, typeof(?8), typeof(?9))`,
		"text", named("named"), 7, int64(8), []byte("\xff"), true, 1.5, nil, []byte(nil)))
	if want := "text text text named integer 7 integer 8 blob FF integer 1 real 1.5 null null"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := s.exec(`SELECT ?`, struct{}{}); err == nil || !strings.Contains(err.Error(), "unsupported type") {
		t.Error(err)
	}
	if _, err := s.exec(`SELECT ?, ?`, 1); err == nil || !strings.Contains(err.Error(), "missing argument") {
		t.Error(err)
	}
	// A statement does not keep the arguments of the one before it.
	if _, err := s.exec(`SELECT ?, ?`, 1, 2); err != nil {
		t.Error(err)
	}
	if _, err := s.exec(`SELECT ?, ?`, 1); err == nil {
		t.Error("the second argument is that of the statement before")
	}
}
