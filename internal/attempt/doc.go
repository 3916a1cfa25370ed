// Package attempt is the record of outgoing requests: what was sent, what came back, how
// long it took, and how many there were.
//
// It makes no request: package outbound does. Start with [Attempt].
package attempt
