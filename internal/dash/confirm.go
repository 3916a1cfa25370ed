package dash

// Confirm is the page before anything is done: it says what will happen, and has the
// one form that does it. A page shows it with confirmPage.
type Confirm struct {
	What    string   // what happens, in a sentence
	Facts   []Fact   // to whom, how many, the filter
	Notes   []string // what cannot be undone, what stays as it is
	Sample  []Fact   // some of what it is about; its values are links
	Action  string   // where the form is sent
	Inputs  []Input  // what is still to be said
	Hidden  []Hidden // what the form repeats
	Button  string   // what is done, as a verb: "Cancel the run"
	Danger  bool     // it cannot be undone
	Back    string   // where one goes who does not want it
	Problem *Problem // why it was refused, when it was tried
	Blocked bool     // it cannot be done, and there is no button; Notes say why
}

// Fact is a name and its value.
type Fact struct{ Name, Value, URL string }

// Hidden is a field of a form that is not seen.
type Hidden struct{ Name, Value string }

// Input is a field of a form.
type Input struct {
	Name, Label, Value string
	Hint               string   // an example
	Help               string   // a sentence beneath it
	Options            []Option // of a choice
	Lines              int      // of a text with several; 0: one line
	Type               string   // "" is text; checkbox has Value "true" where it is checked
	Required           bool
	Error              string // what is wrong with the value
}

var confirmPage = newPage[Confirm]("confirm", "")
