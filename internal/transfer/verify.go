package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
)

// These bound the memory, and the error, of a comparison of databases that hardly have a
// row in common.
const (
	// mostShown is how many differences are shown.
	mostShown = 20
	// mostAside is how many rows are in memory that one side has and the other has not,
	// or not there.
	mostAside = 10_000
)

// verify compares all rows of both databases: counts, checksums and values. It reads
// everything again, so it also finds what a disk or a driver has changed on the way. It
// goes through all tables, and the error names the first differences of them. A copy that
// differs keeps its mark.
func (t *transfer) verify(ctx context.Context) error {
	var differences []string
	for _, table := range t.tables {
		c := &comparison{transfer: t, table: table, digest: secret.NewDigest()}
		if err := c.run(ctx); err != nil {
			return fmt.Errorf("compare the table %s: %w", table.name, err)
		}
		// Either would do; together they also find an error of the comparison itself.
		if len(c.differences) == 0 && c.source == c.target {
			t.Progress(fmt.Sprintf("checked %s: %d rows, checksum %s", table.name, c.source.rows, c.source))
			continue
		}
		t.Progress(fmt.Sprintf("%s differs: %d rows with the checksum %s in --from, %d with %s in --to", table.name, c.source.rows, c.source, c.target.rows, c.target))
		differences = append(differences, c.differences...)
	}
	if len(differences) == 0 {
		return nil
	}
	more := ""
	if len(differences) > mostShown {
		differences, more = differences[:mostShown], "; and more"
	}
	return fmt.Errorf("%w, and is not to be used: %s%s. Was --from changed meanwhile? Empty --to, and begin again", ErrDiffers, strings.Join(differences, "; "), more)
}

// sum is how many rows a table has, and a checksum of them that does not depend on their
// order, because rows may have another place in the other database. It is made without what
// is sealed: that is not the same twice, and whoever knows the rest must not be able to try
// out what a secret is.
type sum struct {
	rows int
	sums [2]uint64
}

// add adds the digest of a row. Sums of digests are the same in any order.
func (s *sum) add(digest [sha256.Size]byte) {
	s.rows++
	for i := range s.sums {
		s.sums[i] += binary.BigEndian.Uint64(digest[8*i:])
	}
}

// String is the checksum as it is shown, for whoever compares it with that of another run.
func (s sum) String() string {
	b := binary.BigEndian.AppendUint64(nil, s.sums[0])
	return hex.EncodeToString(binary.BigEndian.AppendUint64(b, s.sums[1]))
}

