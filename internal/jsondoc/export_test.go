package jsondoc

// IndexFrom is the number of members from which an object keeps an index.
const IndexFrom = indexFrom
