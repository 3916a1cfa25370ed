package bodyindex

// Docs returns how many documents the segment covers.
func (h Header) Docs() int {
	_, to := h.Block(len(h.docs) - 1)
	return to
}
