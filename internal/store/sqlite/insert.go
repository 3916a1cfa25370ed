package sqlite

import (
	"strings"

	"github.com/orderhook/orderhook/internal/store/core"
)

// insertSizes is the numbers of rows that one statement may have. Several rows in a
// statement cost much less than several statements.
var insertSizes = [...]int{64, 16, 4, 1}

// insertTexts is the statements of one insertion, with and without the rare columns, for
// each number of rows in insertSizes.
//
// If something is wrong with a row, the statement fails and the rows before it stay. That
// is no problem, because then the whole write is undone. So SQLite need not prepare to
// undo a single statement, which saves time.
type insertTexts struct{ lean, whole [len(insertSizes)]string }

// newInsertTexts makes the statements of an insertion, once for each connection.
func newInsertTexts(in *core.Insertion) *insertTexts {
	texts := &insertTexts{}
	whole := append(append([]string{}, in.Often...), in.Rare...)
	for i, size := range insertSizes {
		texts.lean[i] = insertText(in.Table, in.Often, size)
		texts.whole[i] = insertText(in.Table, whole, size)
	}
	return texts
}

// insertText makes one statement. A row whose key exists is left out (ON CONFLICT DO
// NOTHING), and the number of rows that were added tells so.
func insertText(table string, columns []string, rows int) string {
	row := "(?" + strings.Repeat(", ?", len(columns)-1) + ")"
	return "INSERT OR FAIL INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " +
		row + strings.Repeat(", "+row, rows-1) + " ON CONFLICT DO NOTHING"
}

// insert adds rows, in their order. It returns [core.ErrOvertaken] if one of them exists
// already.
func (s *session) insert(in *core.Insertion, rows []core.Tuple) error {
	texts := s.inserts[in]
	if texts == nil {
		texts = newInsertTexts(in)
		s.inserts[in] = texts
	}
	for len(rows) > 0 {
		// Rows without rare values and rows with some have different statements; those that
		// follow each other with the same columns are added together.
		alike := 1
		for alike < len(rows) && (rows[alike].Rare == nil) == (rows[0].Rare == nil) {
			alike++
		}
		sized := &texts.whole
		if rows[0].Rare == nil {
			sized = &texts.lean
		}
		// Thirty rows are 16, 4, 4, 4, 1 and 1: so few statements serve any number of rows.
		for i, size := range insertSizes {
			for ; alike >= size; alike, rows = alike-size, rows[size:] {
				n, err := s.insertRows(sized[i], rows[:size])
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

// insertRows runs a statement whose arguments are the values of rows, one after the other.
func (s *session) insertRows(text string, rows []core.Tuple) (int64, error) {
	s.values = s.values[:0]
	for _, row := range rows {
		if err := s.addArgs(row.Often, row.Rare); err != nil {
			return 0, stated(err, text)
		}
	}
	return s.run(text)
}
