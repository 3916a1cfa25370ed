package store

import "time"

// Figures is what a database is doing, for metrics. Totals are since it was opened.
type Figures struct {
	WritesWaiting      int
	Commits, Writes    int64         // groups of writes that were committed together, and the writes in them
	CommitsFailed      int64         // groups
	Waited, Committing time.Duration // how long all writes waited until they began, and how long all groups took
	LastCommit         time.Time     // zero: none yet

	Bytes    int64 // that the database takes
	LogBytes int64 // of its write-ahead log; -1 where that is a server's
	DiskFree int64 // bytes, for a file
	// PartitionsEnd is until when there are partitions for what is written; zero where a
	// database has none. A write that finds none has it made, and waits for that.
	PartitionsEnd time.Time
	// Lateness is how old an attempt must be to be indexed: as late as any is recorded, on
	// whichever node.
	Lateness  time.Duration
	Unindexed int64 // attempts whose bodies are in no segment of the index yet, at most
}
