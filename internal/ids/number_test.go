package ids_test

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/ids"
)

// TestIDsOfNumbers: a number and its id are made of each other, and sort alike.
func TestIDsOfNumbers(t *testing.T) {
	numbers := rapid.Int64Range(0, math.MaxInt64)
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers.Draw(t, "a"), numbers.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = a ^ rapid.Int64Range(0, 4096).Draw(t, "difference")
		}
		one, other := ids.OfNumber(ids.Attempt, a), ids.OfNumber(ids.Attempt, b)
		if n, ok := ids.NumberOf(ids.Attempt, one); n != a || !ok {
			t.Errorf("%d is %s, which is %d, %v", a, one, n, ok)
		}
		if (a < b) != (one < other) {
			t.Errorf("%d and %d do not sort as %s and %s", a, b, one, other)
		}
		at := ids.NumberTime(a)
		if random := ids.NewAt(ids.Attempt, at); len(random) != len(one) || random[:20] != one[:20] {
			t.Errorf("%s and %s are of one time", random, one)
		}
		for _, id := range []string{one, ids.NewAt(ids.Attempt, at)} {
			if of, ok := ids.TimeOf(ids.Attempt, id); !ok || !of.Equal(at) {
				t.Errorf("%s is of %v, %v, want %v", id, of, ok, at)
			}
		}
	})
}

// TestOtherIDsAreOfNoNumber: what was not made of a number is not taken for one.
func TestOtherIDsAreOfNoNumber(t *testing.T) {
	good := ids.OfNumber(ids.Attempt, 1<<61)
	for _, id := range []string{"", "att_", "att-1", ids.NewAt(ids.Attempt, time.Now()), "call_" + good[4:], good + "0", good[:len(good)-1] + "1",
		good[:len(good)-1] + "x", "att_FFFFFFFFFFFF7FFF8000000000000000", "att_0193b0c4d5e67fff8000000000000000"} {
		if n, ok := ids.NumberOf(ids.Attempt, id); ok {
			t.Errorf("%s is of %d", id, n)
		}
	}
}

// TestNumbersAreNew: no number is given twice, not even of one microsecond by many at once,
// and each is of its time, or hardly later.
func TestNumbersAreNew(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	var all []int64
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			var own []int64
			for range 2000 {
				own = append(own, ids.NumberAt(at))
			}
			mu.Lock()
			defer mu.Unlock()
			if !slices.IsSorted(own) {
				t.Error("those of one goroutine are in no order")
			}
			all = append(all, own...)
		})
	}
	wait.Wait()
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != 8000 {
		t.Errorf("%d of 8000 numbers are different", n)
	}
	if first, last := all[0], all[len(all)-1]; first < ids.FirstNumber(at) || ids.NumberTime(last).After(at.Add(10*time.Microsecond)) {
		t.Errorf("from %v to %v", ids.NumberTime(first), ids.NumberTime(last))
	}
	if n := ids.NumberAt(time.Time{}); ids.NumberTime(n).Year() != 1970 {
		t.Errorf("before 1970: %v", ids.NumberTime(n))
	}
}

// TestFirstNumbersOfAllTimes: the numbers of times that lie in the years 1970 to 9998 sort as
// the times do. Those later than any number can say come behind all numbers.
func TestFirstNumbersOfAllTimes(t *testing.T) {
	end := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() - 1
	times := rapid.OneOf(rapid.Int64Range(0, end), rapid.SampledFrom([]int64{0, 1, end, math.MaxInt64>>11 - 1, math.MaxInt64 >> 11, math.MaxInt64>>11 + 1, math.MaxInt64 >> 10}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := time.UnixMicro(times.Draw(t, "a")), time.UnixMicro(times.Draw(t, "b"))
		one, other := ids.FirstNumber(a), ids.FirstNumber(b)
		if one < 0 || a.Before(b) && one > other {
			t.Errorf("%v has %d, %v has %d", a, one, b, other)
		}
		if a.Year() < 2112 && b.Year() < 2112 && (one < other) != a.Before(b) {
			t.Errorf("%v has %d, %v has %d", a, one, b, other)
		}
		if n := ids.NumberAt(a); a.Year() < 2112 && n < one || n >= ids.FirstNumber(time.UnixMicro(end)) {
			t.Errorf("%v has %d, and is given %d", a, one, n)
		}
	})
	for _, at := range []time.Time{{}, time.Unix(-1, 0), time.UnixMicro(-1)} {
		if n := ids.FirstNumber(at); n != 0 {
			t.Errorf("before 1970: %d", n)
		}
	}
	// A clock that is far off has no number given twice, and ends no process.
	late := map[int64]bool{}
	for range 5000 {
		late[ids.NumberAt(time.UnixMicro(end))] = true
	}
	if len(late) != 5000 {
		t.Errorf("%d of 5000 numbers are different", len(late))
	}
}

// TestManyNumbersOfAMomentAreNew: those that one microsecond has no room for are of the next
// ones, and none of them is forgotten while others are given, whatever the moment is.
func TestManyNumbersOfAMomentAreNew(t *testing.T) {
	const moments, numbers = 50, 40_000
	seen := make(map[int64]bool, moments*numbers)
	for m := range moments {
		at := time.Unix(1_900_000_000+int64(m)*7, int64(m)*1_234_000)
		for range numbers {
			n := ids.NumberAt(at)
			if seen[n] {
				t.Fatalf("%d of moment %d was given before", n, m)
			}
			seen[n] = true
		}
	}
}