// digestOf is the checksum of one row, without one column. Each value has its kind before
// it, and a text its length: so two different rows never come to the same bytes.
func digestOf(row []any, leaveOut int) [sha256.Size]byte {
	h := sha256.New()
	for i, v := range row {
		b := []byte{'n'}
		switch v := v.(type) {
		case int64:
			b = binary.BigEndian.AppendUint64([]byte{'i'}, uint64(v))
		case float64:
			b = binary.BigEndian.AppendUint64([]byte{'f'}, math.Float64bits(v))
		case string:
			b = binary.BigEndian.AppendUint64([]byte{'t'}, uint64(len(v)))
			b = append(b, v...)
		case []byte:
			b = binary.BigEndian.AppendUint64([]byte{'b'}, uint64(len(v)))
			b = append(b, v...)
		}
		if i != leaveOut {
			_, _ = h.Write(b) // it never fails
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// comparison compares a table of both databases. The rows of both come in the order of the
// key, so each is compared as it comes, and no more than one of each side is in memory, but
// for those that were set aside.
type comparison struct {
	*transfer
	table *table
	// digest seals secrets so that the same one gives the same text, for as long as the
	// process runs.
	digest         *secret.Digest
	source, target sum
	aside          map[[sha256.Size]byte]int // rows that one database alone has so far: of the source 1, of the target -1
	// keys has the keys of the rows in aside, for people.
	keys        map[[sha256.Size]byte]string
	differences []string
}

// run goes through both sides at once. Where two rows have different keys, the lower one is in
// one database only, or at another place there: it is set aside until its counterpart comes.
// What is left at the end differs.
func (c *comparison) run(ctx context.Context) error {
	nextSource, stop := iter.Pull2(c.from.rows(ctx, c.table, nil))
	defer stop()
	nextTarget, stop := iter.Pull2(c.to.rows(ctx, c.table, nil))
	defer stop()
	// a and b are the next row of each side; raw is a as the source has it.
	a, raw, err := c.ofSource(nextSource)
	if err != nil {
		return err
	}
	b, err := c.ofTarget(nextTarget)
	for err == nil && (a != nil || b != nil) {
		order := c.order(a, b)
		// The same key on both sides.
		if order == 0 {
			c.compare(a, raw, b)
		}
		if order < 0 {
			err = c.setAside(a, 1)
		}
		if order > 0 {
			err = c.setAside(b, -1)
		}
		// The side that came first goes on; with the same key, both do.
		if err == nil && order <= 0 {
			a, raw, err = c.ofSource(nextSource)
		}
		if err == nil && order >= 0 {
			b, err = c.ofTarget(nextTarget)
		}
		c.tell("checked", c.table, c.target.rows, false)
	}
	// Both sides are at their end: these have no counterpart anywhere.
	for row, side := range c.aside {
		c.differs(map[bool]string{true: "%s: the row %s is missing in --to", false: "%s: the row %s is not in --from"}[side > 0], c.keys[row])
	}
	return err
}

// order says which of two rows comes first. One that is nil comes last.
func (c *comparison) order(a, b []any) int {
	switch {
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return compareKeys(c.table.keyIn(a), c.table.keyIn(b))
}

// ofSource returns the next row of the source, as the target holds it, and as it is; nil
// behind the last one. A row whose key the target holds in another way has another place
// there, so it is set aside at once.
func (c *comparison) ofSource(next func() ([]any, error, bool)) (row, raw []any, err error) {
	for {
		raw, err, more := next()
		if err != nil || !more {
			return nil, nil, err
		}
		row := c.held(raw)
		// Both sums are of rows as the target holds them, so that they can be the same.
		c.source.add(digestOf(row, c.table.sealed))
		if compareKeys(c.table.keyIn(raw), c.table.keyIn(row)) == 0 {
			return row, raw, nil
		}
		if err := c.setAside(row, 1); err != nil {
			return nil, nil, err
		}
	}
}

// ofTarget returns the next row of the target; nil behind the last one.
func (c *comparison) ofTarget(next func() ([]any, error, bool)) ([]any, error) {
	row, err, more := next()
	if err != nil || !more {
		return nil, err
	}
	c.target.add(digestOf(row, c.table.sealed))
	return row, nil
}

// compare compares two rows with the same key, column by column. raw is the first one as
// the source has it: its secret is sealed for what the source calls it.
func (c *comparison) compare(a, raw, b []any) {
	for i, column := range c.table.columns {
		if i == c.table.sealed && c.sameSecret(raw, b) || sameValue(a[i], b[i]) {
			continue
		}
		c.differs("%s: the row %s has another "+column, c.table.shown(c.table.keyIn(a)))
	}
}

// sameSecret reports whether the same is sealed in two rows, for the same. It opens
// neither: each is sealed into a digest, by package secret. b is given the other values of
// a, which are what the secret must be sealed for. A secret that does not open in the
// source cannot be compared, and is taken for another one unless its text is the same.
func (c *comparison) sameSecret(a, b []any) bool {
	b = slices.Concat(a[:c.table.sealed], b[c.table.sealed:c.table.sealed+1], a[c.table.sealed+1:])
	// What the source cannot open, nobody could use before either: its text is compared
	// instead.
	one, err := c.table.reseal(c.from.sealer(), c.digest, c.table.value(a))
	if err != nil {
		return false
	}
	other, err := c.table.reseal(c.to.sealer(), c.digest, c.table.value(b))
	return err == nil && one == other
}

// sameValue reports whether two values are the same. The drivers return slices of bytes,
// which == cannot compare.
func sameValue(a, b any) bool {
	x, isBytes := a.([]byte)
	y, areBytes := b.([]byte)
	if isBytes || areBytes {
		return isBytes == areBytes && slices.Equal(x, y)
	}
	return a == b
}

// setAside notes a row that one side has and the other has not, or not at that place. If
// the other side has noted the same row, both are forgotten. Too many of them end the
// comparison.
func (c *comparison) setAside(row []any, side int) error {
	if c.aside == nil {
		c.aside, c.keys = map[[sha256.Size]byte]int{}, map[[sha256.Size]byte]string{}
	}
	digest := digestOf(row, c.table.sealed)
	// The counterpart has come. What is sealed is not compared for such a row.
	if c.aside[digest] += side; c.aside[digest] == 0 {
		delete(c.aside, digest)
		delete(c.keys, digest)
		return nil
	}
	c.keys[digest] = c.table.shown(c.table.keyIn(row))
	// The databases have next to nothing in common: more would only fill the memory.
	if len(c.aside) > mostAside {
		return fmt.Errorf("%w: one of the databases has %d rows that the other has not, as %s", ErrDiffers, len(c.aside), c.keys[digest])
	}
	return nil
}

// differs notes a difference; there may be very many.
func (c *comparison) differs(format, key string) {
	if len(c.differences) <= mostShown {
		c.differences = append(c.differences, fmt.Sprintf(format, c.table.name, key))
	}
}
