package sqlite

import (
	"strings"

	"github.com/orderhook/orderhook/internal/store/core"
)

// insertSizes is how many rows a statement can have: of a row more that is the
// smaller part of what a statement costs.
var insertSizes = [...]int{64, 16, 4, 1}

// insertTexts is the statements of one insertion: with the rare columns and
// without, for as many rows as its place in insertSizes says.
//
// Whatever is wrong with a row fails the statement and leaves the rows before it,
// for the whole write is undone then; SQLite need not be ready to undo the
// statement alone.
type insertTexts struct{ lean, whole [len(insertSizes)]string }

func newInsertTexts(in *core.Insertion) *insertTexts {
	texts := &insertTexts{}
	whole := append(append([]string{}, in.Often...), in.Rare...)
	for i, size := range insertSizes {
		texts.lean[i] = insertText(in.Table, in.Often, size)
		texts.whole[i] = insertText(in.Table, whole, size)
	}
	return texts
}

func insertText(table string, columns []string, rows int) string {
	row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT OR FAIL INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " +
		row + strings.Repeat(", "+row, rows-1) + " ON CONFLICT DO NOTHING"
}

// insert adds rows, in their order. It is [core.ErrOvertaken] if one was there.
func (s *session) insert(in *core.Insertion, rows []core.Tuple) error {
	texts := s.inserts[in]
	if texts == nil {
		texts = newInsertTexts(in)
		s.inserts[in] = texts
	}
	for len(rows) > 0 {
		alike := 1
		for alike < len(rows) && (rows[alike].Rare == nil) == (rows[0].Rare == nil) {
			alike++
		}
		sized := &texts.whole
		if rows[0].Rare == nil {
			sized = &texts.lean
		}
		for i, size := range insertSizes {
			for ; alike >= size; alike, rows = alike-size, rows[size:] {
				n, err := s.exec(sized[i], s.flat(rows[:size])...)
				if err != nil {
					return err
				}
				if n != int64(size) {
					return core.ErrOvertaken
				}
			}
		}
	}
	return nil
}

// flat returns the values of rows one after the other, until it is called again.
func (s *session) flat(rows []core.Tuple) []any {
	s.args = s.args[:0]
	for _, row := range rows {
		s.args = append(append(s.args, row.Often...), row.Rare...)
	}
	return s.args
}
