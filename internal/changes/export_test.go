package changes

// TopicNames are the names of all topics, by their bits.
var TopicNames = topicNames

// Tenants is how many tenants the hub knows.
func (h *Hub) Tenants() int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.tenants)
}
