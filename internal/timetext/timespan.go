package timetext

import (
	"math"
	"regexp"
	"strconv"
	"time"
)

// timeSpan is .NET's constant format. The short forms that .NET reads too, as
// "6" for six days or "00:30" for thirty minutes, are left out: whoever writes
// them rather means seconds.
var timeSpan = regexp.MustCompile(`^(?:([0-9]{1,8})\.)?([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,7}))?$`)

const (
	day     = 24 * time.Hour
	maxDays = int(math.MaxInt64/day) - 1 // one less leaves room for the hours
)

// parseTimeSpan reads a .NET TimeSpan of the form `[d.]hh:mm:ss[.fffffff]`, as
// connectors have for their Timeout (docs/contract.md#settings), with .NET's
// limits: hours to 23, minutes and seconds to 59.
func parseTimeSpan(s string) (d time.Duration, ok bool) {
	m := timeSpan.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	var parts [4]int
	for i, limit := range []int{maxDays, 23, 59, 59} {
		parts[i], _ = strconv.Atoi(m[i+1]) // digits, or "" for no days
		if parts[i] > limit {
			return 0, false
		}
	}
	ticks, _ := strconv.Atoi((m[5] + "0000000")[:7])
	return time.Duration(parts[0])*day + time.Duration(parts[1])*time.Hour + time.Duration(parts[2])*time.Minute +
		time.Duration(parts[3])*time.Second + time.Duration(ticks)*100*time.Nanosecond, true
}
