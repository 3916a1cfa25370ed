package sqlite

import (
	"errors"
	"os"
	"testing"
)

// TestClosingLeavesNoLog: a statement that is not closed keeps its connection open, and the
// log beside the file.
func TestClosingLeavesNoLog(t *testing.T) {
	db := openTemp(t)
	must(t, db.Write(ctx, insert("o1")))
	if _, err := os.Stat(db.engine.path + "-wal"); err != nil {
		t.Fatal(err)
	}
	must(t, db.Close())
	if _, err := os.Stat(db.engine.path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}
}
