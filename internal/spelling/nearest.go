package spelling

// Nearest returns the one of the known field names that a name is a slip away
// from, "" if it is one itself or is like none. Case makes no difference.
func Nearest(name string, known []string) (meant string) {
	for _, k := range known {
		if SameField(k, name) {
			return ""
		}
		if near(Fold(k), Fold(name)) {
			meant = k
		}
	}
	return meant
}

// near reports whether one text becomes the other by a letter put in, left out
// or changed, or by two neighbours that change places; by two such slips in a
// long one.
func near(a, b string) bool {
	most := 1
	if len(a) >= 6 {
		most = 2
	}
	return max(len(a)-len(b), len(b)-len(a)) <= most && slips(a, b) <= most
}

// slips counts the fewest slips between two texts (the optimal string alignment
// distance, of bytes).
func slips(a, b string) int {
	var before []int // the row before the row above
	above := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above[j]+cost, above[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, above = above, row
	}
	return above[len(b)]
}
