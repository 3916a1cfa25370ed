package oms

// Nearest returns the one of the known field names that a name is a slip away
// from, "" if it is one itself or is like none. Case makes no difference.
func Nearest(name string, known []string) (meant string) {
	for _, k := range known {
		if sameName(k, name) {
			return ""
		}
		if near(fold(k), fold(name)) {
			meant = k
		}
	}
	return meant
}

// near reports whether one text becomes the other by a letter put in, left out
// or changed, or by two in a long one.
func near(a, b string) bool {
	most := 1
	if len(a) >= 6 {
		most = 2
	}
	if max(len(a)-len(b), len(b)-len(a)) > most {
		return false
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)] <= most
}
