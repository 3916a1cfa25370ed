package core

import (
	"context"
	"strconv"
	"strings"
	"sync"
)

// Dialect is what databases write in different ways. Each engine has one, which it never
// changes. The texts of this package are SQL that all databases take, with three
// exceptions: the names of indexes and the order of tables, which only SQLite is told
// (INDEXED BY, CROSS JOIN); the parameters ?1 and ?; and pieces in braces, {name} or {name
// argument argument}. So each statement stands in the program once
// (docs/design.md#postgresql).
type Dialect struct {
	// Pieces say what stands for a piece; %1 and %2 are its arguments. In one of a database
	// that is Planned, ?= is the parameter before it once more.
	Pieces map[string]string
	// Planned is for a database that chooses indexes, and the order of tables, by
	// itself, and whose parameters are $1 and $2.
	Planned bool

	// texts has the texts that were made, by the text that each was made of. It never
	// shrinks: there are as many as stand in the program.
	texts sync.Map
}

// Text returns a text as the database takes it, and remembers the result for the next call.
// It is for texts of which there are as many as stand in the program: for one that is put
// together for a single question, TextOnce must be used, or the memory would grow for ever.
func (d *Dialect) Text(text string) string {
	if !d.Planned && strings.IndexByte(text, '{') < 0 {
		return text
	}
	if made, ok := d.texts.Load(text); ok {
		return made.(string)
	}
	made := d.TextOnce(text)
	d.texts.Store(text, made)
	return made
}

// TextOnce is Text for a text that was put together for this one time.
func (d *Dialect) TextOnce(text string) string {
	text = d.withPieces(text)
	if d.Planned {
		text = withNumbers(unhinted(text))
	}
	return text
}

// withPieces puts in what stands for the pieces of a text. A piece that the dialect does
// not have is an error in the program, which the first test that asks the statement finds:
// so it panics. No text contains a brace that does not belong to a piece.
func (d *Dialect) withPieces(text string) string {
	before, rest, found := strings.Cut(text, "{")
	if !found {
		return text
	}
	var b strings.Builder
	for ; found; before, rest, found = strings.Cut(rest, "{") {
		b.WriteString(before)
		piece, behind, closed := strings.Cut(rest, "}")
		words := strings.Fields(piece)
		made, known := "", false
		if closed && len(words) > 0 {
			made, known = d.Pieces[words[0]]
		}
		if !known {
			panic("no piece of SQL is called so: " + piece) // the texts are part of the program
		}
		for i, argument := range words[1:] {
			made = strings.ReplaceAll(made, "%"+strconv.Itoa(i+1), argument)
		}
		b.WriteString(made)
		rest = behind
	}
	b.WriteString(before)
	return b.String()
}

// unhinted takes out of a text what tells SQLite how to go about it. PostgreSQL knows no
// such hints; there the settings of the connection lead the planner the same way.
func unhinted(text string) string {
	const hint = " INDEXED BY "
	for {
		before, behind, found := strings.Cut(text, hint)
		if !found {
			return strings.ReplaceAll(text, "CROSS JOIN", "JOIN")
		}
		end := strings.IndexFunc(behind, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
		if end < 0 {
			end = len(behind)
		}
		text = before + behind[end:]
	}
}

// withNumbers writes the parameters of a text as $1 and $2. A parameter without a number
// gets the one behind the highest number before it, as SQLite counts. So the same list of
// arguments fits both databases. ?= repeats the parameter before it (see [Dialect]).
func withNumbers(text string) string {
	var b strings.Builder
	highest, number := 0, 0
	for {
		at := strings.IndexByte(text, '?')
		if at < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:at])
		text = text[at+1:]
		digits := 0
		for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
			digits++
		}
		switch {
		case digits > 0:
			number, _ = strconv.Atoi(text[:digits])
		case strings.HasPrefix(text, "="):
			digits = 1
		default:
			number = highest + 1
		}
		highest = max(highest, number)
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(number))
		text = text[digits:]
	}
}

// spoken is an engine that is given texts as its database takes them. It stands between the
// store and the engine, so that neither the questions nor the engine has to think of the
// dialect.
type spoken struct {
	Engine
	dialect *Dialect
	// ctx is the context of Write, for the engine as a write uses it: only that one says how
	// long the write may take, whatever contexts the methods are called with. nil: theirs.
	ctx context.Context
}

func (s *spoken) Query(ctx context.Context, each func(Row) error, text string, args ...any) error {
	if s.ctx != nil {
		ctx = s.ctx
	}
	return s.Engine.Query(ctx, each, s.dialect.Text(text), args...)
}

func (s *spoken) QueryOnce(ctx context.Context, each func(Row) error, text string, args ...any) error {
	if s.ctx != nil {
		ctx = s.ctx
	}
	return s.Engine.QueryOnce(ctx, each, s.dialect.TextOnce(text), args...)
}

// Commit replaces the texts in the batch itself, which nobody else has: a write that is
// decided again makes a new one.
func (s *spoken) Commit(ctx context.Context, b *Batch) error {
	for i := range b.Checks {
		b.Checks[i].Text = s.dialect.Text(b.Checks[i].Text)
	}
	for i := range b.Changes {
		if c := &b.Changes[i]; c.Insertion == nil {
			c.Text = s.dialect.Text(c.Text)
		}
	}
	return s.Engine.Commit(ctx, b)
}
