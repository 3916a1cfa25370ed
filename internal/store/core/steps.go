package core

// The steps in which rows are looked at: few at first, since a page is filled by
// few unless its filter is rare.
const (
	firstStep  = 1000
	stepGrowth = 4
	// mostStep lets the time of a page be looked at every few milliseconds.
	mostStep = 4000
)

// progress is how far a page is: [page] has it.
type progress interface {
	ended() bool            // the page takes no more rows
	late(left, of int) bool // the page has had its time; so much is left of its work
}

// inSteps reads rows from a key down, step by step, until there are no more, the page
// has ended or is late, or left rows have been looked at: all lists whose filter picks
// few of many are read so. floor finds the key with which a step of so many rows ends,
// nil where it goes to the end of the rows; read reads the rows below one key and
// not below the other, nil being no bound. No step has more rows than largest. The
// key that is returned is where reading stopped, unless it came to the end.
func inSteps[K any](left *int, largest int, below *K, p progress,
	floor func(below *K, rows int) (*K, error), read func(below, floor *K) error) (stopped *K, ended bool, err error) {
	all := *left
	for step := firstStep; *left > 0 && !p.ended() && !p.late(*left, all); step *= stepGrowth {
		rows := min(step, mostStep, *left, largest)
		next, err := floor(below, rows)
		if err != nil {
			return below, false, err
		}
		if err := read(below, next); err != nil || next == nil {
			return below, err == nil, err
		}
		below = next
		*left -= rows
	}
	return below, false, nil
}
