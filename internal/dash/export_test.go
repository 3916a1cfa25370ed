package dash

import (
	"log/slog"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/clock"
)

// Route is one path of the dashboard, for tests that walk all of them on a server.
type Route struct {
	Pattern string
	Needed  access.Role // "": who has not signed in gets it, too
}

// Routes lists every path that the dashboard has.
func Routes() (routes []Route) {
	for _, r := range newServer(Options{Clock: clock.Real{}, Log: slog.New(slog.DiscardHandler)}).routes {
		routes = append(routes, Route{r.pattern, r.needed})
	}
	return routes
}
