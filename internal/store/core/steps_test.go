package core

import (
	"slices"
	"testing"
)

// aPage is a page as the steps see it.
type aPage struct {
	isFull func() bool
	isLate func(left, of int) bool
}

func (p aPage) ended() bool            { return p.isFull() }
func (p aPage) late(left, of int) bool { return p.isLate(left, of) }

// TestAListIsReadInSteps reads 100,000 rows of which none is picked: steps grow, no row
// is left out or read twice, and a page that was worked at enough says where it stopped.
func TestAListIsReadInSteps(t *testing.T) {
	for _, c := range []struct {
		left, largest, rows int
		full                int // the page is full after so many rows; 0: never
		steps               []int
		late                int // the page has had its time after so many rows; 0: never
		stopped             int
		ended               bool
	}{
		{left: 20_000, largest: 20_000, rows: 100_000, steps: []int{1000, 4000, 4000, 4000, 4000, 3000}, stopped: 80_000},
		{left: 20_000, largest: 20_000, rows: 3000, steps: []int{1000, 2000}, ended: true},
		{left: 20_000, largest: 256, rows: 600, steps: []int{256, 256, 88}, ended: true},
		{left: 20_000, largest: 20_000, rows: 100_000, full: 4500, steps: []int{1000, 4000}, stopped: 95_000},
		{left: 20_000, largest: 20_000, rows: 100_000, late: 4500, steps: []int{1000, 4000}, stopped: 95_000},
		{left: 0, largest: 1, rows: 10, stopped: 10},
	} {
		var steps []int
		read, left, from := 0, c.left, c.rows
		stopped, ended, err := inSteps(&left, c.largest, &from, aPage{func() bool { return c.full > 0 && read >= c.full }, func(left, of int) bool { return c.late > 0 && read >= c.late }},
			func(below *int, rows int) (*int, error) {
				if floor := *below - rows; floor > 0 {
					return &floor, nil
				}
				return nil, nil
			},
			func(below, floor *int) error {
				n := *below
				if floor != nil {
					n -= *floor
				}
				steps, read = append(steps, n), read+n
				return nil
			})
		if err != nil || ended != c.ended || !slices.Equal(steps, c.steps) || !ended && *stopped != c.stopped {
			t.Errorf("%+v: steps of %d, stopped at %d, ended %t, %v", c, steps, *stopped, ended, err)
		}
	}
}
