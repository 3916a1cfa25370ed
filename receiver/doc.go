// Package receiver is for programs that orderhook calls.
package receiver
