// Package access is who may do what: tenants, keys and their roles, sessions; and the log
// of who did it.
//
// It checks no request, which package api does, and stores nothing. Start with [Key].
package access
