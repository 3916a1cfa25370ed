package queue

import (
	"errors"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestFigures: a commit says something of the disk if anything was written in it, and none once
// a group was lost.
func TestFigures(t *testing.T) {
	written, refused := NewWrite(&core.Batch{}), NewWrite(&core.Batch{})
	refused.Err = errors.New("somebody else was faster")
	var f Figures
	fresh := func(want bool, when string) {
		t.Helper()
		if f.Fresh(time.Minute) != want {
			t.Errorf("%s: fresh is %t", when, !want)
		}
	}
	fresh(false, "at first")
	f.Note([]*Write{refused}, time.Now(), nil)
	fresh(false, "after a group of which all was refused")
	f.Note([]*Write{refused, written}, time.Now(), nil)
	fresh(true, "after a commit")
	f.Note([]*Write{written}, time.Now(), errors.New("the disk is full"))
	fresh(false, "after a group that was lost")
	f.Note([]*Write{refused}, time.Now(), nil)
	fresh(false, "after that, and a group of which all was refused")
	f.Note([]*Write{written}, time.Now(), nil)
	fresh(true, "after another commit")
	var is store.Figures
	f.Fill(&is, 3)
	if is.WritesWaiting != 3 || is.Commits != 5 || is.Writes != 6 || is.CommitsFailed != 1 || is.LastCommit.IsZero() {
		t.Errorf("the figures are %+v", is)
	}
	f.Forget()
	fresh(false, "once it was forgotten")
}
