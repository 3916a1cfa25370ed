package nodes

import "hash/fnv"

// plan says which leases a node is to take, and which of those that it has it is to give
// back. has is the leases that it has, those that it is giving back left out. Each node has
// at most ceil(Shards / nodes) shards. So the plans of several nodes, each made by itself,
// fit together: where a shard is free, some node has fewer than it may have. plan only
// looks at what it is given.
func plan(v *View, id string, has []string) (take, give []string) {
	most := (Shards + len(v.Nodes) - 1) / max(len(v.Nodes), 1)
	own := map[string]bool{}
	shards := 0
	for _, name := range has {
		own[name] = true
		if name != Maintenance {
			if shards++; shards > most {
				give = append(give, name)
			}
		}
	}
	if v.holder(Maintenance) == "" && !own[Maintenance] {
		take = append(take, Maintenance)
	}
	// Each node begins to look somewhere else, so that not all want the same shards.
	first := startOf(id)
	for i := range Shards {
		if shards >= most {
			break
		}
		name := shardNames[(first+i)%Shards]
		if v.holder(name) == "" && !own[name] {
			take = append(take, name)
			shards++
		}
	}
	return take, give
}

// startOf returns the shard at which a node begins to look. It follows from the node's id,
// which is random.
func startOf(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // never fails
	return int(h.Sum32() % Shards)
}
