// Package weburl reads the URLs that users give, and shows them without what only their
// owners may see.
//
// It makes no request and looks up no host. Start with [ParseURL] and [PublicURL].
package weburl
