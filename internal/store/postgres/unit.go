package postgres

import (
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/queue"
)

// unit is a write, or some that are alike and are run as one. It is what a transaction
// commits or leaves out as a whole. err says why it was refused.
type unit struct {
	writes []*queue.Write
	batch  *core.Batch
	err    error
}

// gather takes what is to be committed together with a write: what waits, until the group
// has as many writes or bytes as it may have. Behind each write it looks for others like it
// of the same tenant, up to the tenant's share of the group.
func (w *writer) gather(first *queue.Write) (units []*unit) {
	writes, size := 0, 0
	// full is asked behind each write, so a write that is larger than the bound is a group
	// by itself.
	full := func() bool { return writes >= queue.MostInGroup || size >= queue.MostBytesInGroup }
	for next := first; next != nil; next = w.queue.Next() {
		u := &unit{writes: []*queue.Write{next}, batch: next.Batch}
		writes, size = writes+1, size+next.Size
		for next.Alike != "" && !full() && len(u.writes) < w.queue.Share(next.Tenant) {
			twin := w.queue.NextAlike(next.Tenant, next.Alike)
			if twin == nil {
				break
			}
			u.writes = append(u.writes, twin)
			writes, size = writes+1, size+twin.Size
		}
		// Alike are only writes that insert, so their rows go into one statement.
		if len(u.writes) > 1 {
			u.batch = queue.Together(u.writes)
		}
		if units = append(units, u); full() {
			break
		}
	}
	return units
}

// left answers the units that were refused and returns the others, to be committed without
// them. Of writes that were run as one and refused, each is tried by itself: nearly always
// one of them is wrong and the others are not.
func left(units []*unit) (rest []*unit) {
	for _, u := range units {
		switch {
		case u.err == nil:
			rest = append(rest, u)
		// Its error is the caller's: overtaken, or the lease is lost, or the server refused
		// a value.
		case len(u.writes) == 1:
			answerAll(u.writes, u.err)
		// One of these made all of them fail, and nobody knows which one.
		default:
			for _, one := range u.writes {
				rest = append(rest, &unit{writes: []*queue.Write{one}, batch: one.Batch})
			}
		}
	}
	return rest
}

// answerAll gives writes their answer. Their callers go on from then on.
func answerAll(writes []*queue.Write, err error) {
	for _, one := range writes {
		one.Err = err
		one.Answer()
	}
}
