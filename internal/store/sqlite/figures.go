package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/orderhook/orderhook/internal/store"
)

// Figures implements [core.Engine]. It looks at the files, and not into them, so it takes
// no time of the database's. The log is not there when nobody has the database open.
func (e *engine) Figures(context.Context) (f store.Figures, err error) {
	e.writer.figures.Fill(&f, e.writer.queue.Len())
	var fromFile, fromLog, fromDisk error
	f.Bytes, fromFile = sizeOf(e.path)
	f.LogBytes, fromLog = sizeOf(e.path + "-wal")
	// The log grows beside the file, on the same disk.
	f.DiskFree, fromDisk = e.free(filepath.Dir(e.path))
	return f, errors.Join(fromFile, fromLog, fromDisk)
}

// sizeOf returns the size of a file; 0 if it is not there.
func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
