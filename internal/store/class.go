package store

import "context"

// Class says what a question to the database is for. Each class has database connections
// of its own, so that no class has to wait for the slow questions of another.
type Class int

// The classes. A context without a class has the class Work.
const (
	// Work is what orderhook needs for its own work: the reading within writes, runs,
	// deliveries, keys. A write always has this class, whatever its context says.
	Work Class = iota
	// Read is a caller's question about one thing. A page of a list that is asked for
	// with it becomes Listing or Search.
	Read
	// Listing is a caller's page of a list.
	Listing
	// Search is a caller's page of a search within documents or bodies.
	Search
	// Background is the questions of jobs, which can wait.
	Background
	// Check is the question whether the database answers at all.
	Check
	// Classes is the number of classes.
	Classes = iota
)

type classKey struct{}

// Mark returns a context whose questions are of the class.
func (c Class) Mark(ctx context.Context) context.Context {
	if ClassOf(ctx) == c {
		return ctx
	}
	return context.WithValue(ctx, classKey{}, c)
}

// ClassOf returns the class of a context's questions.
func ClassOf(ctx context.Context) Class {
	c, _ := ctx.Value(classKey{}).(Class)
	return c
}
