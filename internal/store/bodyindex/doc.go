// Package bodyindex finds a piece of text in recorded bodies without reading
// them all. It knows no database: it makes immutable segments of bytes from
// bodies, and says where in a segment to read and which bodies to check.
//
// A segment is a bit-sliced signature file. It covers up to [SegmentDocs]
// documents, a document being the bodies of one attempt, in up to 64 blocks. It
// is a matrix of bits with a column per block: each run of 3 and each of 5 bytes
// of a block's bodies, hashed, sets the block's bit in one row. A search reads
// the rows of its piece's own runs; a block that has a bit in all of them is a
// candidate, whose bodies must then be checked with [Query.Match]. A block
// without is ruled out for certain, so the index never misses.
//
// Upper and lower case are the same on both sides, by Unicode's simple case
// folding, and a body with backslashes is indexed and matched twice: as it is
// written, and with its JSON escapes decoded.
//
// Why 3 and 5: among a million orders, 3 and 6 leave every block a candidate for
// five digits and eight times as many for six, as runs of 3 digits are in every
// block; a UUID, an email address, and an order number are found as well.
package bodyindex
