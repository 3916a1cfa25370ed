package dash

import (
	"strconv"

	"github.com/orderhook/orderhook/internal/oms"
)

// flowMap is the picture of how one status leads to another, as far as the settings say:
// endpoints may say more with each answer.
type flowMap struct {
	Width, Height int
	Base          int // the y of the line that the statuses stand on
	Nodes         []mapNode
	Edges         []mapEdge
}

// mapNode is a status.
type mapNode struct {
	Name, ID string
	X, Steps int
}

// mapEdge is an arc from one status to another.
type mapEdge struct {
	Class, Path, Says string
}

const (
	nodeStep  = 150 // from one status to the next
	nodeWidth = 120
	nodeHalf  = 15 // of its height
	mostNodes = 30
	mapMargin = 4
)

// newFlowMap draws the statuses in their order, with an arc above for where an order goes
// on to, and one below for where an error leads. Without arcs there is no picture.
func newFlowMap(statuses []*oms.Object, columns []flowColumn) (m flowMap) {
	if len(columns) > mostNodes {
		return m
	}
	at := map[string]int{}
	for i, c := range columns {
		at[oms.FoldName(c.Name)] = i
		m.Nodes = append(m.Nodes, mapNode{c.Name, c.ID, i * nodeStep, len(c.Steps)})
	}
	type edge struct {
		from, to int
		class    string
	}
	var edges []edge
	seen := map[edge]bool{}
	add := func(from int, to, class string) {
		j, ok := at[oms.FoldName(to)]
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

// arcRise is how far an arc goes above or below the statuses.
func arcRise(from, to int) int { return 15 + 9*min(max(to-from, from-to), 8) }

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
