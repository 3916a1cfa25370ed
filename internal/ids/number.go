package ids

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// A number is a time in microseconds since 1970, and behind it numberBits bits that tell
// apart what is of the same microsecond. It fits into 63 bits until the year 2112. The id
// that is made of a number looks as those of [NewAt] do, and sorts as the number does.
const numberBits = 11

// lastMicrosecond is the last one that a number can say. No number is given for it, nor for
// the day before it, which is room for what a clock that is further off makes.
const (
	lastMicrosecond = math.MaxInt64 >> numberBits
	lastGiven       = (lastMicrosecond - 24*int64(time.Hour/time.Microsecond)) << numberBits
)

// given remembers the last numbers that were given out, each in the place of its
// microsecond: so no two of this process are the same, as far as it remembers. What
// another process gives out for the same microsecond differs by chance: whoever stores a
// number has to find out whether another has it.
//
// Microseconds that follow each other have places of their own, since where one has no
// number left the next one gives it. The number of places is a prime, so that the times of
// a clock that tells milliseconds have them as well.
var given struct {
	sync.Mutex
	last [4093]int64
}

// NumberAt returns a new number for a time.
// If all numbers of a microsecond are taken, the number is one of the next microsecond.
func NumberAt(at time.Time) int64 {
	first := min(FirstNumber(at), lastGiven)
	given.Lock()
	defer given.Unlock()
	for ; ; first += 1 << numberBits {
		place := &given.last[first>>numberBits%int64(len(given.last))]
		switch n := *place + 1; {
		case n>>numberBits == first>>numberBits:
			*place = n
			return n
		case *place>>numberBits != first>>numberBits:
			// The first number of a microsecond is random, so that two processes rarely
			// begin with the same one. It is in the lower half, so at least half of the
			// numbers are left.
			*place = first | rand.Int64N(1<<(numberBits-1))
			return *place
		}
		// As many numbers of this microsecond were given out as there are.
	}
}

// FirstNumber returns the number that all of a time are not below.
// A time before 1970 counts as 1970. Of one that no number can say, from the year 2112 on, it
// is above all that are given.
func FirstNumber(at time.Time) int64 {
	return min(max(at.UnixMicro(), 0), lastMicrosecond) << numberBits
}

// NumberTime returns the time of a number.
func NumberTime(n int64) time.Time { return time.UnixMicro(n >> numberBits).UTC() }

// Numbered returns a new id that is made of a number of a time.
func Numbered(prefix string, at time.Time) string { return OfNumber(prefix, NumberAt(at)) }

// OfNumber returns the id that is made of a number.
func OfNumber(prefix string, n int64) string {
	var u [16]byte
	µs := uint64(n >> numberBits)
	binary.BigEndian.PutUint64(u[:8], µs/1000<<16|0x7000|µs%1000)
	binary.BigEndian.PutUint64(u[8:], 1<<63|uint64(n)&(1<<numberBits-1)<<(62-numberBits))
	return prefix + hex.EncodeToString(u[:])
}

// NumberOf returns the number that an id was made of; ok is false if it was made of none.
func NumberOf(prefix, id string) (n int64, ok bool) {
	text, prefixed := strings.CutPrefix(id, prefix)
	var u [16]byte
	if !prefixed || len(text) != 2*len(u) {
		return 0, false
	}
	if _, err := hex.Decode(u[:], []byte(text)); err != nil {
		return 0, false
	}
	high, low := binary.BigEndian.Uint64(u[:8]), binary.BigEndian.Uint64(u[8:])
	n = int64((high>>16*1000+high&0xfff)<<numberBits | low>>(62-numberBits)&(1<<numberBits-1))
	return n, OfNumber(prefix, n) == id
}

// TimeOf returns the time, to the microsecond, that an id of [NewAt] or [OfNumber] was made
// of; ok is false if it is no such id.
func TimeOf(prefix, id string) (at time.Time, ok bool) {
	text, prefixed := strings.CutPrefix(id, prefix)
	u, err := hex.DecodeString(text)
	if !prefixed || err != nil || len(u) != 16 || u[6]>>4 != 7 {
		return time.Time{}, false
	}
	high := binary.BigEndian.Uint64(u[:8])
	return time.UnixMicro(int64(high>>16*1000 + high&0xfff)).UTC(), true
}
