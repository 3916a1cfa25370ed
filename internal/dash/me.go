package dash

import (
	"github.com/orderhook/orderhook/internal/access"
)

// meView is the key that somebody has signed in with. It says what the key may do, how fast it
// may ask, and when it ends. Those who are no admins see that nowhere else.
type meView struct {
	Key    shownKey
	Server string // this server's address, for the command
}

// mePage belongs to no section: the name of the tenant, above each page, leads to it.
var mePage = newPage[meView]("me", "")

// mePages registers the page about one's own key.
func mePages(s *server) { s.page(access.Reader, "GET /me", showMe) }

// showMe asks the API, whose answer knows what the role may do. The key's end is said
// again in words, as in the list of keys.
func showMe(v *visit) error {
	view := meView{Server: v.s.address(v.r)}
	if err := v.get("/api/me", nil, &view.Key); err != nil {
		return err
	}
	view.Key.Expiring = expiring(&view.Key.Key, v.s.Clock.Now())
	return mePage.show(v, "Your key", view)
}
