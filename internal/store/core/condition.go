package core

// Condition is what can be said of a database before it is opened as a store: opening it
// would bring its schema up to date, and may make a key.
type Condition struct {
	Schema, Newest int64    // the number of its schema, and of the newest that this program knows
	Opened         bool     // this version of orderhook has opened it before, so that opening it changes nothing
	Damage         []string // what a quick look at the pages of a file has found
	Partial        bool     // the quick look was ended before it had seen everything
	ClockAhead     float64  // seconds by which the clock of the database's server is ahead of this machine's; 0 for a file
}
