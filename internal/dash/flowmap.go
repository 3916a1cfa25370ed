package dash

import (
	"strconv"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// flowMap is the picture of how one status leads to another, as far as the settings say:
// endpoints may say more with each answer. It is an SVG in the template. All numbers are
// in its units.
type flowMap struct {
	Width, Height int
	Base          int // the y of the line that the statuses stand on
	Nodes         []mapNode
	Edges         []mapEdge
}

// mapNode is a status. X is its left edge. Steps is how many it has.
type mapNode struct {
	Name, ID string
	X, Steps int
}

// mapEdge is an arc from one status to another. Class is next or error, and Says is the
// arc in words.
type mapEdge struct {
	Class, Path, Says string
}

const (
	// A picture of more than mostNodes statuses would be wider than anybody scrolls.
	nodeStep  = 150 // from one status to the next
	nodeWidth = 120
	nodeHalf  = 15 // of its height
	mostNodes = 30
	mapMargin = 4
)

// newFlowMap draws the statuses in their order, with an arc above for where an order goes
// on to, and one below for where an error leads. Without arcs there is no picture. A
// status that the settings name and do not have gets no arc, and neither does one that
// leads to itself.
func newFlowMap(statuses []*jsondoc.Object, columns []flowColumn) (m flowMap) {
	// The page has its columns in any case, so without the picture nothing is missing.
	if len(columns) > mostNodes {
		return m
	}
	// Names of statuses have no case, so they are found by their folded form.
	at := map[string]int{}
	for i, c := range columns {
		at[spelling.FoldName(c.Name)] = i
		m.Nodes = append(m.Nodes, mapNode{c.Name, c.ID, i * nodeStep, len(c.Steps)})
	}
	type edge struct {
		from, to int
		class    string
	}
	var edges []edge
	seen := map[edge]bool{}
	// Several steps may lead to the same status on an error: that is one arc.
	add := func(from int, to, class string) {
		j, ok := at[spelling.FoldName(to)]
		if e := (edge{from, j, class}); ok && j != from && !seen[e] {
			seen[e] = true
			edges = append(edges, e)
		}
	}
	for i, c := range columns {
		for _, s := range c.Steps {
			add(i, s.OnError, "error")
		}
		add(i, statuses[i].Text("mainOrderStatus"), "next")
	}
	if len(edges) == 0 {
		return flowMap{}
	}
	// The height of the picture follows from its arcs, so that short ones do not leave an
	// empty space.
	rise := map[string]int{} // of the highest arc of each class
	for _, e := range edges {
		rise[e.class] = max(rise[e.class], arcRise(e.from, e.to))
	}
	m.Base = rise["next"] + nodeHalf + mapMargin
	m.Width, m.Height = (len(columns)-1)*nodeStep+nodeWidth+2*mapMargin, m.Base+nodeHalf+rise["error"]+mapMargin
	for _, e := range edges {
		m.Edges = append(m.Edges, m.arc(e.from, e.to, e.class, columns))
	}
	return m
}

// arcRise is how far an arc goes above or below the statuses. A longer arc goes higher,
// up to eight statuses, so that arcs which begin at one status can be told apart.
func arcRise(from, to int) int { return 15 + 9*min(max(to-from, from-to), 8) }

// arc is one arc, above the statuses for where an order goes on to, and below them for an
// error. It leaves a status at the side that it goes to.
func (m flowMap) arc(from, to int, class string, columns []flowColumn) mapEdge {
	up := -1
	says := "all shipments in " + columns[from].Name + ": the order enters " + columns[to].Name
	if class == "error" {
		up, says = 1, "an error in "+columns[from].Name+" leads to "+columns[to].Name
	}
	edge := m.Base + up*nodeHalf
	top := edge + up*arcRise(from, to)*4/3 // a curve comes three quarters as far as its handles
	side := nodeWidth / 6
	if to < from {
		side = -side
	}
	x1, x2 := from*nodeStep+nodeWidth/2+side, to*nodeStep+nodeWidth/2-side
	path := "M" + strconv.Itoa(x1) + " " + strconv.Itoa(edge) + "C" + strconv.Itoa(x1) + " " + strconv.Itoa(top) + " " + strconv.Itoa(x2) + " " + strconv.Itoa(top) +
		" " + strconv.Itoa(x2) + " " + strconv.Itoa(edge+up*4)
	return mapEdge{Class: class, Path: path, Says: says}
}
