package dash

import (
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// nodesView is the processes that share the work of the database. With SQLite there is
// one.
type nodesView struct{ Items []nodeRow }

// nodeRow is one of them, as the API says. Times are by the clock of the database, so
// those of two nodes can be compared.
type nodeRow struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Address     string    `json:"address"`
	Version     string    `json:"version"`
	Started     time.Time `json:"started"`
	LastSeen    time.Time `json:"lastSeen"`
	Live        bool      `json:"live"`
	Self        bool      `json:"self"`
	Shards      int       `json:"shards"`
	Maintenance bool      `json:"maintenance"`
}

// nodesPage lists the nodes.
var nodesPage = newPage[nodesView]("nodes", "/nodes")

// nodePages registers the page of the nodes. It is for operators, since it says how the
// server is run.
func nodePages(s *server) { s.page(access.Operator, "GET /nodes", listNodes) }

// listNodes is not live: the nodes are no topic of the changes, and whoever wants to see
// them anew reloads the page.
func listNodes(v *visit) error {
	var list List[nodeRow]
	if err := v.get("/api/nodes", nil, &list); err != nil {
		return err
	}
	return nodesPage.show(v, "Nodes", nodesView{list.Items})
}
