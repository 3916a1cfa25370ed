package oms

// Warning names something that was taken as it is, and may still be a mistake:
// a field that nothing reads, a name that is like another one. It never changes
// what comes of a request or of an answer (CONTRACT.md, "What is not read is named").
type Warning struct {
	Path    string `json:"path"` // as in [FieldError]
	Message string `json:"message"`
}
