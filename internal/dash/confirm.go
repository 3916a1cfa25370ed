package dash

import "time"

// Confirm is the page before anything is done: it says what will happen, and has the
// one form that does it. A page shows it with confirmPage. What it says is asked of the
// API when the page is made, often as a dry run, so it says what would happen now.
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

// Fact is a name and its value. With a URL the value is a link.
type Fact struct {
	Name, Value, URL string
	At               time.Time // is shown behind the value, in the browser's zone; zero: none
}

// Hidden is a field of a form that is not seen. Anybody may change it before the form is
// sent, so the API checks it as any other value.
type Hidden struct{ Name, Value string }

// Input is a field of a form. Its Name is the place of the value in the API's body, so
// that an error of the API finds the field ([Problem.mark]).
type Input struct {
	Name, Label, Value string
	Hint               string   // an example
	Help               string   // a sentence beneath it
	Options            []Option // of a choice
	Lines              int      // of a text with several; 0: one line
	Type               string   // "" is text; checkbox has Value "true" where it is checked
	Required           bool
	Error              string // what is wrong with the value
	Focus              bool   // the page begins here, since this is wrong
}

// ID is the id of the field's element. A label and an error lead to it.
func (in Input) ID() string { return "field-" + in.Name }

// confirmPage belongs to no section: it comes from many.
var confirmPage = newPage[Confirm]("confirm", "")
