package ordertest

// Results is a step's answer with these results. list is their JSON, with commas between.
func Results(list string) string { return `{"OrderActionExecutionResults":[` + list + `]}` }
