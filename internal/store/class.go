package store

import "context"

// Class is what a question is asked for. An engine has connections for each
// class that no other class gets, so that nobody waits for the questions of
// another class, however long those take.
type Class int

// The classes. A context that names none is of Work.
const (
	// Work is what orderhook itself needs to go on: what a write is decided on,
	// runs, deliveries, keys. A write is of Work, whatever its context says.
	Work Class = iota
	// Read is a caller's question about one thing. A page of a list that is asked
	// for with it becomes Listing or Search.
	Read
	// Listing is a caller's page of a list.
	Listing
	// Search is a caller's page of what has to be looked for within documents or
	// bodies.
	Search
	// Background is the questions of jobs, which have time.
	Background
	// Check is whether the database answers.
	Check
	// Classes is how many there are.
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
