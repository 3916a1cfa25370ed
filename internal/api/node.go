package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// nodeOperations registers the call that shows the processes of the database
// (docs/design.md#several-nodes).
// A reader may not call it, because the answer has names and addresses of machines.
func nodeOperations(a *api) {
	handle(a, access.Operator, huma.Operation{OperationID: "list-nodes", Method: http.MethodGet, Path: "/api/nodes", Tags: []string{"Operating"},
		Summary:     "List the processes that share the work of the database, the longest running first",
		Description: "As the one that answers saw them last, less than a second ago. A database that is a file has one."}, a.listNodes)
}

// node is a process as the API shows it. What it says comes from the table of nodes,
// which each node reads about twice a second.
type node struct {
	ID          string    `json:"id" doc:"Made by chance when the node begins; another one if others have taken it for dead"`
	Name        string    `json:"name" doc:"Host and process"`
	Address     string    `json:"address,omitempty" doc:"That it listens on"`
	Version     string    `json:"version,omitempty" doc:"Of orderhook"`
	Started     time.Time `json:"started"`
	LastSeen    time.Time `json:"lastSeen" doc:"By the clock of the database"`
	Live        bool      `json:"live" doc:"False: its work is about to be taken over"`
	Self        bool      `json:"self" doc:"It is the one that answers"`
	Shards      int       `json:"shards" doc:"How many of the 64 parts of the work it does"`
	Maintenance bool      `json:"maintenance" doc:"It does the maintenance of the database"`
}

// listNodes shows what this node knows in memory, without a question to the database: it
// answers also while the database does not.
func (a *api) listNodes(context.Context, *struct{}) (*listOf[node], error) {
	return answerList(store.List[nodes.Status]{Items: a.Node.List()}, nil, func(s nodes.Status) node {
		shown := node{ID: s.ID, Name: s.Name, Address: s.Address, Version: s.Version, Started: s.Started.UTC(), LastSeen: s.Seen.UTC(),
			Live: s.Live, Self: s.Self, Shards: s.Shards, Maintenance: s.Maintenance}
		if s.Seen.IsZero() { // it is alone, and answers
			shown.LastSeen = a.now()
		}
		return shown
	})
}
