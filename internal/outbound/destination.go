package outbound

import (
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/weburl"
)

// destination is a URL that requests go to, and what each of them needs of it. Requests share
// it, and nobody changes it.
type destination struct {
	url    *url.URL
	site   site
	path   string // with the query, as the request line has it
	origin string // as secrets are bound to one
	shown  string // as [weburl.ShownURL] shows it
	// secrets are those of the query, in each form in which an answer may repeat them.
	secrets []string
}

// What bounds the memory of destinations. How many are retained, of about 1 KB each: those of
// the endpoints that are busy. A URL that has more bytes than these is taken apart each time.
const (
	mostDestinations   = 16_384
	longestDestination = 512
)

// destinations are those of the requests of late, so that a URL is not taken apart for each
// of them. What a URL means does not change, so nothing of it gets old. The zero value is ready.
type destinations struct {
	of    sync.Map     // of *destination, by its URL
	count atomic.Int64 // of them, or a few more: two who make the same one at once both count
}

// get returns the destination of a URL; false where no request can be made to it.
func (d *destinations) get(text string) (*destination, bool) {
	if found, ok := d.of.Load(text); ok {
		return found.(*destination), true
	}
	u, ok := weburl.ParseURL(text)
	if !ok {
		return nil, false
	}
	made := &destination{url: u, site: siteOf(u), path: u.RequestURI(), origin: weburl.OriginOf(u), shown: weburl.ShownURL(text, u), secrets: querySecrets(u)}
	if len(text) > longestDestination {
		return made, true
	}
	// A full map is emptied as a whole, as that of the secrets.
	if d.count.Add(1) > mostDestinations {
		d.of.Clear()
		d.count.Store(1)
	}
	d.of.Store(text, made)
	return made, true
}
